//! The laboratory: real packets, real CARP, real faults, in network namespaces of one Linux machine.
//!
//! ```text
//!   play (scenarios, turns, results)  ->  bench (a pair that runs)  ->  net (namespaces, faults)
//!                                                  |  starts, inside the namespaces:
//!                                                  +-> traffic (clients, servers, the user), emit (pfsync), pfwatch, ucarp
//! ```
//!
//! Called by `pfwatch-lab` alone. Runs on Linux alone, as root, and sends nothing anywhere but inside its namespaces.

#[cfg(not(target_os = "linux"))]
compile_error!("the laboratory is made of Linux network namespaces; everything else builds without it");

pub mod bench;
pub mod clock;
pub mod emit;
pub mod error;
pub mod net;
pub mod play;
pub mod traffic;
