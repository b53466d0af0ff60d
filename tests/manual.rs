//! The manual pages are complete: every command and flag that the program explains itself, every key of the configuration
//! with its default, and nothing that is no longer there. `mandoc` finds no fault with them, where it is installed.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

use pfwatch::act::hooks::Occasion;
use pfwatch::config::{Config, SECTIONS, parse_duration};
use std::collections::BTreeSet;
use std::io::Write;
use std::process::Command;

const COMMANDS: &str = include_str!("../man/pfwatch.8");
const KEYS: &str = include_str!("../man/pfwatch.toml.5");

/// What the program says of itself, without its last part, which is about every command.
fn help(command: Option<&str>) -> (String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_pfwatch"));
    let output = program.args(command).arg("--help").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (own, common) = text.split_once("With every command:").unwrap();
    // What follows the options is an example.
    (own.to_owned(), common.split("\n\n").next().unwrap().to_owned())
}

fn commands() -> Vec<String> {
    let (own, _) = help(None);
    let list = own.split_once("Commands:\n").unwrap().1.split("\n\n").next().unwrap();
    list.lines()
        .map(|l| l.split_whitespace().next().unwrap().to_owned())
        .collect()
}

/// The long flags that lines of help begin with, each with its short one if there is one.
fn flags(text: &str) -> BTreeSet<(String, Option<char>)> {
    let lines = text.lines().map(str::trim_start).filter(|l| l.starts_with('-'));
    lines
        .map(|line| {
            let long = line.split_once("--").unwrap().1;
            let end = |c: char| !c.is_ascii_alphanumeric() && c != '-';
            let long = long.split(end).next().unwrap().to_owned();
            let short = line.strip_prefix('-').and_then(|l| l.chars().next());
            (long, short.filter(|c| *c != '-'))
        })
        .collect()
}

/// The values that help says are possible.
fn values(text: &str) -> impl Iterator<Item = &str> {
    let lists = text.split("[possible values: ").skip(1);
    lists.flat_map(|list| list.split(']').next().unwrap().split(", "))
}

/// The lines of a page that begin an item, as `.It` has it.
fn items(page: &str) -> impl Iterator<Item = &str> {
    page.lines().filter_map(|l| l.strip_prefix(".It "))
}

/// An item that introduces this flag.
fn introduces(item: &str, long: &str, short: Option<char>) -> bool {
    let words: Vec<&str> = item.split_whitespace().collect();
    let has_long = words.windows(3).any(|w| w == ["Fl", "Fl", long]);
    has_long && short.is_none_or(|s| words.windows(2).any(|w| w == ["Fl", &s.to_string()]))
}

/// The part of the page that is about one command.
fn about(command: &str) -> &'static str {
    let begin = COMMANDS.find(&format!("\n.It Cm {command}"));
    let begin = begin.unwrap_or_else(|| panic!("man/pfwatch.8 does not describe {command}"));
    let rest = &COMMANDS[begin + 1..];
    let mut depth = 0;
    let mut length = 0;
    for line in rest.lines() {
        match line.split(' ').next() {
            Some(".Bl") => depth += 1,
            Some(".El") => depth -= 1,
            Some(".It") if depth == 0 && length > 0 => break,
            _ => {}
        }
        if depth < 0 {
            break;
        }
        length += line.len() + 1;
    }
    &rest[..length]
}

#[test]
fn every_command_and_flag_is_described() {
    let (own, common) = help(None);
    let general = COMMANDS.split_once("Every command understands:").unwrap().1;
    for (long, short) in flags(&own).union(&flags(&common)) {
        let found = items(general).any(|i| introduces(i, long, *short));
        assert!(found, "man/pfwatch.8 has no item for --{long} of every command");
    }
    // One paragraph about those that talk to the daemon is enough for the two flags that they share.
    let shared = COMMANDS.split_once("\nfind the daemon by").unwrap().1;
    let shared = shared.split("\nEvery command understands").next().unwrap();
    let mut known = flags(&own);
    known.extend(flags(&common));
    for command in commands() {
        let synopsis = COMMANDS.split(".Sh DESCRIPTION").next().unwrap();
        let line = format!(".Cm {command}\n");
        assert!(
            synopsis.contains(&line),
            "{command} is missing in the synopsis of man/pfwatch.8"
        );
        let text = about(&command);
        let own = help(Some(&command)).0;
        for value in values(&own) {
            let word = |w: &str| w.trim_matches([',', '.']) == value;
            assert!(
                text.split_whitespace().any(word),
                "man/pfwatch.8 does not say {value} of {command}"
            );
        }
        for (long, short) in flags(&own) {
            let of_all = long == "help";
            let with_daemon = (long == "socket" || long == "config") && command != "run" && command != "analyze";
            let described = if with_daemon {
                shared.contains(&format!("Fl Fl {long} "))
            } else {
                of_all || items(text).any(|i| introduces(i, &long, short))
            };
            assert!(described, "man/pfwatch.8 has no item for {command} --{long}");
            known.insert((long, short));
        }
    }
    // And nothing that is gone, or was never there.
    for word in COMMANDS.split("Fl Fl ").skip(1) {
        let word = word.split_whitespace().next().unwrap();
        assert!(known.iter().any(|(long, _)| long == word), "there is no --{word}");
    }
}

