//! Lives as they were told, before they are thinned and put on their shelves. Pure.

use super::super::life::{Library, Life, Place, Step, Trouble};
use super::super::thin::{self, Keep, thin};
use super::Plan;
use pf_sim::dice;
use pf_sim::traffic::Kind;

/// A life that is not thinned yet; times are milliseconds.
pub(super) struct Raw {
    pub(super) kind: Kind,
    pub(super) from: u64,
    pub(super) until: Option<u64>,
    pub(super) steps: Vec<(u64, Step)>,
}

#[derive(Default)]
pub(super) struct Draft {
    pub(super) well: Vec<Raw>,
    pub(super) bad: Vec<Raw>,
    pub(super) fresh: [Vec<Raw>; Trouble::ALL.len()],
    pub(super) tails: [Vec<(Place, Raw)>; Trouble::ALL.len()],
    /// Well, bad.
    pub(super) lunch: [Vec<Raw>; 2],
    pub(super) library: Library,
    pub(super) frames: u64,
}

impl Draft {
    #[expect(clippy::cast_precision_loss, reason = "numbers of frames")]
    pub(super) fn library(self, rate: f64, plan: Plan, seed: u64) -> Library {
        let Self {
            well,
            bad,
            fresh,
            tails,
            lunch,
            mut library,
            frames,
        } = self;
        library.rate = rate;
        library.frames = frames as f64 / ((plan.cut + plan.rest).as_secs_f64() * plan.runs as f64);
        // Before anything is left out, each try is told once.
        let usual = thin::counts(
            [&well, &bad]
                .into_iter()
                .flatten()
                .map(|raw| Life {
                    steps: raw.steps.iter().map(|s| s.1).collect(),
                    until: None,
                })
                .collect::<Vec<_>>()
                .iter(),
        );
        let keep = Keep::of(rate, library.frames);
        let dice = &mut dice::stream(seed, "thin");
        let mut life = |r: &Raw| r.life(thin(&r.steps, keep, &usual, dice));
        for (shelf, raw) in [(&mut library.well, well), (&mut library.bad, bad)] {
            raw.iter().for_each(|r| shelf.put(r.kind, life(r)));
        }
        for ((broken, fresh), tails) in library.broken.iter_mut().zip(fresh).zip(tails) {
            fresh.iter().for_each(|r| broken.fresh.put(r.kind, life(r)));
            for (place, r) in &tails {
                broken.tails_mut(*place).put(r.kind, life(r));
            }
        }
        for (shelf, raw) in [&mut library.lunch.well, &mut library.lunch.bad].into_iter().zip(lunch) {
            raw.iter().for_each(|r| shelf.put(r.kind, life(r)));
        }
        thin::balance(&mut library, &usual, dice);
        library
    }
}

impl Raw {
    fn life(&self, steps: Vec<(u64, Step)>) -> Life {
        let from = |(at, step): (u64, Step)| Step {
            after: u32::try_from(at.saturating_sub(self.from)).unwrap_or(u32::MAX),
            ..step
        };
        Life {
            steps: steps.into_iter().map(from).collect(),
            until: self.until.map(|t| u32::try_from(t - self.from).unwrap_or(u32::MAX)),
        }
    }
}
