//! Holds docs/dependencies.md complete: every dependency has its line, and no line outlives its dependency.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The names of all direct dependencies: normal, build and dev, of all crates, and those of one target alone.
fn named_in(table: &toml::Table) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (key, value) in table {
        let Some(inner) = value.as_table() else { continue };
        match key.as_str() {
            "dependencies" | "dev-dependencies" | "build-dependencies" => names.extend(inner.keys().cloned()),
            "target" => names.extend(inner.values().filter_map(|t| t.as_table()).flat_map(named_in)),
            _ => {}
        }
    }
    names
}

#[test]
fn every_dependency_is_argued() {
    let mut used = BTreeSet::new();
    for file in [
        "Cargo.toml",
        "proto/Cargo.toml",
        "sim/Cargo.toml",
        "scoreboard/Cargo.toml",
        "lab/Cargo.toml",
    ] {
        let table: toml::Table = read(file).parse().unwrap_or_else(|e| panic!("{file}: {e}"));
        used.extend(named_in(&table));
    }
    let text = read("docs/dependencies.md");
    let rows = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let argued: BTreeSet<String> = rows.map(|(name, _)| name.to_owned()).collect();
    let missing: Vec<_> = used.difference(&argued).collect();
    let left_over: Vec<_> = argued.difference(&used).collect();
    assert!(missing.is_empty(), "docs/dependencies.md has no line for {missing:?}");
    assert!(
        left_over.is_empty(),
        "docs/dependencies.md argues for {left_over:?}, which nothing uses"
    );
}

#[test]
fn every_argued_licence_is_one_that_we_take() {
    let taken = [
        "MIT",
        "Apache-2.0",
        "ISC",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "Zlib",
        "Unlicense",
        "0BSD",
        "MPL-2.0",
    ];
    for line in read("docs/dependencies.md").lines().filter(|l| l.starts_with("| `")) {
        let licence = line.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let known = licence.split(" OR ").any(|one| taken.contains(&one.trim()));
        assert!(known, "{line}");
    }
}
