//! What is done to the pair, and what must come of it where pfwatch guards.

use crate::bench::guard::Guard;
use crate::net::fault::Fault;
use crate::net::plan::{Net, Node};
use std::time::Duration;

/// Something that is done, and undone when it is healed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Deed {
    /// Nothing at all.
    Nothing,
    /// Something breaks.
    Break(Fault),
    /// A firewall is dead, and boots when it is healed.
    Crash(Node),
    /// Its ucarp is killed; the addresses stay where they are, and two nodes have them.
    KillCarp(Node),
    /// Its guard is killed with SIGKILL, and started again when it is healed.
    KillGuard(Node),
    /// An operator demotes it by hand, and takes that back.
    Planned(Node),
    /// Both guards are started again, one after the other.
    RestartGuards,
    /// Something breaks; when the other node has both addresses, both guards are started again.
    BreakAndRestart(Fault),
}

/// What must come of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Must {
    /// Service is back in so many seconds, by the median.
    Return(f64),
    /// Nothing is done at all, and nobody is called suspect or down.
    Nothing,
    /// No address moves and nobody is promoted or fenced. Who is demoted is restored, and it is the same on both.
    Stay,
    /// Only what is measured.
    Measured,
}

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// A word for command lines.
    pub name: &'static str,
    /// For the table.
    pub text: &'static str,
    /// What is done.
    pub deed: Deed,
    /// How long it lasts where pfwatch guards, and where nobody or a script does.
    pub lasts: [u64; 2],
    /// Who guards, in turn.
    pub guards: &'static [Guard],
    /// New flows each second.
    pub rate: f64,
    /// pfsync to the peer rather than to the group.
    pub unicast: bool,
    /// The emitters speak as FreeBSD 14 does.
    pub freebsd: bool,
    /// What must come of it.
    pub must: Must,
    /// Of ten repetitions of the first ones, this is done so often.
    pub of_ten: u32,
    /// Also in the short form.
    pub short: bool,
}

impl Scenario {
    /// How long it lasts.
    #[must_use]
    pub fn lasts(&self, guard: Guard) -> Duration {
        let [pfwatch, others] = self.lasts;
        Duration::from_secs(match guard {
            Guard::Pfwatch | Guard::Observe => pfwatch,
            Guard::Ping | Guard::Nobody => others,
        })
    }
}

const ALL: &[Guard] = &[Guard::Pfwatch, Guard::Nobody, Guard::Ping];
const PFWATCH: &[Guard] = &[Guard::Pfwatch];

/// A quiet one, which the others differ from.
const PLAIN: Scenario = Scenario {
    name: "",
    text: "",
    deed: Deed::Nothing,
    lasts: [30, 30],
    guards: ALL,
    rate: 20.0,
    unicast: false,
    freebsd: false,
    must: Must::Nothing,
    of_ten: 3,
    short: false,
};

const fn port(node: Node, net: Net) -> Deed {
    Deed::Break(Fault::Port(node, net))
}

