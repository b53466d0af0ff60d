//! Runs the configured probes, each in a thread of its own, and hands over whether they were answered.
//!
//! Started by the main loop, which asks for news on each of its rounds and is never waited for; dropped and made anew
//! when the configuration is. What an answer means is the business of policy.

use super::clock;
use super::run::{Done, Job, Run};
use super::stop::{Stop, Stopped, pair};
use super::system::System;
use crate::config::model::Probe;
use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// All probes are asked for the first time within so long, one after the other rather than all at once.
const SPREAD: Duration = Duration::from_secs(1);
/// No probe is started more often, whatever the configuration says: starting programs is work, too.
const OFTENEST: Duration = Duration::from_millis(100);
/// Those that were killed are waited for this long at the end.
const GONE: Duration = Duration::from_millis(200);

/// What came of one run of a probe.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Which, by its place in the configuration.
    pub probe: usize,
    /// It was answered.
    pub ok: bool,
    /// When it ended: so long ago.
    pub ago: Duration,
    /// How it ended and what it said.
    pub done: Done,
}

/// The probes. Dropped, they stop and what runs is killed.
#[derive(Debug)]
pub struct Probes {
    answers: Receiver<(usize, Instant, Done)>,
    stop: Option<Stop>,
}

impl Probes {
    /// Starts them, by the programs of this host.
    ///
    /// # Errors
    ///
    /// Where the system has no thread or pipe left; then none runs.
    pub fn start(probes: &[Probe]) -> io::Result<Self> {
        // A probe leaves nothing to tidy up, and a reload need not wait for it.
        Self::by(probes, |stopped| Box::new(System::without_grace(stopped)))
    }

    /// Starts them, each by what `make` makes; who runs programs is stopped with the probes.
    ///
    /// # Errors
    ///
    /// As `start`.
    pub fn by(probes: &[Probe], mut make: impl FnMut(Stopped) -> Box<dyn Run + Send>) -> io::Result<Self> {
        let (stop, stopped) = pair()?;
        let (sender, answers) = mpsc::channel();
        let all = Self {
            answers,
            stop: Some(stop),
        };
        for (index, probe) in probes.iter().enumerate() {
            let mut asker = Asker {
                index,
                job: job(probe),
                every: probe.every.max(OFTENEST),
                first: first(index, probes.len(), probe.every),
                run: make(stopped.clone()),
                stopped: stopped.clone(),
                answers: sender.clone(),
            };
            thread::Builder::new()
                .name(format!("probe {index}"))
                .spawn(move || asker.ask())?;
        }
        Ok(all)
    }

    /// The next answer, if there is news. Does not wait.
    #[must_use]
    pub fn poll(&self) -> Option<Answer> {
        self.answers.try_recv().ok().map(answer)
    }

    /// The next answer, within so long.
    #[must_use]
    pub fn wait(&self, length: Duration) -> Option<Answer> {
        self.answers.recv_timeout(length).ok().map(answer)
    }
}

impl Drop for Probes {
    fn drop(&mut self) {
        self.stop = None;
        // Until all threads are gone, so that no program outlives us; but a probe that hangs in the kernel is left to its
        // thread.
        while self.answers.recv_timeout(GONE).is_ok() {}
    }
}

fn answer((probe, at, done): (usize, Instant, Done)) -> Answer {
    Answer {
        probe,
        ok: done.end.ok(),
        ago: clock::now().saturating_duration_since(at),
        done,
    }
}

fn job(probe: &Probe) -> Job {
    Job {
        command: probe.command.clone(),
        env: Vec::new(),
        input: Vec::new(),
        timeout: probe.timeout,
    }
}

/// How long after the start a probe runs for the first time.
fn first(index: usize, count: usize, every: Duration) -> Duration {
    let share = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    every.min(SPREAD) / share(count.max(1)) * share(index)
}

/// When it runs next. From start to start: who is late is not caught up with.
fn next(started: Instant, ended: Instant, every: Duration) -> Instant {
    clock::after(started, every).max(ended)
}

/// One probe, in its thread.
struct Asker {
    index: usize,
    job: Job,
    every: Duration,
    first: Duration,
    run: Box<dyn Run + Send>,
    stopped: Stopped,
    answers: Sender<(usize, Instant, Done)>,
}

