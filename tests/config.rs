//! The configuration as operators meet it: the shipped sample, every kind of mistake, and printing it back.

use std::time::Duration;

use pfwatch::config::{Command, Config, Fence, FenceKind, LoadError, Preset, SECTIONS, read_password};
use pfwatch::settings::About;
use proptest::prelude::*;

const SAMPLE: &str = include_str!("../dist/pfwatch.toml");

/// The sample with everything that is switched off in it switched on.
fn sample_all_on() -> String {
    let switched_off =
        |line: &&str| line.starts_with('#') && line[1..].starts_with(|c: char| c == '[' || c.is_ascii_lowercase());
    SAMPLE
        .lines()
        .map(|l| if switched_off(&l) { &l[1..] } else { l })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_shipped_sample_is_right() {
    let config = Config::parse(SAMPLE).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(config.nodes.len(), 2);
    assert_eq!(config.self_node().map(|n| n.name.as_str()), Some("fw1"));
    assert_eq!(config.sync.interfaces, ["em2"]);
    // What is written out in it is the default.
    let defaults = Config::default();
    assert_eq!(config.detect, defaults.detect);
    assert_eq!(config.actions, defaults.actions);
    assert_eq!(config.web, defaults.web);
    assert_eq!(config.control, defaults.control);
}

#[test]
fn the_shipped_sample_is_right_with_everything_switched_on() {
    let config = Config::parse(&sample_all_on()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(config.actions.preset, Some(Preset::Openbsd));
    let fence = config.fence.expect("fence");
    assert_eq!((fence.kind, fence.node.as_str()), (FenceKind::Agent, "fw2"));
    // What it shows switched off are the defaults too, apart from the commands.
    let hooks = pfwatch::config::Hooks::default();
    assert_eq!(
        (config.hooks.on_failure, config.hooks.timeout, config.hooks.retries),
        (hooks.on_failure, hooks.timeout, hooks.retries)
    );
    let sync = pfwatch::config::Sync {
        interfaces: vec!["em2".into()],
        ..Default::default()
    };
    assert_eq!(config.sync, sync);
    assert_eq!(config.hooks.notify.len(), 2);
    assert_eq!(
        config.hooks.promote,
        [Command::Argv(vec!["/etc/pfwatch/promote.sh".to_owned()])]
    );
}

#[test]
fn mirrors_are_listened_to_only_on_request() {
    let mirrored = |text: &str| Config::parse(text).unwrap().sync.mirrored;
    assert!(!mirrored("[sync]\ninterface = \"em2\""));
    assert!(mirrored("[sync]\nmirrored = true"));
    let printed = Config::parse("[sync]\nmirrored = true").unwrap().to_toml();
    assert!(mirrored(&printed), "{printed}");
}

#[test]
fn every_key_is_documented_in_the_sample() {
    let mut section = "";
    let mut found = Vec::new();
    for line in SAMPLE.lines() {
        let line = line.trim_start_matches('#').trim_start();
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_start_matches('[').split(']').next().unwrap_or_default();
        } else if let Some((key, _)) = line.split_once(" = ") {
            found.push((section, key));
        }
    }
    for section in SECTIONS {
        for key in section.keys {
            assert!(
                found.contains(&(section.name, key)),
                "dist/pfwatch.toml does not show `{key}` in [{}]",
                section.name
            );
        }
    }
}

/// A pair that is right, to which one mistake is added. 9 lines; what follows starts at line 10.
const PAIR: &str = r#"[[node]]
name = "fw1"
address = "172.30.0.1"
self = true
local = ["10.0.0.2"]
[[node]]
name = "fw2"
address = ["172.30.0.2"]
local = ["10.0.0.3"]
"#;

#[test]
fn a_pair_by_itself_is_right() {
    Config::parse(PAIR).unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn mistakes_of_a_value_name_line_key_and_remedy() {
    let table = [
        (
            "[detect]\nrisk = 1",
            r#"line 2: [detect] risk: is a number; write a rate such as "1 per 10y""#,
        ),
        (
            "[detect]\nrisk = \"0 per 10y\"",
            "line 2: [detect] risk: `0` must be above zero",
        ),
        (
            "[detect]\n\nmin = 1",
            r#"line 3: [detect] min: is a number; write a duration with its unit in quotes"#,
        ),
        ("[detect]\nmin = \"1\"", "line 2: [detect] min: `1` has no unit"),
        (
            "[detect]\nmin = \"2m\"\nmax = \"60s\"",
            "line 2: [detect] min: min (2m) is longer than max (1m)",
        ),
        (
            "[detect]\nmax = \"500ms\"",
            "line 2: [detect] max: min (1s) is longer than max (500ms)",
        ),
        (
            "[detect]\nmax = true",
            "line 2: [detect] max: is true or false; write a duration",
        ),
        (
            "[sync]\ninterface = []",
            r#"line 2: [sync] interface: is an empty list; write an interface such as "em2""#,
        ),
        ("[sync]\ninterface = \"\"", "line 2: [sync] interface: is empty"),
        (
            "[sync]\ninterface = [\"em2\",\n 7]",
            "line 3: [sync] interface: is a number",
        ),
        (
            "[sync]\ninterface = \"pfsync0\"",
            "line 2: [sync] interface: pfsync0 shows only what this node sends itself",
        ),
        ("[sync]\ninterface = [\"em2\", \"em2\"]", "`em2` stands twice"),
        (
            "[sync]\ninterface = [\"em2\", \"any\"]",
            "`any` is every interface already",
        ),
        (
            "[sync]\nconfig-sync-ports = [0]",
            "line 2: [sync] config-sync-ports: 0 is out of range; write a whole number from 1 to 65535",
        ),
        (
            "[zones]\nlan = [\"10.0.0.1/8\"]",
            "line 2: [zones] lan: `10.0.0.1/8` has bits set behind its length; write 10.0.0.0/8",
        ),
        ("[zones]\nlan = []", "line 2: [zones] lan: is an empty list"),
        (
            "[zones]\nlan = [\"10.0.0.0/8\"]\nwan = [\n\"10.0.0.0/8\"]",
            "line 4: [zones] wan: 10.0.0.0/8 is in zone `lan` already",
        ),
        (
            "[actions]\npreset = \"openbds\"",
            "line 2: [actions] preset: `openbds` is not known; did you mean `openbsd`?",
        ),
        (
            "[actions]\npreset = \"plan9\"",
            "there are `openbsd`, `freebsd`, `pfsense`, `opnsense`, `ucarp` and `ifstated`",
        ),
        (
            "[actions]\nrequire-witness = \"yes\"",
            "line 2: [actions] require-witness: is a string; write true or false, without quotes",
        ),
        (
            "[actions]\nmax-per-hour = 0",
            "line 2: [actions] max-per-hour: 0 is out of range",
        ),
        (
            "[actions]\nmax-per-hour = -1",
            "line 2: [actions] max-per-hour: -1 is out of range",
        ),
        ("[actions]\nmax-per-hour = 99999999999999999999", "is out of range"),
        (
            "[actions]\nsettle = \"0s\"",
            "line 2: [actions] settle: must be at least 1s",
        ),
        (
            "[actions]\ndemotion = 241",
            "line 2: [actions] demotion: 241 is out of range; write a whole number from 1 to 240",
        ),
        (
            "[actions]\npreset = \"openbsd\"\ndemotion = 129",
            "line 3: [actions] demotion: 129 is more than ifconfig of OpenBSD adds at once",
        ),
        (
            "[actions]\nledger = \"ledger.json\"",
            "line 2: [actions] ledger: has to begin with a slash",
        ),
        (
            "[hooks]\non-failure = \"ignore\"",
            "there are `continue`, `stop` and `escalate`",
        ),
        (
            "[hooks]\npromote = [\"ifconfig\", \"carp0\", \"advskew\", \"0\"]",
            r#"line 2: [hooks] promote: each string in this list is a line for sh of its own; one program with arguments is [["ifconfig", "carp0", "advskew", "0"]]"#,
        ),
        ("[hooks]\npromote = [[]]", "line 2: [hooks] promote: is an empty list"),
        ("[hooks]\npromote = \"\"", "line 2: [hooks] promote: is empty"),
        (
            "[hooks]\npromote = [[\"a\", 1]]",
            "line 2: [hooks] promote: is a number",
        ),
        ("[hooks]\npromote = [[\"\"]]", "line 2: [hooks] promote: is empty"),
        ("[hooks]\nretries = 11", "write a whole number from 0 to 10"),
        (
            "[web]\nlisten = [\"localhost\"]",
            "line 2: [web] listen: `localhost` has no address or no port",
        ),
        (
            "[web]\nlisten = [\"127.0.0.1:1\", \"127.0.0.1:1\"]",
            "127.0.0.1:1 stands twice",
        ),
    ];
    for (text, fragment) in table {
        expect(text, fragment);
    }
}

#[test]
fn unknown_keys_are_refused_with_a_suggestion() {
    let table = [
        (
            "[actions]\nhold-dwn = \"60s\"",
            "line 2: [actions] hold-dwn: is no key of [actions]; did you mean `hold-down`?",
        ),
        ("[actions]\nhold_down = \"60s\"", "did you mean `hold-down`?"),
        (
            "[actions]\nrisk = \"1 per 10y\"",
            "line 2: [actions] risk: is no key of [actions]; it belongs in [detect]",
        ),
        (
            "[[node]]\nname = \"a\"\naddress = \"::1\"\nadress = \"::1\"",
            "line 4: [[node]] adress: is no key of [[node]]; did you mean `address`?",
        ),
        (
            "[detect]\nzzz = 1",
            "is no key of [detect]; there are `risk`, `min`, `max` and `memory`",
        ),
        (
            "\n[[nodes]]\nname = \"a\"",
            "line 2: nodes: is no section; did you mean [[node]]?",
        ),
        ("[action]", "is no section; did you mean [actions]?"),
        (
            "risk = \"1 per 10y\"",
            "line 1: risk: is no section; it belongs in [detect]",
        ),
        ("[nonsense]", "is no section; there are [sync], [[node]]"),
        (
            "[node]\nname = \"a\"",
            "line 1: [node]: may stand several times and needs two brackets; write [[node]]",
        ),
        ("[[sync]]", "line 1: [sync]: stands only once; write [sync]"),
        ("sync = 1", "line 1: [sync]: is a section, not a value"),
        (
            "[[path]]\nfrom = \"a\"\nto = \"b\"\ncritical = true\n[path.x]",
            "line 5",
        ),
    ];
    for (text, fragment) in table {
        expect(text, fragment);
    }
}

#[test]
fn what_belongs_together_is_held_together() {
    let table = [
        (
            "[[node]]\nname = \"fw1\"\naddress = \"172.30.0.9\"",
            "line 11: [[node]] name: there are two nodes `fw1`",
        ),
        (
            "[[node]]\nname = \"fw3\"\naddress = \"172.30.0.2\"",
            "line 12: [[node]] address: 172.30.0.2 is the address of `fw2` already",
        ),
        (
            "[[node]]\nname = \"fw3\"\naddress = [\"::2\", \"::2\"]",
            "::2 stands twice",
        ),
        (
            "[[node]]\nname = \"fw3\"\naddress = \"224.0.0.240\"",
            "224.0.0.240 is no address that a node sends from",
        ),
        (
            "[[node]]\nname = \"fw3\"\naddress = \"::2\"\nself = true",
            "line 13: [[node]] self: `fw1` is self already",
        ),
        (
            "[[node]]\nname = \"self\"\naddress = \"::2\"",
            "`self` means the own node",
        ),
        (
            "[[node]]\naddress = \"::2\"",
            "line 10: [[node]]: has no `name`; add a line such as name = \"fw1\"",
        ),
        ("[[node]]\nname = \"fw3\"", "has no `address`"),
        (
            "[[node]]\nname = \"fw3\"\naddress = \"172.30.0.0/24\"",
            "`172.30.0.0/24` is a prefix, not an address",
        ),
        (
            "[[node]]\nname = \"fw3\"\naddress = \"::2\"\nlocal = [\"10.0.0.9\", \"10.0.0.9\"]",
            "line 13: [[node]] local: 10.0.0.9 stands twice",
        ),
        (
            "[[segment]]\nname = \"lan\"\n[[segment]]\nname = \"lan\"",
            "line 13: [[segment]] name: there are two segments `lan`",
        ),
        ("[[segment]]\nname = \"a=b\"", "holds an equals sign"),
        (
            "[[segment]]\nname = \"lan\"\ninterface = \"any\"",
            "cannot tell the segments apart",
        ),
        (
            "[[segment]]\nname = \"a\"\ninterface = \"em0\"\n[[segment]]\nname = \"b\"\ninterface = \"em0\"",
            "line 15: [[segment]] interface: `em0` is the interface of segment `a` already",
        ),
        (
            "[[segment]]\nname = \"a\"\nvlan = 4095",
            "line 12: [[segment]] vlan: 4095",
        ),
        ("[[segment]]\nname = \"a\"\nvlan = [1, 2, 3]", "has more than two tags"),
        (
            "[zones]\nlan = \"10.0.0.0/8\"\n[[path]]\nfrom = \"lan\"\nto = \"wna\"",
            "line 14: [[path]] to: there is no zone `wna`; there is `lan`",
        ),
        (
            "[zones]\nlan = \"10.0.0.0/8\"\n[[path]]\nfrom = \"lna\"\nto = \"lan\"",
            "there is no zone `lna`; did you mean `lan`?",
        ),
        (
            "[[path]]\nfrom = \"lan\"\nto = \"wan\"",
            "there is no zone `lan`; add it to [zones]",
        ),
        (
            "[zones]\nlan = \"10.0.0.0/8\"\n[[path]]\nfrom = \"lan\"\nto = \"lan\"\n[[path]]\nfrom = \"lan\"\nto = \"lan\"",
            "line 16: [[path]] from: there are two paths lan -> lan",
        ),
        (
            "[[canary]]\nfrom = \"10.0.0.9\"\nto = \"::1\"\nproto = \"tcp\"",
            "line 12: [[canary]] to: 10.0.0.9 and ::1 are not of one family",
        ),
        (
            "[[canary]]\nfrom = \"10.0.0.9\"\nto = \"10.0.0.9\"\nproto = \"tcp\"",
            "is the address that it comes from",
        ),
        (
            "[[canary]]\nfrom = \"10.0.0.9\"\nto = \"10.0.0.2\"\nproto = \"tcp\"",
            "10.0.0.2 is an address of `fw1`; a flow that ends on a firewall",
        ),
        (
            "[[canary]]\nfrom = \"10.0.0.9\"\nto = \"192.0.2.1\"\nproto = \"carp\"",
            "line 13: [[canary]] proto: `carp` is no protocol",
        ),
        (
            "[[canary]]\nfrom = \"10.0.0.9\"\nto = \"192.0.2.1\"\nproto = 112",
            "protocol 112 is the firewalls' own",
        ),
        (
            "[[canary]]\nfrom = \"10.0.0.9\"\nto = \"192.0.2.1\"\nproto = \"icmp6\"",
            "write \"icmp\"",
        ),
        (
            "[[canary]]\nfrom = \"10.0.0.9\"\nto = \"192.0.2.1\"\nproto = \"tcp\"\nevery = \"0s\"",
            "line 14: [[canary]] every: must be at least 1ms",
        ),
        (
            "[zones]\nlan = \"10.0.0.0/8\"\nwan = \"0.0.0.0/0\"\n[[path]]\nfrom = \"wan\"\nto = \"lan\"\n[[canary]]\nfrom = \"10.0.0.9\"\nto = \"192.0.2.1\"\nproto = \"tcp\"",
            "line 16: [[canary]]: goes from zone `lan` to zone `wan`, and no [[path]] does",
        ),
        (
            "[zones]\nlan = \"10.0.0.0/8\"\n[[path]]\nfrom = \"lan\"\nto = \"lan\"\n[[canary]]\nfrom = \"10.0.0.9\"\nto = \"192.0.2.1\"\nproto = \"tcp\"",
            "line 17: [[canary]] to: 192.0.2.1 is in no zone",
        ),
        (
            "[[probe]]\nname = \"p\"\nabout = \"fw3\"\ncommand = [\"true\"]",
            "line 12: [[probe]] about: there is no node `fw3`; did you mean `fw",
        ),
        (
            "[[probe]]\nname = \"p\"\nabout = \"fw1\"\ncommand = [\"true\"]",
            "line 12: [[probe]] about: `fw1` is self here",
        ),
        (
            "[[probe]]\nname = \"p\"\nabout = \"fw2\"\ncommand = \"ping -c 1 172.30.0.2\"",
            "line 13: [[probe]] command: 172.30.0.2 is where `fw2` sends pfsync from",
        ),
        (
            "[[probe]]\nname = \"p\"\nabout = \"self\"\ncommand = []",
            "line 13: [[probe]] command: is an empty list",
        ),
        (
            "[[probe]]\nname = \"p\"\nabout = \"self\"",
            "line 10: [[probe]]: has no `command`",
        ),
        (
            "[[probe]]\nname = \"p\"\nabout = \"self\"\ncommand = \"true\"\nfall = 0",
            "line 14: [[probe]] fall: 0 is out of range",
        ),
        (
            "[[probe]]\nname = \"p\"\nabout = \"self\"\ncommand = \"true\"\n[[probe]]\nname = \"p\"\nabout = \"fw2\"\ncommand = \"true\"",
            "line 15: [[probe]] name: there are two probes `p`",
        ),
        (
            "[hooks]\ndemote = [[\"/x\"]]",
            "line 11: [hooks] demote: nothing can ever decide to demote without a [[probe]] that is about \"self\"",
        ),
        (
            "[fence]\nkind = \"agent\"\nnode = \"fw3\"\ncommand = \"x\"",
            "line 12: [fence] node: there is no node `fw3`",
        ),
        (
            "[fence]\nkind = \"agent\"\nnode = \"fw1\"\ncommand = \"x\"",
            "line 12: [fence] node: `fw1` is self; name the other node",
        ),
        (
            "[fence]\nkind = \"agent\"\nnode = \"fw2\"",
            "line 11: [fence] kind: `agent` needs `command`",
        ),
        ("[fence]\nkind = \"wol\"\nnode = \"fw2\"", "`wol` needs `mac`"),
        (
            "[fence]\nkind = \"wol\"\nnode = \"fw2\"\nmac = \"02:00:00:00:00:01\"",
            "`wol` needs `interface`",
        ),
        (
            "[fence]\nkind = \"serial-break\"\nnode = \"fw2\"\ndevice = \"/dev/cua00\"\ncommand = \"x\"",
            "line 14: [fence] command: means nothing to kind `serial-break`",
        ),
        (
            "[fence]\nkind = \"shoot\"\nnode = \"fw2\"",
            "there are `wol`, `serial-break`, `agent` and `command`",
        ),
        (
            "[fence]\nkind = \"wol\"\nnode = \"fw2\"\nmac = \"00:11\"",
            "line 13: [fence] mac: `00:11` is no hardware address",
        ),
        ("[fence]", "line 10: [fence]: has no `kind`"),
        (
            "[control]\nsocket = \"pfwatch.sock\"",
            "line 11: [control] socket: `pfwatch.sock` does not start with a slash",
        ),
        ("[control]\nsocket = 1", "line 11: [control] socket: is a number"),
        (
            "[control]\nsokcet = \"/x\"",
            "line 11: [control] sokcet: is no key of [control]; did you mean `socket`?",
        ),
    ];
    for (text, fragment) in table {
        expect(&format!("{PAIR}{text}"), fragment);
    }
}

#[test]
fn mistakes_of_toml_itself_have_a_line_too() {
    for (text, fragment) in [
        ("[sync\n", "line 1: "),
        ("[detect]\nmin = 1s\n", "line 2: "),
        ("[detect]\nmin = \"1s\"\nmin = \"2s\"", "line 3: duplicate key"),
        ("[detect]\n[detect]", "line 2: duplicate key"),
        ("[detect]\nmin = \"1s", "line 2: "),
    ] {
        expect(text, fragment);
    }
}

#[test]
fn all_mistakes_are_found_at_once_in_the_order_of_the_lines() {
    let text = format!(
        "{PAIR}[web]\nlisen = []\n[detect]\nmin = \"5m\"\nmxa = \"1m\"\n[[probe]]\nname = \"p\"\nabout = \"fw9\"\ncommand = \"true\""
    );
    let errors = Config::parse(&text).unwrap_err().errors;
    let lines: Vec<usize> = errors.iter().map(|e| e.line).collect();
    assert_eq!(lines, [11, 13, 14, 17], "{errors:#?}");
}

/// The text is refused, and one of the sentences says this.
#[track_caller]
fn expect(text: &str, fragment: &str) {
    match Config::parse(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(errors) => assert!(
            errors.to_string().contains(fragment),
            "{text}\n-- says:\n{errors}\n-- not:\n{fragment}"
        ),
    }
}

#[test]
fn a_file_is_named_in_its_mistakes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pfwatch.toml");
    std::fs::write(&path, "[detect]\nrisc = 1\n").unwrap();
    let message = Config::load(&path).unwrap_err().to_string();
    assert_eq!(
        message,
        format!(
            "{}:2: [detect] risc: is no key of [detect]; did you mean `risk`?",
            path.display()
        )
    );
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(matches!(Config::load(&path), Err(LoadError::NotText { .. })));
    assert!(matches!(Config::load(dir.path()), Err(LoadError::Read { .. })));
    assert!(matches!(
        Config::load(&dir.path().join("none")),
        Err(LoadError::Read { .. })
    ));
    std::fs::write(&path, SAMPLE.replace('\n', "\r\n")).unwrap();
    Config::load(&path).unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn the_engine_is_told_indexes() {
    let config = Config::parse(&sample_all_on()).unwrap_or_else(|e| panic!("{e}"));
    let settings = config.settings(&["wan".to_owned(), "dmz".to_owned(), "dmz".to_owned()]);
    let names: Vec<&str> = settings.segments.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["lan", "wan", "dmz"]);
    assert_eq!(
        settings.nodes.iter().map(|n| n.is_self).collect::<Vec<_>>(),
        [true, false]
    );
    assert_eq!(
        (settings.paths[0].from, settings.paths[0].to, settings.paths[0].critical),
        (0, 1, true)
    );
    assert_eq!(
        settings.probes.iter().map(|p| p.about).collect::<Vec<_>>(),
        [About::SelfNode, About::Node(1)]
    );
    assert_eq!(settings.policy.fence, Some(1));
    assert!((settings.detect.risk_per_year - 0.1).abs() < 1e-12);
    assert_eq!(settings.canaries[0].proto, 6);
    let files: Vec<_> = config
        .password_files()
        .map(|(name, path)| (name, path.display().to_string()))
        .collect();
    assert_eq!(files, [("lan", "/etc/pfwatch/carp.lan".to_owned())]);
}

#[test]
fn an_empty_file_is_no_configuration_at_all() {
    let config = Config::parse("").unwrap();
    assert_eq!(config, Config::default());
    // The engine by itself looks for no ports; which ones are usual is for the configuration to know.
    let settings = pfwatch::settings::Settings {
        config_sync_ports: vec![443, 80],
        ..Default::default()
    };
    assert_eq!(config.settings(&[]), settings);
}

#[test]
fn zones_keep_the_order_of_the_file() {
    let config = Config::parse("[zones]\nwan = \"0.0.0.0/0\"\nlan = \"10.0.0.0/8\"").unwrap();
    assert_eq!(
        config.zones.iter().map(|z| z.name.as_str()).collect::<Vec<_>>(),
        ["wan", "lan"]
    );
}

#[cfg(unix)]
#[test]
fn a_password_is_the_first_line_of_a_file_that_is_not_for_everybody() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("carp.lan");
    let write = |octets: &[u8], mode| {
        std::fs::write(&path, octets).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    write(b"correct horse\r\nsecond\n", 0o600);
    assert_eq!(read_password(&path).unwrap(), b"correct horse");
    let refused = |fragment: &str| {
        let message = read_password(&path).unwrap_err().to_string();
        assert!(message.contains(fragment), "{message}");
    };
    write(b"x", 0o644);
    refused("can be read by everybody");
    write(b"\nx", 0o600);
    refused("has an empty first line");
    write(&[b'x'; 5000], 0o600);
    refused("is longer than 4096 octets");
    std::fs::remove_file(&path).unwrap();
    refused("cannot read the password file");
}

/// What is printed means the same.
#[track_caller]
fn round_trip(config: &Config) {
    let text = config.to_toml();
    let again = Config::parse(&text).unwrap_or_else(|e| panic!("{text}\n{e}"));
    assert_eq!(*config, again, "{text}");
    assert_eq!(text, again.to_toml());
}

#[test]
fn the_printed_configuration_is_the_same_configuration() {
    round_trip(&Config::default());
    round_trip(&Config::parse(SAMPLE).unwrap());
    round_trip(&Config::parse(&sample_all_on()).unwrap());
    // Everything that has a default is written out.
    let text = Config::default().to_toml();
    for key in [
        "risk = \"1 per 10y\"",
        "max = \"1m\"",
        "max-per-hour = 6",
        "on-failure = \"continue\"",
        "listen = [\"127.0.0.1:10240\"]",
        "socket = \"/var/run/pfwatch.sock\"",
    ] {
        assert!(text.lines().any(|l| l == key), "{key}\n{text}");
    }
}

/// Names with everything in them that a name may have.
fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 ._\\-\"'\\\\#\\[\\]äπ💥]{1,12}".prop_filter("reserved", |s| s != "self")
}

