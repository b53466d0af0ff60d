//! What happened lately, as far as a snapshot shows it.
//!
//! Told of every event by the daemon's loop, in words that outlive the engine they came from. Bounded: a hostile sender
//! pushes out old lines and nothing else.

use super::tally::Tallies;
use super::trend::Trend;
use super::{ActionResult, Decision, Master, Notice, Segment, Span, Transitions, TwoMasters, Verdict, Vhid};
use crate::engine::Engine;
use crate::event::{self, Cause, Event, NodeId};
use crate::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

/// Of each kind.
const LINES: usize = 32;
/// Of each vhid, and of the pair.
const MASTERS: usize = 4;
const SPLITS: usize = 8;
/// Nodes and paths whose changes are counted; more only a configuration that changes all the time brings about.
const TRANSITIONS: usize = 1024;

/// See the module.
#[derive(Debug, Default)]
pub struct History {
    pub(super) verdicts: VecDeque<Verdict>,
    pub(super) decisions: VecDeque<Decision>,
    pub(super) notices: VecDeque<Notice>,
    pub(super) unsynchronised: VecDeque<Span>,
    /// When the last gap of each cause was over.
    pub(super) gaps: BTreeMap<&'static str, f64>,
    /// Since when and why each (node, path) is what it is.
    pub(super) reasons: BTreeMap<(NodeId, usize), Reason>,
    pub(super) decided: BTreeMap<String, u64>,
    pub(super) tallies: Tallies,
    pub(super) trend: Trend,
    /// Per (node, path), for the daemon's life.
    transitions: BTreeMap<(String, String), Transitions>,
    masters: BTreeMap<(usize, u8), VecDeque<Master>>,
    two_masters: BTreeMap<(usize, u8), VecDeque<TwoMasters>>,
    no_master: BTreeMap<(usize, u8), VecDeque<Span>>,
}

/// Of a verdict that still stands.
#[derive(Clone, Debug)]
pub(super) struct Reason {
    pub(super) since: f64,
    pub(super) cause: Cause,
    /// Without its suspicion, of which there is a newer one.
    pub(super) text: String,
}

impl History {
    /// Another engine tells from now on: what was said stays, what was so is to be learned anew.
    pub fn forget(&mut self) {
        self.reasons.clear();
        self.masters.clear();
        self.two_masters.clear();
        self.no_master.clear();
        self.trend.forget();
        if self.unsynchronised.back().is_some_and(|s| s.to.is_none()) {
            self.unsynchronised.pop_back();
        }
    }

    /// Looks at the time, at what was counted, and at the last results, oldest first.
    pub fn tick(&mut self, now: Timestamp, engine: &Engine, unix: impl Fn(Timestamp) -> f64) {
        self.trend.tick(now, engine, unix);
    }

    /// Counts what was done; each result once.
    pub fn done(&mut self, result: &ActionResult) {
        self.tallies.add(result);
    }

    /// Remembers an event; `unix` turns the engine's times into Unix seconds.
    pub fn note(&mut self, event: &Event, engine: &Engine, unix: impl Fn(Timestamp) -> f64) {
        let address = |n: NodeId| engine.address(n).to_string();
        let name = |n: NodeId| engine.name(n).map(str::to_owned);
        match event {
            Event::Verdict(v) => {
                let reason = Reason {
                    since: unix(v.at),
                    cause: v.cause,
                    text: v.grounds(),
                };
                self.reasons.insert((v.node, v.path), reason);
                let verdict = Verdict {
                    at: unix(v.at),
                    node: address(v.node),
                    name: name(v.node),
                    path: engine.path_name(v.path),
                    from: v.from.as_str().into(),
                    to: v.to.as_str().into(),
                    cause: v.cause.as_str().into(),
                    reason: v.sentence(),
                };
                self.count(&verdict);
                // Whoever invents senders shall not push out what happened to the firewalls.
                if verdict.name.is_some() || engine.settings().nodes.is_empty() {
                    push(&mut self.verdicts, verdict, LINES);
                }
            }
            Event::Decision(d) => {
                let decision = Decision {
                    at: unix(d.at),
                    seq: d.seq,
                    action: d.action.as_str().into(),
                    node: address(d.node),
                    name: name(d.node),
                    cause: d.cause.into(),
                    reason: d.reason.clone(),
                    told: engine.settings().policy.live.observes,
                };
                *self.decided.entry(decision.action.clone()).or_default() += 1;
                push(&mut self.decisions, decision, LINES);
            }
            Event::Notice(n) => self.notice(n, engine, unix(n.at)),
            Event::ConfigSync { at, node } => {
                let notice = event::Notice::config_sync(*at, *node, &engine.label(*node));
                self.notice(&notice, engine, unix(*at));
            }
            Event::Master {
                segment,
                vhid,
                master,
                since,
                ..
            } => {
                let next = master.map(|m| mastership(m, engine, unix(*since)));
                self.master((*segment, *vhid), unix(*since), next);
            }
            Event::TwoMasters {
                segment,
                vhid,
                since,
                until,
                who,
                ..
            } => {
                let found = TwoMasters {
                    from: unix(*since),
                    to: until.map(&unix),
                    nodes: who.iter().map(|a| engine.advertiser(a).to_string()).collect(),
                    names: who.iter().map(|a| engine.caller(a)).collect(),
                };
                let list = self.two_masters.entry((*segment, *vhid)).or_default();
                update(list, found, |a, b| a.from.total_cmp(&b.from).is_eq());
            }
            Event::NoMaster {
                segment,
                vhid,
                since,
                until,
                ..
            } => {
                let (from, to) = (unix(*since), until.map(&unix));
                let list = self.no_master.entry((*segment, *vhid)).or_default();
                update(list, Span { from, to }, |a, b| a.from.total_cmp(&b.from).is_eq());
            }
            Event::Unsynchronised { since: Some(from), .. } => {
                let from = unix(*from);
                push(&mut self.unsynchronised, Span { from, to: None }, SPLITS);
            }
            Event::Unsynchronised { at, since: None } => {
                if let Some(last) = self.unsynchronised.back_mut() {
                    last.to = Some(unix(*at));
                }
            }
            Event::Gap { at, cause, .. } => {
                self.gaps.insert(cause.as_str(), unix(*at));
            }
            Event::Node { .. } => {}
        }
    }

