//! Lives of connections, as the tracker told them.

use pf_sim::traffic::Kind;
use pfwatch::track::flow::{Class, Movement, Outcome};
use rand::RngExt;

/// What is broken for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trouble {
    /// Packets go out of the firewall and nothing comes back: a dead server, a dead outside port, a dead upstream.
    Unanswered,
    /// Packets come in and never go out: a wedged firewall.
    Stuck,
    /// Answers come back and do not reach the client.
    Undelivered,
    /// The client sends nothing any more, and the server does not know.
    Deserted,
}

impl Trouble {
    /// All.
    pub const ALL: [Self; 4] = [Self::Unanswered, Self::Stuck, Self::Undelivered, Self::Deserted];
}

/// One thing that the tracker told of a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Milliseconds after the opening, or after the first step of a tail.
    pub after: u32,
    /// What it proves.
    pub movement: Movement,
    /// What became of a try.
    pub trial: Option<(Class, Outcome)>,
    /// Whether an answer got through.
    pub delivery: Option<Outcome>,
}

/// What became known of one connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Life {
    /// In the order of time.
    pub steps: Vec<Step>,
    /// It went on when the recording ended.
    pub open: bool,
}

/// Lives by kind.
#[derive(Clone, Debug)]
pub struct Shelf(Vec<Vec<Life>>);

impl Default for Shelf {
    fn default() -> Self {
        Self(vec![Vec::new(); Kind::ALL.len()])
    }
}

impl Shelf {
    /// Adds a life.
    pub fn put(&mut self, kind: Kind, life: Life) {
        self.0[kind as usize].push(life);
    }

    /// The lives of a kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> &[Life] {
        &self.0[kind as usize]
    }

    /// Some life of this kind, by its number; `None` where none was ever recorded.
    pub fn draw(&self, kind: Kind, dice: &mut impl rand::Rng) -> Option<u32> {
        let n = self.of(kind).len();
        (n > 0).then(|| u32::try_from(dice.random_range(0..n)).unwrap_or(0))
    }

    /// How many in all.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Everything recorded at one load.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// Of connections with which nothing is wrong.
    pub well: Shelf,
    /// Towards addresses where nobody ever answers, or everything is refused.
    pub bad: Shelf,
    /// Of those opened in each trouble.
    pub fresh: [Shelf; Trouble::ALL.len()],
    /// Of those that were under way when each trouble began: from the first word after it.
    pub tails: [Shelf; Trouble::ALL.len()],
}
