//! Lives of connections, as the tracker told them, in the few words that the detector listens to.
//!
//! Made by `record`, thinned by `thin`, read by `replay`. Decides nothing.

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

/// What was left out, milliseconds before the step that stayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// The first of it.
    pub from: u32,
    /// The last of it.
    pub to: u32,
    /// Between two of it.
    pub gap: u32,
}

/// One thing that the tracker told of a connection, and how many like it were left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Milliseconds after the opening, or after the first step of a tail.
    pub after: u32,
    /// What it told since the step before and was left out.
    pub left: Option<Left>,
    /// What it proves.
    pub movement: Movement,
    /// What became of a try.
    pub trial: Option<(Class, Outcome)>,
    /// Whether an answer got through.
    pub delivery: Option<Outcome>,
    /// How often the try is told, for those that were left out.
    pub tries: u16,
    /// The same of the delivery.
    pub deliveries: u16,
    /// It is about the other resolver: who gets no answer from one asks the next.
    pub other: bool,
}

impl Step {
    /// A try was answered: that alone is what the detector takes for an answer, whatever moved. What a client acknowledges
    /// is a round trip, too, but says nothing of the way there.
    #[must_use]
    pub fn answers(&self) -> bool {
        matches!(self.trial, Some((_, Outcome::Success)))
    }

    /// How much it proves: nothing, that a try was answered, that an answer arrived.
    #[must_use]
    pub fn proof(&self) -> usize {
        if self.delivery == Some(Outcome::Success) {
            2
        } else {
            usize::from(self.answers())
        }
    }

    /// Says nothing to the detector but that the node is heard.
    #[must_use]
    pub fn plain(&self) -> bool {
        self.trial.is_none() && self.delivery.is_none()
    }

    /// Tells the same, whenever.
    #[must_use]
    pub fn says_what(&self, other: &Self) -> bool {
        (self.movement, self.trial, self.delivery, self.other)
            == (other.movement, other.trial, other.delivery, other.other)
    }
}

/// What became known of one connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Life {
    /// In the order of time.
    pub steps: Vec<Step>,
    /// It went on when the recording ended, so many milliseconds after what its steps count from.
    pub until: Option<u32>,
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

    /// All lives.
    pub fn lives(&self) -> impl Iterator<Item = &Life> {
        self.0.iter().flatten()
    }

    /// All lives, to change them.
    pub fn lives_mut(&mut self) -> impl Iterator<Item = &mut Life> {
        self.0.iter_mut().flatten()
    }
}

/// How finely it is known what is still told as it was.
pub const BIN: u32 = 50;
/// So many steps say how often.
const ENOUGH: f64 = 25.0;
/// Bins of that.
pub const BINS: usize = 30;

/// What is told although a trouble has begun: it had passed the firewall before and waited for a flush.
#[derive(Clone, Debug, Default)]
pub struct Flight {
    /// Told as it was and in all, by time and by [`Step::proof`].
    bins: [[[f64; 2]; BINS]; 3],
}

impl Flight {
    /// A step that would have been told this long after the trouble began was, or was not.
    pub fn note(&mut self, step: &Step, after: u32, told: bool) {
        let [as_it_was, all] = &mut self.bins[step.proof()][bin(after)];
        *all += 1.0;
        *as_it_was += f64::from(u8::from(told));
    }

    /// How often a step that proves so much is told; by as many bins around as it takes to know.
    #[must_use]
    pub fn share(&self, proof: usize, after: u32) -> f64 {
        let bins = &self.bins[proof];
        let i = bin(after);
        let [mut told, mut all] = bins[i];
        // The later, the less a moment matters.
        for by in 1..=i / 3 {
            if all >= ENOUGH {
                break;
            }
            for n in [i.checked_sub(by), Some(i + by)].into_iter().flatten() {
                // What is told late is another matter.
                if let Some(bin) = bins.get(n).filter(|_| (n == BINS - 1) == (i == BINS - 1)) {
                    told += bin[0];
                    all += bin[1];
                }
            }
        }
        if all > 0.0 { told / all } else { 0.0 }
    }
}

/// The last one is for all that is later.
fn bin(after: u32) -> usize {
    usize::try_from(after / BIN).unwrap_or(BINS).min(BINS - 1)
}

/// What a trouble does.
#[derive(Clone, Debug, Default)]
pub struct Broken {
    /// Lives of what was opened meanwhile.
    pub fresh: Shelf,
    /// Of what was under way when it began, from where on it told something else. Empty ones too: much of what is under way
    /// falls silent.
    tails: [[Shelf; 2]; 2],
    /// What was told as it would have been.
    pub flight: Flight,
}

/// How long a connection was under way when it was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// At most two seconds.
    Young,
    /// Longer.
    Old,
}

impl Age {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Young => Self::Old,
            Self::Old => Self::Young,
        }
    }
}

/// What the times of a tail count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// From when it would have told something next.
    Before,
    /// From the last thing that it told as if nothing had happened.
    Told,
}

/// Of which tails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// How old.
    pub age: Age,
    /// Cut where.
    pub since: Since,
}

impl Broken {
    /// Tails of such connections.
    #[must_use]
    pub fn tails(&self, place: Place) -> &Shelf {
        &self.tails[place.age as usize][place.since as usize]
    }

    /// The same, to add to them.
    pub fn tails_mut(&mut self, place: Place) -> &mut Shelf {
        &mut self.tails[place.age as usize][place.since as usize]
    }

    /// Everything.
    pub fn shelves_mut(&mut self) -> impl Iterator<Item = &mut Shelf> {
        std::iter::once(&mut self.fresh).chain(self.tails.iter_mut().flatten())
    }
}

/// What goes on by itself when all clients fall quiet in the middle of things. Servers push, and close what is idle, which
/// is a round trip, too; and frames fill more slowly, so that of two things within a few milliseconds only the last is told.
#[derive(Clone, Debug, Default)]
pub struct Lunch {
    /// Of connections with which nothing is wrong, from then on. Empty ones too: most fall silent.
    pub well: Shelf,
    /// Towards addresses where nobody ever answers: what was sent is sent again, but nobody tries anew.
    pub bad: Shelf,
}

/// Everything recorded at one load.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// Openings a second.
    pub rate: f64,
    /// Frames a second.
    pub frames: f64,
    /// Of connections with which nothing is wrong.
    pub well: Shelf,
    /// Towards addresses where nobody ever answers, or everything is refused.
    pub bad: Shelf,
    /// By [`Trouble`].
    pub broken: [Broken; Trouble::ALL.len()],
    /// While clients are quiet.
    pub lunch: Lunch,
}
