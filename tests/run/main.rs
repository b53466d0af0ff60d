//! `pfwatch run`, the real binary: what it refuses, and that it says live what `analyze` says of the same frames. And
//! `pfwatch doctor`, which listens to the same.
//!
//! The live tests need root, iproute2 and unshare, and say so where they are left out. Each brings a network
//! namespace of its own, which disappears with it; nothing is sent anywhere else.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

mod refusals;

#[cfg(target_os = "linux")]
mod acting;
#[cfg(target_os = "linux")]
mod cut;
#[cfg(target_os = "linux")]
mod daemon;
#[cfg(target_os = "linux")]
mod doctor;
#[cfg(target_os = "linux")]
mod live;
#[cfg(target_os = "linux")]
mod namespace;
