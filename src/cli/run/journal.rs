//! What the engine concluded, as lines of the log: one sentence per event, and beside it the object for programs.
//!
//! Fed by the loop. Keys are those of `analyze --format json`. Times are Unix times: those of the source, plus what the
//! wall clock was set by since the start. Says nothing twice: of a blindness that lasts only its beginning and its end.

use super::layout;
use crate::capture::GapCause;
use crate::capture::live::LiveSource;
use crate::engine::Engine;
use crate::event::place::places;
use crate::event::{Action, Decision, Event, Health, NodeId, Notice, Verdict};
use crate::report::json::{decision, notice, seconds, verdict};
use crate::time::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::time::Duration;
use tracing::Level;

/// A wall clock that is this close to ours is not corrected for: differences of times shall stay exact.
const CLOSE: u64 = 50_000_000;
/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Gaps closer than this are one.
const OVER: Duration = Duration::from_millis(2500);

/// See the module.
pub(super) struct Journal {
    zone: TimeZone,
    ahead: i64,
    looked: Timestamp,
    split: Option<Timestamp>,
    blind: Option<Blind>,
}

/// A blindness that was told and has not ended.
struct Blind {
    cause: GapCause,
    length: Duration,
    last: Timestamp,
}

/// Writes one line in both forms.
pub(super) fn say(level: Level, text: &str, event: &str, mut json: Value) {
    if let Some(keys) = json.as_object_mut() {
        keys.insert("event".into(), event.into());
        keys.entry("text").or_insert_with(|| text.into());
    }
    if level == Level::WARN {
        tracing::warn!(%json, "{text}");
    } else {
        tracing::info!(%json, "{text}");
    }
}

