//! `nat-to` on the outside interface, for a part of the clients, and `rdr-to` on the inside one.

use super::key::{EchoPorts, Hook, Tuple};
use super::table::Table;
use crate::dice::Dice;
use foldhash::quality::FixedState;
use rand::RngExt;
use std::hash::BuildHasher;
use std::net::IpAddr;

/// Source translation of what leaves on the outside.
#[derive(Clone, Copy, Debug)]
pub struct Nat {
    /// The address that the outside sees; the shared one, so that it moves with CARP.
    pub to: IpAddr,
    /// One client in so many is translated, chosen by its address; 1 = all, 0 = none.
    pub one_in: u64,
}

impl Nat {
    /// Whether packets from this address are translated. The same on every node.
    #[must_use]
    pub fn covers(&self, client: IpAddr) -> bool {
        self.one_in > 0
            && client.is_ipv4() == self.to.is_ipv4()
            && FixedState::with_seed(0).hash_one(client).is_multiple_of(self.one_in)
    }

    /// The wire key for the stack key of a first packet that leaves: another source address, and a free port of pf's
    /// range in place of the source port or ICMP id. `None` when everything that was tried is taken.
    pub(crate) fn wire(&self, stack: &Tuple, echo: EchoPorts, table: &Table, dice: &mut Dice) -> Option<Tuple> {
        let ([far, _], [far_port, _]) = (stack.addr, stack.port);
        let mut wire = Tuple {
            addr: [far, self.to],
            ..*stack
        };
        for _ in 0..64 {
            let port = dice.random_range(50_001..=65_535);
            match stack.proto {
                1 | 58 if echo == EchoPorts::IdTwice => wire.port = [port; 2],
                1 | 6 | 17 | 58 => wire.port = [far_port, port],
                _ => {}
            }
            if table.find(Hook::In, &wire).is_none() {
                return Some(wire);
            }
        }
        None
    }
}

/// Destination translation of TCP that comes in on the inside: `rdr-to` an address of this node.
#[derive(Clone, Copy, Debug)]
pub struct Redirect {
    /// The port that clients ask for, of whomever.
    pub port: u16,
    /// Where they get.
    pub to: (IpAddr, u16),
}

impl Redirect {
    /// Whether it is for the first packet with this wire key.
    pub(crate) fn covers(&self, wire: &Tuple) -> bool {
        wire.proto == 6 && wire.port[1] == self.port && wire.addr[1].is_ipv4() == self.to.0.is_ipv4()
    }

    /// The stack key for the wire key of a first packet that comes in: another destination.
    pub(crate) fn stack(&self, wire: &Tuple) -> Tuple {
        let (address, port) = self.to;
        Tuple {
            addr: [wire.addr[0], address],
            port: [wire.port[0], port],
            ..*wire
        }
    }
}