/// Everything that can be done.
pub const CATALOGUE: &[Scenario] = &[
    Scenario {
        name: "outside-port",
        text: "outside port of the active firewall silently dead",
        deed: port(Node::Fw1, Net::Outside),
        lasts: [15, 30],
        must: Must::Return(6.0),
        of_ten: 10,
        short: true,
        ..PLAIN
    },
    Scenario {
        name: "inside-port",
        text: "inside port of the active firewall silently dead",
        deed: port(Node::Fw1, Net::Inside),
        lasts: [15, 30],
        must: Must::Return(6.0),
        of_ten: 10,
        short: true,
        ..PLAIN
    },
    Scenario {
        name: "outside-port-busy",
        text: "the same outside, at 200 new flows a second",
        deed: port(Node::Fw1, Net::Outside),
        lasts: [15, 30],
        guards: PFWATCH,
        rate: 200.0,
        must: Must::Return(6.0),
        of_ten: 5,
        ..PLAIN
    },
    Scenario {
        name: "inside-port-busy",
        text: "the same inside, at 200 new flows a second",
        deed: port(Node::Fw1, Net::Inside),
        lasts: [15, 30],
        guards: PFWATCH,
        rate: 200.0,
        must: Must::Return(6.0),
        of_ten: 5,
        ..PLAIN
    },
    Scenario {
        name: "outside-port-unicast",
        text: "the same outside, with unicast pfsync",
        deed: port(Node::Fw1, Net::Outside),
        lasts: [15, 30],
        guards: PFWATCH,
        unicast: true,
        must: Must::Return(6.0),
        of_ten: 5,
        ..PLAIN
    },
    Scenario {
        name: "inside-port-unicast",
        text: "the same inside, with unicast pfsync",
        deed: port(Node::Fw1, Net::Inside),
        lasts: [15, 30],
        guards: PFWATCH,
        unicast: true,
        must: Must::Return(6.0),
        of_ten: 5,
        ..PLAIN
    },
    Scenario {
        name: "outside-port-freebsd",
        text: "the same outside, pfsync as FreeBSD 14 speaks it",
        deed: port(Node::Fw1, Net::Outside),
        lasts: [15, 30],
        guards: PFWATCH,
        freebsd: true,
        must: Must::Return(6.0),
        of_ten: 5,
        ..PLAIN
    },
    Scenario {
        name: "wedge",
        text: "active firewall forwards nothing, its CARP goes on",
        deed: Deed::Break(Fault::Wedge(Node::Fw1)),
        lasts: [15, 30],
        must: Must::Return(6.0),
        of_ten: 5,
        ..PLAIN
    },
    Scenario {
        name: "freeze",
        text: "active firewall stands still",
        deed: Deed::Break(Fault::Freeze(Node::Fw1)),
        lasts: [15, 15],
        must: Must::Measured,
        ..PLAIN
    },
    Scenario {
        name: "crash",
        text: "active firewall crashes, and boots again",
        deed: Deed::Crash(Node::Fw1),
        lasts: [15, 15],
        must: Must::Measured,
        ..PLAIN
    },
    Scenario {
        name: "kill-carp",
        text: "ucarp killed on the active firewall",
        deed: Deed::KillCarp(Node::Fw1),
        lasts: [15, 15],
        must: Must::Measured,
        ..PLAIN
    },
    Scenario {
        name: "loss",
        text: "30 % of all frames lost at the outside port of the active firewall",
        deed: Deed::Break(Fault::Loss(Node::Fw1, Net::Outside, 30)),
        lasts: [30, 30],
        must: Must::Measured,
        ..PLAIN
    },
    Scenario {
        name: "planned",
        text: "planned failover by hand, and back",
        deed: Deed::Planned(Node::Fw1),
        lasts: [20, 20],
        guards: &[Guard::Pfwatch, Guard::Nobody],
        must: Must::Nothing,
        ..PLAIN
    },
    Scenario {
        name: "upstream",
        text: "upstream dead, the probes' target with it",
        deed: Deed::Break(Fault::Upstream),
        lasts: [30, 30],
        must: Must::Stay,
        short: true,
        ..PLAIN
    },
    Scenario {
        name: "beyond",
        text: "upstream dead beyond the probes' target",
        deed: Deed::Break(Fault::Beyond),
        lasts: [30, 30],
        must: Must::Stay,
        ..PLAIN
    },
    Scenario {
        name: "servers",
        text: "a third of the servers dead",
        deed: Deed::Break(Fault::Servers(13)),
        lasts: [60, 30],
        guards: PFWATCH,
        ..PLAIN
    },
    Scenario {
        name: "sync-port",
        text: "sync port of the active firewall dead",
        deed: port(Node::Fw1, Net::Sync),
        lasts: [60, 30],
        guards: PFWATCH,
        ..PLAIN
    },
    Scenario {
        name: "backup-inside",
        text: "inside port of the backup dead",
        deed: port(Node::Fw2, Net::Inside),
        lasts: [30, 30],
        guards: &[Guard::Pfwatch, Guard::Nobody],
        ..PLAIN
    },
    Scenario {
        name: "backup-outside",
        text: "outside port of the backup dead",
        deed: port(Node::Fw2, Net::Outside),
        lasts: [30, 30],
        guards: &[Guard::Pfwatch, Guard::Nobody],
        ..PLAIN
    },
    Scenario {
        name: "backup-reboot",
        text: "backup rebooted",
        deed: Deed::Crash(Node::Fw2),
        lasts: [20, 20],
        guards: PFWATCH,
        ..PLAIN
    },
    Scenario {
        name: "restart",
        text: "rolling restart of pfwatch",
        deed: Deed::RestartGuards,
        lasts: [30, 30],
        guards: PFWATCH,
        short: true,
        ..PLAIN
    },
    Scenario {
        name: "restart-promoted",
        text: "outside port dead, and a rolling restart of pfwatch while it is promoted",
        deed: Deed::BreakAndRestart(Fault::Port(Node::Fw1, Net::Outside)),
        lasts: [45, 30],
        guards: PFWATCH,
        must: Must::Return(6.0),
        ..PLAIN
    },
    Scenario {
        name: "kill-guard",
        text: "pfwatch killed on the backup, and started again",
        deed: Deed::KillGuard(Node::Fw2),
        lasts: [20, 20],
        guards: PFWATCH,
        ..PLAIN
    },
    Scenario {
        name: "steady",
        text: "an hour in which nothing happens, 20 new flows a second",
        lasts: [3_600, 60],
        guards: PFWATCH,
        of_ten: 1,
        ..PLAIN
    },
    Scenario {
        name: "steady-busy",
        text: "nothing happens, 200 new flows a second",
        lasts: [300, 60],
        guards: PFWATCH,
        rate: 200.0,
        of_ten: 1,
        ..PLAIN
    },
];
