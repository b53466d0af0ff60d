//! Carries out what was decided and tells whoever is to be told, strictly one at a time, in a thread of its own.
//!
//! Fed by the main loop, which never waits for it and fetches the results when it likes. Judges nothing and knows nothing
//! of what it carries out: a piece of work is a closure, because what an action takes (preset, hooks, ledger, fence) is
//! made of rooms that would all have to be named here otherwise, and because a test can hand in anything.
//!
//! An action waits for the piece of work that runs, at most for its programs' timeouts. Where even a notification that
//! hangs must not delay it, the notifications get a queue of their own.

#[cfg(test)]
mod tests;

use super::run::Run;
use super::stop::Stop;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// So many notifications may wait; a verdict that is older than so many others is no news.
pub const BACKLOG: usize = 64;
/// What was killed is waited for this long at the end: its grace, and a moment.
const GONE: Duration = Duration::from_secs(2);

/// Something to do with programs; what it returns is the result.
pub type Work<R> = Box<dyn FnOnce(&mut dyn Run) -> R + Send>;

/// The queue. Dropped, it kills what runs and forgets what waits.
pub struct Queue<R> {
    shared: Arc<Shared<R>>,
    results: Receiver<R>,
    stop: Option<Stop>,
}

impl<R> fmt::Debug for Queue<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waits = self.shared.lock();
        f.debug_struct("Queue")
            .field("actions", &waits.actions.len())
            .field("notifications", &waits.notifications.len())
            .field("dropped", &waits.dropped)
            .finish_non_exhaustive()
    }
}

struct Shared<R> {
    waits: Mutex<Waits<R>>,
    news: Condvar,
}

struct Waits<R> {
    actions: VecDeque<Work<R>>,
    notifications: VecDeque<Work<R>>,
    dropped: u64,
    ending: bool,
}

impl<R> Shared<R> {
    /// A work that panics holds no lock: what is behind it is whole.
    fn lock(&self) -> MutexGuard<'_, Waits<R>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next piece of work, when there is one; none at the end.
    fn next(&self) -> Option<Work<R>> {
        let mut waits = self.lock();
        loop {
            if waits.ending {
                return None;
            }
            let Waits {
                actions, notifications, ..
            } = &mut *waits;
            if let Some(work) = actions.pop_front().or_else(|| notifications.pop_front()) {
                return Some(work);
            }
            waits = self.news.wait(waits).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<R: Send + 'static> Queue<R> {
    /// Starts the thread. `stop` is what stops `run`.
    ///
    /// # Errors
    ///
    /// Where the system has no thread left.
    pub fn start(mut run: Box<dyn Run + Send>, stop: Stop) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            waits: Mutex::new(Waits {
                actions: VecDeque::new(),
                notifications: VecDeque::new(),
                dropped: 0,
                ending: false,
            }),
            news: Condvar::new(),
        });
        let (sender, results) = mpsc::channel();
        let worker = Arc::clone(&shared);
        thread::Builder::new()
            .name("act".into())
            .spawn(move || carry_out(&worker, run.as_mut(), &sender))?;
        Ok(Self {
            shared,
            results,
            stop: Some(stop),
        })
    }

    /// To be carried out before all notifications and after the actions before it. Never dropped, and not bounded here:
    /// policy decides so many times an hour and no oftener.
    pub fn act(&self, work: Work<R>) {
        self.shared.lock().actions.push_back(work);
        self.shared.news.notify_one();
    }

    /// To be carried out when no action waits. Of more than `BACKLOG` the oldest is dropped.
    pub fn tell(&self, work: Work<R>) {
        let mut waits = self.shared.lock();
        waits.notifications.push_back(work);
        if waits.notifications.len() > BACKLOG {
            let oldest = waits.notifications.pop_front();
            waits.dropped += 1;
            drop(waits);
            // Outside of the lock, for what it owns is not ours to know.
            drop(oldest);
        }
        self.shared.news.notify_one();
    }

    /// What came of a piece of work, in the order in which they were carried out, if there is news.
    #[must_use]
    pub fn poll(&self) -> Option<R> {
        self.results.try_recv().ok()
    }

    /// Where the results come out, for those who can wait.
    #[must_use]
    pub const fn results(&self) -> &Receiver<R> {
        &self.results
    }

    /// How many notifications were dropped so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.lock().dropped
    }

    /// How many actions and how many notifications wait.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let waits = self.shared.lock();
        (waits.actions.len(), waits.notifications.len())
    }
}

impl<R> Drop for Queue<R> {
    fn drop(&mut self) {
        self.shared.lock().ending = true;
        self.shared.news.notify_one();
        self.stop = None;
        // Until the thread is gone, so that no program outlives us; but not for ever.
        while self.results.recv_timeout(GONE).is_ok() {}
    }
}

/// The thread.
fn carry_out<R>(shared: &Shared<R>, run: &mut dyn Run, results: &Sender<R>) {
    while let Some(work) = shared.next() {
        if results.send(work(run)).is_err() {
            return;
        }
    }
}
