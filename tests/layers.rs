//! Holds the arrows between the rooms of the source. The table says who may use what; `layers/` knows how to look.
//!
//! A room is a folder or file directly under src/. Whoever needs a new room or a new arrow changes the table, and says
//! in the commit why the arrow does not turn a later room into a part of an earlier one. Tests inside src/ are free.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the source has failed")]

#[path = "layers/paths.rs"]
mod paths;
#[path = "layers/rules.rs"]
mod rules;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rules::{Room, violations};

/// What a capture consists of: data that any room may hold. Reading it is another thing.
const CAPTURE_DATA: [&str; 5] = [
    "capture::Frame",
    "capture::LinkType",
    "capture::GapCause",
    "capture::Net",
    "capture::Input",
];

/// Each room: pure or not, the rooms it may use (`room::Item` allows that item alone), the crates it may use.
const ROOMS: &[Room] = &[
    // What everybody speaks of.
    Room::pure("time", &[], &[]),
    Room::pure("settings", &["time"], &[]),
    Room::pure("event", &["time", "settings", "@capture"], &[]),
    // The flow. Each room sees those before it, never those behind it.
    Room::edge(
        "capture",
        &["time"],
        &["pcap", "nix", "flate2", "ruzstd", "thiserror", "tracing"],
    ),
    Room::pure("dissect", &["time", "@capture"], &["etherparse", "pfsync_proto"]),
    Room::pure(
        "track",
        &["time", "settings", "event", "@capture", "dissect"],
        &["hashbrown", "foldhash", "pfsync_proto"],
    ),
    Room::pure(
        "detect",
        &["time", "settings", "event", "@capture", "dissect", "track"],
        &["hashbrown", "foldhash", "pfsync_proto"],
    ),
    Room::pure(
        "decide",
        &["time", "settings", "event", "@capture", "dissect", "track", "detect"],
        &["hashbrown", "foldhash", "pfsync_proto"],
    ),
    Room::pure(
        "engine",
        &[
            "time", "settings", "event", "@capture", "dissect", "track", "detect", "decide",
        ],
        &["hashbrown", "foldhash", "pfsync_proto"],
    ),
    // What joins a source and the engine, and what is told of an analysis afterwards.
    Room::pure(
        "drive",
        &["@capture", "capture::Source", "capture::SourceError", "engine"],
        &[],
    ),
    // Messages as text and JSON: `decode`.
    Room::edge(
        "render",
        &["time", "event", "@capture", "dissect"],
        &["jiff", "pfsync_proto", "serde", "serde_json"],
    ),
    Room::edge(
        "report",
        &[
            "time",
            "settings",
            "event",
            "@capture",
            "capture::file::FileInfo",
            "engine",
            "status",
        ],
        &["comfy_table", "jiff", "pfsync_proto", "plotters", "serde", "serde_json"],
    ),
    // Frames as text and JSON: a function of the frame, for `decode`.
    Room::pure("render", &["time", "@capture", "dissect"], &["jiff", "pfsync_proto"]),
    // The edges: what is done with it. `status` is the snapshot that outsiders read; only `act` spawns.
    Room::pure("status", &["time", "settings", "event", "engine"], &["serde"]),
    Room::edge(
        "config",
        &["time", "settings"],
        &["serde", "strsim", "thiserror", "toml"],
    ),
    Room::edge(
        "act",
        &["time", "settings", "event", "status", "config"],
        &["nix", "rustix", "serde", "serde_json", "thiserror", "tokio", "tracing"],
    ),
    Room::edge(
        "control",
        &["time", "settings", "event", "status", "config"],
        &["serde", "serde_json", "thiserror", "tokio", "tracing"],
    ),
    Room::edge("metrics", &["time", "settings", "event", "status"], &["prometheus"]),
    Room::edge(
        "http",
        &["time", "settings", "event", "status", "config", "metrics"],
        &["axum", "jiff", "serde", "serde_json", "thiserror", "tokio", "tracing"],
    ),
    Room::edge("cli", &["*"], &["*"]),
    // The roots declare the rooms and call one.
    Room::edge("lib", &[], &[]),
    Room::edge("main", &["cli"], &[]),
];

/// The wire crate: `core` and two hashes, so that it can go anywhere.
const PROTO: Room = Room::core_only("proto", &["*"], &["hmac", "sha1"]);

#[test]
fn the_arrows_hold() {
    let dependencies = dependencies();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (folder, is_proto) in [("src", false), ("proto/src", true)] {
        for file in rust_files(&root.join(folder)) {
            let inside = file.strip_prefix(root.join(folder)).unwrap();
            let name = room_name(inside);
            let room = if is_proto {
                Some(&PROTO)
            } else {
                ROOMS.iter().find(|r| r.name == name)
            };
            let Some(room) = room else {
                wrong.push(format!(
                    "{}: no room `{name}` in the table of tests/layers.rs",
                    inside.display()
                ));
                continue;
            };
            let text = fs::read_to_string(&file).unwrap();
            seen += 1;
            for violation in violations(room, &CAPTURE_DATA, depth(inside), &dependencies, &text) {
                wrong.push(format!("{folder}/{}: {violation}", inside.display()));
            }
        }
    }
    assert!(seen > 10, "only {seen} files found: looking in the wrong place");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_wire_crate_has_no_std() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("proto/src/lib.rs")).unwrap();
    assert!(lib.contains("#![no_std]"), "proto/src/lib.rs must say #![no_std]");
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
    ];
    let dependencies = ["tracing", "pcap", "serde", "tokio", "rand", "hashbrown"]
        .map(str::to_owned)
        .into();
    for (name, depth, text, expected) in table {
        let room = ROOMS.iter().chain([&PROTO]).find(|r| r.name == name).unwrap();
        let found = violations(room, &CAPTURE_DATA, depth, &dependencies, text);
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
    ];
    let dependencies = ["tracing".to_owned()].into();
    for (name, depth, text) in table {
        let room = ROOMS.iter().chain([&PROTO]).find(|r| r.name == name).unwrap();
        let found = violations(room, &CAPTURE_DATA, depth, &dependencies, text);
        assert!(found.is_empty(), "{name}: {text}\nfinds {found:?}");
    }
}

/// `src/track/flow.rs` and `src/track.rs` are in the room `track`.
fn room_name(inside: &Path) -> String {
    let first = inside.components().next().unwrap();
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// How many `super` lead from this file to the root of the crate.
fn depth(inside: &Path) -> usize {
    let parts = inside.components().count();
    match inside.file_name().and_then(|n| n.to_str()) {
        Some("lib.rs" | "main.rs") if parts == 1 => 0,
        Some("mod.rs") => parts - 1,
        _ => parts,
    }
}

/// All source files but those of tests.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Names of all crates that this workspace depends on, as they stand in paths.
fn dependencies() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in ["Cargo.toml", "proto/Cargo.toml"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            if let Some(table) = manifest.get(section).and_then(toml::Value::as_table) {
                names.extend(table.keys().map(|k| k.replace('-', "_")));
            }
        }
    }
    names
}
