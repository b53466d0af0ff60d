//! How somebody who runs programs is told to stop, from another thread, and wakes up for it.
//!
//! Made by the queue and the probes, looked at by `System`. A pipe: when its one end is closed the other wakes whoever
//! waits there, now or later. Nothing is ever written to it.

use super::clock;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

/// Dropping it stops all who hold the other end.
#[derive(Debug)]
pub struct Stop {
    _end: PipeWriter,
}

/// The other end: whether to stop.
#[derive(Clone, Debug)]
pub struct Stopped(Arc<PipeReader>);

/// Both ends.
///
/// # Errors
///
/// Where the system has no pipe left.
pub fn pair() -> io::Result<(Stop, Stopped)> {
    let (reader, writer) = io::pipe()?;
    Ok((Stop { _end: writer }, Stopped(Arc::new(reader))))
}

impl Stopped {
    /// Whether to stop, without waiting.
    #[must_use]
    pub fn is(&self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// Waits for so long; whether to stop.
    #[must_use]
    pub fn wait(&self, length: Duration) -> bool {
        let until = clock::after(clock::now(), length);
        loop {
            let left = until.saturating_duration_since(clock::now());
            let [stop] = ready([Some((self.as_fd(), PollFlags::POLLIN))], left);
            if stop || left.is_zero() {
                return stop;
            }
        }
    }
}

impl AsFd for Stopped {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits until one of them has news, or for so long, or for a signal that came in between; which have news.
pub(super) fn ready<const N: usize>(asked: [Option<(BorrowedFd<'_>, PollFlags)>; N], length: Duration) -> [bool; N] {
    let mut fds: Vec<PollFd<'_>> = asked
        .iter()
        .flatten()
        .map(|(fd, what)| PollFd::new(*fd, *what))
        .collect();
    // Rounded up: a wait that ends too early is followed by many of no length.
    let millis = length.as_nanos().div_ceil(1_000_000);
    let limit = PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX);
    let any = poll(&mut fds, limit).is_ok_and(|n| n > 0);
    let mut answers = fds.iter();
    asked.map(|one| {
        let answer = one.and_then(|_| answers.next());
        any && answer.is_some_and(|fd| fd.any().unwrap_or(true))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn it_wakes_whoever_waits_and_whoever_comes_later() {
        let (stop, stopped) = pair().unwrap();
        assert!(!stopped.is());
        let other = stopped.clone();
        let waiting = thread::spawn(move || other.wait(LONG));
        drop(stop);
        assert!(waiting.join().unwrap());
        assert!(stopped.wait(LONG));
        assert!(stopped.is());
    }

    #[test]
    fn a_wait_ends_by_itself_and_not_early() {
        let (_stop, stopped) = pair().unwrap();
        let began = clock::now();
        assert!(!stopped.wait(Duration::from_micros(5_500)));
        assert!(clock::now() - began >= Duration::from_micros(5_500));
    }

    #[test]
    fn news_belong_to_the_one_that_has_them() {
        let (stop, stopped) = pair().unwrap();
        let (_other, quiet) = pair().unwrap();
        drop(stop);
        let asked = [
            Some((quiet.as_fd(), PollFlags::POLLIN)),
            None,
            Some((stopped.as_fd(), PollFlags::POLLIN)),
        ];
        assert_eq!(ready(asked, LONG), [false, false, true]);
    }
}
