//! Who there is: which hosts are alive, which of them are silent, and what their TCP is like. Everything about a host
//! follows from its address, so that it is the same for whoever asks.

use super::arrivals::bad;
use super::draw::{MS, Ns, at_quantile, mix, secs, share_of};
use super::{Canary, Load, Mix};
use crate::site;
use std::net::{IpAddr, Ipv4Addr};

/// Addresses of servers start here, see [`site::server`].
const FIRST_SERVER: u32 = 0x6440_0100;
/// Addresses of clients start here, see [`site::client`].
const FIRST_CLIENT: u32 = 0x0a00_0100;

/// What a server does with a packet that nobody expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Serves.
    Serves,
    /// Answers every opening with RST.
    Refuses,
    /// Neither hears nor answers.
    Mute,
}

/// How a host does TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stack {
    /// Octets that it is ready to take.
    pub(super) window: u32,
    /// The shift that it offers; old hosts do not know of it.
    pub(super) wscale: Option<u8>,
    /// How long an acknowledgement may wait for company.
    pub(super) delay: Ns,
}

/// Linux, Windows, Apple and Android, BSD; then printers and controllers of another time.
const STACKS: [(f64, Stack); 6] = [
    (
        0.40,
        Stack {
            window: 64_256 * 8,
            wscale: Some(7),
            delay: 40 * MS,
        },
    ),
    (
        0.30,
        Stack {
            window: 65_536 * 4,
            wscale: Some(8),
            delay: 50 * MS,
        },
    ),
    (
        0.20,
        Stack {
            window: 131_072,
            wscale: Some(6),
            delay: 100 * MS,
        },
    ),
    (
        0.06,
        Stack {
            window: 65_535 * 2,
            wscale: Some(3),
            delay: 100 * MS,
        },
    ),
    (
        0.02,
        Stack {
            window: 65_535,
            wscale: Some(0),
            delay: 200 * MS,
        },
    ),
    (
        0.02,
        Stack {
            window: 17_520,
            wscale: None,
            delay: 200 * MS,
        },
    ),
];

/// Milliseconds one way to a server, by quantiles: a few near by, a long tail.
const DELAYS: [f64; 9] = [2.0, 4.0, 6.0, 8.5, 12.0, 16.0, 22.0, 32.0, 60.0];

/// All hosts.
#[derive(Debug)]
pub(super) struct People {
    clients: usize,
    servers: usize,
    canaries: Vec<[u32; 2]>,
    /// Of the servers' lots.
    lots: u64,
    dead_share: f64,
    dead_busiest: usize,
    quiet: f64,
    gone: f64,
    proxy_hangs: bool,
}

impl People {
    pub(super) fn new(load: &Load, what: &Mix, canaries: &[Canary], seed: u64) -> Self {
        let canaries = canaries
            .iter()
            .filter_map(|c| Some([v4(c.client)?, v4(c.server)?]))
            .collect();
        Self {
            clients: what.clients(load),
            servers: what.servers(load),
            canaries,
            lots: mix(seed, 0xdead),
            dead_share: 0.0,
            dead_busiest: 0,
            quiet: 0.0,
            gone: 0.0,
            proxy_hangs: false,
        }
    }

    pub(super) fn clients(&self) -> usize {
        self.clients
    }

    pub(super) fn servers(&self) -> usize {
        self.servers
    }

    pub(super) fn set_dead_share(&mut self, share: f64) {
        self.dead_share = share;
    }

    pub(super) fn set_dead_busiest(&mut self, n: usize) {
        self.dead_busiest = n;
    }

    pub(super) fn set_quiet(&mut self, share: f64) {
        self.quiet = share;
    }

    pub(super) fn set_gone(&mut self, share: f64) {
        self.gone = share;
    }

    pub(super) fn set_proxy_hangs(&mut self, hangs: bool) {
        self.proxy_hangs = hangs;
    }

    /// The index of a client, if there is one at this address.
    pub(super) fn client(&self, address: u32) -> Option<usize> {
        let n = usize::try_from(address.checked_sub(FIRST_CLIENT)?).ok()?;
        (n < self.clients).then_some(n)
    }

    /// Whether an inside host is there and hears.
    pub(super) fn present(&self, address: u32) -> bool {
        match self.client(address) {
            Some(_) if self.gone > 0.0 && share_of(0x60_1e, address.into()) < self.gone => self.canary(address, 0),
            Some(_) => true,
            None => self.canary(address, 0),
        }
    }

    /// Whether an inside host begins nothing by itself at the moment. It still answers.
    pub(super) fn quiet(&self, address: u32) -> bool {
        self.quiet > 0.0 && share_of(0x90_1e7, address.into()) < self.quiet && !self.canary(address, 0)
    }

    /// What an outside host is like.
    pub(super) fn manner(&self, address: u32) -> Manner {
        let rank = address.checked_sub(FIRST_SERVER).and_then(|n| usize::try_from(n).ok());
        match rank {
            Some(n) if n < self.servers => {
                let lot = || share_of(self.lots, address.into());
                if n < self.dead_busiest || (self.dead_share > 0.0 && lot() < self.dead_share) {
                    Manner::Mute
                } else {
                    Manner::Serves
                }
            }
            _ if self.canary(address, 1) || proxy(address) && !self.proxy_hangs => Manner::Serves,
            Some(n) if n < self.servers + bad(self.servers) && (n - self.servers) % 3 == 2 => Manner::Refuses,
            _ => Manner::Mute,
        }
    }

