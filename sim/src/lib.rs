//! A pair (or more) of pf firewalls, their hosts and their faults, on a virtual clock with seeded dice.
//!
//! ```text
//!   traffic (hosts)  <-- packets -->  world (segments, ports, faults)  <-- packets -->  firewall (pf + pfsync), carp
//!                                       |
//!                                       v  what a watchdog hears: pfsync and CARP frames, answers of probes
//! ```
//!
//! Called by the scoreboard, by `pfwatch simulate` and by tests. The same seed gives the same octets on every machine.
//! Never does I/O, never reads a clock: time is an argument everywhere, counted from the start of the simulation.

pub mod carp;
pub mod dice;
pub mod fault;
pub mod firewall;
pub mod frame;
pub mod heard;
pub mod link;
pub mod observer;
pub mod packet;
pub mod pf;
mod pfsync;
pub mod scenario;
pub mod setup;
pub mod site;
pub mod traffic;
pub mod truth;
pub mod world;

use std::time::Duration;

/// Time since the start of the simulation.
pub type Time = Duration;
