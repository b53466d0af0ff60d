//! What leaves: segments as the windows allow, and again when nobody acknowledges them.

use super::{Around, Connection, Doing, Fate, MSS, Phase, before};
use crate::packet::{Body, Segment, flags};
use crate::traffic::draw::{MS, NEVER, Ns, SEC, share_of};
use crate::traffic::script::Role;

/// RTO is never less than this, nor more.
const RTO: (Ns, Ns) = (200 * MS, 60 * SEC);

impl Connection {
    /// A deadline came. Spurious calls do nothing.
    pub(in crate::traffic) fn timer(&mut self, now: Ns, around: &mut Around<'_>) -> Fate {
        if self.at_patience <= now {
            return self.give_up(now, around);
        }
        if self.at_resend <= now {
            let fate = self.resend(now, around);
            if fate != Fate::Lives {
                return fate;
            }
        }
        if self.at_app <= now {
            let fate = self.act(now, around);
            if fate != Fate::Lives {
                return fate;
            }
            self.push(now, around);
        }
        if self.at_ack <= now {
            self.send_ack(around);
        }
        Fate::Lives
    }

    /// Sends what is written and allowed.
    pub(super) fn push(&mut self, now: Ns, around: &mut Around<'_>) {
        if self.phase != Phase::Open {
            return;
        }
        // A window of less than a segment lets one through: none of these hosts ever closes its window.
        let window = self.congestion.min(self.peer_window).max(MSS);
        let limit = self.una.wrapping_add(window);
        let last = self.end.wrapping_add(self.fin.into());
        while before(self.nxt, last) && before(self.nxt, limit) {
            let data = self.end.wrapping_sub(self.nxt).min(MSS);
            if data > limit.wrapping_sub(self.nxt) {
                break; // No small segments only because the window ends there.
            }
            self.send_data(now, self.nxt, data, around);
        }
    }

    /// Retransmits the first segment that is not acknowledged.
    pub(super) fn send_first(&mut self, now: Ns, around: &mut Around<'_>) {
        let (data, next) = (self.end.wrapping_sub(self.una).min(MSS), self.nxt);
        self.timed = None;
        self.send_data(now, self.una, data, around);
        if before(self.nxt, next) {
            self.nxt = next;
        }
    }

    fn send_data(&mut self, now: Ns, seq: u32, data: u32, around: &mut Around<'_>) {
        let fin = self.fin && seq.wrapping_add(data) == self.end;
        let flag = flags::ACK | if fin { flags::FIN } else { 0 };
        self.send(seq, flag, data, around);
        self.nxt = seq.wrapping_add(data).wrapping_add(fin.into());
        let fresh = before(self.max, self.nxt);
        if fresh {
            self.max = self.nxt;
        }
        // One measurement at a time, never of what was sent twice (Karn).
        if fresh && self.timed.is_none() && self.backoff == 0 {
            self.timed = Some((self.nxt, now));
        }
        if self.at_resend == NEVER {
            self.at_resend = now + self.timeout();
        }
    }

    fn resend(&mut self, now: Ns, around: &mut Around<'_>) -> Fate {
        self.backoff = self.backoff.saturating_add(1);
        match self.phase {
            Phase::SynSent => self.send_syn(now, around),
            // Five are enough: nobody waits that long for a page.
            Phase::SynReceived if self.backoff > 5 => return Fate::Over,
            Phase::SynReceived => self.send_syn(now, around),
            Phase::Open => {
                let most = 9.0 + 5.0 * share_of(self.seed, 11);
                if f64::from(self.backoff) > most {
                    return self.give_up(now, around);
                }
                self.threshold = (self.max.wrapping_sub(self.una) / 2).max(2 * MSS);
                (self.congestion, self.recover, self.timed, self.duplicates) = (MSS, None, None, 0);
                self.nxt = self.una;
                self.push(now, around);
            }
            Phase::Resting | Phase::TimeWait => self.at_resend = NEVER,
        }
        if self.at_resend != NEVER {
            self.at_resend = now + self.timeout();
        }
        Fate::Lives
    }

