//! Health per (node, path), from what tracking observed, what CARP shows and what is NOT heard.
//!
//! Called by the engine with observations and with the time; answers with verdicts. Decides nothing and runs nothing.
//! The rules are those of docs/detector.md: a blackhole is proven by messages, silence only together with CARP, our own
//! blindness suspends judgement, a node that yields starts afresh.

pub mod canary;
pub mod carp;
pub mod carrier;
pub mod hosts;
pub mod lately;
pub mod memory;
pub mod near;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod pairs;
pub mod passage;
pub mod path;
pub mod rates;
pub mod reach;
mod repeat;
pub mod score;
pub mod silence;
#[cfg(test)]
mod tests;
pub mod whole;

use crate::event::{Cause, Evidence, Health, NodeId, Verdict};
use crate::settings::{self, Detect};
use crate::time::Timestamp;
use crate::track::flow::Outcome;
use crate::track::{HostKey, Observation, Stuck};
use canary::Canaries;
use carp::{CarpView, Split, Witness};
use carrier::Carrier;
use path::{PathHealth, Setting};
use reach::Reach;
use silence::Silence;
use std::time::Duration;
use whole::Whole;

/// How often silence and quiet are looked at.
const TICK: Duration = Duration::from_millis(200);
/// The least time between two looks.
const HASTE: Duration = Duration::from_millis(50);
/// After blindness, what was sent before it may still come in.
const GRACE: Duration = Duration::from_millis(1_200);
/// Intervals that must be missed: on all of several segments of a busy node, or else.
const GONE_BUSY: f64 = 2.2;
const GONE: f64 = 3.2;
/// Nobody at all is heard for so long: a word that ends such a silence is no witness that somebody else was silent meanwhile.
const HUSH: Duration = Duration::from_millis(1_500);
/// So much later whoever lives has been heard again, too.
const CHANCE: Duration = Duration::from_millis(1_100);
/// Intervals that a backup waits before it takes over from a master that it does not hear any more.
const WAITED: f64 = 2.9;
/// Something must have been heard within this long, or we doubt our own ears.
const HEARING: Duration = Duration::from_millis(5_000);
/// A node whose usual silence is longer than this says nothing by being silent.
const QUIET_NODE: Duration = Duration::from_secs(4);
/// An election of a pair that boots is over by then, if it has to be held three times.
const BOOT: Duration = Duration::from_secs(10);
/// What was in flight when a pair was torn is told within this long.
const SETTLED: Duration = Duration::from_secs(1);
/// Damaged frames make everything that is heard doubtful for so long.
const DAMAGED: Duration = Duration::from_secs(30);
/// In suspicion, by how much less what is heard then counts.
const DOUBTED: f64 = 1.0;
/// One of so many frames counts that much; where more of them are cut than this, answers may be in what was cut,
/// or in what was told before.
const BLURS: f64 = 1.0 / 64.0;
const BLURRED: f64 = 0.2;
/// Until fewer are than this.
const CLEAR: f64 = 0.1;
/// All captures end some time: so long after the last of the sync net that is no accident, where others go on.
const ENDED: Duration = Duration::from_secs(3);
/// pfsync silent for this long while CARP goes on is a lost sync link rather than a lull.
const SYNC_LOST: Duration = Duration::from_secs(4);

struct NodeHealth {
    silence: Silence,
    first: Timestamp,
    /// Known from before this run.
    recalled: bool,
    paths: Vec<PathHealth>,
    /// It stood still: what failed meanwhile is not held against it until then.
    grace_until: Timestamp,
    /// Carried traffic (as CARP has it) when last looked.
    active: bool,
    carrier: Carrier,
    reach: Reach,
    /// Since its last word a silence of everybody ended then, with a word of another.
    hushed: Option<Timestamp>,
}

