//! A host on the sync net that sends damaged, forged and replayed pfsync frames.

use super::World;
use crate::Time;
use crate::dice::{Dice, stream};
use crate::frame::{self, Ends, LOW_DELAY, PFSYNC, PFSYNC_GROUP};
use crate::site::{Net, Node};
use rand::{Rng, RngExt};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// Where it sits.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 66);
const MAC: [u8; 6] = [2, 0, 0x5e, 0x66, 0x66, 0x66];
/// Ethernet and IP.
const HEADERS: usize = 34;
/// Frames that it remembers.
const MEMORY: usize = 64;

/// The intruder.
pub(super) struct Intruder {
    dice: Dice,
    heard: Vec<Arc<Vec<u8>>>,
    oldest: usize,
    every: Option<Duration>,
    next: Time,
}

impl Intruder {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            dice: stream(seed, "intruder"),
            heard: Vec::new(),
            oldest: 0,
            every: None,
            next: Time::ZERO,
        }
    }

    /// Sends this many a second from now on.
    pub(super) fn rate(&mut self, now: Time, rate: u32) {
        self.every = Duration::from_secs(1).checked_div(rate);
        self.next = now;
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.every.map(|_| self.next)
    }

    /// A frame to make others of.
    pub(super) fn overhear(&mut self, octets: &Arc<Vec<u8>>) {
        if self.heard.len() < MEMORY {
            self.heard.push(Arc::clone(octets));
        } else {
            self.heard[self.oldest] = Arc::clone(octets);
            self.oldest = (self.oldest + 1) % MEMORY;
        }
    }

    /// The next frame, and the node that it pretends to be from.
    fn forge(&mut self, nodes: usize) -> Vec<u8> {
        let node: Node = self.dice.random_range(0..nodes.max(1));
        let known = if self.heard.is_empty() {
            None
        } else {
            let any = self.dice.random_range(0..self.heard.len());
            self.heard.get(any).map(|frame| frame[HEADERS..].to_vec())
        };
        let mut payload = known.unwrap_or_else(|| self.noise());
        match self.dice.random_range(0..4) {
            // Replayed as it was, from whoever.
            0 => {}
            1 => payload = self.noise(),
            2 => payload.truncate(self.dice.random_range(0..payload.len().max(1))),
            _ => {
                for _ in 0..self.dice.random_range(1..6) {
                    let place = self.dice.random_range(0..payload.len().max(1));
                    if let Some(octet) = payload.get_mut(place) {
                        *octet ^= 1 << self.dice.random_range(0..8);
                    }
                }
            }
        }
        let forged = self.dice.random::<bool>();
        let ends = Ends {
            mac: if forged { frame::mac(Net::Sync, node) } else { MAC },
            src: if forged { frame::own(Net::Sync, node) } else { ADDRESS },
            dst: PFSYNC_GROUP,
        };
        let id = u16::try_from(self.dice.next_u32() >> 16).unwrap_or(0);
        let to = frame::group_mac(PFSYNC_GROUP);
        frame::frame(to, ends, (PFSYNC, LOW_DELAY), id, &payload)
    }

    /// Octets that begin like pfsync half of the time.
    fn noise(&mut self) -> Vec<u8> {
        let mut octets = vec![0; self.dice.random_range(0..1400)];
        self.dice.fill_bytes(&mut octets);
        if self.dice.random::<bool>() {
            let length = u16::try_from(octets.len()).unwrap_or(0).to_be_bytes();
            let version = if self.dice.random::<bool>() { 5 } else { 6 };
            let header = [version, 0, length[0], length[1]];
            for (octet, right) in octets.iter_mut().zip(header) {
                *octet = right;
            }
        }
        octets
    }
}

impl World {
    /// The intruder's turn. The kernels believe it as they believe each other: pfsync knows no secret.
    pub(super) fn intrude(&mut self) {
        let octets = Arc::new(self.intruder.forge(self.nodes.len()));
        let every = self.intruder.every.unwrap_or(Duration::MAX);
        self.intruder.next = self.now.saturating_add(every);
        self.distribute(Net::Sync, None, None, octets);
    }
}