fn duration() -> impl Strategy<Value = Duration> {
    (1000u64..40_000_000).prop_map(Duration::from_millis)
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        (name(), prop::collection::vec("[^\\x00]{0,8}", 0..4))
            .prop_map(|(program, rest)| { Command::Argv(std::iter::once(program).chain(rest).collect()) }),
        // A slash and a space: lists of such lines cannot be mistaken for the words of one.
        "/[^\\x00]{0,12} x".prop_map(Command::Shell),
    ]
}

prop_compose! {
    fn config()(
        (fw1, fw2, lan, wan, zones) in (name(), name(), name(), name(), prop::collection::btree_set(name(), 2)),
        (min, max, every, delay) in (duration(), duration(), duration(), duration()),
        (risk, fall, rise, witness) in (1u32..1000, 1u32..1000, 1u32..1000, any::<bool>()),
        (probe, fencing) in (command(), command()),
        hooks in prop::collection::vec(command(), 0..3),
        preset in prop::option::of(0usize..6),
        (mac, password) in (any::<[u8; 5]>(), prop::option::of(name())),
    ) -> Config {
        let base = sample_all_on();
        let mut config = Config::parse(&base).unwrap_or_else(|e| panic!("{e}"));
        let (fw1, fw2) = (format!("1{fw1}"), format!("2{fw2}"));
        config.nodes[0].name.clone_from(&fw1);
        config.nodes[1].name.clone_from(&fw2);
        config.probes[1].about.clone_from(&fw2);
        config.segments[0].name = format!("1{lan}");
        config.segments[1].name = format!("2{wan}");
        config.segments[1].password_file = password.map(Into::into);
        for (zone, name) in config.zones.iter_mut().zip(&zones) {
            zone.name.clone_from(name);
        }
        config.paths[0].from = config.zones[0].name.clone();
        config.paths[0].to = config.zones[1].name.clone();
        config.paths[0].critical = witness;
        config.detect.min = min.min(max);
        config.detect.max = max.max(min);
        config.detect.risk.count = f64::from(risk) / 8.0;
        config.detect.risk.every = rise;
        config.probes[0].command = probe;
        config.probes[0].every = every;
        (config.probes[0].fall, config.probes[0].rise) = (fall, rise);
        config.actions.preset = preset.map(|i| Preset::ALL[i].1);
        config.actions.require_witness = witness;
        config.actions.demote_delay = delay;
        config.actions.demotion = u8::try_from(fall % 128 + 1).unwrap_or(1);
        config.actions.ledger = format!("/{}", config.segments[0].name).into();
        config.hooks.restore = hooks;
        config.fence = Some(match witness {
            true => Fence { kind: FenceKind::Command, node: fw2, command: Some(fencing), options_file: None, mac: None, interface: None, device: None, delay, timeout: every },
            false => Fence { kind: FenceKind::Wol, node: fw2, command: None, options_file: None, mac: Some([2, mac[0], mac[1], mac[2], mac[3], mac[4]]), interface: Some("em0".into()), device: None, delay, timeout: every },
        });
        config
    }
}

