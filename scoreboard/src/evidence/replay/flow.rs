//! Connections from their opening to their last word: each is given a life that fits the mood, and tells it.

use super::super::life::{Life, Since, Trouble};
use super::Replay;
use super::running::{Part, Running, count, next, shelf};
use super::time::{MS, SECOND, slot};
use pf_sim::traffic::Kind;
use pf_sim::traffic::arrivals::Arrival;
use rand::RngExt;

/// So often one that goes on is looked for: of what lives long nearly all do.
const DRAWS: usize = 8;

impl<'l> Replay<'l> {
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
        let levels = self.levels;
        let Some(life) = shelf(levels, self.level, part).draw(a.kind, &mut self.dice) else {
            return;
        };
        self.wait(Running {
            client: count(a.client),
            server: count(a.server),
            kind: a.kind,
            part,
            life,
            step: 0,
            base: slot(a.at),
            level: self.level,
        });
    }

    pub(super) fn life(&self, run: &Running) -> &'l Life {
        &shelf(self.levels, run.level, run.part).of(run.kind)[run.life as usize]
    }

    /// Puts a connection where its next step is due.
    pub(super) fn wait(&mut self, mut run: Running) {
        if run.step as usize >= self.life(&run).steps.len() && !self.goes_on(&mut run) {
            return;
        }
        let life = self.life(&run);
        let mut due = run.base + life.steps[run.step as usize].after / MS;
        if let Some(period) = self.levels[usize::from(run.level)].flush() {
            // Two buckets, half a period apart; the wait for the flush is in the recording already.
            let phase = (run.client ^ run.server) % 2 * period / 2;
            due = (due.saturating_sub(period / 2) + phase).div_ceil(period) * period - phase;
        }
        self.wheel.put(due.max(self.slot + 1), run);
    }

    /// A connection that outlived its recording does again what one like it did in the second half of its own, at the pace
    /// of the hour.
    fn goes_on(&mut self, run: &mut Running) -> bool {
        let Some(until) = self.life(run).until else {
            return false;
        };
        run.base += until / MS;
        if run.part == Part::Well && run.level != self.level {
            let now = &self.levels[usize::from(self.level)].well;
            // One that goes on, too: the hour ends no connection. Where none is found soon it keeps its own.
            let mut draw = || now.draw(run.kind, &mut self.dice);
            let drawn = (0..DRAWS).find_map(|_| draw().filter(|n| now.of(run.kind)[*n as usize].until.is_some()));
            if let Some(life) = drawn {
                (run.level, run.life) = (self.level, life);
            }
        }
        let life = self.life(run);
        let Some(until) = life.until else { return false };
        let half = until / 2;
        let step = life.steps.partition_point(|s| s.after < half);
        // Lives are exponential: as likely to go on as at any time before. Canaries never end.
        let more = match run.kind {
            Kind::Probe => 1.0,
            kind => (-f64::from(half) / 1_000.0 / kind.life().unwrap_or(1.0)).exp(),
        };
        run.base = run.base.saturating_sub(half / MS);
        run.step = count(step);
        step < life.steps.len() && self.dice.random::<f64>() < more
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
        let life = self.life(&run);
        // What came in one frame is told at once.
        let moment = life.steps[run.step as usize].after / MS;
        while let Some(step) = life.steps.get(run.step as usize)
            && step.after / MS == moment
        {
            if step.other && self.elsewhere(run, trouble) {
                return;
            }
            self.say(&run, step);
            run.step += 1;
        }
        match (run.part, trouble) {
            // What was in flight when it broke is told; perhaps the next word is, too.
            (Part::Well, Some(t)) => {
                let Some(next) = next(life, run.step) else { return };
                let after = (self.slot - self.broke) * MS + next.after.saturating_sub(moment * MS);
                let flight = &self.levels[usize::from(run.level)].broken[t as usize].flight;
                if self.dice.random::<f64>() < flight.share(next, after) {
                    self.wait(run);
                } else {
                    self.turn(run, t, Since::Told, self.slot);
                }
            }
            _ => self.wait(run),
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
        let levels = self.levels;
        if let Some(life) = shelf(levels, run.level, Part::Well).draw(run.kind, &mut self.dice) {
            self.wait(Running {
                server,
                part: Part::Well,
                life,
                step: 0,
                base: self.slot,
                ..run
            });
        }
    }
}
