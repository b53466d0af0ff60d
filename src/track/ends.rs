//! Who talks to whom in a state, and whether one of them is a firewall itself or nobody whom it forwards for.
//!
//! The one place that says what ends here. Asked by `track` for each new state. What begins or ends on a firewall (its own
//! connections, resolvers, proxies behind a redirect) proves nothing about the way through, answered or not.

use super::HostKey;
use super::zones::{address, octets};
use crate::settings::Settings;
use foldhash::fast::FixedState;
use hashbrown::HashSet;
use pfsync_proto::{Direction, Endpoints, State, StateKeys};
use std::net::IpAddr;

/// Addresses that firewalls revealed and nobody configured, at most: more are invented.
const MAX_REVEALED: usize = 256;

/// The two ends of a state, whatever was translated on the way between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    /// Initiator and responder.
    pub(super) hosts: (HostKey, HostKey),
    /// Their ports.
    pub(super) ports: (u16, u16),
}

impl Ends {
    /// Of the four addresses of a state two are its ends: the initiator's before pf translates it, and the responder's after.
    /// The others are what pf makes of them on the way: the address that clients call where a redirect leads on, the one that
    /// servers see where many hide behind it. These are a firewall's own, and the traffic passes all the same.
    pub(super) fn of(state: &State) -> Option<Self> {
        let at = |e: &Endpoints, i: usize| (octets(e.addr[i]), e.port[i]);
        let (client, server) = match (&state.keys, state.direction) {
            (StateKeys::Pair { wire, stack }, Direction::In) => {
                // Where pf translates between families (af-to) it fills the inner key the other way round. Which family a key is
                // of stands in it: IPv4 in the guise of IPv6 is IPv6 there.
                let same = wire.addr[0].is_ipv4() == stack.addr[0].is_ipv4();
                (at(wire, 0), at(stack, usize::from(same)))
            }
            (StateKeys::Pair { wire, stack }, Direction::Out) => (at(stack, 1), at(wire, 0)),
            (StateKeys::LanGwyExt { lan, ext, .. }, Direction::In) => ((octets(ext.0), ext.1), (octets(lan.0), lan.1)),
            (StateKeys::LanGwyExt { lan, ext, .. }, Direction::Out) => ((octets(lan.0), lan.1), (octets(ext.0), ext.1)),
            (_, Direction::Unknown(_)) => return None,
        };
        Some(Self {
            hosts: (client.0, server.0),
            ports: (client.1, server.1),
        })
    }

    /// One number for the ends, the protocol and `side`. Only as good as it must be: a forged collision mislabels one
    /// connection, nothing more.
    pub(super) fn tuple(&self, proto: u8, side: u64) -> u64 {
        let mut h = 0xcbf2_9ce4_8422_2325_u64 ^ side;
        let tail = [self.ports.0.to_be_bytes(), self.ports.1.to_be_bytes(), [proto, 0]];
        for b in self.hosts.0.iter().chain(&self.hosts.1).chain(tail.as_flattened()) {
            h = (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3);
        }
        h
    }
}

/// What begins and ends on the firewalls.
pub(super) struct Here {
    own: HashSet<HostKey, FixedState>,
    /// How many more may be revealed.
    room: usize,
}

impl Here {
    /// The addresses of the configured nodes: on the sync link, their own and the shared ones everywhere.
    pub(super) fn new(settings: &Settings) -> Self {
        let all = settings.nodes.iter().flat_map(|n| n.addresses.iter().chain(&n.local));
        Self {
            own: all.map(|&a| octets(a)).collect(),
            // Where the pair is configured, a sender beside it may bear a server's address, to take that out of the evidence.
            room: if settings.nodes.len() < 2 { MAX_REVEALED } else { 0 },
        }
    }

    /// A source of pfsync or CARP: a firewall's own address, where nobody told us which these are.
    pub(super) fn reveal(&mut self, address: IpAddr) {
        if self.room > 0 && self.own.insert(octets(address)) {
            self.room -= 1;
        }
    }

    /// Whether somebody is a firewall, or bears an address that no firewall forwards for.
    pub(super) fn is(&self, host: &HostKey) -> bool {
        self.own.contains(host) || stays(address(*host))
    }

    /// Whether a connection ends here, on either side.
    pub(super) fn stops(&self, (client, server): (HostKey, HostKey)) -> bool {
        self.is(&client) || self.is(&server)
    }
}

/// Nobody forwards these; IPv4 in the guise of IPv6 has been unmasked.
fn stays(a: IpAddr) -> bool {
    let family = match a {
        IpAddr::V4(v4) => v4.is_broadcast() || v4.is_link_local() || v4.octets()[0] == 0,
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    family || a.is_loopback() || a.is_unspecified() || a.is_multicast()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Node;

    fn here(nodes: usize) -> Here {
        let node = |i: usize| Node {
            name: String::new(),
            addresses: vec![format!("172.16.0.{}", i + 1).parse().unwrap()],
            is_self: false,
            local: ["10.0.1.1", "2001:db8::1"].map(|a| a.parse().unwrap()).to_vec(),
        };
        Here::new(&Settings {
            nodes: (0..nodes).map(node).collect(),
            ..Settings::default()
        })
    }

    #[test]
    fn nobody_forwards_to_loopback_link_local_and_unspecified_addresses_in_any_guise() {
        let h = here(2);
        for a in [
            "127.0.0.1",
            "127.255.3.4",
            "::1",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "169.254.7.7",
            "fe80::1",
            "febf::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.1.1",
            "::ffff:0.0.0.0",
            "224.0.0.18",
            "ff02::12",
            "255.255.255.255",
            "10.0.1.1",
            "::ffff:10.0.1.1",
            "2001:db8::1",
            "172.16.0.2",
        ] {
            assert!(h.is(&octets(a.parse().unwrap())), "{a}");
        }
        for a in [
            "126.255.255.255",
            "128.0.0.1",
            "169.253.0.1",
            "fec0::1",
            "::2",
            "10.0.1.2",
            "2001:db8::2",
        ] {
            assert!(!h.is(&octets(a.parse().unwrap())), "{a}");
        }
    }

    #[test]
    fn who_advertises_or_tells_is_a_firewall_unless_the_pair_is_configured() {
        let server = IpAddr::from([203, 0, 113, 7]);
        for (nodes, is) in [(0, true), (1, true), (2, false)] {
            let mut h = here(nodes);
            h.reveal(server);
            assert_eq!(h.is(&octets(server)), is, "{nodes} configured");
        }
        let mut h = here(0);
        (0..100_000_u32).for_each(|i| h.reveal(IpAddr::from((1 << 24 | i).to_be_bytes())));
        assert_eq!(h.own.len(), MAX_REVEALED);
    }
}
