//! What is said on a TCP connection: turns of one side or the other, the same for both because both derive them from
//! the client's first sequence number. Packets carry no payload and a NAT hides the client, so that number is all that
//! a server can know of what it is to play.

use super::draw::{MS, Ns, SEC, between, count, dice, exponential, low, quantile, secs, share_of};
use super::mix::Kind;
use crate::dice::Dice;

/// Which end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Client,
    Server,
}

/// One side says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// Which.
    pub(super) by: Role,
    /// After the turn before.
    pub(super) wait: Ns,
    /// How much. 0: a TCP keepalive.
    pub(super) octets: u32,
    /// A segment each; 0 as fast as TCP can.
    pub(super) gap: Ns,
}

/// What is said on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Script {
    kind: Kind,
    seed: u32,
    turns: u32,
}

/// Turns of the TLS handshake.
const HELLO: u32 = 3;

/// Octets of a response, by quantiles: half are small, the mean is 13 kB.
const RESPONSE: [f64; 9] = [
    250.0, 700.0, 1500.0, 3000.0, 6000.0, 10_000.0, 18_000.0, 34_000.0, 60_000.0,
];
/// Milliseconds a server thinks.
const THINK: [f64; 5] = [1.0, 4.0, 12.0, 40.0, 250.0];
/// Seconds a reader reads.
const READ: [f64; 5] = [0.3, 1.0, 2.5, 6.0, 20.0];
/// Seconds between keystrokes: words, lines, thoughts.
const KEYS: [f64; 9] = [0.08, 0.12, 0.15, 0.2, 0.25, 0.35, 0.6, 2.0, 14.0];

impl Script {
    /// The first sequence number that tells the server.
    pub(super) fn isn(kind: Kind, seed: u64) -> u32 {
        low(seed) & !15 | kind.number()
    }

