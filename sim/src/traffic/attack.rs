//! Packets of people who do not play by the rules: floods, forged and not, and a scan. Nothing is kept about what was
//! sent, so that a flood fills pf's table and not this one.

use super::arrivals::bad;
use super::draw::{NEVER, Ns, SEC, low, low16, mix};
use super::people::{People, client, ip, server};
use crate::packet::{Body, Packet, Segment, flags};

/// What the attackers are after.
const PORTS: [u16; 8] = [22, 23, 80, 443, 445, 3389, 5900, 8080];

/// How an attack looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// SYNs of one client to one server that drops them.
    Flood,
    /// SYNs with forged addresses at both ends.
    Spoofed,
    /// SYNs of one client to many.
    Scan,
}

/// Packets at an even pace.
#[derive(Debug)]
pub(super) struct Attack {
    shape: Shape,
    seed: u64,
    gap: Ns,
    next: Ns,
    sent: u64,
}

impl Attack {
    pub(super) fn new(shape: Shape, seed: u64) -> Self {
        Self {
            shape,
            seed,
            gap: NEVER,
            next: NEVER,
            sent: 0,
        }
    }

    /// From now on so many a second.
    pub(super) fn pace(&mut self, now: Ns, a_second: u32) {
        self.gap = SEC.checked_div(a_second.into()).unwrap_or(NEVER).max(1);
        self.next = if a_second == 0 {
            NEVER
        } else {
            now.saturating_add(self.gap)
        };
    }

    pub(super) fn deadline(&self) -> Ns {
        self.next
    }

    pub(super) fn advance(&mut self, now: Ns, people: &People, out: &mut Vec<Packet>) {
        while self.next <= now {
            out.push(self.packet(people));
            self.sent += 1;
            self.next = self.next.saturating_add(self.gap);
        }
    }

    fn packet(&self, people: &People) -> Packet {
        let (n, dice) = (self.sent, mix(self.seed, self.sent));
        let any = |of: usize, shift: u32| low((dice >> shift) % u64::try_from(of.max(1)).unwrap_or(1));
        let index = |n: usize| u32::try_from(n).unwrap_or(0);
        let (servers, port) = (people.servers(), PORTS[low16(dice % 8) as usize]);
        let (src, dst, port) = match self.shape {
            // Not the busiest client: that one's own traffic would hide it.
            Shape::Flood => (client(index(people.clients() - 1)), server(index(servers)), 80),
            Shape::Spoofed => {
                let beyond = servers + bad(servers);
                (
                    client(any(60_000, 8)),
                    server(index(beyond) + any(60_000 - beyond, 24)),
                    port,
                )
            }
            Shape::Scan => {
                let range = (servers * 20).clamp(2_000, 60_000);
                (client(index(people.clients() / 2)), server(any(range, 8)), port)
            }
        };
        // Its own range of ports, below those that honest clients use.
        let from = 1024
            + low16(if self.shape == Shape::Flood {
                n % 30_000
            } else {
                (dice >> 40) % 30_000
            });
        let syn = Segment {
            ports: [from, port],
            flags: flags::SYN,
            seq: low(dice >> 32),
            window: 1024,
            mss: Some(1460),
            ..Segment::default()
        };
        Packet {
            src: ip(src),
            dst: ip(dst),
            body: Body::Tcp(syn),
        }
    }
}
