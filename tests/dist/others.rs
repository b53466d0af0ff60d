//! What OPNsense, relayd and keepalived are given: the scripts are run as those would, the commands are asked of a daemon, and
//! keepalived itself reads its file.

use crate::daemon::{Daemon, pair, pfwatch, soon};
use crate::{INSTALLED, Stage, dist, ran, read, say};
use std::fs;
use std::process::Command;

/// A boot as sysctl tells it.
fn boot(at: u64) -> String {
    format!("{{ sec = {at}, usec = 123456 }} Mon Sep 21 14:13:20 2026")
}

#[test]
fn opnsense_is_demoted_by_a_marker_of_this_boot_alone() {
    let stage = Stage::new(&[("sysctl", &format!("echo '{}'", boot(1_790_000_000)))]);
    let marker = stage.path("marker");
    let asked = || {
        let (code, out, err) = ran(stage.sh().arg(dist("opnsense/carp_service_status")).arg(&marker));
        assert_eq!((out.as_str(), err.as_str()), ("", ""));
        code
    };
    assert_eq!(asked(), Some(0), "no marker");
    let table = [
        (boot(1_790_000_000), 1, "this boot"),
        (boot(1_789_999_997), 1, "this boot, and the clock was set"),
        (boot(1_789_990_000), 0, "an earlier boot"),
        (String::new(), 1, "who knows when"),
    ];
    for (text, code, what) in table {
        fs::write(&marker, text).unwrap();
        assert_eq!(asked(), Some(code), "{what}");
    }
    // pfwatch writes and removes the marker that the script looks for.
    assert!(read("opnsense/carp_service_status").contains(&format!(":-{}}}", pfwatch::act::thing::MARKER)));
}

#[test]
fn opnsense_starts_only_what_does_not_run() {
    let hook = dist("opnsense/syshook/start-50-pfwatch");
    let stage = Stage::new(&[]);
    let run = |service: &str| ran(stage.sh().arg(&hook).env("PFWATCH_SERVICE", service)).0;
    assert_eq!(run("/no/such/service"), Some(0));
    for (status, called) in [(0, vec!["status"]), (1, vec!["status", "start"])] {
        let log = stage.path("called");
        let text = format!(
            "#!/bin/sh\necho $1 >>'{}'\n[ $1 = start ] || exit {status}\n",
            log.display()
        );
        let service = stage.script("service", &text);
        assert_eq!(run(service.to_str().unwrap()), Some(0));
        assert_eq!(stage.called(), called);
    }
}

#[test]
fn opnsense_logs_what_was_known_at_a_carp_event() {
    let stage = Stage::new(&[("logger", "")]);
    let binary = pfwatch(&stage);
    let _daemon = Daemon::start(&stage, pair(Some("fw1"), "up"));
    let event = |binary: &str| {
        let mut sh = stage.sh();
        sh.arg(dist("opnsense/syshook/carp-50-pfwatch"))
            .args(["1@em0", "BACKUP"]);
        let (code, out, err) = ran(sh.env("PFWATCH", binary));
        assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "", ""));
        stage.called()
    };
    let begins = "logger -t pfwatch -p daemon.notice CARP 1@em0 is BACKUP; ";
    // `status` may take seconds, on a machine that is busy enough.
    let told = |binary: &str, what: &str| soon(|| event(binary)[0].starts_with(&format!("{begins}{what}")));
    assert!(told(binary.to_str().unwrap(), "fw1 is DOWN: nothing comes back"));
    let silent = stage.script("silent", "#!/bin/sh\n");
    assert!(told(silent.to_str().unwrap(), "pfwatch gives no answer"));
    assert!(event("/no/such/binary").is_empty());
}

