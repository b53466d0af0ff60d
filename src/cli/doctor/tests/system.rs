//! What the configuration and the host are: no network needed.

use super::super::addresses;
use super::super::configuration;
use super::super::daemon;
use super::super::finding::Outcome::{Problem, Warning};
use super::super::finding::{Finding, ok, printed, problem, warning};
use super::super::host::{self, Interface};
use super::super::{preset, probes, programs};
use super::{PROBES, System, config, faults, one};
use crate::capture::Net;
use crate::capture::live::LiveInput;
use crate::cli::Format;
use crate::control::{Clock, Server};
use crate::status::Status;
use crate::status::board::Board;
use crate::time::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

fn interface(name: &str, addresses: &[&str]) -> Interface {
    Interface {
        name: name.into(),
        up: true,
        connected: true,
        addresses: addresses.iter().map(|a| a.parse::<IpAddr>().unwrap()).collect(),
    }
}

fn fw1() -> Vec<Interface> {
    vec![
        interface("lo0", &["127.0.0.1", "::1", "fe80::1"]),
        interface("em0", &["10.0.0.2", "fe80::2"]),
        interface("em2", &["172.30.0.1"]),
        interface("carp0", &["10.0.0.1"]),
    ]
}

#[test]
fn what_a_configuration_leaves_out() {
    let acts = format!("{PROBES}[actions]\npreset = \"openbsd\"\n");
    assert_eq!(
        faults(&configuration::check(&config(&acts), Vec::new())),
        Vec::<String>::new()
    );
    let of = |more: &str| configuration::check(&config(more), Vec::new());
    one(&of(PROBES), Warning, "it only observes");
    let without = faults(&of("[actions]\npreset = \"openbsd\"\n"));
    assert_eq!(without.len(), 2);
    assert!(
        without[0].contains("wedged while its CARP stays in sync is then reported and not"),
        "{without:?}"
    );
    assert!(without[1].contains("no [[probe]] is about fw2"), "{without:?}");
    let wol = "[fence]\nkind = \"wol\"\nnode = \"fw2\"\nmac = \"02:00:00:00:00:01\"\ninterface = \"em0\"\n";
    one(&of(&format!("{acts}{wol}")), Warning, "switches nothing off");
    one(
        &configuration::check(&config(&acts), vec!["as run says".into()]),
        Warning,
        "as run says",
    );
}

#[test]
fn interfaces_that_are_not_there_down_or_unplugged() {
    let inputs: Vec<LiveInput> = ["em0", "em2"]
        .map(|name| LiveInput {
            interface: name.into(),
            net: Net::Sync,
        })
        .into();
    assert_eq!(host::check(&inputs, &fw1())[0].text, "up: em0 and em2");
    let broken = |change: fn(&mut Vec<Interface>)| {
        let mut all = fw1();
        change(&mut all);
        host::check(&inputs, &all)
    };
    one(&broken(|all| drop(all.remove(2))), Problem, "there is no interface em2");
    one(&broken(|all| all[2].up = false), Problem, "em2 is down");
    one(&broken(|all| all[1].connected = false), Warning, "em0 has no carrier");
}

#[test]
fn addresses_that_are_not_those_of_the_configuration() {
    let config = config("");
    assert_eq!(faults(&addresses::check(&config, &fw1())), Vec::<String>::new());
    let changed = |change: fn(&mut Vec<Interface>)| {
        let mut all = fw1();
        change(&mut all);
        addresses::check(&config, &all)
    };
    one(
        &changed(|all| all[2].addresses[0] = "172.30.0.2".parse().unwrap()),
        Problem,
        "this host has the sync address of fw2, and `self = true` stands at fw1",
    );
    one(
        &changed(|all| drop(all.remove(2))),
        Problem,
        "this host does not have 172.30.0.1",
    );
    one(
        &changed(|all| all[1].addresses = Vec::new()),
        Problem,
        "10.0.0.2 in `local` of fw1 is not on this host",
    );
    one(
        &changed(|all| all[2].name = "em5".into()),
        Warning,
        "the sync address of fw1 is on em5",
    );
    one(&changed(|all| drop(all.pop())), Warning, "no shared address 10.0.0.1");
    one(
        &changed(|all| all.push(interface("em3", &["10.9.0.1"]))),
        Warning,
        "`local` of fw1 does not have 10.9.0.1 (em3)",
    );
    let nobody = |text: &str, from: &str, to: &str| {
        crate::config::Config::parse(&text.replace(from, to)).unwrap_or_else(|e| panic!("{e}"))
    };
    let selfless = nobody(super::PAIR, "self = true\n", "");
    one(
        &addresses::check(&selfless, &fw1()),
        Warning,
        "no node has `self = true`: set it for fw1",
    );
    let unshared = nobody(super::PAIR, "\"10.0.0.3\", \"10.0.0.1\"", "\"10.0.0.3\"");
    one(
        &addresses::check(&unshared, &fw1()),
        Warning,
        "add the shared (CARP) addresses",
    );
}

