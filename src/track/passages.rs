//! Connections that come in and go out: what the second state tells, and what it tells that there is none.

use super::*;
use pfsync_proto::message::{Extra, IfName};
use pfsync_proto::{Endpoints, Family, Peer, StateId, StateKeys};
use zones::octets;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_nanos(ms * 1_000_000)
}

/// A state of connection `n` between two hosts, as node 0 makes it on the way in or out.
fn state(n: u8, direction: Direction) -> State {
    let (client, server) = (IpAddr::from([10, 1, 0, n]), IpAddr::from([192, 0, 2, 1]));
    // The far side is the client's where it comes in, and the server's where it leaves.
    let ends = match direction {
        Direction::In => Endpoints {
            addr: [client, server],
            port: [40_000, 443],
        },
        _ => Endpoints {
            addr: [server, client],
            port: [443, 40_000],
        },
    };
    let peer = |state| Peer {
        state,
        ..Peer::default()
    };
    State {
        key: Key {
            id: StateId([n, u8::from(direction == Direction::In), 0, 0, 0, 0, 0, 0]),
            creator: CreatorId([1; 4]),
        },
        ifname: IfName::default(),
        keys: StateKeys::Pair {
            wire: ends,
            stack: ends,
        },
        src: peer(2),
        dst: peer(0),
        rt_addr: [0; 16],
        rule: None,
        anchor: None,
        nat_rule: None,
        age: 0,
        expire: 30,
        packets: [1, 0],
        bytes: [60, 0],
        af: Family::Inet,
        proto: 6,
        direction,
        log: 0,
        timeout: 0,
        state_flags: 0,
        sync_flags: 0,
        updates: 0,
        extra: Extra::None,
    }
}

#[test]
fn a_connection_has_left_with_the_second_of_its_states_whichever_comes_first() {
    let mut t = Tracker::new(&Settings::default(), 1);
    let orders = [[Direction::In, Direction::Out], [Direction::Out, Direction::In]];
    for (n, order) in (1..).zip(orders) {
        let left = order.map(|d| t.insert(at(0), 0, &state(n, d)).map(|o| o.left));
        assert_eq!(left, [Some(false), Some(true)], "{order:?}");
    }
    assert_eq!(t.stuck(at(9_000)), None);
}

#[test]
fn one_that_came_in_is_stuck_once_the_other_state_had_its_time() {
    let mut t = Tracker::new(&Settings::default(), 1);
    t.insert(at(0), 7, &state(1, Direction::In));
    t.insert(at(0), 7, &state(1, Direction::In));
    t.insert(at(500), 7, &state(2, Direction::In));
    assert_eq!(t.stuck(at(1_100)), None);
    let stuck = t.stuck(at(1_101)).unwrap();
    assert_eq!((stuck.node, stuck.path), (7, 0));
    assert_eq!(stuck.hosts.0, octets(IpAddr::from([10, 1, 0, 1])));
    assert_eq!(t.stuck(at(1_101)), None, "told once, and the other has time");
    t.insert(at(1_500), 7, &state(2, Direction::Out));
    assert_eq!(t.stuck(at(9_000)), None);
}

#[test]
fn nothing_is_said_of_what_goes_out_was_deleted_or_came_before_we_were_blind() {
    let mut t = Tracker::new(&Settings::default(), 1);
    t.insert(at(0), 0, &state(1, Direction::Out));
    let gone = state(2, Direction::In);
    t.insert(at(0), 0, &gone);
    t.delete(0, gone.key);
    t.insert(at(0), 0, &state(3, Direction::In));
    t.forgive();
    assert_eq!(t.stuck(at(9_000)), None);
}

#[test]
fn where_connections_come_in_pairs_an_answer_counts_with_the_second_state_of_two() {
    let answered = |n: u8, direction| State {
        proto: 17,
        packets: [1, 1],
        ..state(n, direction)
    };
    let succeeded = |o: &Observation| matches!(o.trial, Some((_, Outcome::Success)));
    let mut t = Tracker::new(&Settings::default(), 1);
    let mut pairs = |n: u8| {
        let first = t.insert(at(0), 7, &answered(n, Direction::In));
        assert_eq!(t.confirmed(), None);
        let second = t.insert(at(900), 8, &answered(n, Direction::Out));
        let told = [first, second].map(|o| o.is_some_and(|o| succeeded(&o)));
        (told, t.confirmed().map(|(node, o)| (node, succeeded(&o))))
    };
    for n in 1..=8 {
        assert_eq!(
            pairs(n),
            ([true, true], None),
            "it is not known yet how connections come"
        );
    }
    assert_eq!(pairs(9), ([false, true], Some((7, true))));
    // One that stays alone ends here; where most do, that is how this site is.
    let mut lone = |n: u8| {
        let o = t.insert(at(2_000), 7, &answered(n, Direction::In));
        while t.stuck(at(4_000)).is_some() {}
        o.is_some_and(|o| succeeded(&o))
    };
    assert_eq!(
        [20, 21, 22, 23, 24, 25].map(&mut lone),
        [false, false, false, false, false, true]
    );
}