/// Health of everybody.
pub struct Detector {
    settings: Detect,
    threshold: f64,
    nodes: Vec<NodeHealth>,
    canaries: Canaries,
    /// What passes through two nodes, by path.
    whole: Vec<Whole>,
    paths: usize,
    seed: u64,
    next_tick: Timestamp,
    grace_until: Timestamp,
    /// Last time anything at all was heard from each node, CARP included.
    heard: Vec<Timestamp>,
    /// The node beside which we listen, while a probe about it fails, and until when that is believed.
    cut_off: Option<(NodeId, Timestamp)>,
    /// Damaged frames were heard on the sync net, until then.
    damaged_until: Timestamp,
    /// Share of the last frames that were cut: what they said is not known.
    blur: f64,
    /// Share of what is told as new that is old.
    retold: f64,
    /// Since when no capture tells of the sync net any more.
    over: Option<Timestamp>,
    /// It is, or was just now, too much to judge by.
    blurred: bool,
}

impl Detector {
    /// Nobody known yet.
    #[must_use]
    pub fn new(settings: &Detect, paths: usize, seed: u64) -> Self {
        Self {
            threshold: score::threshold(settings.risk_per_year),
            settings: settings.clone(),
            nodes: Vec::new(),
            canaries: Canaries::default(),
            whole: vec![Whole::default(); paths],
            paths,
            seed,
            next_tick: Timestamp::MIN,
            grace_until: Timestamp::MIN,
            heard: Vec::new(),
            cut_off: None,
            damaged_until: Timestamp::MIN,
            blur: 0.0,
            retold: 0.0,
            over: None,
            blurred: false,
        }
    }

    /// Flows that hosts keep opening, from now on.
    pub fn watch(&mut self, canaries: &[settings::Canary]) {
        self.canaries = Canaries::new(canaries);
    }

    /// Makes room for a node.
    pub fn add_node(&mut self) {
        let seed = self.seed.wrapping_add(self.nodes.len() as u64);
        let paths = (0..self.paths)
            .map(|p| PathHealth::new(seed.wrapping_add(p as u64)))
            .collect();
        self.nodes.push(NodeHealth {
            silence: Silence::default(),
            first: Timestamp::MAX,
            recalled: false,
            paths,
            grace_until: Timestamp::MIN,
            active: true,
            carrier: Carrier::default(),
            reach: Reach::default(),
            hushed: None,
        });
        self.heard.push(Timestamp::MIN);
    }

    /// Health of a node on a path.
    #[must_use]
    pub fn health(&self, node: NodeId, path: usize) -> Health {
        self.path(node, path).map_or(Health::Unknown, |p| p.health)
    }

    /// Whether a node is down on a path beyond what a witness lent to the verdict.
    #[must_use]
    pub fn firm(&self, node: NodeId, path: usize) -> bool {
        self.path(node, path).is_some_and(|p| p.firm(self.threshold))
    }

    /// A connection came into a node and was not heard to leave it.
    pub fn stuck(&mut self, now: Timestamp, s: &Stuck) {
        if now < self.grace_until || !self.known(s.path, s.hosts) {
            return;
        }
        let n = self.nodes.get_mut(usize::from(s.node));
        if let Some(n) = n.filter(|n| n.active && now >= n.grace_until)
            && let Some(p) = n.paths.get_mut(s.path)
        {
            p.through.stuck(now, s.hosts.0, s.hosts.1);
        }
    }

    /// Whether both are known to have worked, through whomever: those who never do say nothing about a firewall.
    fn known(&self, path: usize, (client, server): (HostKey, HostKey)) -> bool {
        let all = || self.nodes.iter().filter_map(|n| n.paths.get(path));
        all().any(|p| p.knows(true, &client)) && all().any(|p| p.knows(false, &server))
    }

    /// Everything about a node on a path.
    #[must_use]
    pub fn path(&self, node: NodeId, path: usize) -> Option<&PathHealth> {
        self.nodes.get(node.index())?.paths.get(path)
    }

