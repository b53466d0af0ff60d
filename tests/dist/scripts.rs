//! Every script can be read by its shell, and shellcheck finds no fault with it. Nothing names a file that is not there.

use crate::{dist, here, ran, read};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// All files below dist/.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all
}

/// Each script with its shell.
fn scripts() -> Vec<(PathBuf, &'static str)> {
    let shell = |path: PathBuf| {
        let first = fs::read_to_string(&path).unwrap();
        match first.lines().next() {
            Some("#!/bin/sh") => Some((path, "sh")),
            Some("#!/bin/ksh") => Some((path, "ksh")),
            _ => None,
        }
    };
    let all: Vec<_> = files(&dist("")).into_iter().filter_map(shell).collect();
    assert_eq!(all.len(), 9, "{all:?}");
    all
}

#[test]
fn every_script_can_be_read() {
    for (path, _) in scripts() {
        // They use nothing that only ksh has.
        let (code, _, err) = ran(Command::new("sh").arg("-n").arg(&path));
        assert_eq!((code, err.as_str()), (Some(0), ""), "{}", path.display());
    }
}

#[test]
fn shellcheck_finds_no_fault() {
    if !here("shellcheck", "shellcheck_finds_no_fault") {
        return;
    }
    for (path, shell) in scripts() {
        let (code, out, _) = ran(Command::new("shellcheck").args(["-s", shell]).arg(&path));
        assert_eq!(code, Some(0), "{out}");
    }
}

#[test]
fn the_table_names_every_file() {
    let table = read("README.md");
    for path in files(&dist("")) {
        let name = path.strip_prefix(dist("")).unwrap().display().to_string();
        assert!(name == "README.md" || table.contains(&format!("]({name})")), "{name}");
    }
    for link in table.split("](").skip(1) {
        let link = link.split(')').next().unwrap();
        assert!(dist(link).exists(), "{link}");
    }
}
