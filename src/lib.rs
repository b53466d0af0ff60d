//! pfwatch: does traffic still flow end to end through each firewall of a pf pair?
//!
//! The rooms in the order of the flow: `capture` (octets with times) -> `dissect` (link and IP layers) ->
//! `track` (states and what their movement proves) -> `detect` (health) -> `decide` (roles, decisions). `engine` is
//! the pure core that holds the last four together; everything else is edge.

pub mod absence;
pub mod act;
pub mod capture;
pub mod cli;
pub mod config;
pub mod control;
pub mod decide;
pub mod detect;
pub mod dissect;
pub mod drive;
pub mod engine;
pub mod event;
pub mod http;
pub mod metrics;
pub mod render;
pub mod report;
pub mod settings;
pub mod status;
pub mod time;
pub mod track;
