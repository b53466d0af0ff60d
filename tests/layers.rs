//! Holds the arrows between the rooms of the source. The table says who may use what; `layers/` knows how to look.
//!
//! A room is a folder or file directly under src/. Whoever needs a new room or a new arrow changes the table, and says
//! in the commit why the arrow does not turn a later room into a part of an earlier one. Tests inside src/ are free.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the source has failed")]

#[path = "layers/checker.rs"]
mod checker;
#[path = "layers/paths.rs"]
mod paths;
#[path = "layers/rules.rs"]
mod rules;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rules::{Room, violations};

/// What a capture consists of: data that any room may hold. Reading it is another thing.
const CAPTURE_DATA: [&str; 7] = [
    "capture::Frame",
    "capture::Direction",
    "capture::Vlan",
    "capture::LinkType",
    "capture::GapCause",
    "capture::Net",
    "capture::Input",
];

/// Each room: pure or not, the rooms it may use (`room::Item` allows that item alone), the crates it may use.
const ROOMS: &[Room] = &[
    // What everybody speaks of.
    Room::pure("time", &[], &[]),
    Room::pure("settings", &["time", "@capture"], &[]),
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
    // Asked by every face before it concludes anything from what is not there.
    Room::pure("absence", &["time", "settings", "event", "@capture", "engine"], &[]),
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
            "capture::file::Ended",
            "capture::file::FileInfo",
            "capture::file::Step",
            "capture::file::Strays",
            "capture::file::Times",
            "capture::file::Unrecorded",
            "absence",
            "engine",
            "status",
        ],
        &[
            "comfy_table",
            "jiff",
            "pfsync_proto",
            "plotters",
            "ratatui",
            "serde",
            "serde_json",
        ],
    ),
    // The edges: what is done with it. `status` is the snapshot that outsiders read; only `act` spawns.
    // It shows what the policy would do next, and the states that the tracker holds.
    Room::pure(
        "status",
        &[
            "time",
            "settings",
            "event",
            "absence",
            "engine",
            "decide::Outlook",
            "decide::Role",
            "track::Held",
        ],
        &["serde"],
    ),
    Room::edge(
        "config",
        &["time", "settings", "@capture"],
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
        &["nix", "serde", "serde_json", "thiserror", "tracing"],
    ),
    Room::edge(
        "metrics",
        &["time", "settings", "event", "status"],
        &["prometheus", "thiserror"],
    ),
    Room::edge(
        "http",
        &["time", "settings", "event", "status", "config", "metrics"],
        &[
            "axum",
            "base64",
            "bcrypt",
            "hyper",
            "hyper_util",
            "jiff",
            "serde",
            "serde_json",
            "serde_saphyr",
            "thiserror",
            "tokio",
            "tokio_rustls",
            "tracing",
        ],
    ),
    Room::edge("cli", &["*"], &["*", "!pf_sim"]),
    // The one door to the simulator: a watchdog that knows how its captures are made up proves nothing by them.
    Room::edge("cli::simulate", &["*"], &["*"]),
    // The roots declare the rooms and call one.
    Room::edge("lib", &[], &[]),
    Room::edge("main", &["cli"], &[]),
];

/// The wire crate: `core` and two hashes, so that it can go anywhere.
const PROTO: Room = Room::core_only("proto", &["*"], &["hmac", "sha1"]);

/// The simulator: dice with a seed, and the wire crate. It knows neither I/O nor clocks nor the watchdog.
const SIM: Room = Room::pure(
    "sim",
    &["*"],
    &[
        "foldhash",
        "hashbrown",
        "pfsync_proto",
        "rand",
        "rand_distr",
        "libm",
        "rand_pcg",
    ],
);

#[test]
fn the_arrows_hold() {
    let dependencies = dependencies();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (folder, one_room) in [("src", None), ("proto/src", Some(&PROTO)), ("sim/src", Some(&SIM))] {
        for file in rust_files(&root.join(folder)) {
            let inside = file.strip_prefix(root.join(folder)).unwrap();
            let name = room_name(inside);
            let room = one_room.or_else(|| ROOMS.iter().find(|r| r.name == name));
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

/// `src/track/flow.rs` and `src/track.rs` are in the room `track`; a part of a room may have a row of its own.
fn room_name(inside: &Path) -> String {
    let word = |c: std::path::Component<'_>| c.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
    let words: Vec<String> = inside.components().take(2).map(word).collect();
    let part = words.join("::");
    if ROOMS.iter().any(|r| r.name == part) {
        part
    } else {
        words[0].clone()
    }
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
    for file in [
        "Cargo.toml",
        "proto/Cargo.toml",
        "sim/Cargo.toml",
        "scoreboard/Cargo.toml",
    ] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            if let Some(table) = manifest.get(section).and_then(toml::Value::as_table) {
                names.extend(table.keys().map(|k| k.replace('-', "_")));
            }
        }
    }
    // Within the workspace that is the way to a room, not a crate.
    names.remove("pfwatch");
    names
}

#[test]
fn a_part_of_a_room_may_have_its_own_row() {
    let name = |path: &str| room_name(Path::new(path));
    assert_eq!(
        [
            "cli/simulate.rs",
            "cli/simulate/files.rs",
            "cli/mod.rs",
            "cli/analyze.rs"
        ]
        .map(name),
        ["cli::simulate", "cli::simulate", "cli", "cli"]
    );
    assert_eq!(["track/flow.rs", "time.rs"].map(name), ["track", "time"]);
}