#[test]
fn probes_once_each() {
    let config = config(PROBES);
    let check = |far, near| probes::check(&config, &mut System(&[("far", far, ""), ("near", near, "")]));
    assert_eq!(faults(&check(0, 0)), Vec::<String>::new());
    one(&check(1, 0), Problem, "internet (about self) fails (exit code 1)");
    one(&check(0, 2), Warning, "fw2 inside (about fw2) fails (exit code 2)");
}

#[test]
fn programs_that_could_not_be_started() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("promote.sh");
    let path = script.display();
    let hooks = config(&format!(
        "[hooks]\npromote = [[\"{path}\", \"now\"]]\nnotify = [[\"sh\", \"-c\", \"true\"], \"true; false\"]\n"
    ));
    let check = || programs::check(&hooks, &mut System(&[]));
    one(&check(), Problem, "there is no such program");
    std::fs::write(&script, "#!/bin/sh\n").unwrap();
    one(&check(), Problem, "it may not be executed; chmod +x it");
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(check(), [ok("hooks", "3 can be started")]);
}

#[test]
fn a_fence_agent_is_asked_for_its_status() {
    let agent = config("[fence]\nkind = \"agent\"\nnode = \"fw2\"\ncommand = [\"sh\"]\n");
    let check = |code| programs::check(&agent, &mut System(&[("sh", code, "")]));
    assert_eq!(check(0), [ok("fence", "`sh` answers that fw2 is on")]);
    one(&check(2), Problem, "answers that fw2 is off");
    one(&check(1), Problem, "status of `sh` failed (exit code 1)");
    let nowhere = config("[fence]\nkind = \"serial-break\"\nnode = \"fw2\"\ndevice = \"/no/such/line\"\n");
    one(
        &programs::check(&nowhere, &mut System(&[])),
        Problem,
        "/no/such/line is no serial line",
    );
}

const PREEMPT: (&str, i32, &str) = ("sysctl -n net.inet.carp.preempt", 0, "1\n");
const DEMOTION: (&str, i32, &str) = ("sysctl -n net.inet.carp.demotion", 0, "0\n");
const CARP: &str =
    "em0: flags=8943 mtu 1500\n\tinet 10.0.0.2 netmask 0xffffff00\n\tcarp: MASTER vhid 1 advbase 1 advskew 20\n";

fn freebsd(commands: &[(&str, i32, &str)], more: &str) -> Vec<Finding> {
    let text = format!("{PROBES}[actions]\npreset = \"freebsd\"\n{more}");
    preset::check(&config(&text), &mut System(commands))
}

#[test]
fn carp_as_the_preset_sees_it() {
    let ifconfig = ("ifconfig", 0, CARP);
    assert_eq!(
        faults(&freebsd(&[ifconfig, PREEMPT, DEMOTION], "")),
        Vec::<String>::new()
    );
    let off = ("sysctl -n net.inet.carp.preempt", 0, "0\n");
    one(&freebsd(&[ifconfig, off, DEMOTION], ""), Warning, "preempt is off");
    let demoted = ("sysctl -n net.inet.carp.demotion", 0, "240\n");
    one(
        &freebsd(&[ifconfig, PREEMPT, demoted], ""),
        Warning,
        "demoted by 240 already",
    );
    one(
        &freebsd(&[ifconfig, PREEMPT, DEMOTION], "demotion = 230\n"),
        Warning,
        "set `demotion` in [actions] to 220 at most",
    );
    let lowest = CARP.replace("advskew 20", "advskew 0");
    let said = faults(&freebsd(&[("ifconfig", 0, &lowest), PREEMPT, DEMOTION], ""));
    assert!(said[0].contains("em0 is master of vhid 1 at advskew 0"), "{said:?}");
    assert!(
        said[1].contains("every vhid of this node has advskew 0 already"),
        "{said:?}"
    );
    let none = faults(&freebsd(&[("ifconfig", 0, ""), PREEMPT, DEMOTION], ""));
    assert!(none.iter().all(|f| f.contains("no carp interface")), "{none:?}");
    one(&freebsd(&[PREEMPT, DEMOTION], ""), Problem, "`ifconfig` failed");
}

