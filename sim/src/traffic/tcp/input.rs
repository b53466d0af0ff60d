//! What a segment does to a connection.

use super::{Around, Connection, Doing, Fate, MSS, Phase, before};
use crate::packet::{Segment, flags};
use crate::traffic::draw::{NEVER, Ns, SEC};

impl Connection {
    /// A segment came for this connection.
    pub(in crate::traffic) fn segment(&mut self, now: Ns, segment: &Segment, around: &mut Around<'_>) -> Fate {
        if segment.has(flags::RST) {
            return self.reset(now, segment, around);
        }
        match self.phase {
            Phase::Resting => Fate::Lives,
            Phase::SynSent => self.answered(now, segment, around),
            Phase::SynReceived if segment.has(flags::SYN) => {
                // The SYN once more: our answer was lost. Of another connection: let it knock until this one is gone.
                if segment.seq.wrapping_add(1) == self.rcv {
                    self.send_syn(now, around);
                }
                Fate::Lives
            }
            Phase::SynReceived => {
                if segment.has(flags::ACK) && segment.ack == self.nxt {
                    self.phase = Phase::Open;
                    self.acknowledged(now, segment, around);
                    self.start(now, around);
                    return self.taken(now, segment, around);
                }
                Fate::Lives
            }
            // What is repeated after the end is acknowledged once more.
            Phase::TimeWait => {
                if segment.space() > 0 {
                    self.send_ack(around);
                }
                Fate::Lives
            }
            Phase::Open if segment.has(flags::SYN) => {
                self.send_ack(around);
                Fate::Lives
            }
            Phase::Open => {
                if segment.has(flags::ACK) {
                    self.acknowledged(now, segment, around);
                }
                self.taken(now, segment, around)
            }
        }
    }

    fn reset(&mut self, now: Ns, segment: &Segment, around: &mut Around<'_>) -> Fate {
        let meant = match self.phase {
            Phase::SynSent => segment.has(flags::ACK) && segment.ack == self.nxt,
            Phase::Resting | Phase::TimeWait => false,
            _ => segment.seq.wrapping_sub(self.rcv) < self.stack.window,
        };
        if meant { self.lost(now, around) } else { Fate::Lives }
    }

    /// In the middle of the handshake of a client.
    fn answered(&mut self, now: Ns, segment: &Segment, around: &mut Around<'_>) -> Fate {
        if segment.has(flags::ACK) && segment.ack != self.nxt {
            // The other end knows of an older connection.
            let reset = Segment {
                ports: self.ends.ports,
                flags: flags::RST,
                seq: segment.ack,
                ..Segment::default()
            };
            around.send(self.ends.here, self.ends.there, crate::packet::Body::Tcp(reset));
        } else if segment.has(flags::SYN) && segment.has(flags::ACK) {
            self.phase = Phase::Open;
            self.rcv = segment.seq.wrapping_add(1);
            self.agree(segment);
            self.acknowledged(now, segment, around);
            self.failures = 0;
            around.experience.established(self.opened);
            // The kernel answers before the application knows.
            self.send_ack(around);
            self.start(now, around);
            self.push(now, around);
        }
        Fate::Lives
    }

    fn acknowledged(&mut self, now: Ns, segment: &Segment, around: &mut Around<'_>) {
        let ack = segment.ack;
        if !segment.has(flags::SYN) {
            self.peer_window = u32::from(segment.window) << self.peer_shift;
        }
        if before(self.una, ack) && !before(self.max, ack) {
            let fresh = ack.wrapping_sub(self.una);
            if let Some((_, sent)) = self.timed.take_if(|t| !before(ack, t.0)) {
                self.measured(now.saturating_sub(sent));
            }
            self.una = ack;
            if before(self.nxt, ack) {
                self.nxt = ack;
            }
            (self.backoff, self.duplicates) = (0, 0);
            match self.recover {
                // A hole after the one that was filled: the next retransmission does not wait for duplicates.
                Some(end) if before(ack, end) => self.send_first(now, around),
                Some(_) => (self.recover, self.congestion) = (None, self.threshold),
                None if self.congestion < self.threshold => self.congestion += fresh.min(2 * MSS),
                None => self.congestion += (MSS * MSS / self.congestion).max(1),
            }
            self.congestion = self.congestion.min(1 << 24);
            self.at_resend = if self.una == self.max {
                NEVER
            } else {
                now + self.timeout()
            };
        } else if ack == self.una && segment.space() == 0 && self.una != self.max {
            self.duplicates = self.duplicates.saturating_add(1);
            if self.duplicates == 3 && self.recover.is_none() {
                self.threshold = (self.max.wrapping_sub(self.una) / 2).max(2 * MSS);
                self.congestion = self.threshold;
                self.recover = Some(self.max);
                self.send_first(now, around);
            }
        }
    }