    /// Of the frame that came in last only the beginning is known.
    pub fn blurred(&mut self) {
        self.blur += BLURS;
        self.blurred |= self.blur >= BLURRED;
    }

    /// Which share of what is told as new was told before. What is told again proves nothing, and what is new beside it is no
    /// fair sample: connections that fail are forgotten sooner than others.
    pub fn retold(&mut self, share: f64) {
        self.retold = share;
    }

    fn is_blurred(&self) -> bool {
        self.blurred || self.retold >= BLURRED
    }

    /// A pfsync frame of `node` came in, whatever it says.
    pub fn frame(&mut self, now: Timestamp, node: NodeId) {
        self.blur *= 1.0 - BLURS;
        self.blurred &= self.blur >= CLEAR;
        if let Some(n) = self.nodes.get_mut(node.index()) {
            n.first = n.first.min(now);
            // It stood still (or its link did) and goes on: what waited meanwhile says nothing about now.
            if n.silence.busy() && n.silence.unusual(now) {
                n.grace_until = now + GRACE;
                n.paths.iter_mut().for_each(|p| p.restart(now));
            }
            // A crash is not how it usually pauses. While its CARP went on, nobody may have talked: that is.
            let gone = |p: &PathHealth| matches!(p.cause, Cause::Silence | Cause::Unreachable);
            if n.paths.iter().any(|p| gone(p) && p.health == Health::Down) {
                n.silence.forgive(now);
            }
            n.silence.heard(now);
        }
        self.signal(now, node);
    }

    /// Something on the sync net was no pfsync that a firewall sends: what is forged may not all be so easy to see. Whether
    /// that is news.
    pub fn damaged(&mut self, now: Timestamp) -> bool {
        now >= std::mem::replace(&mut self.damaged_until, now + DAMAGED)
    }

    /// Any sign of life of `node` came in (pfsync or CARP).
    pub fn signal(&mut self, now: Timestamp, node: NodeId) {
        let last = self.heard.iter().copied().max().unwrap_or(now);
        let hush = last > Timestamp::MIN && now.since(last) >= HUSH;
        for (i, n) in self.nodes.iter_mut().enumerate() {
            if i == node.index() {
                n.hushed = None;
            } else if hush {
                n.hushed.get_or_insert(now);
            }
        }
        if let Some(t) = self.heard.get_mut(node.index()) {
            *t = now;
        }
        // We are not deaf any more: whoever falls silent now is to be missed as soon as ever.
        self.next_tick = self.next_tick.min(now + TICK);
    }

    /// The last sign of life of a node, if there was any.
    #[must_use]
    pub fn last_sign(&self, node: NodeId) -> Option<Timestamp> {
        self.heard.get(node.index()).copied().filter(|&t| t > Timestamp::MIN)
    }

    /// Something is missing that was due by now: silence is to be looked at at once.
    pub fn hurry(&mut self, now: Timestamp) {
        // What came just now may be half of a flush.
        let last = self.next_tick - TICK;
        self.next_tick = self.next_tick.min(now.max(last + HASTE));
    }

