//! One counter per fact. Filled by the engine, read by reports and metrics.

use super::aside::{Aside, Reason};
use super::quality::{Problem, Tally};
use crate::capture::GapCause;
use crate::event::NodeId;
use crate::time::Timestamp;
use crate::track::Observation;
use crate::track::flow::{Movement, Outcome};
use pfsync_proto::{Action, CreatorId, DecodeError, ErrorKind};
use std::collections::BTreeMap;
use std::time::Duration;

/// Creator ids remembered per node.
const MAX_CREATORS: usize = 16;

/// What the engine counted.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Frames of any kind.
    pub frames: u64,
    /// Frames with pfsync.
    pub pfsync: u64,
    /// Frames of protocol 112.
    pub carp: u64,
    /// Frames of pfsync without an IP header, as pfsync0 shows them.
    pub tapped: u64,
    /// Frames with neither.
    pub other: u64,
    /// Mirrored frames in which there is another mirrored one.
    pub nested: u64,
    /// Frames of a link type that we cannot read.
    pub unsupported: u64,
    /// VRRP among the frames of protocol 112.
    pub vrrp: u64,
    /// Of that, what came from a node's own address and counts as CARP does.
    pub vrrp_of_nodes: u64,
    /// Advertisements with a wrong checksum.
    pub bad_checksum: u64,
    /// Advertisements with a wrong HMAC where the password is known.
    pub bad_hmac: u64,
    /// Advertisements on the sync net, which do not count where segments are configured.
    pub carp_on_sync: u64,
    /// CARP of a VLAN that its segment has nothing to do with, or of a net above it.
    pub elsewhere: u64,
    /// CARP of networks beyond the number that is remembered.
    pub beyond_networks: u64,
    /// Frames of senders beyond the number of nodes that are remembered.
    pub foreign: u64,
    /// Times that ran backwards and were clamped.
    pub clamped: u64,
    /// What did not count, by its sender.
    pub aside: Aside,
    /// Refused octets by kind.
    pub errors: BTreeMap<ErrorKind, u64>,
    /// Those among them that no kernel sends.
    pub damaged: u64,
    /// What was wrong with frames or with our hearing.
    pub problems: BTreeMap<Problem, Tally>,
    /// Whose CARP was last refused in place of what counted, why, and its TTL.
    pub refused: Option<(NodeId, Reason, u8)>,
    /// TTL of the last pfsync that was refused for it.
    pub routed_ttl: u8,
    /// Our own blindness: how often, how long, how many frames lost.
    pub gaps: BTreeMap<GapCause, (u64, Duration, u64)>,
    /// Per node, by index.
    pub nodes: Vec<NodeCounters>,
    /// Per path: when something first passed as a whole, through one node or several together.
    pub first_passed: Vec<Option<Timestamp>>,
}

impl Counters {
    /// Advertisements by which masters are known: CARP, and the VRRP of nodes.
    #[must_use]
    pub fn advertisements(&self) -> u64 {
        self.carp.saturating_sub(self.vrrp) + self.vrrp_of_nodes
    }

    /// Counts a refusal.
    pub fn error(&mut self, error: DecodeError) {
        *self.errors.entry(error.kind).or_default() += 1;
        self.damaged += u64::from(error.damage);
    }

    /// Counts an observation.
    pub fn evidence(&mut self, node: NodeId, o: &Observation, now: Timestamp) {
        if self.first_passed.len() <= o.path {
            self.first_passed.resize(o.path + 1, None);
        }
        let first = &mut self.first_passed[o.path];
        if o.is_round_trip() || o.whole.is_some() {
            first.get_or_insert(now);
        }
        let first = *first;
        if let Some(path) = self.nodes.get_mut(node.index()).and_then(|n| n.paths.get_mut(o.path)) {
            path.evidence(o, now, first.is_some());
        }
    }

    /// Counts a gap.
    pub fn gap(&mut self, cause: GapCause, length: Duration, lost: u64) {
        let gap = self.gaps.entry(cause).or_default();
        *gap = (gap.0 + 1, gap.1 + length, gap.2 + lost);
    }
}

/// What was heard of one node.
#[derive(Clone, Debug, Default)]
pub struct NodeCounters {
    /// It was master of a vhid.
    pub was_master: bool,
    /// pfsync frames.
    pub frames: u64,
    /// When the last of them came.
    pub last: Option<Timestamp>,
    /// Bit n: version n was heard.
    pub versions: u64,
    /// The version heard last.
    pub version: Option<u8>,
    /// Messages by action.
    pub messages: BTreeMap<&'static str, u64>,
    /// Messages that prove only that the sender's pfsync lives.
    pub sender_alive: u64,
    /// Host ids that it revealed as its own, most recent last.
    pub creators: Vec<CreatorId>,
    /// Evidence by path.
    pub paths: Vec<PathCounters>,
}

