//! The control socket: how other programs on this host ask the daemon, and how an operator orders it about.
//!
//! A client connects to a Unix socket, writes one JSON object in one line, reads one back, and that is all (`protocol`).
//! `run` starts the `server`, whose thread answers `status` and `check` from the board alone and never asks the daemon's
//! loop; the commands use the `client`. What changes something is handed to the loop as an [`Order`]. Nothing here ever
//! judges or acts, and no client can make the loop wait.

pub mod client;
mod clock;
mod guest;
pub mod order;
mod peer;
pub mod protocol;
pub mod server;
mod socket;
#[cfg(test)]
mod tests;

pub use clock::{Clock, pause};
pub use order::{Order, Reason};
pub use protocol::{Reply, Request};
pub use server::{Server, ServerError};
