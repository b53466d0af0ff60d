//! All lives of a library, one after the other in the order of reading: a replay reads millions a minute, and most of its
//! time would go into waiting for memory. Pure.

use super::super::life::{Age, Left, Library, Life, Since, Step, Trouble};
use super::super::wheel::Slot;
use super::running::{Part, shelf};
use super::time::{MS, SECOND};
use pf_sim::traffic::Kind;
use pfwatch::track::flow::{Class, Movement, Outcome};
use rand::RngExt;

/// A [`Step`], or what follows on the last one of a life.
#[derive(Clone, Copy)]
pub(super) struct Word {
    /// Milliseconds, as in [`Step`]; behind the last step how long the recording was, or `NEVER` if it ended before.
    pub(super) after: u32,
    pub(super) movement: Movement,
    pub(super) trial: Option<(Class, Outcome)>,
    pub(super) delivery: Option<Outcome>,
    pub(super) tries: u16,
    /// Behind the last step: how many steps there are in the second half.
    pub(super) deliveries: u16,
    pub(super) other: bool,
    end: bool,
}

const NEVER: u32 = u32::MAX;

/// Where a life begins, and whether it goes on after its end.
#[derive(Clone, Copy)]
struct Start {
    word: u32,
    goes_on: bool,
}

/// How a life that outlived its recording goes on.
pub(super) struct Again {
    /// Milliseconds.
    pub(super) until: u32,
    /// The first word of the second half.
    pub(super) word: u32,
    /// Whether it says anything there.
    pub(super) says: bool,
}

/// See the module.
pub(super) struct Book {
    words: Vec<Word>,
    lefts: Vec<Option<Left>>,
    shelves: Vec<Vec<Start>>,
    /// How far apart flushes are, in slots, where that is long enough to matter and things meet in them.
    pub(super) flush: Option<Slot>,
}

impl Book {
    pub(super) fn new(library: &Library) -> Self {
        let mut book = Self {
            words: Vec::new(),
            lefts: Vec::new(),
            shelves: Vec::new(),
            // A bucket whose frames do not fill up is flushed a second after something came in.
            flush: (0.5..6.0).contains(&library.frames).then_some(SECOND),
        };
        for part in Part::all() {
            for kind in Kind::ALL {
                let lives = shelf(library, part).of(kind);
                let starts = lives.iter().map(|life| book.put(life)).collect();
                debug_assert_eq!(book.shelves.len(), place(part, kind));
                book.shelves.push(starts);
            }
        }
        book
    }

    fn put(&mut self, life: &Life) -> Start {
        let word = u32::try_from(self.words.len()).unwrap_or(NEVER);
        for step in &life.steps {
            self.words.push(Word::new(step));
            self.lefts.push(step.left);
        }
        let half = life.until.unwrap_or(0) / 2;
        let late = life.steps.len() - life.steps.partition_point(|s| s.after < half);
        self.words.push(Word {
            after: life.until.unwrap_or(NEVER),
            movement: Movement::Attempt,
            trial: None,
            delivery: None,
            tries: 0,
            deliveries: u16::try_from(late).unwrap_or(u16::MAX),
            other: false,
            end: true,
        });
        self.lefts.push(None);
        Start {
            word,
            goes_on: life.until.is_some(),
        }
    }

    /// The first word of some life; `None` where none was ever recorded.
    pub(super) fn draw(&self, part: Part, kind: Kind, dice: &mut impl rand::Rng) -> Option<u32> {
        Some(self.drawn(part, kind, dice)?.word)
    }

    /// The same of a life that goes on, if that is what comes.
    pub(super) fn draw_long(&self, part: Part, kind: Kind, dice: &mut impl rand::Rng) -> Option<u32> {
        self.drawn(part, kind, dice).filter(|s| s.goes_on).map(|s| s.word)
    }

    fn drawn(&self, part: Part, kind: Kind, dice: &mut impl rand::Rng) -> Option<Start> {
        let starts = &self.shelves[place(part, kind)];
        (!starts.is_empty()).then(|| starts[dice.random_range(0..starts.len())])
    }

    /// What is said here; `None` behind the last step.
    #[inline]
    pub(super) fn read(&self, word: u32) -> Option<&Word> {
        self.words.get(word as usize).filter(|w| !w.end)
    }

    /// Something of a word, to have it at hand.
    #[inline]
    pub(super) fn glance(&self, word: u32) -> u32 {
        self.words.get(word as usize).map_or(0, |w| w.after)
    }

    /// What was left out before it.
    pub(super) fn left(&self, word: u32) -> Option<Left> {
        self.lefts.get(word as usize).copied().flatten()
    }

    /// The next word of a life; if several come at once, the one that proves most.
    pub(super) fn next(&self, from: u32) -> Option<(u32, &Word)> {
        let moment = self.read(from)?.after / MS;
        let words = (from..).map_while(|n| Some((n, self.read(n)?)));
        words
            .take_while(|(_, w)| w.after / MS == moment)
            .max_by_key(|(_, w)| w.proof())
    }

    /// How the life goes on to whose end these words lead; `None` if it does not.
    pub(super) fn again(&self, mut word: u32) -> Option<Again> {
        while self.read(word).is_some() {
            word += 1;
        }
        let end = self.words.get(word as usize).filter(|w| w.after != NEVER)?;
        Some(Again {
            until: end.after,
            word: word - u32::from(end.deliveries),
            says: end.deliveries > 0,
        })
    }
}

impl Word {
    fn new(step: &Step) -> Self {
        Self {
            after: step.after,
            movement: step.movement,
            trial: step.trial,
            delivery: step.delivery,
            tries: step.tries,
            deliveries: step.deliveries,
            other: step.other,
            end: false,
        }
    }

    /// That something is well again.
    pub(super) fn mended(class: Class, tcp: bool) -> Self {
        Self {
            after: 0,
            movement: Movement::EndToEnd,
            trial: Some((class, Outcome::Success)),
            delivery: tcp.then_some(Outcome::Success),
            tries: 1,
            deliveries: 1,
            other: false,
            end: false,
        }
    }

    /// As [`Step::proof`].
    pub(super) fn proof(&self) -> usize {
        if self.delivery == Some(Outcome::Success) {
            2
        } else {
            usize::from(matches!(self.trial, Some((_, Outcome::Success))))
        }
    }

    /// As [`Step::plain`].
    pub(super) fn plain(&self) -> bool {
        self.trial.is_none() && self.delivery.is_none()
    }
}

impl Part {
    fn all() -> impl Iterator<Item = Self> {
        let ages = [Age::Young, Age::Old];
        let since = [Since::Before, Since::Told];
        let tails = move |t| {
            let of = move |age| since.map(|since| Self::Tail(t, super::super::life::Place { age, since }));
            ages.into_iter().flat_map(of)
        };
        [Self::Well, Self::Bad, Self::Lunch(false), Self::Lunch(true)]
            .into_iter()
            .chain(Trouble::ALL.map(Self::Fresh))
            .chain(Trouble::ALL.into_iter().flat_map(tails))
    }

    /// Its number among all.
    fn number(self) -> usize {
        match self {
            Self::Well => 0,
            Self::Bad => 1,
            Self::Lunch(bad) => 2 + usize::from(bad),
            Self::Fresh(t) => 4 + t as usize,
            Self::Tail(t, p) => 4 + Trouble::ALL.len() + 4 * t as usize + 2 * p.age as usize + p.since as usize,
        }
    }
}

fn place(part: Part, kind: Kind) -> usize {
    part.number() * Kind::ALL.len() + kind as usize
}
