//! The filter that the kernel applies, so that a busy interface does not wake us for traffic that says nothing.
//!
//! Called when an interface is opened. A pure function from what is wanted to a filter in the language of
//! pcap-filter(7); the tests compile it and run it over frames.

use crate::capture::LinkType;
use std::fmt::Write;
use std::net::IpAddr;

/// Which connections count as configuration synchronisation (XMLRPC of pfSense and OPNsense).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigSync {
    /// Addresses of the nodes; only connections among them are wanted. Empty: none.
    pub nodes: Vec<IpAddr>,
    /// TCP ports.
    pub ports: Vec<u16>,
}

impl Default for ConfigSync {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            ports: vec![443, 80],
        }
    }
}

/// The filter for an interface; none where everything is wanted. `mirrored`: what a mirror copied to this host is wanted, too.
#[must_use]
pub fn filter(link: LinkType, config_sync: &ConfigSync, mirrored: bool) -> Option<String> {
    let mut wanted = wanted(config_sync);
    if mirrored {
        wanted += MIRRORS;
    }
    match link.0 {
        // pfsync(4) itself: there is nothing else on it, and no IP header to look at.
        18 | 121 | 246 => None,
        // `vlan` moves the offsets of all that follows, so the tagged cases come last.
        1 => Some(format!("{wanted} or (vlan and ({wanted} or (vlan and ({wanted}))))")),
        _ => Some(wanted),
    }
}

/// The tunnels that `dissect` looks into: VXLAN, GENEVE, TZSP, and ERSPAN behind GRE's two octets of flags. pcap-filter(7) does not
/// pass over the extension headers of IPv6.
const MIRRORS: &str = " or udp dst port 4789 or udp dst port 8472 or udp dst port 6081 or udp dst port 37008 \
     or (ip proto 47 and (ip[(ip[0] & 15) * 4 + 2:2] = 0x88be or ip[(ip[0] & 15) * 4 + 2:2] = 0x22eb)) \
     or (ip6 proto 47 and (ip6[42:2] = 0x88be or ip6[42:2] = 0x22eb))";

