//! Which vhids belong together, and when they have different masters.
//!
//! Vhids that once had one common master are a group; one that is torn is what a dead port leaves behind.

use super::vhid::Vhid;
use super::{CarpView, Split};
use crate::event::place::places;
use crate::event::{Event, NodeId, Notice, NoticeKind};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// Different masters for longer than this are a condition, not a transition.
pub(super) const UNSYNC_AFTER: Duration = Duration::from_secs(1);
/// A vhid whose master stood this long has found its place.
const SETTLED: Duration = Duration::from_secs(3);
/// Different masters that stood this long were not made by a failover as we began.
const APART: Duration = Duration::from_secs(10);

/// What the vhids of one group have in common.
#[derive(Clone, Copy, Default, PartialEq)]
enum Masters {
    #[default]
    None,
    /// One node is master of all.
    One(NodeId),
    /// Some have another, or nobody that we know; whether two nodes are among them.
    Several { first: Option<NodeId>, differ: bool },
}

impl Masters {
    fn add(&mut self, node: Option<NodeId>) {
        *self = match (*self, node) {
            (Self::None, Some(node)) => Self::One(node),
            (Self::One(first), Some(node)) if first == node => Self::One(first),
            (Self::None, None) => Self::Several {
                first: None,
                differ: false,
            },
            (Self::One(first), None) => Self::Several {
                first: Some(first),
                differ: false,
            },
            (Self::One(first), Some(_)) => Self::Several {
                first: Some(first),
                differ: true,
            },
            (Self::Several { first, differ }, node) => Self::Several {
                first: first.or(node),
                differ: differ || (first.is_some() && node.is_some() && first != node),
            },
        };
    }

    fn differ(self) -> bool {
        matches!(self, Self::Several { differ: true, .. })
    }
}

impl CarpView {
    pub(super) fn regroup(&mut self, now: Timestamp) {
        // With several vhids on one segment (load sharing) a later common master is a failover, not a bond.
        let mut segments = self
            .vhids
            .iter()
            .filter(|(_, v)| v.ours())
            .map(|((segment, _), _)| segment);
        let mut before = segments.next();
        let simple = segments.all(|s| Some(s) != before.replace(s));
        // The first group of which a node is master throughout, and the first other one.
        let mut of_node = BTreeMap::<NodeId, (usize, Option<usize>)>::new();
        let settled = |v: &Vhid| {
            let node = v.master_source()?.node?;
            (now.since(v.master_since) >= SETTLED).then_some(node)
        };
        for (node, group) in self.vhids.values().filter_map(|v| Some((settled(v)?, v.group?))) {
            let (first, other) = of_node.entry(node).or_insert((group, None));
            if other.is_none() && *first != group {
                *other = Some(group);
            }
        }
        for vhid in self.vhids.values_mut() {
            let Some(node) = settled(vhid) else { continue };
            let known = of_node.get(&node).copied();
            vhid.group = Some(match (vhid.group, known) {
                (Some(mine), Some((first, other))) if simple => {
                    let mate = if first == mine { other } else { Some(first) };
                    mate.map_or(mine, |theirs| mine.min(theirs))
                }
                (Some(mine), _) => mine,
                (None, Some((first, _))) => first,
                (None, None) => {
                    self.groups.push(None);
                    of_node.insert(node, (self.groups.len() - 1, None));
                    self.groups.len() - 1
                }
            });
        }
        let found = masters(&self.vhids, &self.groups);
        for (common, masters) in self.groups.iter_mut().zip(found) {
            if let Masters::One(node) = masters {
                *common = Some(node);
            }
        }
    }

    /// When standing for so long will next mean something.
    pub(super) fn next_regroup(&self, now: Timestamp) -> Timestamp {
        let ours = self.vhids.values().filter(|v| v.ours() && v.master.is_some());
        let stands = ours.flat_map(|v| [SETTLED, APART].map(|length| v.master_since + length));
        let split = self
            .split
            .filter(|_| !self.reported)
            .map(|_| self.divided_at + UNSYNC_AFTER);
        let all = stands.chain(split).filter(|&t| t > now);
        all.min().unwrap_or(Timestamp::MAX)
    }