proptest! {
    #[test]
    fn any_configuration_survives_printing(config in config()) {
        round_trip(&config);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = Config::parse(&text).map_err(|e| e.to_string());
    }

    #[test]
    fn no_octets_of_toml_panic(text in "[\\[\\]{}a-c=\"'.,#\\\\\n\t 0-9x_-]{0,120}") {
        let _ = Config::parse(&text).map_err(|e| e.to_string());
    }

    /// The sample, damaged somewhere: refused with lines that exist, or still a configuration that prints.
    #[test]
    fn no_damage_panics(from in 0usize..12_000, len in 0usize..20, with in "[\\[\\]=\"a-z0-9.,\n -]{0,4}") {
        let mut text = sample_all_on();
        let floor = |i: usize| (0..=i.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        let range = floor(from)..floor(from + len);
        text.replace_range(range, &with);
        match Config::parse(&text) {
            Ok(config) => round_trip(&config),
            Err(errors) => {
                let lines = text.split('\n').count();
                prop_assert!(!errors.errors.is_empty());
                prop_assert!(errors.errors.iter().all(|e| (1..=lines).contains(&e.line) && !e.message.is_empty()), "{errors}");
                prop_assert!(errors.errors.iter().all(|e| !e.message.contains('\n')), "{errors}");
            }
        }
    }
}
