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
    use etherparse::PacketBuilder;

    const CLIENT: [u8; 4] = [10, 10, 1, 1];
    const SERVER: [u8; 4] = [198, 51, 100, 1];

    #[test]
    fn a_syn_with_its_options_as_captured_without_its_end() {
        let builder = PacketBuilder::ipv4(CLIENT, SERVER, 64)
            .tcp(40000, 80, 7, 64240)
            .syn()
            .options(&[
                TcpOptionElement::MaximumSegmentSize(1460),
                TcpOptionElement::WindowScale(7),
            ])
            .unwrap();
        let mut octets = Vec::new();
        builder.write(&mut octets, &[0; 600]).unwrap();
        octets.truncate(120);
        let packet = dissect(&octets).unwrap();
        assert_eq!((packet.src, packet.dst), (CLIENT.into(), SERVER.into()));
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
        let mut octets = Vec::new();
        PacketBuilder::ipv4(SERVER, CLIENT, 64)
            .udp(53, 41000)
            .write(&mut octets, &[1; 30])
            .unwrap();
        let ports = [53, 41000];
        assert_eq!(dissect(&octets).unwrap().body, Body::Udp { ports, len: 30 });
        octets.clear();
        PacketBuilder::ipv4(CLIENT, SERVER, 64)
            .icmpv4_echo_request(9, 1)
            .write(&mut octets, &[1; 56])
            .unwrap();
        let (request, id, len) = (true, 9, 56);
        assert_eq!(dissect(&octets).unwrap().body, Body::Echo { request, id, len });
    }

    #[test]
    fn cut_octets_are_nothing_and_no_panic() {
        let mut octets = Vec::new();
        PacketBuilder::ipv4(CLIENT, SERVER, 64)
            .tcp(1, 2, 3, 4)
            .ack(5)
            .write(&mut octets, &[])
            .unwrap();
        for cut in 0..octets.len() {
            assert_eq!(dissect(&octets[..cut]), None, "{cut}");
        }
    }
}