    /// What a message of `node` says about a path.
    pub fn observe(&mut self, now: Timestamp, node: NodeId, o: &Observation, split: Option<Split>) {
        if now < self.grace_until {
            return;
        }
        // Where a side was given away on purpose, or both halves pass all the same, the pair goes on to work as one.
        let split = split.filter(|s| s.suspect.is_some());
        let whole = self.whole.get_mut(o.path).is_some_and(|w| {
            w.note(now, o);
            split.is_some_and(|s| w.holds(now, s.since))
        });
        let split = split.filter(|_| !whole);
        let cut = |s: &Split| s.suspect.is_some_and(|n| self.cut_off_from(now, n));
        // Who is cut off itself tells of a demand that may be its own trouble.
        let demanding = split.filter(|s| !cut(s));
        let left = o.left && o.hosts.is_some_and(|hosts| self.known(o.path, hosts));
        let Some(n) = self.nodes.get_mut(node.index()) else {
            return;
        };
        let failed = !matches!(o.trial, Some((_, Outcome::Success))) && o.delivery != Some(Outcome::Success);
        if now < n.grace_until && failed {
            return;
        }
        if matches!(o.trial, Some((_, Outcome::Success))) {
            n.reach.proven(now, o.path);
        }
        if o.trial.is_some() {
            n.carrier.tried(now);
        }
        let carrier = n.carrier;
        if let Some(p) = n.paths.get_mut(o.path).filter(|_| left) {
            p.through.left();
        }
        let canary = self.canaries.take(node, o);
        if let Some(p) = n.paths.get_mut(o.path) {
            p.observe(now, o, canary, split.is_none());
        }
        // What the pair achieved was achieved by both, as long as nothing is said against either.
        if split.is_none()
            && let Some(partner) = o.partner.filter(|&p| p != node.0)
            && let Some(p) = self
                .nodes
                .get_mut(usize::from(partner))
                .and_then(|n| n.paths.get_mut(o.path))
        {
            p.credit(now, o);
        }
        // In a split the demand of the pair counts against the one that lost a side; not that of a node which carried
        // traffic all along, because that may be the one whose port is dead, and which hears itself as master.
        let newcomer = |since| carrier.began(since);
        if let Some(suspect) = demanding
            .filter(|s| newcomer(s.since))
            .and_then(|s| s.suspect)
            .filter(|s| *s != node)
            && let Some(p) = self
                .nodes
                .get_mut(suspect.index())
                .and_then(|n| n.paths.get_mut(o.path))
        {
            p.demand(now, o, canary);
        }
    }

    /// Whether nothing speaks against `node` taking over in a pair that was torn at `since`: it carried next to nothing
    /// before (`shares`: CARP says that it did), or it has proven a round trip since then. One that carries a share and has
    /// not may itself be the one whose port is dead: it is deaf on that segment, and takes the silence of the others for
    /// theirs.
    #[must_use]
    pub fn fit(&self, now: Timestamp, node: NodeId, since: Timestamp, shares: bool) -> bool {
        let Some(n) = self.nodes.get(node.index()) else {
            return false;
        };
        let carriers = self.nodes.iter().map(|n| n.carrier);
        let settled = since + SETTLED;
        let idle = !shares && Carrier::idle(carriers, node.index(), since, now);
        idle || n.paths.iter().any(|p| p.last_end_to_end() > settled)
    }

    /// When what `node` is down by last worked.
    #[must_use]
    pub fn answered(&self, node: NodeId) -> Timestamp {
        let paths = self.nodes.get(node.index()).into_iter().flat_map(|n| &n.paths);
        let down = paths.filter(|p| p.health == Health::Down);
        down.map(PathHealth::last_worked).max().unwrap_or(Timestamp::MIN)
    }

    /// A probe about `me`, the node beside which we listen, fails just now; or none does.
    pub fn cut_off(&mut self, now: Timestamp, me: Option<NodeId>) {
        self.cut_off = me.map(|me| (me, now + reach::STALE));
    }

    fn cut_off_from(&self, now: Timestamp, node: NodeId) -> bool {
        self.cut_off.is_some_and(|(me, until)| me != node && now <= until)
    }

    /// A probe about `node` was answered, or not.
    pub fn probe(&mut self, now: Timestamp, node: NodeId, probe: usize, ok: bool) {
        if let Some(n) = self.nodes.get_mut(node.index()) {
            n.reach.result(now, probe, ok);
        }
    }

    /// We were blind until `now`.
    pub fn gap(&mut self, now: Timestamp) {
        self.grace_until = now + GRACE;
        for n in &mut self.nodes {
            n.silence.forgive(now);
            n.paths.iter_mut().for_each(|p| p.forgive(now));
        }
    }

