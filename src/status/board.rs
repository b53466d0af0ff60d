//! Where the last snapshot hangs: the daemon's loop puts it up, everybody reads it.
//!
//! Neither side waits for the other: a reader holds the lock for as long as it takes to copy a pointer, and the loop comes
//! again later if it finds the lock held. Times are those of one monotonic clock, whichever the daemon chose.

use super::Status;
use crate::time::Timestamp;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

/// A loop that puts something up five times a second and did not for this long hangs.
pub const STUCK: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub struct Board(Mutex<Post>);

#[derive(Clone, Debug)]
struct Post {
    status: Arc<Status>,
    at: Timestamp,
}

impl Board {
    /// There is always something on it.
    #[must_use]
    pub fn new(status: Status, at: Timestamp) -> Self {
        let status = Arc::new(status);
        Self(Mutex::new(Post { status, at }))
    }

    /// Puts a newer one up, unless somebody holds the board just now: then false, and it is not up.
    pub fn publish(&self, status: Status, at: Timestamp) -> bool {
        let status = Arc::new(status);
        let mut post = match self.0.try_lock() {
            Ok(post) => post,
            Err(TryLockError::Poisoned(e)) => e.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        let old = mem::replace(&mut *post, Post { status, at });
        drop(post);
        // Freed when nobody can wait for that.
        drop(old);
        true
    }

    /// What is up, and how old it is.
    #[must_use]
    pub fn read(&self, now: Timestamp) -> (Arc<Status>, Duration) {
        let post = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (post.status, now.since(post.at))
    }

    /// The same as one document that says so itself.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        let (status, age) = self.read(now);
        Status {
            age: age.as_secs_f64(),
            stuck: age >= STUCK,
            ..(*status).clone()
        }
    }
}
