//! Both ifstated.conf: their states do what the comments say, and every command in them is answered as they say. ifstated(8)
//! is not on Linux, so a small reader of its grammar stands in (`machine`).

mod machine;
mod tokens;

use crate::daemon::{Daemon, pair, pfwatch, soon};
use crate::{INSTALLED, Stage, ran, read};
use machine::Machine;

const BOTH: [&str; 2] = ["ifstated/ifstated.conf.primary", "ifstated/ifstated.conf.backup"];

/// What ifstated finds: both CARP interfaces, our way out, the peer.
#[derive(Clone, Copy, Debug)]
struct Found {
    carp: [bool; 2],
    me: bool,
    peer: bool,
}

impl Found {
    fn of(bits: u8) -> Self {
        let bit = |n: u8| bits & (1 << n) != 0;
        Self {
            carp: [bit(0), bit(1)],
            me: bit(2),
            peer: bit(3),
        }
    }

    /// Whether a test is true.
    fn is(&self, test: &str) -> bool {
        match test {
            "carp0.link.up" => self.carp[0],
            "carp1.link.up" => self.carp[1],
            t if t.contains("check --node") => self.peer,
            t if t.contains("check --self") => self.me,
            other => panic!("nobody can answer {other}"),
        }
    }
}

/// The states of the table: where it goes from each, and why that is right.
fn next(state: &str, f: Found) -> &str {
    let (all, none) = (f.carp == [true; 2], f.carp == [false; 2]);
    match state {
        "auto" if all => "primary",
        "auto" if none => "backup",
        "primary" if none => "backup",
        "primary" if !f.me => "demoted",
        "demoted" if f.me => "backup",
        "promoted" if !f.me => "demoted",
        "backup" if all => "primary",
        "backup" if !f.me => "demoted",
        "backup" if !f.peer => "promoted",
        stays => stays,
    }
}

#[test]
fn the_states_are_what_the_comments_say() {
    for file in BOTH {
        let machine = Machine::read(&read(file));
        assert_eq!(machine.first, "auto", "{file}");
        let states = ["auto", "primary", "demoted", "promoted", "backup"];
        assert_eq!(machine.names(), states, "{file}");
        for state in states {
            for bits in 0..16 {
                let found = Found::of(bits);
                let goes = machine.step(state, |test| found.is(test));
                assert_eq!(goes, next(state, found), "{file}: {state} {found:?}");
                // While nothing changes it comes to rest.
                let mut at = state.to_owned();
                for _ in 0..4 {
                    at = machine.step(&at, |test| found.is(test));
                }
                assert_eq!(
                    machine.step(&at, |test| found.is(test)),
                    at,
                    "{file}: {state} {found:?}"
                );
            }
        }
    }
}

/// The advskew that a state sets on both interfaces.
fn advskew(machine: &Machine, state: &str) -> u8 {
    let commands = machine.init(state);
    let skews: Vec<u8> = (0..2)
        .map(|n| {
            let begin = format!("ifconfig carp{n} advskew ");
            let command = commands.iter().find_map(|c| c.strip_prefix(&begin));
            command
                .unwrap_or_else(|| panic!("{state}: {commands:?}"))
                .parse()
                .unwrap()
        })
        .collect();
    assert_eq!((commands.len(), skews[0]), (2, skews[1]), "{state}");
    skews[0]
}

#[test]
fn two_that_lost_the_same_provider_keep_their_order() {
    let [primary, backup] = BOTH.map(|file| Machine::read(&read(file)));
    for machine in [&primary, &backup] {
        assert!(machine.init("auto").is_empty());
        assert_eq!(advskew(machine, "primary"), advskew(machine, "backup"));
        assert_eq!(advskew(machine, "promoted"), 0);
    }
    let order = [
        advskew(&backup, "promoted"),
        advskew(&primary, "primary"),
        advskew(&backup, "primary"),
        advskew(&primary, "demoted"),
        advskew(&backup, "demoted"),
    ];
    assert!(order.windows(2).all(|w| w[0] < w[1]), "{order:?}");
}

#[test]
fn the_files_differ_where_they_say() {
    let [primary, backup] = BOTH.map(read);
    let differ: Vec<_> = primary.lines().zip(backup.lines()).filter(|(a, b)| a != b).collect();
    assert_eq!(primary.lines().count(), backup.lines().count());
    let head = |l: &str| l.split(" = ").next().unwrap_or_default().to_owned();
    let heads: Vec<String> = differ.iter().skip(1).map(|(a, _)| head(a)).collect();
    assert_eq!(heads, ["peer_fit", "normal0", "normal1", "worse0", "worse1"]);
    assert!(
        differ[0]
            .0
            .starts_with("# ifstated.conf for the firewall that is master")
    );
}

#[test]
fn every_command_is_answered_as_the_comments_say() {
    for (file, peer) in BOTH.into_iter().zip(["fw2", "fw1"]) {
        // A failing check looks twice; the time between is not waited for here.
        let stage = Stage::new(&[("sleep", "")]);
        let binary = pfwatch(&stage);
        let tests = Machine::read(&read(file)).commands();
        assert_eq!(tests.len(), 3, "{tests:?}");
        let ask = |test: &str| {
            let line = test.replace(INSTALLED, &binary.display().to_string());
            assert_ne!(line, test, "{test} does not name the installed binary");
            let (code, out, err) = ran(stage.sh().args(["-c", &line]));
            assert!(matches!(code, Some(0 | 1)), "{test}: {code:?}");
            assert_eq!((out.as_str(), err.as_str()), ("", ""), "{test}");
            (code == Some(0), stage.called().len())
        };
        // No daemon: all is fit, so nothing moves.
        for test in &tests {
            assert_eq!(ask(test), (true, 0), "{test}");
        }
        // Nor does anything while the binary is being replaced.
        for test in &tests {
            let line = test.replace(INSTALLED, "/no/such/binary");
            assert_eq!(ran(stage.sh().args(["-c", &line])).0, Some(0), "{test}");
        }
        stage.called();
        let daemon = Daemon::start(&stage, pair(None, "up"));
        for (down, probe) in [(None, "up"), (Some(peer), "up"), (None, "down")] {
            for test in &tests {
                let fit = match (down, probe) {
                    (Some(_), _) => !test.contains("--node"),
                    (None, "down") => !test.contains("--self"),
                    _ => true,
                };
                let slept = usize::from(!fit && test.contains("sleep"));
                let as_said = soon(|| {
                    daemon.knows(pair(down, probe));
                    ask(test) == (fit, slept)
                });
                assert!(as_said, "{test}: {down:?} {probe}");
            }
        }
    }
}
