//! A daemon that acts: a real blackhole is replayed, the hooks are run, a kill -9 forgets nothing, `undo` takes it back.

use super::cut::{self, shipped};
use super::daemon::Daemon;
use super::namespace::{inside, replay};
use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

const BEFORE: Duration = Duration::from_secs(15);
const AFTER: Duration = Duration::from_secs(10);

/// The shipped pair seen from fw2, which acts by hooks that write what they are told into `told`.
fn configuration(folder: &Path) -> String {
    let pair = fs::read_to_string(shipped("pair.toml")).unwrap();
    let mut text = pair.replace("name = \"fw2\"", "name = \"fw2\"\nself = true");
    text += "[sync]\ninterface = \"sync\"\n";
    for net in ["lan", "wan"] {
        text += &format!("[[segment]]\nname = \"{net}\"\ninterface = \"{net}\"\n");
    }
    let folder = folder.display();
    text += "[[probe]]\nname = \"far\"\nabout = \"self\"\ncommand = [\"true\"]\nevery = \"200ms\"\n";
    text += &format!("[actions]\nledger = \"{folder}/ledger.json\"\n[hooks]\n");
    for action in ["promote", "restore", "notify"] {
        let line = format!(
            "echo {action} $PFWATCH_EVENT $PFWATCH_NAME $PFWATCH_CAUSE $PFWATCH_PREVIOUS_ROLE $PFWATCH_ROLE >>{folder}/told"
        );
        let jam = if action == "restore" {
            format!("; test ! -e {folder}/jam")
        } else {
            String::new()
        };
        text += &format!("{action} = [\"{line}{jam}\"]\n");
    }
    text
}

#[test]
fn a_dead_port_is_acted_on_and_all_of_it_taken_back() {
    if !inside("acting::a_dead_port_is_acted_on_and_all_of_it_taken_back") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("pfwatch.toml");
    fs::write(&config, configuration(folder.path())).unwrap();
    let fault = cut::fault("awan_port_dead");
    let (_, frames) = cut::write("awan_port_dead", fault - BEFORE, fault + AFTER, folder.path());
    let state = folder.path().join("memory.json");
    let ask = |line: &str| {
        let mut command = Command::cargo_bin("pfwatch").unwrap();
        command.args(line.split(' ')).arg("-c").arg(&config);
        command.arg("--socket").arg(state.with_extension("sock"));
        let output = command.output().unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    // The log is written a moment before the snapshot is.
    let until = |what: &dyn Fn(&Value) -> bool| -> Value {
        let mut known = Value::Null;
        for _ in 0..500 {
            known = serde_json::from_str(&ask("status --format json").1).unwrap();
            if what(&known) {
                return known;
            }
        }
        panic!("it never came: {known}");
    };

    let mut daemon = Daemon::start(&config, &state);
    daemon.until("acting: decisions are carried out (hooks)");
    let replayed = thread::spawn(move || replay(&frames));
    daemon.until("promote fw2: fw1 is down");
    daemon.until("promote carried out: hooks");
    let known = until(&|s| !s["ledger"].is_null());
    assert_eq!((&known["role"], &known["acts"]), (&"promoted".into(), &true.into()));
    assert_eq!(known["ledger"][0]["action"], "promote", "{known}");
    assert_eq!(known["actions"][0]["ok"], true, "{known}");
    assert_eq!(known["probes"][0]["state"], "up", "{known}");
    daemon.end("KILL");
    let ledger = folder.path().join("ledger.json");
    let stands = fs::read(&ledger).unwrap();

    let mut next = Daemon::start(&config, &state);
    next.until("this node is promoted by an earlier run");
    next.until("acting: decisions are carried out");
    until(&|s| s["role"] == "promoted");
    // What cannot be taken back is tried again, by itself.
    let jam = folder.path().join("jam");
    fs::write(&jam, "").unwrap();
    let (code, _, err) = ask("undo");
    assert_eq!(code, Some(69));
    assert!(err.contains("restore failed: 1 of 1 changes"), "{err}");
    fs::remove_file(&jam).unwrap();
    next.until("no longer promoted: an action failed, and what is left of it must not stay");
    next.until("restore carried out: everything of ours is taken back");
    until(&|s| s["ledger"].is_null());
    let (code, out, _) = ask("test-hook restore");
    assert!(code == Some(0) && out.contains("restore hooks: ok"), "{out}");
    assert_eq!(next.end("TERM").0, Some(0));
    replayed.join().unwrap();

    // An order that comes together with a new configuration is not forgotten.
    fs::write(&ledger, &stands).unwrap();
    let mut again = Daemon::start(&config, &state);
    again.until("this node is promoted by an earlier run");
    until(&|s| s["role"] == "promoted");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        text.replace("every = \"200ms\"", "every = \"300ms\"") + "[detect]\nmin = \"2s\"\n",
    )
    .unwrap();
    again.signal("HUP");
    let (code, out, err) = ask("undo");
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("everything of ours is taken back"), "{out}");
    again.until("configuration reloaded: nodes, segments, paths or limits changed");
    assert_eq!(again.end("TERM").0, Some(0));

    // Who has nothing to act with any more shows what stands, and takes it back if he is told to.
    fs::write(&ledger, stands).unwrap();
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("promote = [", "#")).unwrap();
    let mut observer = Daemon::start(&config, &state);
    observer.until("observing: nothing will be done");
    let known = until(&|s| !s["ledger"].is_null());
    assert_eq!((&known["role"], &known["acts"]), (&"promoted".into(), &false.into()));
    let next = known["next"].to_string();
    assert!(
        next.contains("stays promoted until `pfwatch undo`: this daemon only observes"),
        "{next}"
    );
    let (code, out, err) = ask("undo");
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("everything of ours is taken back"), "{out}");
    let known = until(&|s| s["ledger"].is_null());
    assert_ne!(known["role"], "promoted");
    assert_eq!(observer.end("TERM").0, Some(0));

    let told = fs::read_to_string(folder.path().join("told")).unwrap();
    let count = |line: &str| told.lines().filter(|l| l.trim() == line).count();
    assert_eq!(
        count("promote promote fw1 blackhole-forward backup promoted"),
        1,
        "{told}"
    );
    // The one that was jammed had two tries.
    assert_eq!(count("restore restore fw2 operator promoted unknown"), 4, "{told}");
    assert_eq!(count("restore restore fw2 failed promoted unknown"), 1, "{told}");
    assert!(told.contains("notify down fw1 blackhole-forward"), "{told}");
    assert_eq!(
        ask("undo").1.trim(),
        "no pfwatch runs, and its ledger holds nothing that is to be taken back"
    );
}
