//! The judgement over one window: the score, and the way into and out of `down`.
//!
//! A part of `PathHealth`, which holds what is judged here.

use super::account::{Account, Against, Figures};
use super::{Change, PathHealth, Setting};
use crate::detect::canary::{Doubt, Worth};
use crate::detect::hosts::Ages;
use crate::detect::score::Side;
use crate::event::{Cause, Evidence, Health, Near, Witnesses};
use crate::time::Timestamp;
use crate::track::HostKey;
use std::time::Duration;

/// Failures count by themselves once the last answer lies this far back.
const SETTLED: Duration = Duration::from_millis(300);
/// Without a round trip for this long a path is quiet rather than up.
const QUIET: Duration = Duration::from_secs(10);
/// Hosts that never worked may add this much: new servers are normal, floods have thousands.
const STRANGERS: usize = 2;
/// At start nobody is called a backup before this.
const SETTLING: Duration = Duration::from_secs(5);
/// Distinct hosts on each side whose round trips end `down`.
const RECOVERED_HOSTS: u32 = 3;
/// Share of tries that succeed, in parts of the usual, below which successes are strays.
const RECOVERED_SHARE: f64 = 0.35;
/// Share of the hosts whose tries succeed, from which on it has recovered whatever messages say.
const RECOVERED_WELL: f64 = 0.75;
/// In parts of what `down` needs: below it a suspicion has come to nothing.
const RELIEVED: f64 = 0.25;
/// In parts of `max`: after so long without a try a path that was down is quiet.
const FORGOTTEN: u32 = 5;
/// Round trips that should have come: e^-7 is one in a thousand.
const EXPECTED: f64 = 7.0;
/// What the CARP witness of a split is worth, in suspicion, and the hosts on each side that must fail beside it.
const SPLIT_WORTH: f64 = 4.0;
const SPLIT_HOSTS: usize = 3;
/// What is told within this long of a split, or of a missing advertisement, was on its way before it: pfsync takes a second.
const IN_FLIGHT: Duration = Duration::from_secs(2);
/// What came through a torn node longer ago does not speak for it any more.
const LATELY: Duration = Duration::from_secs(600);
/// Round trips that should have come since the last one before such a segment counts.
const MISSED: f64 = 3.0;
/// Hosts on each side that must fail beside a segment without advertisements.
const LOST_HOSTS: usize = 2;
/// What moving an address takes beyond `down`, in suspicion, where neither a canary nor another witness backs it: the servers
/// that a small site talks to may all be among those that something else took away.
const FIRM: f64 = 1.0;
/// Answers of canaries that end `down`, over so many times `min`.
const RECOVERED_ANSWERS: u32 = 3;

/// Suspicion by one account: over its window, and since its last answer; and whether what was tried lasted long enough.
struct Weight {
    window: (f64, bool),
    run: (f64, bool),
}

impl Weight {
    fn most(&self) -> f64 {
        self.window.0.max(self.run.0)
    }
}

/// Canaries count by themselves where they say more than hosts do.
fn sung(hosts: (f64, bool), songs: (f64, bool)) -> (f64, bool) {
    if songs.0 > hosts.0 { songs } else { hosts }
}

/// Within one flush the order means nothing, so the last answer must lie a while back.
fn settled(account: &Account, now: Timestamp, run: f64) -> f64 {
    if account.unanswered(now) >= SETTLED { run } else { 0.0 }
}

impl Figures {
    /// Tries that speak against the node. Those of canaries count by themselves, in whichever account they are.
    fn against(&self, undelivered: bool, songs: &Worth) -> u32 {
        let sung = if undelivered { 0 } else { songs.failed };
        self.failed.saturating_add(self.partly).max(sung)
    }
}

