//! pfwatch: does traffic still flow end to end through each firewall of a pf pair?
//!
//! The rooms in the order of the flow: `capture` (octets with times) -> `dissect` (link and IP layers) ->
//! `track` (states and what their movement proves) -> `detect` (health) -> `decide` (roles, decisions). `engine` is
//! the pure core that holds the last four together; everything else is edge.

pub mod capture;
pub mod render;
pub mod settings;
pub mod time;