impl Journal {
    pub(super) const fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            ahead: 0,
            looked: Timestamp::MIN,
            split: None,
            blind: None,
        }
    }

    /// Another engine tells from now on.
    pub(super) const fn forget(&mut self) {
        self.split = None;
    }

    /// To Unix time.
    pub(super) fn unix(&self, at: Timestamp) -> Timestamp {
        Timestamp::from_nanos(at.as_nanos().saturating_add(self.ahead))
    }

    /// Back from Unix time.
    pub(super) fn engine_time(&self, unix: Timestamp) -> Timestamp {
        Timestamp::from_nanos(unix.as_nanos().saturating_sub(self.ahead))
    }

    fn clock(&self, at: Timestamp) -> String {
        let at = i128::from(self.unix(at).as_nanos());
        jiff::Timestamp::from_nanosecond(at).map_or_else(|_| String::new(), |at| layout::time(at, &self.zone))
    }

    /// Looks at the wall clock, and whether a blindness is over.
    pub(super) fn tick(&mut self, now: Timestamp, source: &LiveSource) {
        if now.since(self.looked) < LOOK {
            return;
        }
        self.looked = now;
        let ahead = source.wall_ahead();
        if ahead.abs_diff(self.ahead) > CLOSE {
            self.ahead = if ahead.unsigned_abs() > CLOSE { ahead } else { 0 };
        }
        if let Some(blind) = self.blind.take_if(|b| now.since(b.last) > OVER) {
            let text = format!(
                "hearing again: blind for {:.1} s ({})",
                blind.length.as_secs_f64(),
                blind.cause.reason()
            );
            let json = json!({
                "at": seconds(self.unix(blind.last)),
                "cause": blind.cause.as_str(),
                "seconds": blind.length.as_secs_f64(),
            });
            say(Level::INFO, &text, "gap-over", json);
        }
    }

    /// One event of the engine, polled `now`; `acts`: decisions are carried out.
    pub(super) fn event(&mut self, now: Timestamp, event: &Event, engine: &Engine, acts: bool) {
        match event {
            Event::Node { node, address } => self.node(now, *node, *address, engine),
            Event::Verdict(v) => self.verdict(v, engine),
            Event::Decision(d) => self.decision(d, engine, acts),
            Event::Notice(n) => {
                let n = Notice {
                    at: self.unix(n.at),
                    ..n.clone()
                };
                say(Level::INFO, &n.text, "notice", notice(&n, engine));
            }
            Event::Master {
                at,
                segment,
                vhid,
                master,
                since,
            } => {
                let owner = master.and_then(|m| engine.owner(m));
                let place = format!("{} vhid {vhid}", engine.segment_name(*segment));
                let text = match (master, owner) {
                    (Some(_), Some(node)) => format!("CARP on {place}: {} is master", engine.label(node)),
                    (Some(m), None) => format!("CARP on {place}: {m} is master"),
                    (None, _) => format!("CARP on {place}: nobody is master any more"),
                };
                let json = json!({
                    "at": seconds(self.unix(*at)),
                    "segment": engine.segment_name(*segment),
                    "vhid": vhid,
                    "address": master.map(|m| m.to_string()),
                    "node": owner.map(|n| engine.address(n).to_string()),
                    "name": owner.and_then(|n| engine.name(n)),
                    "from": seconds(self.unix(*since)),
                });
                say(Level::INFO, &text, "master", json);
            }
            Event::TwoMasters {
                at,
                segment,
                vhid,
                since,
                until,
                who,
            } => {
                let names: Vec<String> = who.iter().map(|a| engine.caller(a)).collect();
                let place = places([(engine.segment_name(*segment), *vhid)]);
                let text = match until {
                    None => format!(
                        "CARP on {place}: two masters since {}, {} advertise it at the same time",
                        self.clock(*since),
                        names.join(" and ")
                    ),
                    Some(_) => format!("CARP on {place}: no longer two masters"),
                };
                let mut json = self.span(*at, (*segment, *vhid), *since, *until, engine);
                let nodes: Vec<String> = who.iter().map(|a| engine.advertiser(a).to_string()).collect();
                json["nodes"] = nodes.into();
                let level = if until.is_none() { Level::WARN } else { Level::INFO };
                say(level, &text, "two-masters", json);
            }
            Event::NoMaster {
                at,
                segment,
                vhid,
                since,
                until,
            } => {
                let place = places([(engine.segment_name(*segment), *vhid)]);
                let (level, text) = match until {
                    None => (
                        Level::WARN,
                        format!("CARP on {place}: no master since {}", self.clock(*since)),
                    ),
                    Some(_) => (Level::INFO, format!("CARP on {place}: there is a master again")),
                };
                say(
                    level,
                    &text,
                    "no-master",
                    self.span(*at, (*segment, *vhid), *since, *until, engine),
                );
            }
            Event::Unsynchronised { at, since } => self.unsynchronised(*at, *since),
            Event::ConfigSync { at, node } => {
                let text = Notice::config_sync(*at, *node, &engine.label(*node)).text;
                let json = json!({
                    "at": seconds(self.unix(*at)),
                    "node": engine.address(*node).to_string(),
                    "name": engine.name(*node),
                });
                say(Level::INFO, &text, "config-sync", json);
            }
            Event::Gap { at, length, cause } => self.gap(*at, *length, *cause),
        }
    }

    fn node(&self, now: Timestamp, node: NodeId, address: IpAddr, engine: &Engine) {
        let configured = node.index() < engine.settings().nodes.len();
        let text = if configured {
            let me = if engine.is_self(node) { ", this node" } else { "" };
            format!("watching {} ({address}{me})", engine.label(node))
        } else {
            format!("{address} sends pfsync and is watched from now on; the configuration does not know it")
        };
        let json = json!({
            "at": seconds(self.unix(now)),
            "node": address.to_string(),
            "name": engine.name(node),
            "self": engine.is_self(node),
            "configured": configured,
        });
        say(Level::INFO, &text, "node", json);
    }

    fn verdict(&self, v: &Verdict, engine: &Engine) {
        let v = Verdict {
            at: self.unix(v.at),
            ..v.clone()
        };
        let path = match engine.path_count() {
            1 => String::new(),
            _ => format!(", {},", engine.path_name(v.path)),
        };
        let (to, from) = (v.to.as_str(), v.from.as_str());
        let text = format!("{}{path} is {to}, was {from}: {}", engine.label(v.node), v.sentence());
        let bad = v.to == Health::Down;
        let level = if bad { Level::WARN } else { Level::INFO };
        say(level, &text, "verdict", verdict(&v, engine));
    }

    fn decision(&self, d: &Decision, engine: &Engine, acts: bool) {
        let d = Decision {
            at: self.unix(d.at),
            ..d.clone()
        };
        // A promotion is about the peer, but it is this node that would be promoted.
        let whom = match d.action {
            Action::Fence => engine.label(d.node),
            Action::Promote | Action::Demote | Action::Restore => engine
                .node_ids()
                .find(|n| engine.is_self(*n))
                .map_or_else(|| "this node".into(), |n| engine.label(n)),
        };
        let would = if acts { "" } else { "would " };
        let text = format!("{would}{} {whom}: {}", d.action.as_str(), d.reason);
        say(Level::WARN, &text, "decision", decision(&d, engine));
    }

    fn unsynchronised(&mut self, at: Timestamp, since: Option<Timestamp>) {
        let from = since.or(self.split);
        let (level, text) = match since {
            Some(since) => {
                let text = format!(
                    "CARP is unsynchronised since {}: different nodes are master",
                    self.clock(since)
                );
                (Level::WARN, text)
            }
            None => (Level::INFO, "CARP is synchronised again: one node is master".to_owned()),
        };
        self.split = since;
        let json = json!({
            "at": seconds(self.unix(at)),
            "from": from.map(|t| seconds(self.unix(t))),
            "to": since.is_none().then(|| seconds(self.unix(at))),
        });
        say(level, &text, "unsynchronised", json);
    }

    fn span(
        &self,
        at: Timestamp,
        (segment, vhid): (usize, u8),
        from: Timestamp,
        to: Option<Timestamp>,
        engine: &Engine,
    ) -> Value {
        json!({
            "at": seconds(self.unix(at)),
            "segment": engine.segment_name(segment),
            "vhid": vhid,
            "from": seconds(self.unix(from)),
            "to": to.map(|t| seconds(self.unix(t))),
        })
    }

    fn gap(&mut self, at: Timestamp, length: Duration, cause: GapCause) {
        if let Some(blind) = self
            .blind
            .as_mut()
            .filter(|b| b.cause == cause && at.since(b.last) <= OVER)
        {
            blind.length += length;
            blind.last = at;
            return;
        }
        self.blind = Some(Blind {
            cause,
            length,
            last: at,
        });
        let text = format!(
            "blind for {:.1} s: {}; nobody is blamed for what was not heard",
            length.as_secs_f64(),
            cause.reason()
        );
        let json = json!({
            "at": seconds(self.unix(at)),
            "cause": cause.as_str(),
            "seconds": length.as_secs_f64(),
        });
        say(Level::WARN, &text, "gap", json);
    }
}
