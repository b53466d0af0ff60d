//! Names and addresses of everything, in one place.

use std::net::Ipv4Addr;
use std::path::PathBuf;

/// Clients, by default.
pub const CLIENTS: u8 = 40;
/// Servers, by default: as many as pfwatch needs before it moves a pair whose CARP looks healthy.
pub const SERVERS: u8 = 40;
/// Where the self probes go: beyond the router, before the servers.
pub const TARGET: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 53);
/// The router's leg towards the servers.
pub const ROUTER_FAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// The router's leg towards the firewalls.
pub const ROUTER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 254);
/// All servers.
pub const SERVERS_NET: &str = "198.51.100.0/24";
/// All clients.
pub const CLIENTS_NET: &str = "10.10.0.0/16";

/// A firewall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// Master as long as nothing happens.
    Fw1,
    /// Its backup.
    Fw2,
}

impl Node {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Fw1, Self::Fw2];

    /// As everybody calls it; also its ports at the switches.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fw1 => "fw1",
            Self::Fw2 => "fw2",
        }
    }

    /// The other.
    #[must_use]
    pub fn peer(self) -> Self {
        match self {
            Self::Fw1 => Self::Fw2,
            Self::Fw2 => Self::Fw1,
        }
    }

    fn number(self) -> u8 {
        self as u8 + 1
    }

    /// advskew as usual, promoted and demoted: see dist/ucarp/carp.conf.
    #[must_use]
    pub fn skews(self) -> [u8; 3] {
        match self {
            Self::Fw1 => [10, 0, 110],
            Self::Fw2 => [100, 0, 200],
        }
    }
}

/// A net in which both firewalls are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Net {
    /// Where the clients are.
    Inside,
    /// Where the router is.
    Outside,
    /// For pfsync.
    Sync,
}

impl Net {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Inside, Self::Outside, Self::Sync];
    /// Those with a shared address.
    pub const SHARED: [Self; 2] = [Self::Inside, Self::Outside];

    /// Its name; also that of the firewalls' interfaces in it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Inside => "inside",
            Self::Outside => "outside",
            Self::Sync => "sync",
        }
    }

    /// The vhid of the shared address.
    #[must_use]
    pub fn vhid(self) -> u8 {
        self as u8 + 1
    }

    /// A firewall's own address.
    #[must_use]
    pub fn own(self, node: Node) -> Ipv4Addr {
        match self {
            Self::Inside => Ipv4Addr::new(10, 10, 0, 1 + node.number()),
            Self::Outside => Ipv4Addr::new(203, 0, 113, 1 + node.number()),
            Self::Sync => Ipv4Addr::new(172, 30, 0, node.number()),
        }
    }

    /// The shared address.
    #[must_use]
    pub fn shared(self) -> Ipv4Addr {
        match self {
            Self::Inside => Ipv4Addr::new(10, 10, 0, 1),
            Self::Outside => Ipv4Addr::new(203, 0, 113, 1),
            Self::Sync => Ipv4Addr::UNSPECIFIED,
        }
    }

    /// Bits of its prefix.
    #[must_use]
    pub fn prefix(self) -> u8 {
        match self {
            Self::Inside => 16,
            Self::Outside | Self::Sync => 24,
        }
    }
}

/// A client's address.
#[must_use]
pub fn client(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 10, 1, 1 + number)
}

/// The user's address.
#[must_use]
pub fn user() -> Ipv4Addr {
    Ipv4Addr::new(10, 10, 2, 1)
}

/// A server's address.
#[must_use]
pub fn server(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 51, 100, 1 + number)
}

/// One laboratory of several that may run side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Letters and digits.
    pub tag: String,
}

impl Place {
    /// All namespaces of all laboratories begin so.
    pub const PREFIX: &'static str = "pflab-";

    /// The namespace of a firewall, a switch (by its net) or one of `router`, `clients`, `servers`.
    #[must_use]
    pub fn namespace(&self, what: &str) -> String {
        format!("{}{}-{what}", Self::PREFIX, self.tag)
    }

    /// Where configurations, logs and pids are kept.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        PathBuf::from("/run/pfwatch-lab").join(&self.tag)
    }
}
