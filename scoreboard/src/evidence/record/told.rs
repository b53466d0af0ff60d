//! What the tracker told of each pair of hosts, and where it parts from what it told while all was well. Pure.

use super::super::life::{Broken, Since, Step};
use super::draft::Raw;
use hashbrown::HashMap;
use pf_sim::site;
use pf_sim::traffic::Kind;
use pfwatch::track::HostKey;
use pfwatch::track::zones::octets;

/// A step that is told this much earlier or later than it would have been is the same.
const SHIFT: u64 = 1_200;

pub(super) type Hosts = (HostKey, HostKey);
pub(super) type Table<T> = HashMap<Hosts, T, foldhash::fast::FixedState>;

/// What was told of each pair, in the order of their first word.
#[derive(Default)]
pub(super) struct Told {
    index: Table<usize>,
    pub(super) list: Vec<(Hosts, Vec<(u64, Step)>)>,
}

impl Told {
    pub(super) fn put(&mut self, hosts: Hosts, at: u64, step: Step) {
        let i = *self.index.entry(hosts).or_insert_with(|| {
            self.list.push((hosts, Vec::new()));
            self.list.len() - 1
        });
        self.list[i].1.push((at, step));
    }

    pub(super) fn of(&self, hosts: &Hosts) -> &[(u64, Step)] {
        self.index.get(hosts).map_or(&[], |i| &self.list[*i].1)
    }

    /// All pairs of both, each once.
    pub(super) fn order<'a>(&'a self, well: &'a Self) -> impl Iterator<Item = Hosts> + 'a {
        let news = self.list.iter().filter(|(h, _)| !well.index.contains_key(h));
        well.list.iter().chain(news).map(|(h, _)| *h)
    }
}

/// Of a client and a resolver: the same client and the other resolver.
pub(super) fn other(hosts: &Hosts) -> Option<Hosts> {
    let resolvers = [1, 2].map(|n| octets(site::server(n)));
    let i = resolvers.iter().position(|r| *r == hosts.1)?;
    Some((hosts.0, resolvers[1 - i]))
}

/// What a connection that was under way tells from where on it tells something else; `None` if there is nothing to tell.
pub(super) fn tail(well: &[(u64, Step)], broken: &[(u64, Step)], cut: u64, notes: &mut Broken) -> Option<(Since, Raw)> {
    let after = |steps: &[(u64, Step)]| steps.partition_point(|s| s.0 < cut);
    let (well, broken) = (&well[after(well)..], &broken[after(broken)..]);
    let same = |(w, b): &(&(u64, Step), &(u64, Step))| w.1.says_what(&b.1) && w.0.abs_diff(b.0) <= SHIFT;
    let told = well.iter().zip(broken).take_while(same).count();
    for (i, (at, step)) in well.iter().enumerate().take(told + 1) {
        let after = u32::try_from(at - cut).unwrap_or(u32::MAX);
        notes.flight.note(step, after, i < told);
    }
    let next = well.get(told).or(broken.get(told))?.0;
    let (since, from) = match told.checked_sub(1) {
        Some(last) => (Since::Told, broken[last].0),
        None => (Since::Before, next),
    };
    let raw = Raw {
        kind: Kind::Probe,
        from,
        until: None,
        steps: broken[told..].iter().filter(|s| !in_flight(s, cut)).copied().collect(),
    };
    Some((since, raw))
}

/// What is told so soon after a trouble began, and is good news, was in flight: how often that is told is known by itself.
fn in_flight((at, step): &(u64, Step), cut: u64) -> bool {
    *at < cut + SHIFT && step.proof() > 0
}