#[test]
fn states_that_are_bound_to_interfaces() {
    let rules = |text| freebsd(&[("ifconfig", 0, CARP), PREEMPT, DEMOTION, ("pfctl -sr", 0, text)], "");
    let floating = rules("pass all flags S/SA keep state\n");
    assert!(floating.contains(&ok("state-policy", "states are floating")));
    assert_eq!(faults(&floating), Vec::<String>::new());
    one(
        &rules("pass all flags S/SA keep state (if-bound)\n"),
        Warning,
        "if-bound",
    );
}

#[test]
fn never_two_actors() {
    let ps = ("ps -axo comm=", 0, "init\n/usr/sbin/ifstated\nsh\n");
    one(
        &freebsd(&[("ifconfig", 0, CARP), PREEMPT, DEMOTION, ps], ""),
        Warning,
        "ifstated runs and moves this pair, too",
    );
    let told = config("[actions]\npreset = \"ifstated\"\n");
    assert_eq!(faults(&preset::check(&told, &mut System(&[ps]))), Vec::<String>::new());
    let nobody = ("ps -axo comm=", 0, "init\nnot-ifstated\n");
    one(
        &preset::check(&told, &mut System(&[nobody])),
        Warning,
        "which does not run",
    );
    assert!(
        preset::check(&config(""), &mut System(&[ps])).is_empty(),
        "who only observes is no actor"
    );
}

#[test]
fn the_daemon_and_its_ledger_are_looked_at_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (socket, ledger) = (folder.path().join("sock"), folder.path().join("ledger.json"));
    let text = format!(
        "[actions]\npreset = \"openbsd\"\nledger = \"{}\"\n[control]\nsocket = \"{}\"\n",
        ledger.display(),
        socket.display()
    );
    let check = || daemon::check(&config(&text), &mut System(&[]));
    one(&check(), Warning, "no pfwatch answers");
    assert!(check().contains(&ok("ledger", "there is nothing to take back")));
    let entry = r#"{"version":1,"next":8,"entries":[{"seq":7,"when":1790000000,"role":"promoted","boot":{"time":1780000000},
        "thing":"hook","phase":"done"}]}"#;
    std::fs::write(&ledger, entry).unwrap();
    let said = faults(&check());
    assert!(
        said[1].contains("promoted by pfwatch, with 1 change to take back"),
        "{said:?}"
    );
    std::fs::write(&ledger, "half a fi").unwrap();
    let said = faults(&check());
    assert!(said[1].contains("it is damaged"), "{said:?}");
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, ["ledger.json"], "nothing was put aside, and no lock was left");
}

#[test]
fn a_daemon_that_answers() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("sock");
    let config = config(&format!("[control]\nsocket = \"{}\"\n", socket.display()));
    let clock = Clock::start();
    let asked = |version: &str, at: Timestamp| {
        let status = Status {
            version: version.into(),
            role: "backup".into(),
            ..Status::default()
        };
        let board = Arc::new(Board::new(status, at));
        let (orders, _from) = sync_channel(1);
        let _server = Server::start(&socket, None, board, clock, orders).unwrap();
        daemon::check(&config, &mut System(&[]))
    };
    let this = env!("CARGO_PKG_VERSION");
    assert_eq!(
        asked(this, clock.now()),
        [ok("daemon", "pfwatch runs, and this node is backup")]
    );
    one(&asked("0.0.9", clock.now()), Warning, "start it again after an update");
    one(&asked(this, Timestamp::MIN), Problem, "hangs: look at its log");
}

#[test]
fn findings_are_printed_for_eyes_and_for_programs() {
    let all = [ok("pfsync", "heard"), warning("carp", "hm"), problem("carp", "no")];
    let text = printed(&all, Format::Text);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "ok       pfsync         heard",
            "warning  carp           hm",
            "problem  carp           no",
            "",
            "1 problem, 1 warning"
        ]
    );
    let json: serde_json::Value = serde_json::from_str(&printed(&all, Format::Json)).unwrap();
    assert_eq!(
        (&json["schema"], &json["problems"], &json["warnings"]),
        (&1.into(), &1.into(), &1.into())
    );
    assert_eq!(
        json["checks"][2],
        serde_json::json!({"check": "carp", "outcome": "problem", "text": "no"})
    );
}