    /// Looks for a group with different masters, and tells when that begins to be a condition, and when it ends.
    pub(super) fn compare(&mut self, now: Timestamp, out: &mut Vec<Event>) {
        let torn = masters(&self.vhids, &self.groups).into_iter().position(Masters::differ);
        self.torn = torn;
        let split = torn.and_then(|group| {
            let common = *self.groups.get(group)?;
            let of_group = || self.vhids.values().filter(move |v| v.group == Some(group));
            // Onset: when the first vhid left the common master.
            let since = of_group()
                .filter(|v| v.leader(common).is_some_and(|leader| Some(leader) != common))
                .map(|v| v.master_since)
                .min()
                .unwrap_or(now);
            // Who gave a vhid away by himself lost nothing. Where we did not hear how it went, what he kept shows that it was no
            // failover.
            let suspect = common.filter(|&node| of_group().any(|v| v.is_lost_to(node)));
            Some(Split { since, suspect })
        });
        match (&mut self.split, split) {
            (None, Some(_)) => (self.split, self.divided_at) = (split, now),
            (Some(_), None) => {
                self.split = None;
                if std::mem::take(&mut self.reported) {
                    out.push(Event::Unsynchronised { at: now, since: None });
                }
            }
            (None, None) => self.compare_groups(now, out),
            (Some(old), Some(Split { suspect, .. })) => old.suspect = old.suspect.or(suspect),
        }
        // The onset may be known late. How long it stands counts from then on, for another vhid may be about to follow.
        if let Some(Split { since, suspect }) = self.split
            && now.since(self.divided_at) >= UNSYNC_AFTER
        {
            for v in self.vhids.values_mut().filter(|v| v.group == torn) {
                suspect.into_iter().for_each(|node| v.convict(node));
            }
            if !std::mem::replace(&mut self.reported, true) {
                out.push(Event::Unsynchronised {
                    at: now,
                    since: Some(since),
                });
            }
        }
    }

    /// Tells, once, that two groups have different masters: a pair that shares load, or one that was torn before we came.
    fn compare_groups(&mut self, now: Timestamp, out: &mut Vec<Event>) {
        let settled = |v: &Vhid| {
            let node = v.master_source()?.node?;
            (now.since(v.master_since) >= APART).then_some((node, v.group?))
        };
        if self.apart || self.groups.len() < 2 {
            return;
        }
        let mut by_node: Vec<(NodeId, Vec<(usize, u8)>)> = Vec::new();
        for (key, (node, _)) in self.vhids.iter().filter_map(|(key, v)| Some((key, settled(v)?))) {
            match by_node.iter_mut().find(|(n, _)| *n == node) {
                Some((_, keys)) => keys.push(*key),
                None => by_node.push((node, vec![*key])),
            }
        }
        let [(_, one), (_, other), ..] = by_node.as_slice() else {
            return;
        };
        let name = |keys: &[(usize, u8)]| {
            let network = |segment: usize| self.names.get(segment).map_or("", String::as_str);
            places(keys.iter().map(|&(segment, vhid)| (network(segment), vhid)))
        };
        let text = format!(
            "{} and {} have different masters and never had the same: load sharing, or torn since before pfwatch started",
            name(one),
            name(other)
        );
        self.apart = true;
        out.push(Event::Notice(Notice::new(now, NoticeKind::Apart, text)));
    }
}

/// By group, one pass over all vhids: invented ones may be many.
fn masters(vhids: &BTreeMap<(usize, u8), Vhid>, common: &[Option<NodeId>]) -> Vec<Masters> {
    let mut all = Vec::new();
    for vhid in vhids.values() {
        let Some(group) = vhid.group else { continue };
        if all.len() <= group {
            all.resize(group + 1, Masters::None);
        }
        all[group].add(vhid.leader(common.get(group).copied().flatten()));
    }
    all
}