impl PathHealth {
    /// Weighs what was seen and says whether health changes.
    pub fn judge(
        &mut self,
        now: Timestamp,
        set: &Setting<'_>,
        known_client: impl Fn(&HostKey) -> bool,
        known_server: impl Fn(&HostKey) -> bool,
    ) -> Change {
        self.due = None;
        self.born = self.born.min(now);
        self.proofs.learn(now);
        self.spells.learn(now);
        for account in [&mut self.requests, &mut self.replies] {
            if account.start == Timestamp::MIN {
                (account.start, account.run_start) = (now, account.run_start.max(now));
            }
        }
        let ages = Ages {
            min: set.min,
            max: set.max,
        };
        let requests = self.requests.count(now, ages, STRANGERS, &known_client, &known_server);
        let replies = self.replies.count(now, ages, STRANGERS, &known_client, &known_server);
        if !matches!(self.health, Health::Down | Health::Suspect) {
            self.half = self.shares_by_habit(now);
        }
        let (of_clients, of_servers) = if self.toward[1] > self.toward[0] {
            (Side::Silent, Side::Trying)
        } else {
            (Side::Trying, Side::Silent)
        };
        // Canaries count as hosts like others, and by themselves: what takes several hosts away at once is left out for
        // those that somebody chose so that nothing does.
        let songs = self.songs.weigh(now, self.requests.start, ages, set.canaries);
        let weigh = |against: &Against, clients: Side, servers: Side| {
            let (raw, run) = against.weigh(clients, servers);
            let less = |weight: f64| (weight - set.doubt).max(0.0);
            ((less(raw), against.ripe(false)), (less(run), against.ripe(true)))
        };
        // Either everything since the window opened, with its strays, or only what came after the last of them.
        let weight = |account: &Account, window: (f64, bool), run: (f64, bool)| Weight {
            window: (account.off(window.0), window.1),
            run: (settled(account, now, run.0), run.1),
        };
        let (window, run) = weigh(&requests, of_clients, of_servers);
        let (window, run) = (
            sung(window, (songs.window, songs.ripe)),
            sung(run, (songs.run, songs.ripe)),
        );
        let asked = weight(&self.requests, window, run);
        let (window, run) = weigh(&replies, Side::Silent, Side::Trying);
        let told = weight(&self.replies, window, run);
        let undelivered = told.most() > asked.most();
        let (weight, against, account) = if undelivered {
            (&told, &replies, &self.replies)
        } else {
            (&asked, &requests, &self.requests)
        };
        let score = weight.most();
        let by_canaries = settled(&self.requests, now, songs.run).max(self.requests.off(songs.window));
        let backed = set.deaf > 0.0 || set.lost.is_some();
        let sure = by_canaries.max(if backed { score } else { score - FIRM });
        self.suspicion = score;
        // A run may be older than its window; where neither says more, it is told of the one with more hosts.
        let (window, run) = (weight.window.0, weight.run.0);
        let of_run = run > window || (run >= window && against.hosts(true) > against.hosts(false));
        let (clients, servers) = against.hosts(of_run);
        let figures = account.figures(of_run);
        let all_canaries = !undelivered && songs.failing > 0 && clients <= songs.failing as usize;
        #[expect(clippy::cast_possible_truncation, reason = "bounded by the failing list")]
        let mut evidence = Evidence {
            suspicion: score,
            threshold: set.threshold,
            failed: figures.against(undelivered, &songs),
            succeeded: figures.succeeded,
            clients: clients as u32,
            servers: servers as u32,
            opening: figures.opening,
            seconds: now.since(figures.began).as_secs_f64(),
            usual: match (all_canaries, undelivered) {
                (true, _) => songs.usual,
                (_, true) => account.rates.usual_of_seen(),
                _ => account.rates.usual(),
            },
            canaries: songs.failing,
            since_end_to_end: self.age_of_proof(now),
            since_failure: figures.first_failure.map(|t| now.since(t).as_secs_f64()),
            undelivered,
            ..Evidence::default()
        };
        if self.health == Health::Down {
            self.said = self.said.max(sure);
            return self.judge_down(now, set, evidence);
        }
        let min = set.min.as_secs_f64();
        let torn = set
            .split
            .filter(|&since| set.gravity > 0.0 && self.nothing_since(now, since));
        let hosts = [false, true].map(|run| requests.hosts(run)).map(|(c, s)| c.min(s));
        let hosts = hosts[0].max(hosts[1]);
        // The pair is split, this node lost a side and nothing came through it since: CARP is a witness, and needs several
        // hosts beside it, or a canary that fails for long enough.
        let split_worth = SPLIT_WORTH * set.gravity;
        let sung = songs.window.max(songs.run) >= set.threshold - split_worth;
        let worth = if torn.is_some() && (hosts >= SPLIT_HOSTS || sung) {
            split_worth
        } else {
            0.0
        };
        // Half of its advertisements are gone: as long as some are heard, this is no crash, and traffic has to tell.
        let quiet = account
            .age_of_proof(now)
            .is_none_or(|age| age >= min && self.proofs.now(now) * age >= MISSED);
        let (c, s) = against.hosts(true);
        let several = c.min(s) >= LOST_HOSTS;
        // An address of its own does not answer any more: the same, by another witness.
        let lost = set.lost.filter(|&(_, since)| self.nothing_since(now, since));
        let lost = lost.map_or(0.0, |(worth, _)| worth);
        let [segment, address] = [lost, set.deaf].map(|w| if quiet && several { w } else { 0.0 });
        evidence.witnesses = Witnesses {
            split: worth > 0.0,
            segment: segment > 0.0,
            address: address > 0.0,
        };
        let worth = worth.max(segment).max(address);
        let more = if self.halves(now) { set.threshold } else { 0.0 };
        let threshold = set.threshold + more - worth;
        evidence.threshold = threshold;
        self.needed = Some(threshold.max(0.0));
        // And by tries: nothing is proven by an absence of them.
        // A burst after a quiet may be anything that was told late, but not where a witness saw the node lose something.
        let old_enough = |(score, ripe): (f64, bool), age: Duration| {
            score >= threshold && age >= set.min && (ripe || worth > 0.0) && evidence.failed > 0
        };
        let proven =
            old_enough(weight.window, now.since(account.start)) || old_enough(weight.run, account.unanswered(now));
        // Or several hosts try through the pair and nothing comes, where the usual rate leaves no doubt.
        let missing = torn.and_then(|since| {
            // What came while we could not hear, nobody can miss.
            let since = since.max(self.last_end_to_end()).max(self.forgiven);
            let length = now.since(since);
            let expected = self.spells.now(since) * length.as_secs_f64();
            (length >= set.min * 2 && hosts + 1 >= SPLIT_HOSTS && expected >= EXPECTED).then_some(expected)
        });
        if !proven && missing.is_some() {
            evidence.witnesses.split = true;
            evidence.expected = missing;
        }
        let cause = self.blackhole(undelivered, figures.failed);
        let change = self.judge_up(now, set, proven || missing.is_some(), cause, evidence);
        if self.health == Health::Down {
            self.said = sure;
        } else {
            if set.may_fall {
                let share = score / threshold;
                self.closest.note(share, || Near {
                    at: now,
                    cause,
                    evidence,
                });
            }
            if score < RELIEVED * threshold {
                self.closest.over();
            }
            let over = |account: &Account, window: f64| {
                let answered = account.strays() > 0 && window <= 0.0;
                (answered || now.since(account.start) > set.max).then_some(answered)
            };
            if let Some(well) = over(&self.requests, asked.window.0) {
                self.requests.close(now, well);
                self.open_window(now);
            }
            if let Some(well) = over(&self.replies, told.window.0) {
                self.replies.close(now, well);
            }
        }
        change
    }

