//! The catalogue: what can happen to a pair at night, each with its truth.
//!
//! Called by the scoreboard and by `pfwatch simulate`. A scenario is a [`Setup`] with faults and the [`Truth`] about it;
//! warm-up and length depend on the load, the moment of the fault and the nodes' system on the seed.

mod catalogue;
mod reported;
mod story;
#[cfg(test)]
mod tests;

use crate::setup::Setup;
use crate::truth::Truth;
pub use story::Story;

/// How much happens at the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LoadName {
    /// 500 new connections a second.
    Busy,
    /// 20 a second.
    Office,
    /// 2 a second.
    Branch,
    /// One in ten seconds.
    Night,
    /// One in ten seconds, and three canaries.
    NightCanary,
}

impl LoadName {
    /// All, the busiest first.
    pub const ALL: [Self; 5] = [Self::Busy, Self::Office, Self::Branch, Self::Night, Self::NightCanary];

    /// As the command line calls it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Office => "office",
            Self::Branch => "branch",
            Self::Night => "night",
            Self::NightCanary => "night+canary",
        }
    }

    /// By its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.as_str() == name)
    }
}

/// What kind of scenario it is, for the summary of a scoreboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The active firewall stops: nothing is heard of it any more.
    Crash,
    /// The active firewall lives and its traffic disappears.
    Blackhole,
    /// Something is broken that moving to the other node may or may not help.
    Degraded,
    /// Every node is fine, whatever it looks like.
    Fine,
}

/// One entry of the catalogue.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// As the command line calls it.
    pub name: &'static str,
    /// One line for people.
    pub what: &'static str,
    /// Its kind.
    pub kind: Kind,
    tell: fn(&mut Story),
}

impl Scenario {
    /// All of them.
    #[must_use]
    pub fn all() -> &'static [Self] {
        catalogue::ALL
    }

    /// By its name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|s| s.name == name)
    }

    /// The world to run and the truth about it.
    #[must_use]
    pub fn build(&self, load: LoadName, seed: u64) -> (Setup, Truth) {
        let mut story = Story::new(load, seed);
        (self.tell)(&mut story);
        story.end()
    }
}
