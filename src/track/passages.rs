//! Connections that come in and go out: what the second state tells, and what it tells that there is none.

use super::*;
use pfsync_proto::message::{Extra, IfName};
use pfsync_proto::{Family, Peer, StateId};

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
fn what_ends_on_a_firewall_or_is_never_forwarded_is_no_connection_through_it() {
    let mut t = Tracker::new(&Settings::default(), 1);
    t.add_local(IpAddr::from([10, 1, 0, 1]));
    t.insert(at(0), 0, &state(1, Direction::In));
    let mut link_local = state(2, Direction::In);
    let StateKeys::Pair { wire, stack } = &mut link_local.keys else {
        unreachable!()
    };
    (wire.addr[1], stack.addr[1]) = (IpAddr::from([169, 254, 1, 1]), IpAddr::from([169, 254, 1, 1]));
    t.insert(at(0), 0, &link_local);
    assert_eq!(t.stuck(at(9_000)), None);
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