    /// Whether nothing came through the node since CARP lost something of it. What came shows that it can, if it was no
    /// stray, and not too long ago.
    fn nothing_since(&self, now: Timestamp, since: Timestamp) -> bool {
        let came = self.spell[1] > since + IN_FLIGHT && now.since(self.last_end_to_end()) <= LATELY;
        !came
    }

    fn judge_up(
        &mut self,
        now: Timestamp,
        set: &Setting<'_>,
        proven: bool,
        blackhole: Cause,
        evidence: Evidence,
    ) -> Change {
        let score = evidence.suspicion;
        if set.may_fall && proven {
            self.undelivered = evidence.undelivered;
            self.end_windows(now);
            return self.turn(now, Health::Down, blackhole, evidence);
        }
        if set.may_fall
            && set.unreachable
            && let Some((silent, every)) = self.songs.fallen(now, set.node, set.canaries)
        {
            let evidence = Evidence {
                canary_silent: Some(silent.as_secs_f64()),
                canary_every: Some(every.as_secs_f64()),
                ..evidence
            };
            self.end_windows(now);
            return self.turn(now, Health::Down, Cause::Unreachable, evidence);
        }
        let quiet = QUIET.max(self.songs.patience(now, set.canaries));
        let last = self.last_proof;
        let lively = now.since(last) <= quiet && last > Timestamp::MIN;
        let kept = self.health == Health::Up && now.since(self.forgiven) <= quiet;
        let doubt = self.songs.doubt(now, set.node, self.last_end_to_end(), set.canaries);
        let suspect = score >= 0.5 * set.threshold && evidence.seconds >= 0.5 * set.min.as_secs_f64();
        let relieved = score < RELIEVED * set.threshold;
        let (to, cause) = match self.health {
            _ if suspect => (Health::Suspect, blackhole),
            Health::Suspect if !relieved => return None,
            _ if doubt.is_some() => return self.doubt(now, doubt, evidence),
            // What worked before the doubt does not end it.
            Health::Suspect if lively && last <= self.turned => return None,
            _ if lively || kept => (Health::Up, Cause::EndToEnd),
            // Just started: quiet is not known to be normal yet.
            Health::Unknown if now.since(self.born) < QUIET => return None,
            _ => (Health::Idle, Cause::Quiet),
        };
        let evidence = match cause {
            Cause::Quiet => Evidence {
                failed: self.requests.run_failed,
                ..evidence
            },
            Cause::EndToEnd => Evidence {
                succeeded: self.requests.own,
                seconds: now.since(self.requests.start).as_secs_f64(),
                ..evidence
            },
            _ => evidence,
        };
        self.turn(now, to, cause, evidence)
    }

