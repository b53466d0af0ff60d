//! Leaves out of recorded lives what the detector does not listen to, or would hear in vain. Pure.
//!
//! What must stay the same, because a verdict hangs on it:
//!
//!  * which hosts fail, and since when: all failures stay, but for equal ones of the same connection within 400 ms, which
//!    `detect::hosts` takes for one;
//!  * that a host was answered after it failed: the first success after each failure stays;
//!  * that answers go on coming: of each connection one success stays in each [`Keep::again`], which is the shorter the
//!    less goes on, so that a site is never without one where it would not have been;
//!  * how usual each outcome is: each step says how many like it were left out, and is told as often as that, scaled so
//!    that no class is told more often than its ratios need ([`balance`]). Of what says nothing else an eighth stays.
//!
//! At a busy site a connection tells some 115 things in its life, and about 5 of them matter.

use super::life::{Broken, Left, Library, Life, Shelf, Step};
use pfwatch::track::flow::{CLASSES, Class, Outcome};
use rand::RngExt;

/// What the detector does not listen to stays once in so many times, and counts for all of them.
const DEAF: u16 = 8;
/// And its chance comes once in so many milliseconds.
const DEAF_FOR: u64 = 1_000;
/// A connection is heard so often, in milliseconds, where that matters.
const MARK: u64 = 1_000;
const DELIVERY: usize = Class::Delivery as usize;
/// Equal failures of one connection within this long are one: `detect::hosts::SLOT`.
const SAME: u64 = 400;

/// Tries of a class that must be told a second: then what was assumed before anything was learned is gone in a quarter of a minute.
const LEARNED: f64 = 10.0;

/// Outcomes [success, partial, failure] by class, as `detect::rates` counts them.
pub type Counts = [[f64; 3]; CLASSES];

/// What the detector takes a dead firewall to show, [partial, failure]: `detect::rates::DEAD`.
const DEAD: [[f64; 2]; CLASSES] = [
    [0.04, 0.95],
    [0.01, 0.98],
    [0.01, 0.98],
    [0.04, 0.95],
    [0.01, 0.98],
    [0.28, 0.70],
    [0.13, 0.85],
    [1.0, 0.98],
];

/// What one failure (or partial success) says: the share it has, in parts of what it would have were all dead; within the
/// bounds that the detector keeps, and 1 where it does not listen.
#[must_use]
pub fn ratio(counts: &Counts, class: usize, outcome: usize) -> f64 {
    let row = counts[class];
    let all: f64 = row.iter().sum();
    let ratio = row[outcome] / all.max(1e-9) / DEAD[class][outcome - 1];
    if ratio >= 0.95 { 1.0 } else { ratio.max(0.02) }
}

/// Counts everything that these lives tell, with what was left out.
#[must_use]
pub fn counts<'a>(lives: impl Iterator<Item = &'a Life>) -> Counts {
    let mut counts = Counts::default();
    for step in lives.flat_map(|l| &l.steps) {
        if let Some((class, outcome)) = step.trial {
            counts[class as usize][outcome as usize] += f64::from(step.tries);
        }
        if let Some(outcome) = step.delivery {
            counts[DELIVERY][outcome as usize] += f64::from(step.deliveries);
        }
    }
    counts
}

/// Which step of those that stay tells for others like it, and how much each of them counts; nothing where the chance to
/// be told went by.
type Voice = Option<(usize, u16)>;

/// How much stays.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// One success of a connection in this many milliseconds is enough.
    pub again: u64,
    /// Keeps one word a second of a connection that says nothing to the detector, so that the node is heard as often as it
    /// was.
    pub marks: bool,
}

impl Keep {
    /// What is enough at a site with so many openings and frames a second. Tens of connections a second must each prove
    /// one round trip for the site to prove one in each 50 ms; a few must prove all that they do.
    #[must_use]
    pub fn of(rate: f64, frames: f64) -> Self {
        Self {
            again: match rate {
                r if r > 100.0 => 3_000,
                r if r > 10.0 => 3_000,
                _ => 1_000,
            },
            marks: frames < 20.0,
        }
    }
}