    /// Whether a host drops what it does not expect instead of answering RST: personal firewalls, load balancers.
    pub(super) fn stealthy(&self, address: u32) -> bool {
        share_of(0x57_ea17, address.into()) < 0.25
    }

    fn canary(&self, address: u32, end: usize) -> bool {
        self.canaries.iter().any(|c| c[end] == address)
    }
}

/// An inside host begins something only as itself.
pub(super) fn client(n: u32) -> u32 {
    v4(site::client(n as usize)).unwrap_or(0)
}

/// An outside host.
pub(super) fn server(n: u32) -> u32 {
    v4(site::server(n as usize)).unwrap_or(0)
}

/// An address as a number; the simulated site has no IPv6.
pub(super) fn v4(address: IpAddr) -> Option<u32> {
    match address {
        IpAddr::V4(a) => Some(a.to_bits()),
        IpAddr::V6(_) => None,
    }
}

/// A number as an address.
pub(super) fn ip(address: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(address))
}

/// Whether it is the proxy of a firewall.
pub(super) fn proxy(address: u32) -> bool {
    site::proxied(ip(address)).is_some()
}

/// Whether it is on the inside.
pub(super) fn inside(address: u32) -> bool {
    site::inside(ip(address))
}

/// How the host at this address does TCP. Servers are never of another time.
pub(super) fn stack(address: u32) -> Stack {
    let mut u = share_of(0x57_ac4, address.into());
    if !inside(address) {
        u *= 0.95;
    }
    for (share, stack) in STACKS {
        u -= share;
        if u < 0.0 {
            return stack;
        }
    }
    STACKS[0].1
}

/// One way to an outside host. What is asked for most has been put near.
pub(super) fn delay(address: u32) -> Ns {
    let u = share_of(0xde_1a7, mix(1, address.into()));
    let near = address.checked_sub(FIRST_SERVER).is_some_and(|n| n < 10);
    secs(at_quantile(&DELAYS, if near { u * 0.4 } else { u }) / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::Probe;
    use std::time::Duration;

    #[test]
    fn each_address_has_its_manner() {
        let load = Load {
            servers: 10,
            clients: 5,
            ..Load::NIGHT
        };
        let canary = Canary {
            client: site::client(77),
            server: site::INTERNET,
            every: Duration::from_secs(1),
            kind: Probe::Tcp,
        };
        let mut people = People::new(&load, &Mix::standard(), &[canary], 1);
        let manners = |people: &People| (0..14).map(|n| people.manner(server(n))).collect::<Vec<_>>();
        let all = manners(&people);
        assert_eq!(all[..10], [Manner::Serves; 10]);
        assert_eq!(all[10..], [Manner::Mute, Manner::Mute, Manner::Refuses, Manner::Mute]);
        people.set_dead_busiest(2);
        assert_eq!(
            manners(&people)[..4],
            [Manner::Mute, Manner::Mute, Manner::Serves, Manner::Serves]
        );
        people.set_dead_share(1.0);
        assert_eq!(manners(&people)[..10], [Manner::Mute; 10]);
        assert_eq!(people.manner(v4(site::INTERNET).unwrap()), Manner::Serves);
        assert_eq!([4, 5, 77].map(|n| people.present(client(n))), [true, false, true]);
        people.set_gone(1.0);
        people.set_quiet(1.0);
        assert_eq!([4, 5, 77].map(|n| people.present(client(n))), [false, false, true]);
        assert_eq!([4, 77].map(|n| people.quiet(client(n))), [true, false]);
    }
    /// The ranks that are dead at a share, of 200.
    fn dead(seed: u64, share: f64) -> Vec<u32> {
        let load = Load {
            servers: 200,
            ..Load::NIGHT
        };
        let mut people = People::new(&load, &Mix::standard(), &[], seed);
        people.set_dead_share(share);
        (0..200).filter(|n| people.manner(server(*n)) == Manner::Mute).collect()
    }

    #[test]
    fn a_share_of_the_servers_dies_by_lot_and_not_by_rank() {
        for seed in 1..20 {
            let half = dead(seed, 0.5);
            assert!((75..=125).contains(&half.len()), "seed {seed}: {}", half.len());
            let of_the_busy = half.iter().filter(|n| **n < 100).count();
            assert!(
                (30..=70).contains(&of_the_busy),
                "seed {seed}: {of_the_busy} of the busier half"
            );
            assert_eq!(half, dead(seed, 0.5), "the same ones whenever it is asked");
            let fifth = dead(seed, 0.2);
            assert!(
                fifth.iter().all(|n| half.contains(n)),
                "a larger share takes the same ones and more"
            );
            assert_ne!(half, dead(seed + 1, 0.5), "other dice, other servers");
            assert!(dead(seed, 0.0).is_empty());
        }
    }
}