    /// What a client with this first sequence number wants.
    pub(super) fn of(isn: u32) -> Self {
        let kind = Kind::ALL.get(isn as usize & 15).copied().filter(|k| k.tcp());
        let mut this = Self {
            kind: kind.unwrap_or(Kind::WebShort),
            seed: isn,
            turns: 0,
        };
        this.turns = this.length();
        this
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    fn dice(&self, n: u32) -> Dice {
        dice(self.seed.into(), n.into())
    }

    /// A number in 0..1 of the connection as a whole.
    fn whole(&self, n: u64) -> f64 {
        share_of(u64::from(self.seed) << 8, n)
    }

    /// How many turns there are.
    fn length(&self) -> u32 {
        let mean = |mean: f64| 1 + count(exponential(&mut self.dice(u32::MAX), mean));
        match self.kind {
            Kind::WebShort | Kind::Plain => HELLO + 2 * (1 + count(3.0 * self.whole(1))),
            Kind::WebKeep => HELLO + 2 * (2 + count(8.0 * self.whole(1))),
            // 400 s of a keystroke every 1.2 s.
            Kind::Interactive => HELLO + 2 * mean(330.0),
            Kind::BulkDown => 2,
            Kind::BulkUp => 1,
            // 600 s, a message every 15 s.
            Kind::Push => 2 + mean(40.0),
            // 1200 s, a keepalive every 45 s.
            Kind::Keepalive => 2 + mean(27.0),
            _ => 0,
        }
    }

    /// Turn `n` from 0; none after the last.
    pub(super) fn turn(&self, n: u32) -> Option<Turn> {
        if n >= self.turns {
            return None;
        }
        let dice = &mut self.dice(n);
        let client = |wait, octets| {
            Some(Turn {
                by: Role::Client,
                wait,
                octets,
                gap: 0,
            })
        };
        let server = |wait, octets| {
            Some(Turn {
                by: Role::Server,
                wait,
                octets,
                gap: 0,
            })
        };
        match (self.kind, n) {
            (Kind::WebShort | Kind::Plain | Kind::WebKeep | Kind::Interactive, 0) => client(0, 517),
            (Kind::WebShort | Kind::Plain | Kind::WebKeep | Kind::Interactive, 1) => server(5 * MS, 3200),
            (Kind::WebShort | Kind::Plain | Kind::WebKeep | Kind::Interactive, 2) => client(0, 80),
            (Kind::WebShort | Kind::Plain | Kind::WebKeep, n) if n % 2 == 1 => {
                let pause = match self.kind {
                    _ if n == HELLO => 0.0,
                    Kind::WebKeep => quantile(dice, &READ),
                    _ => between(dice, 0.01, 0.3),
                };
                client(secs(pause), count(between(dice, 300.0, 1300.0)))
            }
            (Kind::WebShort | Kind::Plain | Kind::WebKeep, _) => {
                server(secs(quantile(dice, &THINK) / 1e3), count(quantile(dice, &RESPONSE)))
            }
            (Kind::Interactive, n) if n % 2 == 1 => client(secs(quantile(dice, &KEYS)), 36),
            // One line in twelve is a command with an answer.
            (Kind::Interactive, _) if between(dice, 0.0, 12.0) < 1.0 => {
                server(8 * MS, count(between(dice, 100.0, 4000.0)))
            }
            (Kind::Interactive, _) => server(MS, 36),
            (Kind::BulkDown, 0) => client(0, 400),
            (Kind::BulkDown | Kind::BulkUp, _) => {
                let by = if self.kind == Kind::BulkUp {
                    Role::Client
                } else {
                    Role::Server
                };
                let octets = 1448 * (50 + count(exponential(dice, 400.0)));
                Some(Turn {
                    by,
                    wait: 20 * MS,
                    octets,
                    gap: secs(1.0 / between(dice, 20.0, 100.0)),
                })
            }
            (Kind::Push | Kind::Keepalive, 0) => client(0, 600),
            (Kind::Push | Kind::Keepalive, 1) => server(20 * MS, 400),
            (Kind::Push, _) => server(secs(exponential(dice, 15.0)), count(between(dice, 60.0, 1400.0))),
            (Kind::Keepalive, _) => client(secs(between(&mut self.dice(1), 30.0, 60.0)), 0),
            _ => None,
        }
    }

    /// Who closes, and how long after the last turn.
    pub(super) fn close(&self) -> (Role, Ns) {
        let by = |client: f64| {
            if self.whole(2) < client {
                Role::Client
            } else {
                Role::Server
            }
        };
        match self.kind {
            Kind::WebShort | Kind::Plain => (by(0.4), 50 * MS),
            Kind::WebKeep => (by(0.4), secs(5.0 + 55.0 * self.whole(3))),
            Kind::BulkDown => (by(0.3), 100 * MS),
            // Keepalives are not said to the application: only who sends them knows how many there were.
            Kind::Keepalive => (Role::Client, SEC),
            Kind::Push | Kind::Interactive => (by(0.8), SEC),
            _ => (Role::Client, 0),
        }
    }

    /// Whether who closes breaks off with RST, as some do to save themselves the waiting.
    pub(super) fn abrupt(&self) -> bool {
        self.kind != Kind::Probe && self.whole(4) < 0.04
    }

    /// How long this side waits in vain for something that it expects `wait` after now.
    pub(super) fn patience(&self, role: Role, wait: Ns) -> Ns {
        match (role, self.kind) {
            // Who reads a page gives up sooner than a program.
            (Role::Client, Kind::WebShort | Kind::Plain | Kind::WebKeep) => wait + secs(15.0 + 45.0 * self.whole(5)),
            (Role::Client, _) => wait + secs(60.0 + 120.0 * self.whole(5)),
            (Role::Server, Kind::WebShort | Kind::Plain | Kind::WebKeep) => wait + 75 * SEC,
            (Role::Server, _) => wait + 300 * SEC,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_derive_the_same_turns_from_the_first_sequence_number() {
        for kind in Kind::ALL.into_iter().filter(|k| k.tcp()) {
            for seed in 0..50 {
                let isn = Script::isn(kind, super::super::draw::mix(1, seed));
                let script = Script::of(isn);
                assert_eq!(script.kind(), kind);
                let turns: Vec<_> = (0..).map_while(|n| script.turn(n)).collect();
                assert_eq!(turns.len(), script.turns as usize);
                assert!(
                    turns.iter().all(|t| kind == Kind::Keepalive || t.octets > 0),
                    "{kind:?} {turns:?}"
                );
            }
        }
    }

    #[test]
    fn long_lived_kinds_last_as_long_as_they_say() {
        for kind in [Kind::Interactive, Kind::Push, Kind::Keepalive] {
            let n = 400;
            let total: Ns = (0..n)
                .map(|s| Script::of(Script::isn(kind, super::super::draw::mix(2, s))))
                .map(|s| (0..).map_while(|n| s.turn(n)).map(|t| t.wait).sum::<Ns>())
                .sum();
            let mean = std::time::Duration::from_nanos(total / n).as_secs_f64();
            let life = kind.life().unwrap();
            assert!((mean / life - 1.0).abs() < 0.2, "{kind:?}: {mean} s, not {life} s");
        }
    }
}
