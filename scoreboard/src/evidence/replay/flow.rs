//! Connections from their opening to their last word: each is given a life that fits the mood, and tells it.

use super::super::life::{Since, Trouble};
use super::Replay;
use super::running::{Part, Running, count};
use super::time::{MS, SECOND, slot};
use pf_sim::traffic::Kind;
use pf_sim::traffic::arrivals::Arrival;
use rand::RngExt;

/// So often one that goes on is looked for: of what lives long nearly all do.
const DRAWS: usize = 8;

impl Replay<'_> {
    pub(super) fn open(&mut self, a: &Arrival) {
        self.opened.1 += 1.0;
        if self.mood.quiet(a.client) {
            return;
        }
        let trouble = self.mood.trouble(a.client, a.server);
        let part = match trouble {
            // It does not send, or its packets do not even arrive.
            Some(Trouble::Deserted) => return,
            Some(t) => Part::Fresh(t),
            None if a.server >= self.servers => Part::Bad,
            None => Part::Well,
        };
        let book = &self.books[usize::from(self.level)];
        let Some(word) = book.draw(part, a.kind, &mut self.dice) else {
            return;
        };
        self.wait(Running {
            client: count(a.client),
            server: count(a.server),
            kind: a.kind,
            part,
            word,
            base: slot(a.at),
            level: self.level,
        });
    }

    /// Puts a connection where its next word is due.
    pub(super) fn wait(&mut self, mut run: Running) {
        let next = self.books[usize::from(run.level)].read(run.word);
        let Some(after) = next.map(|w| w.after).or_else(|| self.goes_on(&mut run)) else {
            return;
        };
        let mut due = run.base + after / MS;
        if let Some(period) = self.books[usize::from(run.level)].flush {
            // Two buckets, half a period apart; the wait for the flush is in the recording already.
            let phase = (run.client ^ run.server) % 2 * period / 2;
            due = (due.saturating_sub(period / 2) + phase).div_ceil(period) * period - phase;
        }
        self.wheel.put(due.max(self.slot + 1), run);
    }

    /// A connection that outlived its recording does again what one like it did in the second half of its own, at the pace
    /// of the hour. Says when, as its words do.
    fn goes_on(&mut self, run: &mut Running) -> Option<u32> {
        let mut again = self.books[usize::from(run.level)].again(run.word)?;
        run.base += again.until / MS;
        if run.part == Part::Well && run.level != self.level {
            let now = &self.books[usize::from(self.level)];
            // One that goes on, too: the hour ends no connection. Where none is found soon it keeps its own.
            let drawn = (0..DRAWS).find_map(|_| now.draw_long(Part::Well, run.kind, &mut self.dice));
            if let Some(word) = drawn {
                run.level = self.level;
                again = now.again(word)?;
            }
        }
        let half = again.until / 2;
        // Lives are exponential: as likely to go on as at any time before. Canaries never end.
        let more = match run.kind {
            Kind::Probe => 1.0,
            kind => (-f64::from(half) / 1_000.0 / kind.life().unwrap_or(1.0)).exp(),
        };
        run.base = run.base.saturating_sub(half / MS);
        run.word = again.word;
        let goes_on = again.says && self.dice.random::<f64>() < more;
        let next = self.books[usize::from(run.level)].read(run.word);
        next.filter(|_| goes_on).map(|w| w.after)
    }

    pub(super) fn tell(&mut self, mut run: Running) {
        let (client, server) = (run.client as usize, run.server as usize);
        let trouble = self.mood.trouble(client, server);
        match (run.part, trouble) {
            (Part::Well, None) if self.mood.quiet(client) => {
                // Looks again when it may be over.
                run.base += SECOND;
                return self.wheel.put(self.slot + SECOND, run);
            }
            // Those that refuse are not heard any more either.
            (Part::Bad, Some(_)) => return,
            (Part::Lunch(bad), now) if now.is_some() || !(bad || self.mood.quiet(client)) => return,
            (Part::Fresh(t) | Part::Tail(t, _), now) if now != Some(t) => {
                // Mended (or broken otherwise): the next try gets through. Who was away has forgotten everything.
                if now.is_none() && t != Trouble::Deserted {
                    self.mended(&run);
                }
                if run.kind == Kind::Probe && now.is_none() {
                    self.well_again(run, run.server);
                }
                return;
            }
            _ => {}
        }
        // What came in one frame is told at once.
        let level = usize::from(run.level);
        let mut moment = None;
        while let Some(&word) = self.books[level].read(run.word)
            && *moment.get_or_insert(word.after / MS) == word.after / MS
        {
            if word.other && self.elsewhere(run, trouble) {
                return;
            }
            self.say(&run, &word);
            run.word += 1;
        }
        let (Part::Well, Some(t), Some(moment)) = (run.part, trouble, moment) else {
            return self.wait(run);
        };
        // What was in flight when it broke is told; perhaps the next word is, too.
        let Some((_, next)) = self.books[level].next(run.word) else {
            return;
        };
        let after = (self.slot - self.broke) * MS + next.after.saturating_sub(moment * MS);
        let flight = &self.levels[level].broken[t as usize].flight;
        if self.dice.random::<f64>() < flight.share(next.proof(), after) {
            self.wait(run);
        } else {
            self.turn(run, t, Since::Told, self.slot);
        }
    }

    /// Asks the other resolver; says whether that one answers.
    fn elsewhere(&mut self, run: Running, trouble: Option<Trouble>) -> bool {
        let other = self.other(run.server);
        if self.mood.trouble(run.client as usize, other as usize) == trouble {
            return false;
        }
        self.well_again(run, other);
        true
    }

    pub(super) fn other(&self, server: u32) -> u32 {
        // The resolvers are the second and third of the servers, see `traffic::arrivals`.
        match server {
            1 | 2 if self.servers > 2 => 3 - server,
            _ => server,
        }
    }

    fn well_again(&mut self, run: Running, server: u32) {
        let book = &self.books[usize::from(run.level)];
        if let Some(word) = book.draw(Part::Well, run.kind, &mut self.dice) {
            self.wait(Running {
                server,
                part: Part::Well,
                word,
                base: self.slot,
                ..run
            });
        }
    }
}
