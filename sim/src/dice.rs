//! Seeded dice: one stream for each part of the world, so that a change in one part does not reshuffle the others.

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use std::hash::{BuildHasher, Hasher};

/// The generator everywhere: small, fast, the same numbers on every machine.
pub type Dice = Pcg64Mcg;

/// The dice of one part of the world.
#[must_use]
pub fn stream(seed: u64, part: &str) -> Dice {
    let mut hasher = foldhash::quality::FixedState::with_seed(seed).build_hasher();
    hasher.write(part.as_bytes());
    Dice::seed_from_u64(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn parts_are_independent_and_reproducible() {
        let first = |seed, part| stream(seed, part).next_u64();
        assert_eq!(first(1, "hosts"), first(1, "hosts"));
        assert_ne!(first(1, "hosts"), first(1, "links"));
        assert_ne!(first(1, "hosts"), first(2, "hosts"));
    }
}
