//! From the simulator's catalogue to a run.

use super::{Job, Stage};
use crate::pair::Pair;
use crate::run::Ear;
use pf_sim::scenario::{LoadName, Scenario};
use pf_sim::setup::Setup;
use pf_sim::truth::Truth;
use pf_sim::world::World;
use std::iter;

impl Stage {
    /// Ready to begin. Nothing is simulated before it is listened to.
    #[must_use]
    pub fn new(setup: Setup, truth: Truth) -> Self {
        let pair = Pair::of(&setup);
        let site = setup.mix.special();
        let mirror = Setup { vantage: None, ..setup };
        let mut world = World::new(mirror);
        let mut ears = vec![Ear::Mirror];
        for node in 0..pair.nodes() {
            world.listen(Some(node));
            ears.push(Ear::Beside(node));
        }
        let next = move || {
            let (ear, heard) = world.next_of_all()?;
            Some((*ears.get(ear)?, heard))
        };
        Self {
            site,
            pair,
            truth,
            heard: Box::new(iter::from_fn(next)),
        }
    }

    /// A run of the catalogue; none if it knows no such scenario or load.
    #[must_use]
    pub fn of(job: &Job) -> Option<Self> {
        let (setup, truth) = Scenario::find(&job.scenario)?.build(LoadName::parse(&job.load)?, job.seed);
        Some(Self::new(setup, truth))
    }
}