#[test]
fn every_variable_of_hooks_is_described() {
    for (name, _) in Occasion::default().env() {
        assert!(items(COMMANDS).any(|i| i == format!("Ev {name}")), "{name}");
    }
    let told = Occasion::default().env();
    for item in items(COMMANDS).filter_map(|i| i.strip_prefix("Ev ")) {
        assert!(told.iter().any(|(name, _)| name == item), "no hook is told {item}");
    }
}

/// Each key with its text, and the section that it stands in.
fn keys() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut keys = Vec::new();
    for part in KEYS.split("\n.Ss [").skip(1) {
        let part = part.split("\n.Sh ").next().unwrap();
        let section = part.lines().next().unwrap().trim_matches(['[', ']']);
        for item in part.split("\n.It Ic ").skip(1) {
            let (key, text) = item.split_once(" No = ").unwrap();
            keys.push((section, key, text));
        }
    }
    keys
}

#[test]
fn every_key_is_described() {
    let described: Vec<_> = keys().iter().map(|(section, key, _)| (*section, *key)).collect();
    let schema = SECTIONS.iter().flat_map(|s| s.keys.iter().map(|k| (s.name, *k)));
    assert_eq!(
        described,
        schema.collect::<Vec<_>>(),
        "man/pfwatch.toml.5 beside src/config/schema.rs"
    );
    for section in SECTIONS {
        let title = match section.repeated {
            true => format!("\n.Ss [[{}]]\n", section.name),
            false => format!("\n.Ss [{}]\n", section.name),
        };
        assert!(KEYS.contains(&title), "{title}");
    }
}

/// A value as the program writes it and as people do.
fn same(written: &str, said: &str) -> bool {
    let plain = |text: &str| text.trim_matches('"').to_owned();
    let (written, said) = (plain(written), plain(said));
    written == said || matches!((parse_duration(&written), parse_duration(&said)), (Ok(a), Ok(b)) if a == b)
}

#[test]
fn every_key_has_its_default() {
    let printed: toml::Table = Config::default().to_toml().parse().unwrap();
    for (section, key, text) in keys() {
        // Macros become spaces, lines become one.
        let words: Vec<&str> = text.lines().map(|l| l.strip_prefix(".Pa ").unwrap_or(l)).collect();
        let words = words.join(" ");
        let said = words.split_once("Default: ").map(|(_, rest)| rest);
        let Some(said) = said else {
            let without = words.contains("Required.") || words.contains("No default:");
            assert!(without, "[{section}] {key} has no default in man/pfwatch.toml.5");
            continue;
        };
        let Some(value) = printed.get(section).and_then(|s| s.get(key)) else {
            continue;
        };
        let value = value.to_string();
        if value == "[]" {
            assert!(said.starts_with("none"), "[{section}] {key}: {said}");
            continue;
        }
        let end = [". ", " .", "; "].iter().filter_map(|e| said.find(e)).min();
        let said = said[..end.unwrap_or(said.len())].trim_end_matches('.');
        assert!(
            same(&value, said),
            "[{section}] {key} is {value}, and man/pfwatch.toml.5 says {said}"
        );
    }
}

#[test]
fn the_example_is_a_configuration() {
    let example = KEYS.split_once(".Sh EXAMPLES").unwrap().1;
    let example = example.split_once(".Bd -literal").unwrap().1;
    let example = example.split_once('\n').unwrap().1.split("\n.Ed").next().unwrap();
    let config = Config::parse(example).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((config.nodes.len(), config.probes.len()), (2, 1));
}

#[test]
fn mandoc_finds_no_fault() {
    for page in ["man/pfwatch.8", "man/pfwatch.toml.5"] {
        let mut mandoc = Command::new("mandoc");
        mandoc.args(["-T", "lint", "-W", "warning", page]);
        let Ok(output) = mandoc.current_dir(env!("CARGO_MANIFEST_DIR")).output() else {
            // Not captured, so that a test that is left out says so.
            let _ = writeln!(std::io::stderr(), "mandoc_finds_no_fault is left out: it needs mandoc");
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.is_empty(), "{said}");
    }
}
