//! The addresses of the simulated site. All from the ranges for documentation and private use.
//!
//! ```text
//!   clients 10.0.0.0/16 -- their switch 10.0.254.1 -- [lan: nodes 10.0.0.2.., shared 10.0.255.1..] nodes
//!                       [wan: nodes 198.51.100.2.., shared 198.51.100.201..] -- upstream 198.51.100.254 -- servers
//!   sync: 172.16.0.1, 172.16.0.2, ..
//! ```

use std::net::{IpAddr, Ipv4Addr};

/// A node by its position.
pub type Node = usize;

/// A network that nodes are attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Net {
    /// Where the clients are.
    Lan,
    /// Where the upstream router is.
    Wan,
    /// Where pfsync runs.
    Sync,
}

impl Net {
    /// As captures and configurations call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lan => "lan",
            Self::Wan => "wan",
            Self::Sync => "sync",
        }
    }
}

/// Own address of a node on a network.
#[must_use]
pub fn address(net: Net, node: Node) -> IpAddr {
    let n = u8::try_from(node).unwrap_or(u8::MAX - 2);
    IpAddr::V4(match net {
        Net::Lan => Ipv4Addr::new(10, 0, 0, n + 2),
        Net::Wan => Ipv4Addr::new(198, 51, 100, n + 2),
        Net::Sync => Ipv4Addr::new(172, 16, 0, n + 1),
    })
}

/// The shared address that a vhid carries (vhid 1 is the first).
#[must_use]
pub fn shared(net: Net, vhid: u8) -> IpAddr {
    IpAddr::V4(match net {
        Net::Lan => Ipv4Addr::new(10, 0, 255, vhid),
        Net::Wan => Ipv4Addr::new(198, 51, 100, 200 + vhid),
        Net::Sync => Ipv4Addr::UNSPECIFIED,
    })
}

/// The router beyond the outside segment.
pub const UPSTREAM: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 254));

/// A far host that answers pings.
pub const INTERNET: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 53));

/// The switch that the clients hang on, which is always on and answers pings: as long as it lives, the inside does.
pub const INSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 254, 1));

/// The proxy on a node, as hosts tell it from those on the others; its own kernel knows it by [`crate::setup::Proxy`].
#[must_use]
pub fn proxy(node: Node) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, byte(node + 1)))
}

/// On which node a proxy is.
#[must_use]
pub fn proxied(address: IpAddr) -> Option<Node> {
    match address {
        IpAddr::V4(a) if a.is_loopback() => Node::from(a.octets()[3]).checked_sub(1),
        _ => None,
    }
}

/// A client; at most 60000.
#[must_use]
pub fn client(n: usize) -> IpAddr {
    let n = n % 60_000 + 256;
    IpAddr::V4(Ipv4Addr::new(10, 0, byte(n / 256), byte(n % 256)))
}

/// A server on the far side; at most 60000.
#[must_use]
pub fn server(n: usize) -> IpAddr {
    let n = n % 60_000 + 256;
    IpAddr::V4(Ipv4Addr::new(
        100,
        64 + byte(n / 65_536),
        byte(n / 256 % 256),
        byte(n % 256),
    ))
}

/// Whether an address is on the inside.
#[must_use]
pub fn inside(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(a) if a.octets()[0] == 10)
}

#[expect(clippy::cast_possible_truncation, reason = "callers keep it below 256")]
fn byte(n: usize) -> u8 {
    n as u8
}
