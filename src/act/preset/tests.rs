//! What ifconfig and sysctl print, in the forms that their sources document, and the plans that follow.

use super::win::{CannotWin, Heard, can_win};
use super::*;
use crate::act::thing::Counter;
use crate::config::model::Command;

const OPENBSD: &str = "\
carp0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tlladdr 00:00:5e:00:01:01
\tindex 7 priority 15 llprio 3
\tcarp: MASTER carpdev em0 vhid 1 advbase 1 advskew 100 carppeer 224.0.0.18
\tgroups: carp
\tstatus: master
\tinet 10.0.0.1 netmask 0xffffff00 broadcast 10.0.0.255
carp1: flags=8803<UP,BROADCAST,SIMPLEX,MULTICAST> mtu 1500
\tlladdr 00:00:5e:00:01:02
\tindex 8 priority 15 llprio 3
\tcarp: INIT carpdev em1 vhid 2 advbase 1 advskew 0
\tgroups: carp egress
\tstatus: invalid
";
const BALANCING: &str = "\
carp7: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tcarp: carpdev em3 advbase 2 balancing ip
\t\tstate MASTER vhid 5 advskew 0
\t\tstate BACKUP vhid 6 advskew 100
\tgroups: carp
";
const FREEBSD: &str = "\
em0: flags=1008943<UP,BROADCAST,RUNNING,PROMISC,SIMPLEX,MULTICAST,LOWER_UP> metric 0 mtu 1500
\toptions=4e504bb<RXCSUM,TXCSUM>
\tether 08:00:27:aa:bb:cc
\tinet 10.0.0.2 netmask 0xffffff00 broadcast 10.0.0.255
\tinet 10.0.0.1 netmask 0xffffff00 broadcast 10.0.0.255 vhid 1
\tcarp: BACKUP vhid 1 advbase 1 advskew 100
\t      peer 224.0.0.18 peer6 ff02::12
\tcarp: MASTER vhid 3 advbase 1 advskew 0
\tmedia: Ethernet autoselect (1000baseT <full-duplex>)
em1: flags=8943<UP,BROADCAST,RUNNING,PROMISC,SIMPLEX,MULTICAST> metric 0 mtu 1500
\tcarp: BACKUP vhid 2 advbase 1 advskew 120
lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> metric 0 mtu 16384
";

fn rows(all: &[Carp]) -> Vec<(&str, &str, u8, bool, u8, u8, bool)> {
    all.iter()
        .map(|c| {
            (
                c.name.as_str(),
                c.dev.as_str(),
                c.vhid,
                c.is_master,
                c.advbase,
                c.advskew,
                c.balances,
            )
        })
        .collect()
}

#[test]
fn openbsd_is_read() {
    assert_eq!(
        rows(&openbsd::interfaces(OPENBSD)),
        [
            ("carp0", "em0", 1, true, 1, 100, false),
            ("carp1", "em1", 2, false, 1, 0, false)
        ]
    );
    assert_eq!(
        rows(&openbsd::interfaces(BALANCING)),
        [
            ("carp7", "em3", 5, true, 2, 0, true),
            ("carp7", "em3", 6, false, 2, 100, true)
        ]
    );
    assert_eq!(openbsd::demotion("carp: carp demote count 12\n"), Some(12));
    assert_eq!(
        openbsd::demotion("ifconfig: carp: SIOCGIFGATTR: No such file or directory\n"),
        None
    );
}

#[test]
fn freebsd_is_read() {
    assert_eq!(
        rows(&freebsd::interfaces(FREEBSD)),
        [
            ("em0", "em0", 1, false, 1, 100, false),
            ("em0", "em0", 3, true, 1, 0, false),
            ("em1", "em1", 2, false, 1, 120, false)
        ]
    );
    assert_eq!(freebsd::number("-240\n"), Some(-240));
    assert_eq!(freebsd::number("sysctl: unknown oid 'net.inet.carp.demotion'\n"), None);
}

#[test]
fn no_text_is_too_odd_to_be_read() {
    for text in [
        "",
        "\t",
        "\tcarp:",
        "\tcarp: MASTER vhid",
        "carp0:\n\tcarp: MASTER vhid 900 advskew x",
        "\t\tstate",
        ":\n:",
    ] {
        assert!(
            openbsd::interfaces(text).is_empty() && freebsd::interfaces(text).is_empty(),
            "{text}"
        );
    }
}

