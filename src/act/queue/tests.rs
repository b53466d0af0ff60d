//! The queue with work on paper, and with programs where they hang.

use super::*;
use crate::act::fake::{Fake, done};
use crate::act::run::{Done, End, Job};
use crate::act::stop::{Stopped, pair};
use crate::act::system::System;
use crate::config::model::Command;

const LONG: Duration = Duration::from_secs(120);

fn queue<R: Send + 'static>(make: impl FnOnce(Stopped) -> Box<dyn Run + Send>) -> Queue<R> {
    let (stop, stopped) = pair().unwrap();
    Queue::start(make(stopped), stop).unwrap()
}

fn idle(_: Stopped) -> Box<dyn Run + Send> {
    Box::new(Fake(|_: &Job| done(End::Exit(0), "")))
}

fn say(word: &str) -> Work<String> {
    let word = word.to_owned();
    Box::new(|_| word)
}

/// A piece of work that says when it runs, and ends when it is told to.
fn gate() -> (Work<String>, Receiver<()>, Sender<()>) {
    let (runs, started) = mpsc::channel();
    let (go, told) = mpsc::channel::<()>();
    let work = Box::new(move |_: &mut dyn Run| {
        runs.send(()).unwrap();
        let _ = told.recv();
        "gate".to_owned()
    });
    (work, started, go)
}

fn all(queue: &Queue<String>, n: usize) -> Vec<String> {
    (0..n).map(|_| queue.results().recv_timeout(LONG).unwrap()).collect()
}

#[test]
fn actions_go_first_and_each_kind_in_order() {
    let queue = queue(idle);
    let (work, started, go) = gate();
    queue.tell(work);
    started.recv_timeout(LONG).unwrap();
    for word in ["verdict 1", "verdict 2"] {
        queue.tell(say(word));
    }
    for word in ["promote", "restore"] {
        queue.act(say(word));
    }
    assert_eq!(queue.waiting(), (2, 2));
    assert_eq!(queue.poll(), None);
    go.send(()).unwrap();
    assert_eq!(all(&queue, 5), ["gate", "promote", "restore", "verdict 1", "verdict 2"]);
    assert_eq!((queue.waiting(), queue.dropped()), ((0, 0), 0));
}

#[test]
fn of_too_many_notifications_the_oldest_go_and_no_action() {
    let queue = queue(idle);
    let (work, started, go) = gate();
    queue.act(work);
    started.recv_timeout(LONG).unwrap();
    for i in 0..BACKLOG + 3 {
        queue.tell(say(&format!("verdict {i}")));
        queue.act(say(&format!("action {i}")));
    }
    assert_eq!(queue.waiting(), (BACKLOG + 3, BACKLOG));
    assert_eq!(queue.dropped(), 3);
    go.send(()).unwrap();
    let came = all(&queue, 1 + BACKLOG + 3 + BACKLOG);
    assert_eq!(came[1], "action 0");
    assert_eq!(came[BACKLOG + 4], "verdict 3");
    assert_eq!(came.last().unwrap(), &format!("verdict {}", BACKLOG + 2));
}

#[test]
fn work_gets_somebody_who_runs_programs() {
    let queue = queue::<Done>(|_| Box::new(Fake(|job: &Job| done(End::Exit(0), &job.env[0].1))));
    let job = job("", LONG, "told");
    queue.act(Box::new(move |run| run.run(&job)));
    assert_eq!(queue.results().recv_timeout(LONG).unwrap().output, b"told");
}

fn job(line: &str, timeout: Duration, env: &str) -> Job {
    Job {
        command: Command::Shell(line.into()),
        env: vec![("X".into(), env.into())],
        input: Vec::new(),
        timeout,
    }
}

#[test]
fn a_hook_that_hangs_delays_the_next_by_its_timeout() {
    let queue = queue::<Done>(|stopped| Box::new(System::new(stopped)));
    let hangs = job("while :; do sleep 1000; done", Duration::from_millis(50), "");
    let next = job("echo next", LONG, "");
    queue.act(Box::new(move |run| run.run(&hangs)));
    queue.act(Box::new(move |run| run.run(&next)));
    assert_eq!(queue.results().recv_timeout(LONG).unwrap().end, End::Timeout);
    assert_eq!(queue.results().recv_timeout(LONG).unwrap().output, b"next\n");
}

#[test]
fn dropped_it_stops_what_runs_and_starts_nothing_more() {
    let (runs, started) = mpsc::channel();
    let (over, ended) = mpsc::channel();
    let queue = queue::<()>(move |stopped| {
        Box::new(Fake(move |_: &Job| {
            runs.send(()).unwrap();
            over.send(stopped.wait(LONG)).unwrap();
            done(End::Signal(15), "")
        }))
    });
    for _ in 0..2 {
        let job = job("", LONG, "");
        queue.act(Box::new(move |run| drop(run.run(&job))));
    }
    started.recv_timeout(LONG).unwrap();
    drop(queue);
    assert!(ended.recv_timeout(LONG).unwrap());
    assert!(started.recv_timeout(LONG).is_err(), "it started the next");
}
