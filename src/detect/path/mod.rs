//! Health of one node on one path: the window of evidence, its score, and the way into and out of `down`.
//!
//! Fed by `detect` with observations and asked to judge a moment later, when the whole flush has been heard. Knows
//! nothing of CARP: its caller says whether the node carries traffic at all. The judgement itself is in `judge`.

mod account;
mod judge;
mod pace;

use super::canary::{Canaries, Songs, Try};
use super::memory::{PathMemory, weight};
use super::near::Closest;
use super::passage::Through;
use crate::event::{Cause, Evidence, Health, NodeId, Verdict};
use crate::time::Timestamp;
use crate::track::flow::{Class, Movement, Outcome};
use crate::track::{HostKey, Observation};
use account::{ANONYMOUS, Account};
use pace::Pace;
use std::time::Duration;

/// A flush comes as several frames; judge when they are all in.
const FLUSH: Duration = Duration::from_millis(50);

/// How a judgement may be coloured from outside.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// Whom this is about.
    pub node: NodeId,
    /// Flows that somebody vouches for.
    pub canaries: &'a Canaries,
    /// `suspicion` needed for `down`.
    pub threshold: f64,
    /// No verdict on evidence younger than this.
    pub min: Duration,
    /// Older evidence is forgotten.
    pub max: Duration,
    /// By how much less counts what is heard, in suspicion, because not all of it may be true.
    pub doubt: f64,
    /// CARP says that this node lost a part of what it had: since when.
    pub split: Option<Timestamp>,
    /// How much that is to be believed, 0..=1; not at all by who is cut off itself.
    pub gravity: f64,
    /// An address of its own that used to answer does not.
    pub unreachable: bool,
    /// What that is worth.
    pub deaf: f64,
    /// What it is worth that its advertisements are gone from a segment and go on on another, and since when they are.
    pub lost: Option<(f64, Timestamp)>,
    /// Whether `down` may be concluded at all.
    pub may_fall: bool,
    /// Another node has taken over what this one had, and it gave nothing away.
    pub replaced: bool,
}

/// A change that a judgement brings.
pub type Change = Option<Turn>;

/// Health turned.
pub struct Turn {
    from: Health,
    to: Health,
    cause: Cause,
    evidence: Evidence,
}

impl Turn {
    /// As the verdict that it is.
    #[must_use]
    pub fn verdict(self, at: Timestamp, node: NodeId, path: usize) -> Verdict {
        let Self {
            from,
            to,
            cause,
            evidence,
        } = self;
        Verdict {
            at,
            node,
            path,
            from,
            to,
            cause,
            evidence,
        }
    }
}

/// A node that proves nothing by itself for so long, while the pair does, carries one half of everything.
const HALVES: Duration = Duration::from_secs(30);

/// What passed two nodes as a whole longer ago shows no habit.
const HABIT: Duration = Duration::from_secs(600);

/// Round trips come in spells (a page, its pictures): however many come within this long, they count once.
const SPELL: Duration = Duration::from_secs(1);

/// State of one (node, path).
pub struct PathHealth {
    /// Now.
    pub health: Health,
    /// Why.
    pub cause: Cause,
    /// First judged.
    born: Timestamp,
    /// Last score.
    pub suspicion: f64,
    /// What it had to reach then, with the witnesses that there were; for what is down, when it fell.
    pub needed: Option<f64>,
    /// How close it came to `down`.
    pub closest: Closest,
    /// The most that traffic alone said since it fell, less what moving an address takes beyond that.
    said: f64,
    /// Do tries get answers?
    requests: Account,
    /// Do answers get to those who asked? A firewall whose inside port sends nothing lets every reply pass, and nobody
    /// gets one.
    replies: Account,
    /// It is down because of `replies`.
    undelivered: bool,
    songs: Songs,
    /// Do connections that come in leave again?
    pub through: Through,
    /// Last message that was not a canary's.
    last_other: Timestamp,
    toward: [u32; 2],
    last_try: Timestamp,
    /// Until when we were last deaf.
    forgiven: Timestamp,
    /// Last round trip through this node alone, and one through two.
    last_alone: Timestamp,
    last_shared: Timestamp,
    /// While nothing passed through this node alone: when a flow was first, and last, seen to pass it and another as a whole.
    habit: [Timestamp; 2],
    /// Last round trip that is this node's own achievement, a delivery among them.
    last_proof: Timestamp,
    /// While it is well: one half of everything takes another way, and what both do together is what it can achieve.
    half: bool,
    /// When health last turned.
    turned: Timestamp,
    /// Round trips, and the spells that they come in.
    proofs: Pace,
    spells: Pace,
    /// When the last two spells began, the last one first.
    spell: [Timestamp; 2],
    due: Option<Timestamp>,
}

