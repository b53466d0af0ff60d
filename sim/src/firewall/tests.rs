//! Stories of one node and of two, told in packets and read in decoded pfsync messages.

mod bulk;
mod flow;
mod flush;
mod pair;
mod speed;

use super::*;
use crate::packet::{Body, Segment, flags};
use pfsync_proto::{Packet as Payload, State as Wire, UpdC};

const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 1, 7));
const SERVER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(100, 64, 1, 9));
const OUTSIDE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 201));
const ALL: [System; 4] = [
    System::OpenBsd,
    System::FreeBsd(Dialect::FreeBsd1301),
    System::FreeBsd(Dialect::FreeBsd1400),
    System::FreeBsd(Dialect::FreeBsd1500),
];

fn config(system: System, node: u8) -> Config {
    Config {
        system,
        creator: CreatorId([node, 10, 10, 26]),
        first_id: 0x6b02_4be6_0000_0008,
        nat: None,
        redirect: None,
        local: vec![crate::site::address(crate::site::Net::Wan, usize::from(node))],
        defer: false,
        mtu: 1500,
        seed: u64::from(node),
        max_updates: 128,
    }
}

fn node(system: System, number: u8) -> Firewall {
    Firewall::new(config(system, number))
}

fn ms(n: u64) -> Time {
    Duration::from_millis(n)
}

/// One section or message of a frame.
type Said = (Action, Message);

/// Everything in a payload; what does not decode, or would be refused, fails the test.
fn decode(payload: &[u8]) -> Vec<Said> {
    let mut said = Vec::new();
    for section in Payload::new_checked(payload).unwrap().sections() {
        let section = section.unwrap();
        assert!(section.count > 0 && (section.action == Action::Eof || section.messages().len() > 0));
        section.visit(|decoded| {
            assert_eq!(decoded.refused, None);
            said.push((section.action, decoded.message));
        });
    }
    said
}

/// What the node has to send now.
fn sent(firewall: &mut Firewall) -> Vec<Vec<Said>> {
    std::iter::from_fn(|| firewall.poll()).map(|p| decode(&p)).collect()
}

/// Runs the node alone until `end` and notes what it sends and when.
fn run(firewall: &mut Firewall, end: Time) -> Vec<(Time, Vec<Said>)> {
    let mut all: Vec<_> = Vec::new();
    while let Some(at) = firewall.next_deadline().filter(|at| *at <= end) {
        firewall.advance(at);
        all.extend(sent(firewall).into_iter().map(|frame| (at, frame)));
    }
    firewall.advance(end);
    all
}

/// Runs two nodes that hear each other at once; what each says is noted with its number.
fn run_pair(a: &mut Firewall, b: &mut Firewall, end: Time) -> Vec<(Time, u8, Vec<Said>)> {
    let mut all = Vec::new();
    loop {
        let next = [a.next_deadline(), b.next_deadline()].into_iter().flatten().min();
        let Some(at) = next.filter(|at| *at <= end) else {
            break;
        };
        a.advance(at);
        b.advance(at);
        all.extend(exchange(a, b, at));
    }
    a.advance(end);
    b.advance(end);
    all
}

/// Delivers what is ready.
fn exchange(a: &mut Firewall, b: &mut Firewall, at: Time) -> Vec<(Time, u8, Vec<Said>)> {
    let mut all = Vec::new();
    while let Some((from, payload)) = a.poll().map(|p| (1, p)).or_else(|| b.poll().map(|p| (2, p))) {
        all.push((at, from, decode(&payload)));
        let to = if from == 1 { &mut *b } else { &mut *a };
        to.receive(at, &payload);
    }
    all
}

/// Through the whole node, from one side to the other.
fn forward(firewall: &mut Firewall, now: Time, from: Side, packet: Packet) -> Option<Packet> {
    let to = match from {
        Side::Inside => Side::Outside,
        Side::Outside => Side::Inside,
    };
    let packet = firewall.input(now, from, packet)?;
    firewall.output(now, to, packet)
}

fn tcp(src: IpAddr, dst: IpAddr, segment: Segment) -> Packet {
    Packet {
        src,
        dst,
        body: Body::Tcp(segment),
    }
}

/// From the client: flags, sequence and acknowledgement counted from its and the server's first (1000 and 9000).
fn up(port: u16, set: u8, seq: u32, ack: u32, len: u16) -> Packet {
    tcp(CLIENT, SERVER, segment([port, 443], set, 1000 + seq, 9000 + ack, len))
}

/// From the server.
fn down(port: u16, set: u8, seq: u32, ack: u32, len: u16) -> Packet {
    tcp(SERVER, CLIENT, segment([443, port], set, 9000 + seq, 1000 + ack, len))
}

fn segment(ports: [u16; 2], set: u8, seq: u32, ack: u32, len: u16) -> Segment {
    let syn = set & flags::SYN != 0;
    Segment {
        ports,
        flags: set,
        seq,
        ack: if set & flags::ACK != 0 { ack } else { 0 },
        window: if syn { 64240 } else { 502 },
        wscale: syn.then_some(7),
        mss: syn.then_some(1460),
        len,
    }
}

fn udp(src: IpAddr, dst: IpAddr, ports: [u16; 2]) -> Packet {
    Packet {
        src,
        dst,
        body: Body::Udp { ports, len: 100 },
    }
}

fn echo(src: IpAddr, dst: IpAddr, request: bool, id: u16) -> Packet {
    Packet {
        src,
        dst,
        body: Body::Echo { request, id, len: 56 },
    }
}

/// Handshake and one exchange of data.
fn connect(firewall: &mut Firewall, now: Time, port: u16) {
    use flags::{ACK, SYN};
    for (from, packet) in [
        (Side::Inside, up(port, SYN, 0, 0, 0)),
        (Side::Outside, down(port, SYN | ACK, 0, 1, 0)),
        (Side::Inside, up(port, ACK, 1, 1, 0)),
        (Side::Inside, up(port, ACK, 1, 1, 300)),
        (Side::Outside, down(port, ACK, 1, 301, 1200)),
        (Side::Inside, up(port, ACK, 301, 1201, 0)),
    ] {
        assert!(forward(firewall, now, from, packet).is_some(), "{packet:?}");
    }
}

/// A connection from its handshake to its last acknowledgement.
fn close(firewall: &mut Firewall, now: Time, port: u16) {
    use flags::{ACK, FIN};
    connect(firewall, now, port);
    for (from, packet) in [
        (Side::Inside, up(port, FIN | ACK, 301, 1201, 0)),
        (Side::Outside, down(port, FIN | ACK, 1201, 302, 0)),
        (Side::Inside, up(port, ACK, 302, 1202, 0)),
    ] {
        assert!(forward(firewall, now, from, packet).is_some(), "{packet:?}");
    }
}

fn full(said: &[Said], action: Action) -> Vec<&Wire> {
    said.iter()
        .filter_map(|(a, m)| match m {
            Message::State(state) if *a == action => Some(state),
            _ => None,
        })
        .collect()
}

fn compressed(said: &[Said]) -> Vec<&UpdC> {
    said.iter()
        .filter_map(|(_, m)| match m {
            Message::UpdC(update) => Some(update),
            _ => None,
        })
        .collect()
}

fn actions(said: &[Said]) -> Vec<Action> {
    let mut all: Vec<_> = said.iter().map(|(action, _)| *action).collect();
    all.dedup();
    all
}

fn count(frames: &[(Time, Vec<Said>)], action: Action) -> usize {
    frames.iter().flat_map(|(_, f)| f).filter(|(a, _)| *a == action).count()
}