/// Evidence of one node on one path.
#[derive(Clone, Copy, Debug, Default)]
pub struct PathCounters {
    /// A packet passed, nothing moved.
    pub attempt: u64,
    /// Initiator to responder.
    pub forward: u64,
    /// Responder to initiator.
    pub reverse: u64,
    /// Round trips.
    pub end_to_end: u64,
    /// Last round trip.
    pub last_end_to_end: Option<Timestamp>,
    /// The first.
    pub first_end_to_end: Option<Timestamp>,
    /// Tries that failed before anything passed on this path, through whomever, and the first of them.
    pub failed_before: u64,
    /// See `failed_before`.
    pub first_failed: Option<Timestamp>,
}

impl NodeCounters {
    /// For a node with so many paths.
    #[must_use]
    pub fn new(paths: usize) -> Self {
        Self {
            paths: vec![PathCounters::default(); paths],
            ..Self::default()
        }
    }

    /// Counts a frame of a version.
    pub fn frame(&mut self, now: Timestamp, version: u8) {
        self.frames += 1;
        self.last = Some(now);
        if version < 64 {
            self.versions |= 1 << version;
        }
        self.version = Some(version);
    }

    /// Counts messages.
    pub fn action(&mut self, action: Action, count: u64) {
        if count > 0 {
            *self.messages.entry(action.name()).or_default() += count;
        }
    }

    /// Remembers a creator id.
    pub fn creator(&mut self, creator: CreatorId) {
        if self.creators.last() == Some(&creator) {
            return;
        }
        self.creators.retain(|c| *c != creator);
        if self.creators.len() >= MAX_CREATORS {
            self.creators.remove(0);
        }
        self.creators.push(creator);
    }
}

impl PathCounters {
    /// Counts an observation; `passed`: something passed on this path already.
    fn evidence(&mut self, o: &Observation, now: Timestamp, passed: bool) {
        if o.is_round_trip() {
            self.end_to_end += 1;
            self.last_end_to_end = Some(now);
            self.first_end_to_end.get_or_insert(now);
            return;
        }
        if !passed && matches!(o.trial, Some((_, Outcome::Failure))) {
            self.failed_before += 1;
            self.first_failed.get_or_insert(now);
        }
        match o.movement {
            Movement::Attempt => self.attempt += 1,
            Movement::Forward => self.forward += 1,
            Movement::Reverse => self.reverse += 1,
            Movement::Both | Movement::PairEndToEnd | Movement::EndToEnd => {
                self.forward += 1;
                self.reverse += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::flow::Class;

    #[test]
    fn tables_and_verdicts_have_one_notion_of_a_round_trip() {
        let told = |movement, trial: Option<Outcome>, delivery| Observation {
            path: 0,
            movement,
            trial: trial.map(|o| (Class::NewTcp, o)),
            delivery,
            partner: None,
            whole: None,
            hosts: None,
            left: false,
        };
        // SYN|ACK seen, handshake not yet complete: the verdict counts it as answered.
        let answered = told(Movement::Both, Some(Outcome::Success), None);
        let delivered = told(Movement::EndToEnd, None, Some(Outcome::Success));
        let pair = told(Movement::PairEndToEnd, Some(Outcome::Pair), Some(Outcome::Pair));
        for (o, round_trips) in [(answered, 1), (delivered, 1), (pair, 0)] {
            let mut c = PathCounters::default();
            c.evidence(&o, Timestamp::from_nanos(5), false);
            assert_eq!(c.end_to_end, round_trips, "{o:?}");
            assert_eq!(c.last_end_to_end.is_some(), round_trips > 0);
        }
    }

    #[test]
    fn tries_fail_from_the_start_only_as_long_as_nothing_passes_through_anybody() {
        let told = |movement, outcome, whole| Observation {
            path: 0,
            movement,
            trial: Some((Class::NewTcp, outcome)),
            delivery: None,
            partner: None,
            whole,
            hosts: None,
            left: false,
        };
        let failed = told(Movement::Attempt, Outcome::Failure, None);
        let alone = told(Movement::EndToEnd, Outcome::Success, None);
        let together = told(Movement::PairEndToEnd, Outcome::Pair, Some(Duration::ZERO));
        let half = told(Movement::PairEndToEnd, Outcome::Pair, None);
        for (o, before) in [(alone, 1), (together, 1), (half, 2)] {
            let mut c = Counters {
                nodes: vec![NodeCounters::new(1); 2],
                ..Counters::default()
            };
            let at = Timestamp::from_nanos(5);
            for (node, o) in [(1, &failed), (0, &o), (1, &failed)] {
                c.evidence(NodeId(node), o, at);
            }
            assert_eq!(c.nodes[1].paths[0].failed_before, before, "{o:?}");
            assert_eq!(c.first_passed[0].is_some(), before == 1);
        }
    }
}
