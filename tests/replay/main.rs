//! The shipped captures of real pairs through the library, from octets to verdict: right, in time, and without the future.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

mod future;
mod pair;
mod verdicts;
