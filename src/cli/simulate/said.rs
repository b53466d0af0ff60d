//! What `pfwatch simulate` says: the list of scenarios, and what was written and what to do with it.

use super::Args;
use super::clock::WallClock;
use super::files::Written;
use crate::cli::Format;
use pf_sim::scenario::{Kind, LoadName, Scenario};
use pf_sim::setup::Setup;
use pf_sim::site::Net;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// The kinds as programs and as people call them, in the order of the list.
const KINDS: [(Kind, &str, &str); 4] = [
    (Kind::Crash, "crash", "The active firewall stops"),
    (
        Kind::Blackhole,
        "blackhole",
        "The active firewall lives, and its traffic disappears",
    ),
    (
        Kind::Degraded,
        "degraded",
        "Something is broken that another node may not mend",
    ),
    (Kind::Fine, "fine", "Every firewall is fine, whatever it looks like"),
];

/// All scenarios.
pub(super) fn list(format: Format) -> String {
    match format {
        Format::Text => list_text(),
        Format::Json => {
            let scenarios: Vec<Value> = all()
                .map(|(s, kind)| json!({"name": s.name, "kind": kind, "what": s.what}))
                .collect();
            let whole = json!({"scenarios": scenarios, "loads": LoadName::ALL.map(LoadName::as_str)});
            format!("{whole}\n")
        }
    }
}

fn all() -> impl Iterator<Item = (&'static Scenario, &'static str)> {
    KINDS.iter().flat_map(|(kind, word, _)| {
        let of_this = Scenario::all().iter().filter(|s| s.kind == *kind);
        of_this.map(|s| (s, *word))
    })
}

fn list_text() -> String {
    let mut text = String::new();
    for (_, word, title) in KINDS {
        let _ = writeln!(text, "{title}:");
        for (s, _) in all().filter(|(_, w)| *w == word) {
            let _ = writeln!(text, "  {:<26} {}", s.name, s.what);
        }
    }
    text
}

/// What was written, and the command that reads it.
pub(super) fn written(args: &Args, scenario: &Scenario, setup: &Setup, clock: &WallClock, written: &Written) -> String {
    let mut command: Vec<String> = ["pfwatch", "analyze"].map(str::to_owned).into();
    for (net, path, _) in &written.captures {
        match net {
            Net::Sync => command.push(path.display().to_string()),
            _ => command.extend(["--segment".into(), format!("{}={}", net.name(), path.display())]),
        }
    }
    if let Some(path) = &written.configuration {
        command.extend(["-c".into(), path.display().to_string()]);
    }
    if args.format == Format::Json {
        let captures: Vec<Value> = written
            .captures
            .iter()
            .map(|(net, path, frames)| json!({"net": net.name(), "path": path, "frames": frames}))
            .collect();
        let (from, to) = (
            clock.at(Duration::ZERO).as_secs_f64(),
            clock.latest(setup.length).as_secs_f64(),
        );
        let whole = json!({
            "scenario": scenario.name,
            "load": args.load.as_str(),
            "seed": args.seed,
            "from": from,
            "to": to,
            "captures": captures,
            "configuration": written.configuration,
            "truth": args.truth,
            "command": command,
        });
        return format!("{whole}\n");
    }
    let mut text = format!("{}: {}.\n", scenario.name, scenario.what);
    for (net, path, frames) in &written.captures {
        let _ = writeln!(text, "  {:<4}  {frames:>8} frames  {}", net.name(), path.display());
    }
    let words: Vec<String> = command.iter().map(|w| quoted(w)).collect();
    let _ = writeln!(text, "What pfwatch makes of it:\n  {}", words.join(" "));
    text
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("lan=a/b.lan.pcap"), "lan=a/b.lan.pcap");
        assert_eq!(quoted("my drill.pcap"), "'my drill.pcap'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