fn wanted(config_sync: &ConfigSync) -> String {
    let mut out = "ip proto 240 or ip6 proto 240 or ip proto 112 or ip6 proto 112".to_owned();
    let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = config_sync.nodes.iter().partition(|a| a.is_ipv4());
    if config_sync.ports.is_empty() {
        return out;
    }
    let any = |what: &str, values: &[String]| {
        values
            .iter()
            .map(|v| format!("{what}{v}"))
            .collect::<Vec<_>>()
            .join(" or ")
    };
    let ports: Vec<_> = config_sync.ports.iter().map(ToString::to_string).collect();
    // SYN without ACK. pcap-filter(7) knows `tcp[]` for IPv4 only; behind a plain IPv6 header TCP starts at 40.
    for (nodes, syn, port) in [
        (v4, "tcp[13] & 0x12 = 2", "tcp dst port "),
        (v6, "ip6 proto 6 and ip6[53] & 0x12 = 2", "ip6[42:2] = "),
    ] {
        if nodes.len() < 2 {
            continue;
        }
        let nodes: Vec<_> = nodes.iter().map(ToString::to_string).collect();
        let (from, to, ports) = (any("src host ", &nodes), any("dst host ", &nodes), any(port, &ports));
        // Writing to a String cannot fail.
        let _ = write!(out, " or ({syn} and ({ports}) and ({from}) and ({to}))");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::PacketBuilder;
    use pcap::{BpfProgram, Capture, Linktype};

    fn sync() -> ConfigSync {
        let nodes = ["172.30.0.1", "172.30.0.2", "fd00::1", "fd00::2"];
        ConfigSync {
            nodes: nodes.map(|n| n.parse().unwrap()).to_vec(),
            ports: vec![443, 80],
        }
    }

    fn compile(link: i32, text: &str) -> BpfProgram {
        Capture::dead(Linktype(link)).unwrap().compile(text, true).unwrap()
    }

    fn ethernet(program: &BpfProgram, ip: &[u8], tags: usize) -> bool {
        let kind: &[u8] = if ip[0] >> 4 == 4 { &[0x08, 0x00] } else { &[0x86, 0xdd] };
        program.filter(&[&[0; 12], [0x81, 0, 0, 7].repeat(tags).as_slice(), kind, ip].concat())
    }

    fn ip(from: &str, to: &str, proto: u8) -> Vec<u8> {
        let mut out = vec![0; 200];
        let builder = match (from.parse().unwrap(), to.parse().unwrap()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => PacketBuilder::ipv4(a.octets(), b.octets(), 255),
            (IpAddr::V6(a), IpAddr::V6(b)) => PacketBuilder::ipv6(a.octets(), b.octets(), 255),
            _ => panic!("one family"),
        };
        let length = builder
            .write_to_slice(&mut out, etherparse::IpNumber(proto), &[0; 40])
            .unwrap();
        out.truncate(length);
        out
    }

    fn tcp(from: &str, to: &str, port: u16, flags: u8) -> Vec<u8> {
        let mut out = ip(from, to, 6);
        let start = out.len() - 40;
        out[start + 2..start + 4].copy_from_slice(&port.to_be_bytes());
        out[start + 12] = 0x50;
        out[start + 13] = flags;
        out
    }

    #[test]
    fn what_passes() {
        let program = compile(1, &filter(LinkType(1), &sync(), false).unwrap());
        let (a, b, a6, b6) = ("172.30.0.1", "172.30.0.2", "fd00::1", "fd00::2");
        let table = [
            (ip(a, "224.0.0.240", 240), true),
            (ip(a6, "ff12::f0", 240), true),
            (ip(a, "224.0.0.18", 112), true),
            (ip(a6, "ff02::12", 112), true),
            (ip(a, b, 17), false),
            (tcp(a, b, 443, 0x02), true),
            (tcp(b, a, 80, 0xc2), true),
            (tcp(a, b, 443, 0x12), false),
            (tcp(a, b, 443, 0x10), false),
            (tcp(a, b, 22, 0x02), false),
            (tcp(a, "192.0.2.1", 443, 0x02), false),
            (tcp("192.0.2.1", b, 443, 0x02), false),
            (tcp(a6, b6, 443, 0x02), true),
            (tcp(a6, b6, 443, 0x12), false),
            (tcp(a6, b6, 8443, 0x02), false),
            (tcp(a6, "2001:db8::1", 443, 0x02), false),
        ];
        for (i, (packet, passes)) in table.iter().enumerate() {
            for tags in 0..=2 {
                assert_eq!(ethernet(&program, packet, tags), *passes, "case {i} behind {tags} tags");
            }
        }
    }

    #[test]
    fn on_enc0_too() {
        let program = compile(109, &filter(LinkType(109), &sync(), false).unwrap());
        let frame = |packet: &[u8]| [&[2, 0, 0, 0], &[0; 8][..], packet].concat();
        assert!(program.filter(&frame(&ip("172.30.0.1", "172.30.0.2", 240))));
        assert!(!program.filter(&frame(&ip("172.30.0.1", "172.30.0.2", 17))));
    }

    #[test]
    fn mirrors_pass_only_where_they_are_wanted() {
        let [without, with] = [false, true].map(|m| compile(1, &filter(LinkType(1), &sync(), m).unwrap()));
        let udp = |from: &str, to: &str, port: u16| {
            let mut out = ip(from, to, 17);
            let start = out.len() - 40;
            out[start + 2..start + 4].copy_from_slice(&port.to_be_bytes());
            out
        };
        let gre = |from: &str, to: &str, protocol: u16| {
            let mut out = ip(from, to, 47);
            let start = out.len() - 40;
            out[start + 2..start + 4].copy_from_slice(&protocol.to_be_bytes());
            out
        };
        let mut options = gre("192.0.2.1", "192.0.2.2", 0);
        (options[0], options[26], options[27]) = (0x46, 0x88, 0xbe);
        let (a, b, a6, b6) = ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2");
        for (i, (packet, wanted)) in [
            (udp(a, b, 4789), true),
            (udp(a, b, 8472), true),
            (udp(a6, b6, 6081), true),
            (udp(a, b, 37008), true),
            (gre(a, b, 0x88be), true),
            (gre(a6, b6, 0x22eb), true),
            (options, true),
            (udp(a, b, 53), false),
            (gre(a, b, 0x0800), false),
            (gre(a6, b6, 0x0800), false),
        ]
        .iter()
        .enumerate()
        {
            for tags in 0..=2 {
                assert!(!ethernet(&without, packet, tags), "case {i} behind {tags} tags");
                assert_eq!(ethernet(&with, packet, tags), *wanted, "case {i} behind {tags} tags");
            }
        }
    }

    #[test]
    fn the_text() {
        let bare = "ip proto 240 or ip6 proto 240 or ip proto 112 or ip6 proto 112";
        assert_eq!(
            filter(LinkType(101), &ConfigSync::default(), false).as_deref(),
            Some(bare)
        );
        let one = ConfigSync {
            nodes: vec!["172.30.0.1".parse().unwrap()],
            ..ConfigSync::default()
        };
        assert_eq!(
            filter(LinkType(101), &one, false).as_deref(),
            Some(bare),
            "nobody to talk to"
        );
        let no_ports = ConfigSync {
            ports: vec![],
            ..sync()
        };
        assert_eq!(filter(LinkType(101), &no_ports, false).as_deref(), Some(bare));
        let mut v4 = sync();
        v4.nodes.truncate(2);
        let expected = format!(
            "{bare} or (tcp[13] & 0x12 = 2 and (tcp dst port 443 or tcp dst port 80) \
             and (src host 172.30.0.1 or src host 172.30.0.2) and (dst host 172.30.0.1 or dst host 172.30.0.2))"
        );
        assert_eq!(filter(LinkType(113), &v4, false), Some(expected));
        for link in [18, 121, 246] {
            assert_eq!(filter(LinkType(link), &sync(), true), None);
        }
    }

    #[test]
    fn compiles_for_every_link_type_with_many_nodes() {
        let nodes = (1..=32).map(|n| IpAddr::from([10, 0, 0, n])).collect();
        for sync in [sync(), ConfigSync { nodes, ..sync() }] {
            for link in [0, 1, 12, 108, 109, 113, 276] {
                for mirrored in [false, true] {
                    let text = filter(LinkType(u32::try_from(link).unwrap()), &sync, mirrored).unwrap();
                    let _ = compile(link, &text);
                }
            }
        }
    }
}