/// What stays of a life; times are milliseconds.
#[must_use]
pub fn thin(steps: &[(u64, Step)], keep: Keep, usual: &Counts, dice: &mut impl rand::Rng) -> Vec<(u64, Step)> {
    let Keep { again, marks } = keep;
    let mut kept: Vec<(u64, Step)> = Vec::new();
    let mut voices: [[Voice; 3]; CLASSES] = [[None; 3]; CLASSES];
    // What was left out: the first, the last, and how many.
    let mut span: Option<(u64, u64, u64)> = None;
    let mut answered: Option<u64> = None;
    let mut delivered: Option<u64> = None;
    let mut spoke: Option<u64> = None;
    // Since it was last answered, something counted against it.
    let (mut failed, mut undelivered) = (false, false);
    let mut last: [[Option<u64>; 3]; CLASSES] = [[None; 3]; CLASSES];
    let past = |t: Option<u64>, now: u64, by: u64| t.is_none_or(|t| now >= t + by);
    for &(at, mut step) in steps {
        let trial = step.trial.map(|(class, o)| (class as usize, o));
        let delivery = step.delivery.filter(|d| *d != Outcome::Partial);
        let says = |class: usize, o: Outcome| ratio(usual, class, o as usize) < 1.0;
        let counts = trial.is_some_and(|(class, o)| o != Outcome::Success && says(class, o));
        // A chance to be told for the others, which does not depend on what they were.
        let mut deaf = false;
        let keep = match (trial, delivery) {
            (None, None) => marks && past(spoke, at, MARK),
            _ if step.answers() && (failed || past(answered, at, again)) => true,
            (_, Some(Outcome::Success)) if undelivered || past(delivered, at, again) => true,
            (_, Some(Outcome::Failure)) if past(last[DELIVERY][2], at, SAME) => true,
            (Some((class, Outcome::Success)), _) => past(last[class][0], at, again),
            (Some((class, o)), _) if counts => past(last[class][o as usize], at, SAME),
            (Some((class, o)), _) if past(last[class][o as usize], at, again.min(DEAF_FOR)) => {
                deaf = true;
                (last[class][o as usize], voices[class][o as usize]) = (Some(at), None);
                dice.random_range(0..DEAF) == 0
            }
            _ => false,
        };
        if !keep {
            if let Some((n, by)) = trial.and_then(|(class, o)| voices[class][o as usize]) {
                kept[n].1.tries = kept[n].1.tries.saturating_add(by);
            }
            if let Some((n, by)) = delivery.and_then(|o| voices[DELIVERY][o as usize]) {
                kept[n].1.deliveries = kept[n].1.deliveries.saturating_add(by);
            }
            if !step.plain() {
                let (first, _, n) = span.unwrap_or((at, at, 0));
                span = Some((first, at, n + 1));
            }
            continue;
        }
        step.left = span.take().map(|(first, last, n)| left(at, first, last, n));
        spoke = Some(at);
        step.tries = if deaf { DEAF } else { 1 };
        if let Some((class, o)) = trial {
            last[class][o as usize] = Some(at);
            voices[class][o as usize] = Some((kept.len(), step.tries));
            failed |= counts;
        }
        // The next failure of either question is news again.
        if step.answers() {
            (answered, failed) = (Some(at), false);
            last[..DELIVERY].iter_mut().for_each(|row| row[1..].fill(None));
        }
        if delivery == Some(Outcome::Success) {
            last[DELIVERY][1..].fill(None);
        }
        match delivery {
            Some(Outcome::Success) if !undelivered && !past(delivered, at, again) => {
                // It stays for another reason, and that answers arrive is told often enough.
                step.delivery = None;
                if let Some((n, by)) = voices[DELIVERY][0] {
                    kept[n].1.deliveries = kept[n].1.deliveries.saturating_add(by);
                }
            }
            Some(o) => {
                voices[DELIVERY][o as usize] = Some((kept.len(), 1));
                undelivered = o != Outcome::Success;
                if undelivered {
                    last[DELIVERY][2] = Some(at);
                } else {
                    delivered = Some(at);
                }
            }
            None => {}
        }
        kept.push((at, step));
    }
    kept
}

