//! From the simulator's setup and truth to a run.

use super::Stage;
use crate::pair::Pair;
use pf_sim::setup::Setup;
use pf_sim::truth::Truth;
use pf_sim::world::World;
use std::iter;

impl Stage {
    /// Ready to begin. Nothing is simulated before it is listened to.
    #[must_use]
    pub fn new(setup: Setup, truth: Truth) -> Self {
        let pair = Pair::of(&setup);
        let mut world = World::new(setup);
        Self {
            pair,
            truth,
            heard: Box::new(iter::from_fn(move || world.next())),
        }
    }
}