#[test]
fn every_action_of_configd_is_one_that_there_is() {
    let text = read("opnsense/actions_pfwatch.conf");
    let mut names = Vec::new();
    for part in text.split("\n[").skip(1) {
        let (name, rest) = part.split_once("]\n").unwrap();
        names.push(name);
        let keys: Vec<(&str, &str)> = rest.lines().filter_map(|l| l.split_once(':')).collect();
        let get = |key: &str| {
            keys.iter()
                .find(|(k, _)| *k == key)
                .unwrap_or_else(|| panic!("{name}: {key}"))
                .1
        };
        assert!(["script", "script_output"].contains(&get("type")), "{name}");
        assert!(!get("message").is_empty() && get("parameters").is_empty(), "{name}");
        match get("command").split_once(' ').unwrap() {
            ("/usr/local/etc/rc.d/pfwatch", action) => {
                let known = ["start", "stop", "restart", "reload", "status", "configtest"];
                assert!(known.contains(&action), "{name}: {action}");
            }
            (INSTALLED, "status --format json") => {}
            other => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(names, ["start", "stop", "restart", "reload", "status", "check", "show"]);
}

#[test]
fn relayd_is_told_above_zero_for_up() {
    let stage = Stage::new(&[]);
    let binary = pfwatch(&stage);
    let script = dist("relayd/check-node");
    let up = |host: &str, binary: &str| {
        let (code, out, _) = ran(stage.sh().arg(&script).arg(host).env("PFWATCH", binary));
        assert_eq!(out, "");
        code.unwrap() > 0
    };
    let binary = binary.to_str().unwrap();
    assert!(up("10.0.0.2", binary), "no daemon");
    let daemon = Daemon::start(&stage, pair(Some("fw1"), "up"));
    for (host, is_up) in [
        ("10.0.0.2", false),
        ("10.0.0.3", true),
        ("fw1", false),
        ("fw2", true),
        ("fw3", true),
    ] {
        let as_said = soon(|| {
            daemon.knows(pair(Some("fw1"), "up"));
            up(host, binary) == is_up
        });
        assert!(as_said, "{host}");
    }
    assert!(up("10.0.0.2", "/no/such/binary"));
    // relayd.conf and the script speak of the same hosts, and of the same place.
    let conf = read("relayd/relayd.conf");
    let table = conf.lines().find(|l| l.starts_with("table <firewalls>")).unwrap();
    for host in ["10.0.0.2", "10.0.0.3"] {
        assert!(
            table.contains(host) && read("relayd/check-node").contains(&format!("\n{host}) node=")),
            "{host}"
        );
    }
    let place = conf.split('"').find(|w| w.starts_with("/usr/local/libexec/")).unwrap();
    assert!(read("relayd/check-node").contains(place), "{place}");
}

#[test]
fn keepalived_is_told_zero_for_well() {
    let stage = Stage::new(&[]);
    let binary = pfwatch(&stage);
    let conf = read("keepalived/keepalived.conf");
    let line = conf
        .lines()
        .find_map(|l| l.trim().strip_prefix("script \""))
        .unwrap()
        .trim_end_matches('"');
    assert!(line.starts_with(INSTALLED), "{line}");
    // keepalived runs it without a shell.
    let words: Vec<&str> = line.split(' ').skip(1).collect();
    let ask = || ran(Command::new(&binary).args(&words)).0;
    assert_eq!(ask(), Some(0), "no daemon");
    let daemon = Daemon::start(&stage, pair(None, "up"));
    assert_eq!(ask(), Some(0));
    assert!(soon(|| {
        daemon.knows(pair(Some("fw1"), "up"));
        ask() == Some(1)
    }));
}

#[test]
fn keepalived_reads_its_file() {
    let test = "keepalived_reads_its_file";
    let stage = Stage::new(&[]);
    let conf = read("keepalived/keepalived.conf");
    // Its user and the binary are those of the gateway, not of this machine.
    let line = conf.lines().find_map(|l| l.trim().strip_prefix("script ")).unwrap();
    let conf = conf
        .replace(line, "\"/bin/true\"")
        .replace("script_user keepalived_script", "script_user root");
    let path = stage.path("keepalived.conf");
    let read_it = |text: &str| {
        fs::write(&path, text).unwrap();
        // A network of its own, with the interface that the file names.
        let line = format!("ip link add eth1 type veth && keepalived -t -f '{}'", path.display());
        ran(Command::new("unshare").args(["--net", "sh", "-c", &line]))
    };
    let able = "keepalived --version && ip link add eth1 type veth";
    let tried = Command::new("unshare").args(["--net", "sh", "-c", able]).output();
    if !tried.is_ok_and(|o| o.status.success()) {
        say(format_args!(
            "{test} is left out: it needs root, unshare, ip and keepalived"
        ));
        return;
    }
    let (code, out, err) = read_it(&conf);
    assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "", ""));
    let (code, _, err) = read_it(&conf.replace("weight", "wieght"));
    assert!(code != Some(0) && err.contains("wieght"), "{err}");
}