impl PathHealth {
    /// Nothing known.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            health: Health::Unknown,
            cause: Cause::Quiet,
            born: Timestamp::MAX,
            suspicion: 0.0,
            needed: None,
            closest: Closest::default(),
            said: 0.0,
            requests: Account::new(seed),
            replies: Account::new(seed.rotate_left(23)),
            undelivered: false,
            songs: Songs::default(),
            through: Through::default(),
            last_other: Timestamp::MIN,
            toward: [0; 2],
            last_try: Timestamp::MIN,
            forgiven: Timestamp::MIN,
            last_alone: Timestamp::MIN,
            last_shared: Timestamp::MIN,
            habit: [Timestamp::MIN; 2],
            last_proof: Timestamp::MIN,
            half: false,
            turned: Timestamp::MIN,
            proofs: Pace::default(),
            spells: Pace::default(),
            spell: [Timestamp::MIN; 2],
            due: None,
        }
    }

    /// When to judge.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// Forgets the window (not what is known of hosts and rates): the node yielded, or we were blind.
    pub fn restart(&mut self, now: Timestamp) {
        self.requests.rates.discard();
        self.replies.close(now, false);
        self.open_window(now);
        self.requests.restart(now);
        self.replies.restart(now);
        self.songs.restart();
        self.through.restart();
        (self.suspicion, self.needed) = (0.0, None);
        self.closest.over();
        self.due = None;
    }

    fn open_window(&mut self, now: Timestamp) {
        self.requests.open_window(now);
        self.songs.reset();
        self.toward = [0; 2];
    }

    /// Whether these hosts are known to have worked here.
    #[must_use]
    pub fn knows(&self, client: bool, host: &HostKey) -> bool {
        if client {
            self.requests.clients.works(host)
        } else {
            self.requests.servers.works(host)
        }
    }

    /// We were deaf until `now`.
    pub fn forgive(&mut self, now: Timestamp) {
        self.songs.forgive(now);
        self.restart(now);
        // Nobody knows that nothing was tried, or that nothing passed.
        self.forgiven = now;
        if self.last_try > Timestamp::MIN {
            self.last_try = now;
        }
    }

    /// Whether the canaries that regularly come through this node come no more.
    #[must_use]
    pub fn fallen(&self, now: Timestamp, node: NodeId, canaries: &Canaries) -> bool {
        self.songs.fallen(now, node, canaries).is_some()
    }

    /// Whether canaries were the only ones to pass when it fell silent.
    #[must_use]
    pub fn only_canaries(&self) -> bool {
        self.songs.alone(self.last_other)
    }

    /// Whether what the pair achieves speaks for this node at all. Once it is down it does not, unless one half of everything
    /// took another way before: flows that it could not serve go on through another node, and began here.
    fn shares(&self) -> bool {
        self.health != Health::Down || self.half
    }

    /// A message, perhaps of a canary; `pair` = a round trip through the pair counts as one through this node.
    pub fn observe(&mut self, now: Timestamp, o: &Observation, canary: Option<Try>, pair: bool) {
        if self.health == Health::Down && o.hosts.is_none() && o.is_round_trip() {
            return; // Whose it was is not known: it may have ended on the firewall.
        }
        let pair = pair && self.shares();
        let trial = o.trial.map(|(class, outcome)| (class, outcome.alone(pair)));
        let success = matches!(trial, Some((_, Outcome::Success)));
        let (client, server) = o.hosts.unwrap_or((ANONYMOUS, ANONYMOUS));
        if canary.is_none() {
            self.last_other = now;
        }
        if matches!(o.trial, Some((_, Outcome::Success))) {
            self.last_alone = now;
        } else if matches!(o.trial, Some((_, Outcome::Pair))) {
            self.last_shared = now;
        }
        self.note_habit(now, o);
        if o.is_round_trip() {
            self.last_proof = now;
        }
        if success {
            self.songs.answer(now);
            if let Some(t) = canary {
                self.songs.success(now, t.index);
            }
            let alone = matches!(o.trial, Some((_, Outcome::Success)));
            self.proven(now, client, server, alone || self.half);
        }
        if let Some(outcome) = o.delivery {
            self.delivery(now, outcome, (client, server), canary, pair);
        }
        let Some((class, outcome)) = trial else { return };
        self.last_try = now;
        if class.opens() && outcome != Outcome::Partial {
            self.requests.opened(1);
        }
        // What is usual for a canary is its own: it shall not colour what is expected of hosts that nobody vouches for.
        if canary.is_none() {
            self.requests.rates.note(class, outcome);
        }
        if outcome != Outcome::Success {
            let ratio = canary.map_or_else(|| self.requests.rates.ratio(class, outcome), |t| t.ratio);
            if let Some(t) = canary.filter(|_| outcome == Outcome::Failure) {
                self.songs.failure(now, t);
            }
            if outcome == Outcome::Failure {
                self.requests.failed(now);
            }
            self.requests.against(now, outcome, (client, server), ratio);
        }
        match o.movement {
            Movement::Forward => self.toward[0] += 1,
            Movement::Reverse => self.toward[1] += 1,
            _ => {}
        }
        self.schedule(now);
    }

    /// What was observed just now came `times` more, see [`crate::detect::Detector::repeat`].
    pub fn repeat(&mut self, o: &Observation, times: u32) {
        if let Some((class, outcome)) = o.trial {
            self.requests.repeat(class, outcome, times);
            if outcome == Outcome::Success {
                self.proofs.note(f64::from(times));
            }
            if class.opens() && outcome != Outcome::Partial {
                self.requests.opened(times);
            }
            match o.movement {
                Movement::Forward => self.toward[0] += times,
                Movement::Reverse => self.toward[1] += times,
                _ => {}
            }
        }
        if let Some(outcome) = o.delivery.filter(|d| *d != Outcome::Partial) {
            self.replies.repeat(Class::Delivery, outcome, times);
        }
    }

    /// Another node tells of a success one half of which went through this one.
    pub fn credit(&mut self, now: Timestamp, o: &Observation) {
        if !self.shares() {
            return;
        }
        self.note_habit(now, o);
        let (client, server) = o.hosts.unwrap_or((ANONYMOUS, ANONYMOUS));
        if matches!(o.trial, Some((_, Outcome::Pair))) {
            self.last_shared = now;
            self.proven(now, client, server, self.half);
            self.schedule(now);
        }
        if o.delivery == Some(Outcome::Pair) {
            self.replies.success(now, client, server);
            self.schedule(now);
        }
    }

    /// A try was answered; whether that is this node's `own` achievement, or only no failure of its.
    fn proven(&mut self, now: Timestamp, client: HostKey, server: HostKey, own: bool) {
        if !own {
            return self.requests.excuse(now, client, server);
        }
        self.last_proof = now;
        if now.since(self.spell[0]) >= SPELL {
            self.spell = [now, self.spell[0]];
            self.spells.note(1.0);
        }
        self.proofs.note(1.0);
        self.requests.success(now, client, server);
    }

    /// Whether what the responder sent got through to the initiator.
    fn delivery(
        &mut self,
        now: Timestamp,
        outcome: Outcome,
        (client, server): (HostKey, HostKey),
        canary: Option<Try>,
        pair: bool,
    ) {
        let outcome = outcome.alone(pair);
        if outcome == Outcome::Partial {
            return;
        }
        self.replies.rates.note(Class::Delivery, outcome);
        if outcome == Outcome::Success {
            self.replies.success(now, client, server);
        } else {
            let ratio = self.replies.rates.ratio(Class::Delivery, outcome);
            self.replies.failed(now);
            self.replies.against(now, outcome, (client, server), ratio);
            if let Some(t) = canary {
                self.songs.failure(now, Try { ratio, ..t });
            }
        }
        self.schedule(now);
    }

    /// What was learned here.
    #[must_use]
    pub fn remember(&self, now: Timestamp, name: String) -> PathMemory {
        PathMemory {
            name,
            outcomes: self.requests.rates.remember(),
            round_trips: self.proofs.now(now),
            clients: self.requests.clients.remember(now),
            servers: self.requests.servers.remember(now),
        }
    }

    /// Takes back what was learned once, `age` ago.
    pub fn recall(&mut self, now: Timestamp, age: Duration, memory: &PathMemory) {
        self.requests.rates.recall(&memory.outcomes, weight(age));
        self.proofs.recall(now, age, memory.round_trips);
        for account in [&mut self.requests, &mut self.replies] {
            account.clients.recall(now - age, now, &memory.clients);
            account.servers.recall(now - age, now, &memory.servers);
        }
    }

    fn schedule(&mut self, now: Timestamp) {
        self.due.get_or_insert(now + FLUSH);
    }

    /// A try through ANOTHER node of a split pair: demand of the pair, to which this node owes an answer too.
    pub fn demand(&mut self, now: Timestamp, o: &Observation, canary: Option<Try>) {
        if let (Some((class, outcome)), Some((client, server))) = (o.trial, o.hosts)
            && matches!(outcome, Outcome::Partial | Outcome::Failure)
            && !matches!(o.movement, Movement::EndToEnd | Movement::PairEndToEnd)
        {
            let ratio = canary.map_or_else(|| self.requests.rates.ratio(class, outcome), |t| t.ratio);
            if let Some(t) = canary.filter(|_| outcome == Outcome::Failure) {
                self.songs.failure(now, t);
            }
            if outcome == Outcome::Failure {
                self.requests.failed(now);
                self.requests.opened(u32::from(class.opens()));
            }
            self.requests.against(now, outcome, (client, server), ratio);
            self.last_try = now;
            self.schedule(now);
        }
    }

    /// Whether each round trip goes through another node, too. What one half tells by itself comes in spells, which all hosts
    /// share: then more of it is needed.
    fn halves(&self, now: Timestamp) -> bool {
        let lately = |t: Timestamp| now.since(t) <= HALVES && t > Timestamp::MIN;
        lately(self.last_shared) && !lately(self.last_alone)
    }

    fn note_habit(&mut self, now: Timestamp, o: &Observation) {
        if o.whole.is_some() {
            let [first, last] = &mut self.habit;
            if now.since(*last) > HABIT || self.last_alone >= *first {
                *first = now;
            }
            *last = now;
        }
    }

    /// Whether what both do together is what this node can achieve: it has been so for long, and flows were seen to pass as a
    /// whole. One half of a flow passes beside a dead port, too.
    fn shares_by_habit(&self, now: Timestamp) -> bool {
        let [first, last] = self.habit;
        self.halves(now) && first > self.last_alone && now.since(last) <= HABIT && now.since(first) >= HALVES
    }

    /// The last try that failed and the last that got through, by the account that it is down by.
    #[must_use]
    pub fn last_tries(&self) -> (Timestamp, Timestamp) {
        let account = self.fallen_by();
        (account.last_failure, account.last_success)
    }

    /// The account whose evidence it fell by.
    fn fallen_by(&self) -> &Account {
        if self.undelivered {
            &self.replies
        } else {
            &self.requests
        }
    }

    /// Whether it is down by what traffic says, whatever else spoke for it, or by more than traffic can say.
    #[must_use]
    pub fn firm(&self, threshold: f64) -> bool {
        let by_traffic = matches!(self.cause, Cause::BlackholeForward | Cause::BlackholeReverse);
        self.health == Health::Down && (!by_traffic || self.said >= threshold)
    }

    /// Last try that was answered through this node.
    #[must_use]
    pub fn last_end_to_end(&self) -> Timestamp {
        self.requests.last_success
    }

    /// When what it is down by last worked: a try that was answered through this node alone, or an answer that got through.
    #[must_use]
    pub const fn last_worked(&self) -> Timestamp {
        if self.undelivered {
            self.replies.last_success
        } else {
            self.last_alone
        }
    }

    /// Seconds since the last proven round trip.
    #[must_use]
    pub fn age_of_proof(&self, now: Timestamp) -> Option<f64> {
        (self.last_proof > Timestamp::MIN).then(|| now.since(self.last_proof).as_secs_f64())
    }

    /// Sets health; says so if that is news.
    pub fn turn(&mut self, now: Timestamp, to: Health, cause: Cause, evidence: Evidence) -> Change {
        if self.health == to {
            return None;
        }
        if to == Health::Down {
            self.closest.fell();
        }
        let from = std::mem::replace(&mut self.health, to);
        (self.cause, self.turned) = (cause, now);
        Some(Turn {
            from,
            to,
            cause,
            evidence,
        })
    }
}
