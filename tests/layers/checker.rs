//! The checker itself, on text made for it. Called by nobody: tests.

use super::rules::violations;
use super::{CAPTURE_DATA, PROTO, ROOMS, SIM};
use std::collections::BTreeSet;

fn found(name: &str, depth: usize, text: &str, dependencies: &BTreeSet<String>) -> Vec<String> {
    let room = ROOMS.iter().chain([&PROTO, &SIM]).find(|r| r.name == name).unwrap();
    violations(room, &CAPTURE_DATA, depth, dependencies, text)
}

/// A checker that finds nothing proves nothing: every kind of violation, invented.
#[test]
fn every_kind_of_violation_is_found() {
    let table = [
        // room, depth, text, what is found
        ("track", 1, "use crate::detect::Detector;", "uses `detect::Detector`"),
        ("track", 2, "use crate::{time::Timestamp, decide};", "uses `decide`"),
        (
            "track",
            1,
            "fn f(x: &crate::engine::Engine) {}",
            "uses `engine::Engine`",
        ),
        ("track", 1, "use super::cli::Args;", "uses `cli::Args`"),
        ("track", 2, "use super::super::config::Config;", "uses `config::Config`"),
        (
            "track",
            1,
            "use crate::capture::file::open;",
            "uses `capture::file::open`",
        ),
        ("track", 1, "use crate::capture;", "uses `capture`"),
        ("track", 1, "use crate::*;", "uses `*`"),
        ("engine", 1, "use std::fs::File;", "uses std::fs"),
        ("engine", 1, "use std::{fmt, io::{self, Read}};", "uses std::io"),
        ("engine", 1, "fn f() { ::std::thread::spawn(g); }", "uses std::thread"),
        ("engine", 1, "use std::*;", "uses std::*"),
        (
            "decide",
            1,
            "fn f() { let x = std::process::id(); }",
            "uses std::process",
        ),
        (
            "decide",
            1,
            "const V: &str = env!(\"X\"); fn f() { std::env::var(V); }",
            "uses std::env",
        ),
        ("detect", 1, "use std::net::{IpAddr, UdpSocket};", "names UdpSocket"),
        (
            "detect",
            1,
            "use std::net; fn f(a: net::TcpStream) {}",
            "names TcpStream",
        ),
        ("detect", 1, "use std::time::{Duration, Instant};", "names Instant"),
        ("event", 1, "fn f() -> std::time::SystemTime { x }", "names SystemTime"),
        ("detect", 1, "use tracing::info;", "uses the crate `tracing`"),
        ("dissect", 1, "use pcap::Capture;", "uses the crate `pcap`"),
        (
            "settings",
            1,
            "#[derive(serde::Serialize)] struct S;",
            "uses the crate `serde`",
        ),
        ("time", 1, "use tokio::time;", "uses the crate `tokio`"),
        ("track", 1, "fn f() { rand::random() }", "uses the crate `rand`"),
        ("capture", 1, "use crate::cli;", "uses `cli`"),
        ("capture", 1, "use crate::config::Config;", "uses `config::Config`"),
        ("metrics", 1, "use crate::cli::Args;", "uses `cli::Args`"),
        ("main", 0, "fn main() { pfwatch::engine::run() }", "uses `engine::run`"),
        ("proto", 1, "use std::vec::Vec;", "uses std::vec"),
        (
            "proto",
            1,
            "extern crate alloc; use alloc::vec::Vec;",
            "uses alloc::vec",
        ),
        ("proto", 1, "use hashbrown::HashMap;", "uses the crate `hashbrown`"),
        ("detect", 1, "use pf_sim::world::World;", "uses the crate `pf_sim`"),
        ("cli", 1, "use pf_sim::world::World;", "uses the crate `pf_sim`"),
        ("sim", 1, "use std::time::Instant;", "names Instant"),
        ("sim", 2, "fn f() { std::fs::read(p); }", "uses std::fs"),
        ("sim", 1, "use tracing::info;", "uses the crate `tracing`"),
    ];
    let dependencies = ["tracing", "pcap", "serde", "tokio", "rand", "hashbrown", "pf_sim"]
        .map(str::to_owned)
        .into();
    for (name, depth, text, expected) in table {
        let found = found(name, depth, text, &dependencies);
        assert!(
            found.iter().any(|v| v.contains(expected)),
            "{name}: {text}\nfinds {found:?}, not {expected}"
        );
    }
}

#[test]
fn what_is_allowed_is_not_found() {
    let table = [
        (
            "track",
            1,
            "use crate::{capture::{Frame, LinkType}, time::Timestamp}; use crate::track::table::T;",
        ),
        (
            "track",
            2,
            "use super::flow::Flow; pub(crate) fn f() {} pub(in crate::track) fn g() {}",
        ),
        (
            "detect",
            1,
            "use std::net::IpAddr; use std::time::Duration; use crate::track::Observation;",
        ),
        (
            "detect",
            1,
            "// use std::fs;\n/* std::io /* tracing::x */ */ const S: &str = \"std::fs\"; const R: &str = r#\"\"crate::cli\"#;",
        ),
        (
            "detect",
            1,
            "fn f<'a>(x: &'a str) -> char { '\"' } // a quote that opens no string: crate::cli::x",
        ),
        (
            "engine",
            1,
            "#[cfg(test)] mod tests { use std::fs; fn f() { std::thread::yield_now() } } fn f() {}",
        ),
        (
            "engine",
            1,
            "#[cfg(test)]\n#[path = \"x.rs\"]\nmod tests; use crate::decide::Policy;",
        ),
        (
            "main",
            0,
            "fn main() -> std::process::ExitCode { pfwatch::cli::main() }",
        ),
        ("cli", 1, "use crate::{config, engine}; use std::io; use tracing::info;"),
        ("proto", 1, "use core::net::IpAddr; use crate::message::State;"),
        (
            "cli::simulate",
            2,
            "use pf_sim::world::World; use crate::time::Timestamp; use super::clock;",
        ),
        (
            "sim",
            1,
            "use crate::pf::key::Key; use rand::Rng; use std::time::Duration;",
        ),
    ];
    let dependencies = ["tracing", "pf_sim", "rand"].map(str::to_owned).into();
    for (name, depth, text) in table {
        let found = found(name, depth, text, &dependencies);
        assert!(found.is_empty(), "{name}: {text}\nfinds {found:?}");
    }
}