/// What it is, which way, wire and stack key, and whether it passes.
type Case = (&'static str, Direction, [&'static str; 2], [&'static str; 2], bool);

/// A firewall with 198.51.100.1 outside and 10.0.1.1 inside, `::` and `10.64::` likewise; keys as [0, 1].
const ENDS: [Case; 18] = {
    use Direction::{In, Out};
    const CLIENT: &str = "10.0.1.50";
    const SERVER: &str = "203.0.113.9";
    const SHARED: &str = "198.51.100.1";
    const INSIDE: &str = "10.0.1.1";
    const SIX: &str = "2001:db8:1::50";
    [
        ("through, as it comes in", In, [CLIENT, SERVER], [CLIENT, SERVER], true),
        (
            "through, hidden behind the shared address",
            Out,
            [SERVER, SHARED],
            [SERVER, CLIENT],
            true,
        ),
        (
            "a published server, called by the shared address",
            In,
            [SERVER, SHARED],
            [SERVER, CLIENT],
            true,
        ),
        ("the same on its way out", Out, [CLIENT, SERVER], [CLIENT, SERVER], true),
        (
            "one inside that calls another by the shared address, in",
            In,
            [CLIENT, SHARED],
            [CLIENT, "10.0.1.60"],
            true,
        ),
        (
            "and out, hidden behind the inside address",
            Out,
            ["10.0.1.60", INSIDE],
            ["10.0.1.60", CLIENT],
            true,
        ),
        (
            "a proxy behind a redirect",
            In,
            [CLIENT, SERVER],
            [CLIENT, "127.0.0.1"],
            false,
        ),
        (
            "a proxy in the guise of IPv6",
            In,
            [CLIENT, SERVER],
            [CLIENT, "::ffff:127.0.0.1"],
            false,
        ),
        (
            "a proxy of IPv4 for clients of IPv6",
            In,
            [SIX, "2001:db8:2::9"],
            [SIX, "::ffff:127.0.0.1"],
            false,
        ),
        ("a proxy of IPv6", In, [SIX, "2001:db8:2::9"], [SIX, "::1"], false),
        (
            "a redirect to an own address",
            In,
            [CLIENT, SERVER],
            [CLIENT, INSIDE],
            false,
        ),
        (
            "a service on the shared address behind a redirect",
            In,
            [SERVER, SHARED],
            [SERVER, "127.0.0.1"],
            false,
        ),
        (
            "a resolver on the shared address",
            In,
            [CLIENT, INSIDE],
            [CLIENT, INSIDE],
            false,
        ),
        (
            "a connection of the firewall",
            Out,
            [SERVER, SHARED],
            [SERVER, SHARED],
            false,
        ),
        (
            "of the firewall, hidden behind the shared address",
            Out,
            [SERVER, SHARED],
            [SERVER, "127.0.0.1"],
            false,
        ),
        ("to itself", Out, [INSIDE, INSIDE], [INSIDE, INSIDE], false),
        (
            "a neighbour on the link",
            In,
            ["fe80::50", "fe80::1"],
            ["fe80::50", "fe80::1"],
            false,
        ),
        // The inner key is the other way round: the server, and whom it sees.
        (
            "through, from IPv6 to IPv4",
            In,
            [SIX, "64:ff9b::cb00:7109"],
            [SERVER, SHARED],
            true,
        ),
    ]
};

#[test]
fn what_ends_on_a_firewall_or_is_never_forwarded_neither_proves_nor_disproves_anything() {
    let node = |local: &str| crate::settings::Node {
        name: String::new(),
        addresses: vec![IpAddr::from([172, 16, 0, 1])],
        is_self: false,
        local: vec![local.parse().unwrap()],
    };
    let settings = Settings {
        nodes: ["198.51.100.1", "10.0.1.1"].map(node).to_vec(),
        ..Settings::default()
    };
    for answered in [0, 1] {
        for (what, direction, wire, stack, through) in ENDS {
            let key = |addr: [&str; 2]| Endpoints {
                addr: addr.map(|a| a.parse().unwrap()),
                port: [40_000, 443],
            };
            let mut s = state(1, direction);
            s.keys = StateKeys::Pair {
                wire: key(wire),
                stack: key(stack),
            };
            s.proto = 17;
            s.packets = [1, answered];
            let mut t = Tracker::new(&settings, 1);
            let told = t.insert(at(0), 0, &s).and_then(|o| o.trial);
            assert_eq!(told.is_some(), through, "{what}, answered {answered}");
            let stuck = through && direction == Direction::In;
            assert_eq!(t.stuck(at(9_000)).is_some(), stuck, "{what}");
        }
    }
}

#[test]
fn what_ends_here_does_not_make_a_site_look_like_one_without_pairs() {
    let mut t = Tracker::new(&Settings::default(), 1);
    for n in 1..40 {
        for direction in [Direction::In, Direction::Out] {
            t.insert(at(0), 0, &state(n, direction));
        }
        let mut proxied = state(100 + n, Direction::In);
        if let StateKeys::Pair { stack, .. } = &mut proxied.keys {
            stack.addr[1] = IpAddr::from([127, 0, 0, 1]);
        }
        t.insert(at(0), 0, &proxied);
        let update = UpdC {
            key: proxied.key,
            src: proxied.src,
            dst: proxied.dst,
            expire: 0,
            timeout: 0,
            updates: None,
        };
        t.update(at(5_000), 0, &update);
    }
    assert_eq!((t.site.paired, t.site.lone), (39, 0));
}

#[test]
fn a_flood_that_comes_in_costs_bounded_memory() {
    let mut t = Tracker::new(&Settings::default(), 1);
    for i in 0..u32::try_from(MAX_HOSTS).unwrap() + 1_000 {
        let mut s = state(1, Direction::In);
        s.key.id = StateId(u64::from(i).to_be_bytes());
        t.insert(at(0), 0, &s);
    }
    assert_eq!(t.inside.len(), MAX_HOSTS);
}
