//! All flows of one process, and the one place that waits for them.

use super::flow::{Fate, Flow, Plan};
use crate::clock;
use crate::error::LabError;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Far fewer than a process may have files.
const MOST: usize = 4000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    flows: Vec<Flow>,
}

impl Crowd {
    /// Begins a flow. One that cannot even begin has failed, and so says the answer.
    pub(super) fn open(&mut self, plan: Plan, now: Instant) -> bool {
        let opened = (self.flows.len() < MOST).then(|| Flow::open(plan, now).ok()).flatten();
        opened.map(|flow| self.flows.push(flow)).is_some()
    }

    /// Waits until `until` at the latest, and does what there is to do. `ended` hears when a flow began and whether it
    /// was served.
    pub(super) fn wait(&mut self, until: Instant, mut ended: impl FnMut(Instant, bool)) -> Result<(), LabError> {
        let first = self.flows.iter().map(Flow::deadline).min().unwrap_or(until).min(until);
        let length = first.saturating_duration_since(clock::now()) + Duration::from_micros(999);
        let mut files: Vec<PollFd<'_>> = self.flows.iter().map(|f| PollFd::new(f.as_fd(), interest(f))).collect();
        match poll(&mut files, PollTimeout::try_from(length).unwrap_or(PollTimeout::ZERO)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(e) => return Err(LabError::Poll(e)),
        }
        let ready: Vec<bool> = files.iter().map(|f| f.any().unwrap_or(false)).collect();
        let now = clock::now();
        let mut ready = ready.into_iter();
        self.flows.retain_mut(|flow| {
            let fate = if ready.next().unwrap_or(false) {
                flow.ready(now)
            } else {
                flow.tick(now)
            };
            if fate != Fate::Goes {
                ended(flow.began, fate == Fate::Done);
            }
            fate == Fate::Goes
        });
        Ok(())
    }
}

fn interest(flow: &Flow) -> PollFlags {
    if flow.wants_to_write() {
        PollFlags::POLLOUT
    } else {
        PollFlags::POLLIN
    }
}