fn left(at: u64, first: u64, last: u64, n: u64) -> Left {
    let short = |t: u64| u32::try_from(t).unwrap_or(u32::MAX);
    Left {
        from: short(at - first),
        to: short(at - last),
        gap: short((last - first) / n),
    }
}

/// How often each step is told, so that each is worth what it was and nothing is told more often than that takes.
pub fn balance(library: &mut Library, usual: &Counts, dice: &mut impl rand::Rng) {
    let scales = scales(library, usual);
    let Library {
        well,
        bad,
        broken,
        lunch,
        ..
    } = library;
    let shelves = broken.iter_mut().flat_map(Broken::shelves_mut);
    for step in [well, bad, &mut lunch.well, &mut lunch.bad]
        .into_iter()
        .chain(shelves)
        .flat_map(Shelf::lives_mut)
        .flat_map(|l| &mut l.steps)
    {
        if let Some((class, outcome)) = step.trial {
            // Each is told at least once: it stayed because a verdict may hang on it.
            step.tries = scaled(step.tries, scales[class as usize][outcome as usize], dice).max(1);
        }
        if let Some(outcome) = step.delivery {
            step.deliveries = scaled(step.deliveries, scales[DELIVERY][outcome as usize], dice).max(1);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "below what it was"
)]
fn scaled(n: u16, by: f64, dice: &mut impl rand::Rng) -> u16 {
    let x = f64::from(n) * by;
    x as u16 + u16::from(dice.random::<f64>() < x.fract())
}

/// Parts of what was told that are tried.
const PARTS: [f64; 6] = [1.0 / 32.0, 1.0 / 16.0, 1.0 / 8.0, 1.0 / 4.0, 1.0 / 2.0, 1.0];

/// By class and outcome: the least parts of what was told that leave all ratios as they are, and are still learned in no
/// time.
#[expect(clippy::cast_precision_loss, reason = "numbers of lives")]
fn scales(library: &Library, usual: &Counts) -> Counts {
    let seconds = (library.well.len() + library.bad.len()) as f64 / library.rate.max(1e-6);
    let told = PARTS.map(|part| told(library, part));
    let mut scales = [[1.0; 3]; CLASSES];
    for (class, scale) in scales.iter_mut().enumerate() {
        let mut least = f64::MAX;
        for n in 0..PARTS.len().pow(3) {
            let parts = [n % 6, n / 6 % 6, n / 36];
            let mut row = Counts::default();
            for o in 0..3 {
                row[class][o] = told[parts[o]][class][o];
            }
            let sum: f64 = row[class].iter().sum();
            let fits = [1, 2].into_iter().all(|o| {
                let (is, was) = (ratio(&row, class, o), ratio(usual, class, o));
                (is / was).ln().abs() < 0.03
            });
            if fits && sum < least && (sum >= LEARNED * seconds || parts == [5; 3]) {
                (*scale, least) = (parts.map(|p| PARTS[p]), sum);
            }
        }
    }
    scales
}

/// What would be told at this scale.
fn told(library: &Library, scale: f64) -> Counts {
    let mut told = Counts::default();
    for step in library.well.lives().chain(library.bad.lives()).flat_map(|l| &l.steps) {
        if let Some((class, o)) = step.trial {
            told[class as usize][o as usize] += (f64::from(step.tries) * scale).max(1.0);
        }
        if let Some(o) = step.delivery {
            told[DELIVERY][o as usize] += (f64::from(step.deliveries) * scale).max(1.0);
        }
    }
    told
}