    /// Demand is known here, so that quiet is not idle; but the canary's own hosts may be what is dead.
    fn doubt(&mut self, now: Timestamp, doubt: Option<Doubt>, evidence: Evidence) -> Change {
        let (cause, evidence) = match doubt? {
            Doubt::Failing if evidence.failed == 0 => return None,
            Doubt::Failing => (Cause::BlackholeForward, evidence),
            Doubt::Missing(silent, every) => {
                let evidence = Evidence {
                    canary_silent: Some(silent.as_secs_f64()),
                    canary_every: Some(every.as_secs_f64()),
                    ..evidence
                };
                (Cause::CanaryMissing, evidence)
            }
        };
        self.turn(now, Health::Suspect, cause, evidence)
    }

    fn judge_down(&mut self, now: Timestamp, set: &Setting<'_>, evidence: Evidence) -> Change {
        if !matches!(self.cause, Cause::BlackholeForward | Cause::BlackholeReverse) {
            return None;
        }
        // What made it fall is what must be over. Of that the account tells whose evidence it was.
        let account = self.fallen_by();
        let age = now.since(account.start);
        let evidence = Evidence {
            failed: account.failed,
            succeeded: account.succeeded,
            seconds: age.as_secs_f64(),
            usual: if self.undelivered {
                account.rates.usual_of_seen()
            } else {
                account.rates.usual()
            },
            ..evidence
        };
        let tries = f64::from(evidence.succeeded + evidence.failed);
        let share = if tries > 0.0 {
            f64::from(evidence.succeeded) / tries
        } else {
            0.0
        };
        let hosts = account.clients.succeeded().min(account.servers.succeeded());
        // Messages can be many where hosts are few: two nodes that correct each other repeat one failure without end.
        let well = f64::from(hosts) / f64::from(hosts + evidence.clients.min(evidence.servers)).max(1.0);
        let good = (share >= RECOVERED_SHARE * evidence.usual || well >= RECOVERED_WELL) && evidence.succeeded > 0;
        let several = hosts >= RECOVERED_HOSTS && age >= set.min;
        // A small site has no three hosts: then it must last.
        let lasting = evidence.succeeded >= 5 && age >= set.min * 10;
        // Or all that is known of it is what its canaries say.
        let sung = self.songs.answers >= RECOVERED_ANSWERS && age >= set.min * RECOVERED_ANSWERS;
        if good && (several || lasting || sung) {
            self.end_windows(now);
            return self.turn(now, Health::Up, Cause::EndToEnd, evidence);
        }
        // Successes are weighed against the failures of the same seconds.
        let stale = evidence.succeeded == 0 || !good;
        if (stale && age >= set.min * 2) || age >= set.max {
            self.end_windows(now);
        }
        // Whoever was replaced has nothing to try at: its quiet is no recovery.
        let quiet = now.since(self.last_try) > set.max * FORGOTTEN;
        if quiet && set.split.is_none() && !set.replaced {
            self.restart(now); // What failed so long ago is no suspicion of today.
            return self.turn(now, Health::Idle, Cause::Quiet, evidence);
        }
        None
    }

    /// What was collected so far is told; it is nothing to learn from.
    fn end_windows(&mut self, now: Timestamp) {
        self.requests.rates.discard();
        self.replies.close(now, false);
        self.open_window(now);
    }

    fn blackhole(&self, undelivered: bool, failed: u32) -> Cause {
        if undelivered {
            return Cause::BlackholeReverse;
        }
        // New connections without answer are forward failures; so are flows whose initiators alone move.
        let [forth, back] = self.toward;
        if back > forth && back > failed / 4 {
            Cause::BlackholeReverse
        } else {
            Cause::BlackholeForward
        }
    }

    /// What it says is not known, or worth nothing, for this cause.
    pub fn unknown(&mut self, now: Timestamp, cause: Cause, threshold: f64) -> Change {
        self.due = None;
        let evidence = Evidence {
            threshold,
            ..Evidence::default()
        };
        self.turn(now, Health::Unknown, cause, evidence)
    }

    /// CARP says that this node carries traffic now: what is idle is so for another reason than before.
    pub fn is_master(&mut self) {
        if self.health == Health::Idle {
            self.cause = Cause::Quiet;
        }
    }

    /// CARP says that this node carries nothing of its own: whatever its health was, it is idle now, for that cause.
    pub fn idle_by_carp(&mut self, now: Timestamp, cause: Cause) -> Change {
        self.due = None;
        self.born = self.born.min(now);
        if self.health == Health::Unknown && now.since(self.born) < SETTLING {
            return None; // Who is master is not settled in the first moments.
        }
        let evidence = Evidence {
            since_end_to_end: self.age_of_proof(now),
            ..Evidence::default()
        };
        // A node that is gone does not come back by having lost its mastership to another.
        if self.health == Health::Down && self.cause == Cause::Silence {
            return None;
        }
        if self.health == Health::Idle {
            self.cause = cause;
        }
        self.turn(now, Health::Idle, cause, evidence)
    }
}