    fn count(&mut self, v: &Verdict) {
        let key = (v.node.clone(), v.path.clone());
        if self.transitions.len() >= TRANSITIONS && !self.transitions.contains_key(&key) {
            return;
        }
        let transitions = self.transitions.entry(key).or_insert_with(|| Transitions {
            node: v.node.clone(),
            name: v.name.clone(),
            path: v.path.clone(),
            to: BTreeMap::new(),
        });
        transitions.name.clone_from(&v.name);
        *transitions.to.entry(v.to.clone()).or_default() += 1;
    }

    pub(super) fn transitions(&self) -> Vec<Transitions> {
        self.transitions.values().cloned().collect()
    }

    fn notice(&mut self, n: &event::Notice, engine: &Engine, at: f64) {
        let node = n.node.map(|n| engine.address(n).to_string());
        let (kind, text) = (n.kind.as_str().into(), n.text.clone());
        push(&mut self.notices, Notice { at, kind, node, text }, LINES);
    }

    fn master(&mut self, vhid: (usize, u8), since: f64, next: Option<Master>) {
        let list = self.masters.entry(vhid).or_default();
        if let Some(last) = list.back_mut() {
            last.to.get_or_insert(since);
        }
        if let Some(next) = next {
            push(list, next, MASTERS);
        }
    }

    /// All segments, with what was heard on them.
    pub(super) fn segments(&self, engine: &Engine) -> Vec<Segment> {
        let names = engine.settings().segments.iter().map(|s| s.name.clone());
        let mut segments: Vec<Segment> = names
            .map(|name| Segment {
                name,
                ..Segment::default()
            })
            .collect();
        for ((segment, vhid), masters) in &self.masters {
            while segments.len() <= *segment {
                let name = engine.segment_name(segments.len()).to_owned();
                segments.push(Segment {
                    name,
                    ..Segment::default()
                });
            }
            let key = (*segment, *vhid);
            segments[*segment].vhids.push(Vhid {
                vhid: *vhid,
                protocol: engine
                    .carp_protocol(*segment, *vhid)
                    .map_or_else(String::new, |p| p.as_str().into()),
                masters: masters.iter().cloned().collect(),
                two_masters: self.two_masters.get(&key).into_iter().flatten().cloned().collect(),
                no_master: self.no_master.get(&key).into_iter().flatten().cloned().collect(),
                reflected: engine.carp_reflections(*segment, *vhid),
            });
        }
        segments
    }
}

fn mastership(source: IpAddr, engine: &Engine, from: f64) -> Master {
    let owner = engine.owner(source);
    Master {
        address: source.to_string(),
        node: owner.map(|n| engine.address(n).to_string()),
        name: owner.map(|n| engine.label(n)),
        from,
        to: None,
    }
}

/// The last one again, if it is the same; otherwise one more.
fn update<T>(list: &mut VecDeque<T>, item: T, same: impl Fn(&T, &T) -> bool) {
    match list.back_mut().filter(|last| same(last, &item)) {
        Some(last) => *last = item,
        None => push(list, item, MASTERS),
    }
}

fn push<T>(list: &mut VecDeque<T>, item: T, most: usize) {
    if list.len() >= most {
        list.pop_front();
    }
    list.push_back(item);
}
