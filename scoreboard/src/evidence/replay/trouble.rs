//! What becomes of connections under way when something breaks, or when their clients fall quiet.

use super::super::life::{Age, Place, Since, Trouble};
use super::super::wheel::Slot;
use super::Replay;
use super::running::{Part, Running};
use super::time::{MS, SECOND};
use rand::RngExt;

/// A connection whose first words are not older than this when a trouble begins is a recent one, see `record`.
const YOUNG: Slot = 2 * SECOND;

impl Replay<'_> {
    /// Something broke: what is under way notices when it would have told something next.
    pub fn breaks(&mut self) {
        let lull = self.mood.lull();
        let begins = lull.is_some() && lull != self.lull;
        self.lull = lull;
        for (due, run) in self.wheel.drain() {
            let (client, server) = (run.client as usize, run.server as usize);
            if begins && self.mood.quiet(client) {
                self.rests(&run);
                // Nobody comes back to what was never answered.
                if run.part == Part::Bad {
                    continue;
                }
            }
            let trouble = self.mood.trouble(client, server).filter(|_| run.part == Part::Well);
            let Some(trouble) = trouble else {
                self.wheel.put(due, run);
                continue;
            };
            let book = &self.books[usize::from(run.level)];
            let next = book.next(run.word);
            // If it talked all the time it would have told something else in a moment.
            let ahead = (due.saturating_sub(self.slot)) * MS;
            let wait = match next.and_then(|(n, _)| book.left(n)) {
                Some(left) if ahead > left.from => ahead - left.from,
                Some(left) if ahead > left.to => ahead.min(self.dice.random_range(0..=left.gap)),
                _ => ahead,
            };
            let from = self.slot + wait / MS;
            let flight = &self.levels[usize::from(run.level)].broken[trouble as usize].flight;
            if next.is_some_and(|(_, w)| self.dice.random::<f64>() < flight.share(w.proof(), wait)) {
                // Told as it was; then it is looked at again.
                self.wheel.put(from, run);
            } else {
                self.turn(run, trouble, Since::Before, from);
            }
        }
        self.broke = self.slot;
    }

    /// The client of a connection falls quiet: its firewall tells what goes on without it.
    fn rests(&mut self, run: &Running) {
        let part = match run.part {
            Part::Well => Part::Lunch(false),
            Part::Bad => Part::Lunch(true),
            _ => return,
        };
        let book = &self.books[usize::from(run.level)];
        if let Some(word) = book.draw(part, run.kind, &mut self.dice) {
            self.wait(Running {
                part,
                word,
                base: self.slot,
                ..*run
            });
        }
    }

    /// From `from` on a connection tells what it tells in trouble.
    pub(super) fn turn(&mut self, run: Running, trouble: Trouble, since: Since, from: Slot) {
        let age = if self.slot.saturating_sub(run.base) > YOUNG {
            Age::Old
        } else {
            Age::Young
        };
        let book = &self.books[usize::from(run.level)];
        let drawn = [age, age.other()].into_iter().find_map(|age| {
            let part = Part::Tail(trouble, Place { age, since });
            Some((book.draw(part, run.kind, &mut self.dice)?, part))
        });
        if let Some((word, part)) = drawn {
            self.wait(Running {
                part,
                word,
                base: from,
                ..run
            });
        }
    }
}