    /// No capture tells of the sync net from now on.
    pub fn over(&mut self, now: Timestamp) {
        self.over.get_or_insert(now);
    }

    /// One tells of it again.
    pub const fn resume(&mut self) {
        self.over = None;
    }

    /// Whether it is so long ago that the capture of the sync net ended that silence would mean something: it means nothing.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.over
            .is_some_and(|t| now.since(t) >= ENDED && self.nodes.iter().any(|n| n.silence.unusual(now)))
    }

    /// When `judge` must be called at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        if self.nodes.is_empty() {
            return None;
        }
        let due = self
            .nodes
            .iter()
            .flat_map(|n| n.paths.iter().filter_map(PathHealth::due))
            .min();
        Some(due.unwrap_or(self.next_tick).min(self.next_tick))
    }

    /// Judges what is due.
    pub fn judge(&mut self, now: Timestamp, carp: &CarpView, out: &mut Vec<Verdict>) {
        let tick = now >= self.next_tick;
        if tick {
            // The longer nothing at all was heard, the less a tick can change: a gap of years takes a few hundred.
            let heard = self.heard.iter().max().filter(|&&t| t > Timestamp::MIN);
            let deaf = heard.map_or(Duration::ZERO, |&t| now.since(t));
            self.next_tick = now + TICK.max(deaf / 16);
        }
        if self.is_over(now) {
            self.nodes
                .iter_mut()
                .flat_map(|n| &mut n.paths)
                .for_each(|p| p.restart(now));
            return;
        }
        for i in 0..self.nodes.len() {
            #[expect(clippy::cast_possible_truncation, reason = "the engine bounds the number of nodes")]
            let node = NodeId(i as u16);
            let gone = tick && self.judge_silence(now, node, carp, out);
            if gone {
                continue;
            }
            for path in 0..self.paths {
                let due = self.nodes[i].paths[path].due().is_some_and(|t| t <= now);
                if due || tick {
                    self.judge_path(now, node, path, carp, out);
                }
            }
        }
    }

    /// Whether traffic can be expected through this node: it is master of something, or CARP says nothing. While nobody
    /// is master of anything, things stay as they were.
    fn carries(&self, node: NodeId, carp: &CarpView) -> bool {
        let (own, all) = carp.mastership(node);
        let kept = all == 0 || carp.robbed(node);
        !carp.informs() || own > 0 || carp.foreign_master() || (kept && self.nodes[node.index()].active)
    }

    /// Whether this may be the election of a pair that boots; without CARP any node that was not heard before may be in one.
    fn may_elect(&self, now: Timestamp, node: NodeId, carp: &CarpView) -> bool {
        if carp.informs() {
            carp.is_electing(now)
        } else {
            now.since(self.nodes[node.index()].first) < BOOT
        }
    }

    fn judge_path(&mut self, now: Timestamp, node: NodeId, path: usize, carp: &CarpView, out: &mut Vec<Verdict>) {
        let i = node.index();
        let active = self.carries(node, carp);
        let split = carp.split();
        let mine = split.filter(|s| s.suspect == Some(node)).map(|s| s.since);
        let n = &mut self.nodes[i];
        if n.first == Timestamp::MAX {
            return;
        }
        if n.active != active {
            n.active = active;
            n.paths.iter_mut().for_each(|p| p.restart(now));
            if active {
                n.paths.iter_mut().for_each(PathHealth::is_master);
            }
        }
        // In a split both sides look blackholed; only the one that lost something is to blame.
        let to_blame = match carp.divided() {
            Some(s) => s.suspect == Some(node),
            None => {
                let tells = carp.informs() && carp.is_whole() && !carp.deserted();
                // Of whom it is remembered what passes, a torn pair is none that boots.
                let settled = self.nodes[i].recalled || !self.may_elect(now, node, carp);
                settled && (tells || Carrier::to_blame(self.nodes.iter().map(|n| n.carrier), i, now))
            }
        } && !carp.moves(now);
        // Who is cut off itself hears nothing of the others, and that is no witness against them.
        let cut = self.cut_off_from(now, node);
        let lost = carp.lost(now, node).filter(|_| !cut);
        let unreachable = !cut && self.nodes[i].reach.gone(now, path);
        let deaf = if cut { 0.0 } else { self.nodes[i].reach.worth(now, path) };
        let doubt = if now < self.damaged_until { DOUBTED } else { 0.0 };
        let blurred = self.is_blurred();
        let (before, rest) = self.nodes.split_at_mut(i);
        let Some((n, behind)) = rest.split_first_mut() else {
            return;
        };
        let p = &mut n.paths[path];
        let change = if active && blurred && p.health != Health::Down {
            // A health that nothing speaks for any more would be a guess, whichever it is; and what was missed now must not be
            // missed in a later window.
            if self.blurred {
                p.forgive(now);
            }
            let cause = if self.blurred { Cause::Blind } else { Cause::Repeated };
            p.unknown(now, cause, self.threshold)
        } else if active {
            let set = Setting {
                node,
                canaries: &self.canaries,
                threshold: self.threshold,
                doubt,
                min: self.settings.min,
                max: self.settings.max,
                split: mine,
                gravity: if cut { 0.0 } else { carp.gravity(node) },
                lost,
                unreachable,
                deaf,
                replaced: carp.robbed(node),
                may_fall: now >= self.grace_until
                    && to_blame
                    && !blurred
                    && p.age_of_proof(now)
                        .is_none_or(|age| age >= carp.deflected(node).as_secs_f64()),
            };
            // A host that worked through any other node is no stranger, nor is one of a canary.
            let canaries = &self.canaries;
            let known = |client: bool, h: &HostKey| {
                canaries.vouches(client, h) || before.iter().chain(&*behind).any(|n| n.paths[path].knows(client, h))
            };
            p.judge(now, &set, |h| known(true, h), |h| known(false, h))
        } else {
            let beside = carp.is_beside_another(node);
            p.idle_by_carp(now, if beside { Cause::TwoMasters } else { Cause::Backup })
        };
        out.extend(change.map(|t| t.verdict(now, node, path)));
    }

    /// Whether the node as a whole is silent, so that its paths cannot be judged by messages.
    fn judge_silence(&mut self, now: Timestamp, node: NodeId, carp: &CarpView, out: &mut Vec<Verdict>) -> bool {
        let i = node.index();
        let n = &self.nodes[i];
        if n.first == Timestamp::MAX {
            return false;
        }
        let length = n.silence.length(now);
        let witness = carp.witness(now, node);
        let informs = carp.informs();
        let Some((to, cause)) = self.conclude(now, n, informs, &witness) else {
            self.returned(now, node, witness, length, out);
            return false;
        };
        // When everything falls silent at once it is we who are blind, until somebody else is heard.
        let last = self.heard[i];
        let hearing = match to {
            // Its own advertisements are heard, so we are not deaf.
            Health::Down if cause == Cause::Unreachable => true,
            // Who ends a silence of everybody says nothing about who was silent, unless a backup waited for as long.
            Health::Down if self.is_hushed(now, i) && !(witness.replaced && witness.missed >= WAITED) => false,
            // What was heard right after its last word may be the last that we hear at all.
            Health::Down => self.heard.iter().any(|&t| t > last + now.since(last) / 4),
            _ => {
                let since = self.nodes[i].silence.last;
                self.heard.iter().any(|&t| t > since && now.since(t) <= HEARING)
            }
        };
        if !hearing {
            return true;
        }
        let evidence = Evidence {
            carp_gone: witness.gone,
            pfsync_silent: length.as_secs_f64(),
            pfsync_usual: self.nodes[i].silence.limit().map(|l| l.as_secs_f64()),
            threshold: self.threshold,
            ..Evidence::default()
        };
        for (path, p) in self.nodes[i].paths.iter_mut().enumerate() {
            // A proven blackhole stays one until CARP says that the whole node is gone.
            if p.health == Health::Down && to != Health::Down {
                continue;
            }
            let evidence = Evidence {
                since_end_to_end: p.age_of_proof(now),
                ..evidence
            };
            // Where nothing but canaries passed, their hosts may be dead as well as the link: ask neither to be believed.
            let (to, cause) = match cause {
                Cause::SyncLost if p.only_canaries() => (Health::Suspect, Cause::CanaryMissing),
                _ => (to, cause),
            };
            out.extend(p.turn(now, to, cause, evidence).map(|t| t.verdict(now, node, path)));
            p.restart(now);
        }
        true
    }

    /// Whether a silence of everybody ended just now, so that this node may still be heard.
    fn is_hushed(&self, now: Timestamp, node: usize) -> bool {
        let hushed = self.nodes.get(node).and_then(|n| n.hushed);
        hushed.is_some_and(|t| now < t + CHANCE)
    }

    /// What silence and CARP say together; `None` while there is nothing to say.
    fn conclude(&self, now: Timestamp, n: &NodeHealth, informs: bool, w: &Witness) -> Option<(Health, Cause)> {
        let silence = &n.silence;
        let (silent, length) = (silence.unusual(now), silence.length(now));
        if now < self.grace_until {
            return None;
        }
        if informs && w.held > 0 {
            let gone = |missed| w.gone_everywhere() && !w.outlived && w.missed >= missed;
            // Of several segments it says more, and takes less silence beside it.
            let several = gone(GONE_BUSY) && w.segments >= 2 && silence.busy() && silence.rare(now);
            // A quiet node's pfsync says little: then it must only not have spoken since.
            let quiet = silence.limit().is_none_or(|l| l > QUIET_NODE) && length >= Duration::from_secs(2);
            if several || (gone(GONE) && (silent || quiet)) {
                return Some((Health::Down, Cause::Silence));
            }
        }
        if !silent {
            return None;
        }
        let patient = length > SYNC_LOST;
        match (informs, w.held > 0) {
            // Nothing comes in where its own address is: nothing can pass it.
            (true, true) if w.present == w.held && n.reach.silent(now) => Some((Health::Down, Cause::Unreachable)),
            // Its advertisements go on: its pfsync does not reach us.
            (true, true) if w.present == w.held && patient => Some((Health::Unknown, Cause::SyncLost)),
            (true, true) if w.present == w.held => None,
            (true, true) => Some((Health::Suspect, Cause::Silence)),
            (true, false) => Some((Health::Idle, Cause::Backup)),
            (false, _) => Some((Health::Suspect, Cause::Silence)),
        }
    }

    /// A node that was gone and is heard again starts afresh.
    fn returned(&mut self, now: Timestamp, node: NodeId, w: Witness, length: Duration, out: &mut Vec<Verdict>) {
        let heard = length < Duration::from_secs(1) || (w.held > 0 && w.present > 0);
        let n = &mut self.nodes[node.index()];
        for (path, p) in n.paths.iter_mut().enumerate() {
            let missing = n.reach.silent(now) || p.fallen(now, node, &self.canaries);
            if p.cause == Cause::Unreachable && n.reach.gone(now, path) && missing {
                continue;
            }
            let silenced = matches!(p.cause, Cause::Silence | Cause::SyncLost | Cause::Unreachable);
            if !silenced || !heard || !matches!(p.health, Health::Down | Health::Suspect | Health::Unknown) {
                continue;
            }
            let evidence = Evidence {
                threshold: self.threshold,
                ..Evidence::default()
            };
            p.restart(now);
            out.extend(
                p.turn(now, Health::Idle, Cause::Returned, evidence)
                    .map(|t| t.verdict(now, node, path)),
            );
        }
    }
}
