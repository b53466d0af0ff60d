//! From the octets of an IPv4 packet to what pf looks at. A pure function.
//!
//! Lengths are taken from the headers, not from what was captured: the capture cuts payload off.

use etherparse::{Icmpv4Slice, Icmpv4Type, Ipv4HeaderSlice, TcpHeaderSlice, TcpOptionElement, UdpHeaderSlice};
use pf_sim::packet::{Body, Packet, Segment, flags};
use std::net::IpAddr;

/// None for fragments and for what is damaged.
pub(super) fn dissect(octets: &[u8]) -> Option<Packet> {
    let ip = Ipv4HeaderSlice::from_slice(octets).ok()?;
    if ip.is_fragmenting_payload() {
        return None;
    }
    let header = ip.slice().len();
    let rest = octets.get(header..)?;
    let len = ip.total_len().checked_sub(u16::try_from(header).ok()?)?;
    let proto = ip.protocol().0;
    let body = match proto {
        6 => tcp(rest, len)?,
        17 => {
            let udp = UdpHeaderSlice::from_slice(rest).ok()?;
            Body::Udp {
                ports: [udp.source_port(), udp.destination_port()],
                len: len.checked_sub(8)?,
            }
        }
        1 => icmp(rest, len),
        _ => Body::Other { proto, len },
    };
    Some(Packet {
        src: IpAddr::V4(ip.source_addr()),
        dst: IpAddr::V4(ip.destination_addr()),
        body,
    })
}

fn tcp(octets: &[u8], len: u16) -> Option<Body> {
    let tcp = TcpHeaderSlice::from_slice(octets).ok()?;
    let set = [
        (tcp.fin(), flags::FIN),
        (tcp.syn(), flags::SYN),
        (tcp.rst(), flags::RST),
        (tcp.ack(), flags::ACK),
    ];
    let mut segment = Segment {
        ports: [tcp.source_port(), tcp.destination_port()],
        flags: set.iter().filter(|(is, _)| *is).map(|(_, flag)| flag).sum(),
        seq: tcp.sequence_number(),
        ack: tcp.acknowledgment_number(),
        window: tcp.window_size(),
        wscale: None,
        mss: None,
        len: len.checked_sub(u16::try_from(tcp.slice().len()).ok()?)?,
    };
    if tcp.syn() {
        for option in tcp.options_iterator().map_while(Result::ok) {
            match option {
                TcpOptionElement::MaximumSegmentSize(mss) => segment.mss = Some(mss),
                TcpOptionElement::WindowScale(shift) => segment.wscale = Some(shift),
                _ => {}
            }
        }
    }
    Some(Body::Tcp(segment))
}

fn icmp(octets: &[u8], len: u16) -> Body {
    let echo = Icmpv4Slice::from_slice(octets)
        .ok()
        .and_then(|icmp| match icmp.icmp_type() {
            Icmpv4Type::EchoRequest(echo) => Some((true, echo.id)),
            Icmpv4Type::EchoReply(echo) => Some((false, echo.id)),
            _ => None,
        });
    match echo {
        Some((request, id)) => Body::Echo {
            request,
            id,
            len: len.saturating_sub(8),
        },
        None => Body::Other { proto: 1, len },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::{IcmpEchoHeader, Icmpv4Header, TcpHeader, UdpHeader};
    use pf_sim::frame::{Ends, frame};
    use std::net::Ipv4Addr;

    const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 10, 1, 1);
    const SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

    /// An IP packet: a frame without its Ethernet header and its padding.
    fn packet(src: Ipv4Addr, dst: Ipv4Addr, proto: u8, header: &[u8], len: usize) -> Vec<u8> {
        let mut payload = header.to_vec();
        payload.resize(header.len() + len, 1);
        let ends = Ends { mac: [2; 6], src, dst };
        let octets = frame([2; 6], ends, (proto, 0), 1, &payload);
        octets[14..34 + payload.len()].to_vec()
    }

    #[test]
    fn a_syn_with_its_options_as_captured_without_its_end() {
        let mut header = TcpHeader::new(40000, 80, 7, 64240);
        header.syn = true;
        header
            .set_options(&[
                TcpOptionElement::MaximumSegmentSize(1460),
                TcpOptionElement::WindowScale(7),
            ])
            .unwrap();
        let mut octets = packet(CLIENT, SERVER, 6, &header.to_bytes(), 600);
        octets.truncate(120);
        let packet = dissect(&octets).unwrap();
        assert_eq!((packet.src, packet.dst), (IpAddr::V4(CLIENT), IpAddr::V4(SERVER)));
        let segment = Segment {
            ports: [40000, 80],
            flags: flags::SYN,
            seq: 7,
            ack: 0,
            window: 64240,
            wscale: Some(7),
            mss: Some(1460),
            len: 600,
        };
        assert_eq!(packet.body, Body::Tcp(segment));
    }

    #[test]
    fn a_lookup_and_an_echo() {
        let header = UdpHeader::without_ipv4_checksum(53, 41000, 30).unwrap();
        let octets = packet(SERVER, CLIENT, 17, &header.to_bytes(), 30);
        let ports = [53, 41000];
        assert_eq!(dissect(&octets).unwrap().body, Body::Udp { ports, len: 30 });
        let echo = IcmpEchoHeader { id: 9, seq: 1 };
        let header = Icmpv4Header::new(Icmpv4Type::EchoRequest(echo));
        let octets = packet(CLIENT, SERVER, 1, &header.to_bytes(), 56);
        let (request, id, len) = (true, 9, 56);
        assert_eq!(dissect(&octets).unwrap().body, Body::Echo { request, id, len });
    }

    #[test]
    fn cut_octets_are_nothing_and_no_panic() {
        let header = TcpHeader::new(1, 2, 3, 4);
        let octets = packet(CLIENT, SERVER, 6, &header.to_bytes(), 0);
        assert!(dissect(&octets).is_some());
        for cut in 0..octets.len() {
            assert_eq!(dissect(&octets[..cut]), None, "{cut}");
        }
    }
}
