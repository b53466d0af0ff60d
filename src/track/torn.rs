//! Stories of flows whose two halves pass different nodes: node 0 has the inside, node 1 the outside.

use super::*;
use crate::time::Timestamp;
use pfsync_proto::{Peer, StateId};

const HALF_OPEN: [u8; 2] = [4, 2];
const OPEN: [u8; 2] = [4, 4];

/// One connection: who said what last. Each message has all that the nodes told each other before.
struct Story {
    tracker: Tracker,
    peers: [Peer; 2],
}

fn peer(seqlo: u32, edge: u32, state: u8) -> Peer {
    Peer {
        seqlo,
        seqhi: edge,
        state,
        max_win: 1000,
        ..Peer::default()
    }
}

impl Story {
    /// Known and established at time 0.
    fn old() -> Self {
        let mut story = Self::unknown([peer(100, 1100, 4), peer(500, 1500, 4)]);
        assert_eq!(story.tell(0, 0), None);
        story
    }

    fn unknown(peers: [Peer; 2]) -> Self {
        let tracker = Tracker::new(&Settings::default(), 1);
        Self { tracker, peers }
    }

    fn tell(&mut self, ms: i64, node: u16) -> Option<Duration> {
        let [src, dst] = self.peers;
        let id = StateId(7_u64.to_be_bytes());
        let creator = CreatorId([1; 4]);
        let message = UpdC {
            key: Key { id, creator },
            src,
            dst,
            expire: 0,
            timeout: 2,
            updates: None,
        };
        let now = Timestamp::from_nanos(ms * 1_000_000);
        self.tracker.update(now, node, &message)?.whole
    }

    /// A side (0 = the initiator) sends through `node`.
    fn send(&mut self, ms: i64, node: u16, side: usize) -> Option<Duration> {
        self.peers[side].seqlo += 10;
        self.tell(ms, node)
    }

    /// The other side acknowledges, through `node`, all that `side` sent.
    fn acknowledge(&mut self, ms: i64, node: u16, side: usize) -> Option<Duration> {
        self.peers[side].seqhi = self.peers[side].seqlo + 1000;
        self.tell(ms, node)
    }
}

#[test]
fn both_halves_of_one_flow_make_it_whole_and_tell_how_old_they_are() {
    let mut s = Story::old();
    assert_eq!(s.send(1000, 0, 0), None);
    assert_eq!(s.acknowledge(1200, 1, 0), None, "one half");
    assert_eq!(s.send(1400, 1, 1), None);
    assert_eq!(s.acknowledge(1700, 0, 1), Some(Duration::from_millis(700)));
    // Much later one half alone says nothing, again.
    s.send(9000, 0, 0);
    assert_eq!(s.acknowledge(9300, 1, 0), None);
}

#[test]
fn one_node_that_sees_both_halves_does_not_make_two_nodes_a_whole() {
    let mut s = Story::old();
    for i in 1..6 {
        s.send(i * 1000, 0, 0);
        assert_eq!(s.acknowledge(i * 1000 + 200, 0, 0), None);
        s.send(i * 1000 + 400, 0, 1);
        assert_eq!(s.acknowledge(i * 1000 + 600, 0, 1), None);
    }
}

#[test]
fn beyond_a_dead_port_no_flow_is_whole() {
    // (who sends on, through which node; the other node passes the acknowledgements towards its dead port): a download and an
    // upload of the inside with its port dead outside (node 0) or inside (node 1), and the same opened from outside.
    for (side, through) in [(1, 1), (0, 0), (0, 1), (1, 0)] {
        let mut s = Story::old();
        // Something of the other side's was on its way when the port died, and is sent again and again.
        s.send(500, 1 - through, 1 - side);
        for i in 1..12 {
            let ms = i * 1000;
            assert_eq!(s.send(ms, through, side), None, "{side} {through}");
            assert_eq!(s.acknowledge(ms + 300, 1 - through, side), None, "{side} {through}");
            assert_eq!(s.tell(ms + 600, 1 - through), None, "sent again");
        }
    }
}

#[test]
fn what_was_sent_before_is_as_old_as_it_is_although_it_is_acknowledged_now() {
    // The initiator's data got there, its acknowledgement was lost with the port; four seconds later the responder speaks
    // through the other node.
    let mut s = Story::old();
    s.send(1000, 0, 0);
    for i in 2..5 {
        assert_eq!(s.tell(i * 1000, 0), None);
    }
    s.send(5000, 1, 1);
    s.acknowledge(5000, 1, 0);
    assert_eq!(s.acknowledge(5300, 0, 1), None);
}

#[test]
fn a_handshake_through_two_nodes_is_whole_and_one_that_is_never_completed_is_not() {
    let silent = Peer {
        seqhi: 1,
        max_win: 1,
        ..Peer::default()
    };
    let mut s = Story::unknown([peer(100, 101, 2), silent]);
    let key = s.peers;
    s.tracker.flows.insert(
        Key {
            id: StateId(7_u64.to_be_bytes()),
            creator: CreatorId([1; 4]),
        },
        Entry {
            flow: Flow::new(0, true, Transport::Tcp, 0, &key[0], &key[1]),
            hosts: None,
            place: Place::Path(0),
            pairing: Pairing::Unknown,
            born: Timestamp::from_nanos(0),
            heard: Timestamp::from_nanos(0),
            counted: Timestamp::MIN,
            sender: 0,
            tuple: 0,
        },
        Timestamp::from_nanos(0),
    );
    s.peers = [peer(100, 1101, HALF_OPEN[0]), peer(700, 1700, HALF_OPEN[1])];
    assert_eq!(s.tell(600, 1), None, "answered");
    assert_eq!(s.tell(900, 0), None, "asked again");
    s.peers = [peer(101, 1101, OPEN[0]), peer(700, 1701, OPEN[1])];
    assert_eq!(s.tell(1200, 0), Some(Duration::from_millis(1200)));
}