    /// Takes the payload, lets the application act on it, acknowledges and answers.
    fn taken(&mut self, now: Ns, segment: &Segment, around: &mut Around<'_>) -> Fate {
        self.take(now, segment);
        self.heard(now, around);
        if self.fin && self.una == self.end.wrapping_add(1) {
            if self.fin_heard && self.doing == Doing::Done {
                return self.closed(now, around);
            }
            // Our side is closed; a peer that never closes is not waited for.
            if self.at_patience == NEVER {
                self.at_patience = now + 60 * SEC;
            }
        }
        self.push(now, around);
        if self.ack_now {
            self.send_ack(around);
        }
        if self.doing == Doing::Done && !self.fin {
            Fate::Over
        } else {
            Fate::Lives
        }
    }

    fn take(&mut self, now: Ns, segment: &Segment) {
        if segment.space() == 0 {
            // A keepalive asks from before the window.
            self.ack_now |= before(segment.seq, self.rcv);
            return;
        }
        let end = segment.seq.wrapping_add(segment.len.into());
        if before(self.rcv, segment.seq) {
            // Out of order: held until the hole is filled, but not its FIN, which will come again.
            if end.wrapping_sub(self.rcv) < self.stack.window {
                self.hold(segment.seq, end);
            }
            self.ack_now = true;
            return;
        }
        if before(self.rcv, end) {
            self.rcv = end;
        } else if !segment.has(flags::FIN) || self.fin_heard {
            self.ack_now = true;
            return;
        }
        let holes = self.held.iter().any(|h| h.0 != h.1);
        if holes {
            self.fill();
        }
        if segment.has(flags::FIN) && end == self.rcv && !self.fin_heard {
            self.rcv = self.rcv.wrapping_add(1);
            self.fin_heard = true;
        }
        self.unacknowledged += 1;
        if holes || self.fin_heard || self.unacknowledged >= 2 {
            self.ack_now = true;
        } else if self.at_ack == NEVER {
            self.at_ack = now + self.stack.delay;
        }
    }

    /// Joined to what it touches; what would be a fourth island is dropped and will come again.
    fn hold(&mut self, start: u32, end: u32) {
        for held in self.held.iter_mut().filter(|h| h.0 != h.1) {
            if !before(end, held.0) && !before(held.1, start) {
                if before(start, held.0) {
                    held.0 = start;
                }
                if before(held.1, end) {
                    held.1 = end;
                }
                return;
            }
        }
        if let Some(free) = self.held.iter_mut().find(|h| h.0 == h.1) {
            *free = (start, end);
        }
    }

    /// Takes what was held and now fits.
    fn fill(&mut self) {
        for _ in 0..self.held.len() {
            for held in &mut self.held {
                if held.0 != held.1 && !before(self.rcv, held.0) {
                    if before(self.rcv, held.1) {
                        self.rcv = held.1;
                    }
                    *held = (0, 0);
                }
            }
        }
    }

    /// Both sides closed and all is acknowledged.
    fn closed(&mut self, now: Ns, around: &mut Around<'_>) -> Fate {
        if self.ack_now {
            self.send_ack(around);
        }
        // Who closed first must be able to repeat the last acknowledgement.
        if !self.closed_first {
            return Fate::Over;
        }
        self.phase = Phase::TimeWait;
        (self.at_resend, self.at_ack, self.at_app) = (NEVER, NEVER, NEVER);
        self.at_patience = now + 30 * SEC;
        Fate::Lives
    }
}