fn look_of(carp: Vec<Carp>, demotion: i64) -> Look {
    Look {
        carp,
        demotion,
        preempt: true,
    }
}

fn actions(preset: Option<Preset>) -> Actions {
    Actions {
        preset,
        ..Actions::default()
    }
}

fn things(preset: Preset, role: Made, look: &Look) -> Result<Vec<Thing>, String> {
    let plan = plan(role, Some(look), &actions(Some(preset)), &Hooks::default());
    plan.map(|p| p.unwrap().things).map_err(|e| e.to_string())
}

#[test]
fn each_system_is_changed_in_its_own_way() {
    let openbsd = look_of(openbsd::interfaces(OPENBSD), 200);
    let freebsd = look_of(freebsd::interfaces(FREEBSD), 240);
    let added = |counter, found, added| Ok(vec![Thing::Counter { counter, found, added }]);
    let group = || Counter::Group("carp".to_owned());
    let skew = Thing::Advskew {
        interface: "carp0".to_owned(),
        found: 100,
        set: 0,
    };
    assert_eq!(things(Preset::Openbsd, Made::Promoted, &openbsd), Ok(vec![skew]));
    assert_eq!(
        things(Preset::Openbsd, Made::Demoted, &openbsd),
        added(group(), 200, 55)
    );
    for preset in [Preset::Freebsd, Preset::Pfsense] {
        assert_eq!(
            things(preset, Made::Promoted, &freebsd),
            added(Counter::Demotion, 240, -120)
        );
        assert_eq!(
            things(preset, Made::Demoted, &freebsd),
            added(Counter::Demotion, 240, 125)
        );
    }
    assert_eq!(
        things(Preset::Opnsense, Made::Demoted, &freebsd),
        Ok(vec![Thing::Service])
    );
    let Ok([Thing::Counter { found, added, .. }]) = things(Preset::Opnsense, Made::Promoted, &freebsd)
        .as_deref()
        .map(|t| [t[0].clone()])
    else {
        panic!("no counter");
    };
    // What OPNsense reads as "I have demoted" is clear, and is set when it adds its own amount.
    for others in [found, 0, 720, -720] {
        assert_eq!((others + added) & (1 << 20), 0);
        assert_ne!((others + added + (1 << 20)) & (1 << 20), 0);
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let says = |preset, role, look: &Look, fragment: &str| {
        let why = things(preset, role, look).unwrap_err();
        assert!(why.contains(fragment), "{why}");
    };
    let mut low = look_of(openbsd::interfaces(OPENBSD), 255);
    low.carp.remove(0);
    says(Preset::Openbsd, Made::Promoted, &low, "advskew 0 already");
    says(Preset::Openbsd, Made::Demoted, &low, "demoted by 255 already");
    says(
        Preset::Openbsd,
        Made::Promoted,
        &look_of(openbsd::interfaces(BALANCING), 0),
        "carp7 balances",
    );
    says(
        Preset::Freebsd,
        Made::Promoted,
        &Look::default(),
        "has no carp interface",
    );
    let why = plan(Made::Demoted, None, &actions(None), &Hooks::default())
        .unwrap_err()
        .to_string();
    assert!(
        why.starts_with("nothing is configured to make this node demoted"),
        "{why}"
    );
}

#[test]
fn ifstated_is_told_and_ucarp_needs_its_hooks() {
    let hook = || vec![Command::Shell("/etc/pfwatch/ucarp.sh".to_owned())];
    let mut hooks = Hooks {
        promote: hook(),
        ..Hooks::default()
    };
    assert_eq!(
        plan(Made::Promoted, None, &actions(Some(Preset::Ifstated)), &hooks).unwrap(),
        None
    );
    let ucarp = actions(Some(Preset::Ucarp));
    let why = |role, hooks: &Hooks| plan(role, None, &ucarp, hooks).unwrap_err().to_string();
    assert!(why(Made::Promoted, &hooks).contains("write `restore` of [hooks]"));
    assert!(why(Made::Demoted, &hooks).contains("write `demote` of [hooks]"));
    hooks.restore = hook();
    let promoted = plan(Made::Promoted, None, &ucarp, &hooks).unwrap().unwrap();
    assert_eq!(promoted.things, [Thing::Hook]);
    // Hooks alone, without any preset, are in the ledger too.
    assert_eq!(
        plan(Made::Promoted, None, &actions(None), &hooks)
            .unwrap()
            .unwrap()
            .things,
        [Thing::Hook]
    );
}

fn heard(vhid: u8, advskew: u8, demotion: u8) -> Heard {
    Heard {
        interface: Some("em0".to_owned()),
        vhid,
        advbase: 1,
        advskew,
        demotion,
    }
}

#[test]
fn openbsd_wins_by_demotion_first_and_then_by_the_interval() {
    let mut look = look_of(openbsd::interfaces(OPENBSD), 0);
    let win = |look: &Look, master: Heard| can_win(Some(Preset::Openbsd), Some(look), &[master]);
    assert_eq!(win(&look, heard(1, 1, 0)), Ok(()));
    assert!(matches!(win(&look, heard(1, 0, 0)), Err(CannotWin::NotShorter { .. })));
    assert_eq!(win(&look, heard(1, 0, 1)), Ok(()));
    assert!(matches!(
        win(&look, heard(9, 1, 0)),
        Err(CannotWin::NoSuchVhid { vhid: 9, .. })
    ));
    look.preempt = false;
    assert_eq!(win(&look, heard(1, 50, 0)), Err(CannotWin::NoPreempt));
    assert_eq!(win(&look, heard(1, 0, 1)), Ok(()));
    (look.preempt, look.demotion) = (true, 2);
    assert!(matches!(
        win(&look, heard(1, 100, 1)),
        Err(CannotWin::Demoted { own: 2, master: 1, .. })
    ));
    assert_eq!(
        can_win(Some(Preset::Openbsd), Some(&look), &[]),
        Err(CannotWin::NoMaster)
    );
    assert_eq!(can_win(Some(Preset::Ucarp), None, &[heard(1, 0, 0)]), Ok(()));
}

#[test]
fn freebsd_wins_by_the_interval_alone() {
    let mut look = look_of(freebsd::interfaces(FREEBSD), 0);
    let win = |look: &Look, master: Heard| can_win(Some(Preset::Freebsd), Some(look), &[master]);
    assert_eq!(win(&look, heard(1, 1, 0)), Ok(()));
    assert!(matches!(win(&look, heard(1, 0, 0)), Err(CannotWin::NotShorter { .. })));
    look.demotion = 240;
    assert!(matches!(
        win(&look, heard(1, 100, 0)),
        Err(CannotWin::Demoted { own: 240, .. })
    ));
    assert_eq!(win(&look, heard(1, 240, 0)), Ok(()), "240 + 100 - 120 is less than 240");
    assert!(can_win(Some(Preset::Opnsense), Some(&look), &[heard(1, 240, 0)]).is_err());
    (look.demotion, look.preempt) = (0, false);
    assert_eq!(win(&look, heard(1, 100, 0)), Err(CannotWin::NoPreempt));
}

/// The script that OPNsense runs, with a sysctl of ours.
#[cfg(unix)]
#[test]
fn the_shipped_script_believes_a_marker_of_this_boot_only() {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let sysctl = folder.path().join("sysctl");
    fs::write(
        &sysctl,
        "#!/bin/sh\necho '{ sec = 1790000000, usec = 5 } Mon Sep 21 14:13:20 2026'\n",
    )
    .unwrap();
    fs::set_permissions(&sysctl, fs::Permissions::from_mode(0o755)).unwrap();
    let marker = folder.path().join("marker");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/dist/opnsense/carp_service_status");
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let code = || {
        let mut command = std::process::Command::new("/bin/sh");
        command
            .arg(script)
            .arg(&marker)
            .env("PATH", &path)
            .status()
            .unwrap()
            .code()
    };
    assert_eq!(code(), Some(0));
    for (text, expected) in [
        ("{ sec = 1790000000, usec = 5 } Mon Sep 21 14:13:20 2026\n", 1),
        ("{ sec = 1790000004, usec = 0 } Mon Sep 21 14:13:24 2026\n", 1),
        ("", 1),
        ("nonsense\n", 1),
        ("{ sec = 1789990000, usec = 5 } Mon Sep 21 11:26:40 2026\n", 0),
    ] {
        fs::write(&marker, text).unwrap();
        assert_eq!(code(), Some(expected), "{text}");
    }
}