impl Asker {
    fn ask(&mut self) {
        let mut start = clock::after(clock::now(), self.first);
        loop {
            let wait = start.saturating_duration_since(clock::now());
            if self.stopped.wait(wait) {
                return;
            }
            let started = clock::now();
            let done = self.run.run(&self.job);
            let ended = clock::now();
            // What was killed with us is no answer.
            if self.stopped.is() || self.answers.send((self.index, ended, done)).is_err() {
                return;
            }
            start = next(started, ended, self.every);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::fake::{Fake, done};
    use crate::act::run::End;
    use crate::config::model::Command;

    const LONG: Duration = Duration::from_secs(120);
    const SECOND: Duration = Duration::from_secs(1);

    fn probe(line: &str, every: Duration, timeout: Duration) -> Probe {
        Probe {
            name: line.into(),
            about: "self".into(),
            command: Command::Shell(line.into()),
            every,
            timeout,
            fall: 3,
            rise: 5,
        }
    }

    #[test]
    fn from_start_to_start_and_no_burst_after_a_late_one() {
        let t = clock::now();
        assert_eq!(next(t, t + SECOND / 10, SECOND), t + SECOND);
        assert_eq!(next(t, t + SECOND * 3, SECOND), t + SECOND * 3);
        // The one after that keeps its distance from the last start, not from the lost ones.
        assert_eq!(next(t + SECOND * 3, t + SECOND * 3, SECOND), t + SECOND * 4);
    }

    #[test]
    fn first_starts_are_spread_and_soon() {
        let starts: Vec<_> = (0..4).map(|i| first(i, 4, SECOND * 60).as_millis()).collect();
        assert_eq!(starts, [0, 250, 500, 750]);
        assert_eq!(first(1, 2, SECOND / 10), SECOND / 20);
        assert_eq!(first(0, 0, SECOND), Duration::ZERO);
    }

    #[test]
    fn each_answers_soon_though_it_is_rarely_asked() {
        let probes = [
            probe("true", LONG * 30, LONG),
            probe("exit 1", LONG * 30, LONG),
            probe("while :; do sleep 1000; done", LONG * 30, Duration::from_millis(20)),
        ];
        let running = Probes::start(&probes).unwrap();
        let mut answers: Vec<_> = (0..3).map(|_| running.wait(LONG).unwrap()).collect();
        answers.sort_by_key(|a| a.probe);
        let ends: Vec<_> = answers.iter().map(|a| (a.probe, a.ok, a.done.end.clone())).collect();
        assert_eq!(
            ends,
            [
                (0, true, End::Exit(0)),
                (1, false, End::Exit(1)),
                (2, false, End::Timeout)
            ]
        );
        assert_eq!(running.poll(), None);
    }

    #[test]
    fn an_answer_gets_older_until_it_is_fetched() {
        let began = clock::now();
        let running = Probes::start(&[probe("true", LONG * 30, LONG)]).unwrap();
        let answer = running.wait(LONG).unwrap();
        assert!(answer.ago <= clock::now() - began);
    }

    #[test]
    fn it_is_asked_again_and_again_but_never_twice_at_once() {
        let (runs, started) = mpsc::channel();
        let (go, told) = mpsc::channel();
        let mut told = Some(told);
        let running = Probes::by(&[probe("", Duration::from_nanos(1), LONG)], |_| {
            let (runs, told) = (runs.clone(), told.take().unwrap());
            Box::new(Fake(move |_: &Job| {
                runs.send(clock::now()).unwrap();
                let _ = told.recv();
                done(End::Exit(0), "")
            }))
        })
        .unwrap();
        let one = started.recv_timeout(LONG).unwrap();
        assert!(started.recv_timeout(OFTENEST * 2).is_err(), "two at once");
        go.send(()).unwrap();
        let two = started.recv_timeout(LONG).unwrap();
        assert!(two - one >= OFTENEST);
        assert_eq!(running.wait(LONG).map(|a| (a.probe, a.ok)), Some((0, true)));
        go.send(()).unwrap();
        started.recv_timeout(LONG).unwrap();
        drop(go);
    }

    #[test]
    fn dropped_they_stop_and_what_runs_is_killed() {
        let (runs, started) = mpsc::channel();
        let (over, ended) = mpsc::channel();
        let probes = [probe("", SECOND, LONG), probe("", SECOND, LONG)];
        let running = Probes::by(&probes, |stopped| {
            let (runs, over) = (runs.clone(), over.clone());
            Box::new(Fake(move |_: &Job| {
                runs.send(()).unwrap();
                over.send(stopped.wait(LONG)).unwrap();
                done(End::Signal(9), "")
            }))
        })
        .unwrap();
        drop((runs, over));
        for _ in &probes {
            started.recv_timeout(LONG).unwrap();
        }
        drop(running);
        assert_eq!(ended.iter().collect::<Vec<_>>(), [true, true]);
        assert_eq!(started.iter().count(), 0);
    }

    #[test]
    fn no_probes_are_no_trouble() {
        let running = Probes::start(&[]).unwrap();
        assert_eq!(running.wait(LONG), None);
    }
}
