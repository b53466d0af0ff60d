//! What clients do without connections, and how servers answer it. Servers keep nothing: the port says what to reply.

use super::draw::{MS, NEVER, Ns, SEC, between, count, dice, exponential, mix, secs};
use super::experience::Opened;
use super::mix::Kind;
use super::tcp::{Around, Ends, Fate};
use crate::packet::{Body, Packet};

/// Silence after which somebody on the telephone hangs up, and a browser turns to TCP.
const SILENCE: Ns = 12 * SEC;

/// A client's side of an exchange of datagrams.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) ends: Ends,
    kind: Kind,
    opened: Opened,
    seed: u64,
    /// The other resolver.
    other: u32,
    /// Packets still to send, or rounds to play.
    left: u32,
    gap: Ns,
    len: u16,
    tries: u8,
    heard: u32,
    /// When it last heard something, or began.
    fresh: Ns,
    at: Ns,
}

impl Exchange {
    /// Begins. The first packet leaves.
    pub(super) fn open(
        now: Ns,
        ends: Ends,
        kind: Kind,
        seed: u64,
        other: u32,
        canary: bool,
        around: &mut Around<'_>,
    ) -> Self {
        let dice = &mut dice(seed, 0);
        let (left, gap, len) = match kind {
            Kind::RtpOut | Kind::RtpBoth => {
                // A call of a minute in the mean, a packet every 20 or 30 ms.
                let gap = if mix(seed, 1).is_multiple_of(2) {
                    20 * MS
                } else {
                    30 * MS
                };
                let packets = secs(2.0 + exponential(dice, 58.0)) / gap;
                (u32::try_from(packets).unwrap_or(u32::MAX), gap, 172)
            }
            Kind::Ping if canary => (1, SEC, 56),
            Kind::Ping => (3 + count(between(dice, 0.0, 8.0)), SEC, 56),
            Kind::Quic => (3 + count(exponential(dice, 12.0)), 0, 1200),
            Kind::Ntp => (1, 0, 48),
            _ => (1, 0, 30 + count(between(dice, 0.0, 30.0)).try_into().unwrap_or(0)),
        };
        let opened = Opened { at: now, canary };
        let mut this = Self {
            ends,
            kind,
            opened,
            seed,
            other,
            left,
            gap,
            len,
            tries: 0,
            heard: 0,
            fresh: now,
            at: NEVER,
        };
        if kind != Kind::RtpOut {
            around.experience.tried(opened);
        }
        this.send(around);
        this.at = now + this.wait();
        this
    }

    pub(super) fn deadline(&self) -> Ns {
        self.at
    }

    /// The deadline came.
    pub(super) fn timer(&mut self, now: Ns, around: &mut Around<'_>) -> Fate {
        if now < self.at {
            return Fate::Lives;
        }
        match self.kind {
            // Silence of one's own making is no reason to hang up.
            Kind::RtpOut | Kind::RtpBoth | Kind::Ping if around.quiet => self.fresh = now,
            Kind::RtpOut | Kind::RtpBoth | Kind::Ping => {
                self.left = self.left.saturating_sub(1);
                let deaf = self.kind == Kind::RtpBoth && now.saturating_sub(self.fresh) > SILENCE;
                if self.left == 0 || deaf {
                    return self.end(now, deaf, around);
                }
                self.send(around);
            }
            Kind::Quic if now.saturating_sub(self.fresh) > SILENCE => return self.end(now, true, around),
            Kind::Dns | Kind::Ntp if self.tries >= self.most() => return self.end(now, true, around),
            _ => {
                self.tries = self.tries.saturating_add(1);
                if self.kind == Kind::Dns {
                    std::mem::swap(&mut self.ends.there, &mut self.other);
                }
                self.send(around);
            }
        }
        self.at = now + self.wait();
        Fate::Lives
    }

    /// An answer came.
    pub(super) fn answer(&mut self, now: Ns, around: &mut Around<'_>) -> Fate {
        self.heard = self.heard.saturating_add(1);
        self.fresh = now;
        if self.heard == 1 && self.kind != Kind::RtpOut {
            around.experience.established(self.opened);
        }
        match self.kind {
            Kind::Dns | Kind::Ntp => self.end(now, false, around),
            Kind::Ping if self.left <= 1 => self.end(now, false, around),
            // Two packets come for each that goes; the second asks for more.
            Kind::Quic if self.heard.is_multiple_of(2) => {
                self.left = self.left.saturating_sub(1);
                if self.left == 0 {
                    return self.end(now, false, around);
                }
                (self.tries, self.len) = (0, 40);
                self.send(around);
                self.at = now + self.wait();
                Fate::Lives
            }
            _ => Fate::Lives,
        }
    }

    fn end(&self, now: Ns, deaf: bool, around: &mut Around<'_>) -> Fate {
        if self.kind == Kind::RtpOut {
            // Nobody ever knows.
        } else if self.heard == 0 {
            around.experience.failed(self.opened);
        } else if deaf {
            around.experience.broken(now, self.opened.canary);
        } else {
            around.experience.completed(now, self.opened);
        }
        Fate::Over
    }

    /// Retries before giving up.
    fn most(&self) -> u8 {
        if self.kind == Kind::Dns { 3 } else { 0 }
    }

    fn wait(&self) -> Ns {
        match self.kind {
            Kind::Dns => SEC << self.tries.min(2),
            Kind::Ntp => 5 * SEC,
            Kind::Quic => ((500 * MS) << self.tries.min(5)) + mix(self.seed, 2) % (100 * MS),
            _ => self.gap,
        }
    }

    fn send(&self, around: &mut Around<'_>) {
        let Ends { here, there, ports } = self.ends;
        let body = match self.kind {
            Kind::Ping => Body::Echo {
                request: true,
                id: ports[0],
                len: self.len,
            },
            _ => Body::Udp { ports, len: self.len },
        };
        around.send(here, there, body);
    }
}

/// How a server answers a datagram.
pub(super) fn reply(packet: &Packet, out: &mut Vec<Packet>) {
    let mut back = |body| {
        out.push(Packet {
            src: packet.dst,
            dst: packet.src,
            body,
        })
    };
    match packet.body {
        Body::Echo { request: true, id, len } => back(Body::Echo {
            request: false,
            id,
            len,
        }),
        Body::Udp { ports: [from, to], len } => {
            let mut udp = |len| back(Body::Udp { ports: [to, from], len });
            if to == Kind::Dns.port() {
                udp(60 + super::draw::low16(mix(from.into(), len.into()) % 400));
            } else if to == Kind::Ntp.port() || to == Kind::RtpBoth.port() {
                udp(len);
            } else if to == Kind::Quic.port() {
                udp(1200);
                udp(1200);
            }
        }
        _ => {}
    }
}