    /// RFC 6298 with the kernels' minimum; doubled for each time that nobody answered.
    pub(super) fn timeout(&self) -> Ns {
        let first = match self.smoothed {
            0 => SEC,
            s => (s + 4 * self.variance).max(RTO.0),
        };
        first.saturating_mul(1 << self.backoff.min(16)).min(RTO.1)
    }

    pub(super) fn measured(&mut self, sample: Ns) {
        if self.smoothed == 0 {
            (self.smoothed, self.variance) = (sample.max(1), sample / 2);
        } else {
            self.variance = (3 * self.variance + self.smoothed.abs_diff(sample)) / 4;
            self.smoothed = ((7 * self.smoothed + sample) / 8).max(1);
        }
    }

    /// SYN, or SYN|ACK of a server.
    pub(super) fn send_syn(&mut self, now: Ns, around: &mut Around<'_>) {
        let server = self.role == Role::Server;
        let segment = Segment {
            ports: self.ends.ports,
            flags: flags::SYN | if server { flags::ACK } else { 0 },
            seq: self.una,
            ack: if server { self.rcv } else { 0 },
            // Never shifted with SYN.
            window: u16::try_from(self.stack.window).unwrap_or(64_240),
            wscale: self.stack.wscale,
            mss: Some(1460),
            len: 0,
        };
        if self.backoff == 0 {
            self.timed = Some((self.nxt, now));
        } else {
            self.timed = None;
        }
        around.send(self.ends.here, self.ends.there, Body::Tcp(segment));
    }

    pub(super) fn send_ack(&mut self, around: &mut Around<'_>) {
        // From the highest ever sent: after a timeout `nxt` stands back, and pf would take an old number for a resend.
        self.send(self.max, flags::ACK, 0, around);
    }

    /// A keepalive: a number that was acknowledged before, so that it must be answered.
    pub(super) fn send_probe(&mut self, around: &mut Around<'_>) {
        self.send(self.nxt.wrapping_sub(1), flags::ACK, 0, around);
    }

    pub(super) fn send_reset(&mut self, around: &mut Around<'_>) {
        self.send(self.max, flags::RST | flags::ACK, 0, around);
    }

    fn send(&mut self, seq: u32, flags: u8, len: u32, around: &mut Around<'_>) {
        let window = u16::try_from(self.stack.window >> self.shift).unwrap_or(u16::MAX);
        let len = u16::try_from(len).unwrap_or(u16::MAX);
        let ports = self.ends.ports;
        let segment = Segment {
            ports,
            flags,
            seq,
            ack: self.rcv,
            window,
            wscale: None,
            mss: None,
            len,
        };
        (self.ack_now, self.unacknowledged, self.at_ack) = (false, 0, NEVER);
        around.send(self.ends.here, self.ends.there, Body::Tcp(segment));
    }

    /// Nobody answered for too long.
    fn give_up(&mut self, now: Ns, around: &mut Around<'_>) -> Fate {
        match self.phase {
            Phase::TimeWait | Phase::Resting | Phase::SynReceived => Fate::Over,
            Phase::SynSent => self.lost(now, around),
            // What is closed already is only forgotten.
            Phase::Open if self.doing == Doing::Done => Fate::Over,
            // A server closes what is idle.
            Phase::Open if self.role == Role::Server && self.una == self.max => {
                self.close();
                self.push(now, around);
                Fate::Lives
            }
            Phase::Open => {
                self.send_reset(around);
                self.lost(now, around)
            }
        }
    }

    /// The connection is no more, against the will of its application.
    pub(super) fn lost(&mut self, now: Ns, around: &mut Around<'_>) -> Fate {
        if self.role == Role::Server {
            return Fate::Over;
        }
        match (self.phase, self.doing) {
            (Phase::SynSent, _) => {
                self.failures += 1;
                around.experience.failed(self.opened);
            }
            // All was said: nobody misses it.
            (_, Doing::Closing | Doing::Leaving | Doing::Done) => return Fate::Over,
            _ => around.experience.broken(now, self.opened.canary),
        }
        self.rest(now)
    }
}
