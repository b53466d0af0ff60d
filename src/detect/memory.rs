//! What is worth keeping over a restart: how each node usually behaves, and which hosts work. Plain data.
//!
//! Made and taken back by `Detector`, through the engine; the edges write it to files and read it again, so what comes back
//! may be damaged or forged and is checked whole before any of it is taken. What is old counts less. Health is no
//! part of it, nor is anything from a window that has not ended well: an outage is never remembered as usual.

use super::Detector;
use crate::event::NodeId;
use crate::time::Timestamp;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// Half of what was learned is believed after this long.
const HALF_LIFE: f64 = 7.0 * 86_400.0;
/// Nothing older than this is.
pub const OLDEST: Duration = Duration::from_secs(30 * 86_400);
/// Hosts per side of a path, those that were answered last.
pub const MAX_HOSTS: usize = 512;
/// Nodes, and paths of a node.
const MAX_NODES: usize = 64;
const MAX_PATHS: usize = 256;
/// Frames or round trips per second that nobody reaches.
const MAX_RATE: f64 = 1e7;
/// The longest name of a path that is believed.
const MAX_NAME: usize = 1_000;

/// Everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// By node.
    pub nodes: Vec<NodeMemory>,
    /// By canary.
    pub canaries: Vec<CanaryMemory>,
}

/// Of one node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeMemory {
    /// As outputs call it.
    pub address: IpAddr,
    /// How old this already was when it was written: the node was not heard since.
    pub age: Duration,
    /// Gaps between its frames, counted by length.
    pub gaps: Vec<f64>,
    /// Its frames per second at the end.
    pub frames: f64,
    /// Since its last synchronisation of the configuration, when this was written.
    pub config_sync: Option<Duration>,
    /// By path.
    pub paths: Vec<PathMemory>,
}

/// Of one node on one path.
#[derive(Clone, Debug, PartialEq)]
pub struct PathMemory {
    /// `any`, `lan -> wan`.
    pub name: String,
    /// [success, partial, failure] by class of tries.
    pub outcomes: Vec<[f64; 3]>,
    /// Round trips per second at the end.
    pub round_trips: f64,
    /// Initiators that were answered.
    pub clients: Vec<HostMemory>,
    /// Responders that answered.
    pub servers: Vec<HostMemory>,
}

/// A host that works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostMemory {
    /// Which.
    pub address: IpAddr,
    /// Since its last answer, when the memory of its node was fresh.
    pub age: Duration,
}

/// Of one canary.
#[derive(Clone, Debug, PartialEq)]
pub struct CanaryMemory {
    /// Initiator.
    pub from: IpAddr,
    /// Responder.
    pub to: IpAddr,
    /// [success, partial, failure] by class of tries.
    pub outcomes: Vec<[f64; 3]>,
    /// Answers so far.
    pub answers: u32,
}

/// Why a memory is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where, and what is wrong there.
    text: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Damage {}

fn damage<T>(text: impl Into<String>) -> Result<T, Damage> {
    Err(Damage { text: text.into() })
}

/// What something this old counts: 1 when fresh, half after a week, nothing after a month.
#[must_use]
pub fn weight(age: Duration) -> f64 {
    if age > OLDEST {
        return 0.0;
    }
    0.5_f64.powf(age.as_secs_f64() / HALF_LIFE)
}

impl Detector {
    /// What was learned of a node, whose paths are called so; `None` if nothing was.
    #[must_use]
    pub fn remember(&self, now: Timestamp, node: NodeId, address: IpAddr, names: &[String]) -> Option<NodeMemory> {
        let n = self.nodes.get(node.index())?;
        if n.first == Timestamp::MAX && !n.recalled {
            return None;
        }
        let (gaps, frames) = n.silence.remember(now);
        let paths = n.paths.iter().zip(names);
        Some(NodeMemory {
            address,
            age: Duration::ZERO,
            gaps,
            frames,
            config_sync: None,
            paths: paths.map(|(p, name)| p.remember(now, name.clone())).collect(),
        })
    }

    /// Takes back what was learned of a node once, `age` ago; paths of other names are left out.
    pub fn recall(&mut self, now: Timestamp, node: NodeId, age: Duration, memory: &NodeMemory, names: &[String]) {
        let weight = weight(age);
        let Some(n) = self.nodes.get_mut(node.index()) else {
            return;
        };
        n.recalled = true;
        if weight == 0.0 {
            return;
        }
        n.silence.recall(&memory.gaps, memory.frames, age, weight);
        for (path, name) in n.paths.iter_mut().zip(names) {
            if let Some(m) = memory.paths.iter().find(|m| m.name == *name) {
                path.recall(now, age, m);
            }
        }
    }

    /// What was learned of the canaries.
    #[must_use]
    pub fn remember_canaries(&self) -> Vec<CanaryMemory> {
        self.canaries.remember()
    }

    /// Takes that back, `age` later.
    pub fn recall_canaries(&mut self, memory: &[CanaryMemory], age: Duration) {
        self.canaries.recall(memory, age);
    }
}

impl Memory {
    /// Looks whether it can be what this program wrote.
    ///
    /// # Errors
    /// The first thing that cannot: nothing of the memory shall be taken then.
    pub fn check(&self) -> Result<(), Damage> {
        if self.nodes.len() > MAX_NODES || self.canaries.len() > MAX_NODES {
            return damage(format!("more than {MAX_NODES} nodes or canaries"));
        }
        for node in &self.nodes {
            let of = |what: &str| format!("{what} of {}", node.address);
            counts(
                &node.gaps,
                super::silence::BINS,
                super::silence::MEMORY,
                &of("the gaps"),
            )?;
            rate(node.frames, &of("the frames per second"))?;
            if node.paths.len() > MAX_PATHS {
                return damage(format!("more than {MAX_PATHS} paths of {}", node.address));
            }
            for path in &node.paths {
                if path.name.len() > MAX_NAME {
                    return damage(format!(
                        "a path of {} has a name of {} octets",
                        node.address,
                        path.name.len()
                    ));
                }
                let of = |what: &str| format!("{what} of {} on {}", node.address, path.name);
                outcomes(&path.outcomes, &of("the outcomes"))?;
                rate(path.round_trips, &of("the round trips per second"))?;
                for hosts in [&path.clients, &path.servers] {
                    if hosts.len() > MAX_HOSTS {
                        return damage(format!("{} are more than {MAX_HOSTS}", of("the hosts")));
                    }
                }
            }
        }
        for canary in &self.canaries {
            outcomes(
                &canary.outcomes,
                &format!("the outcomes of the canary from {} to {}", canary.from, canary.to),
            )?;
        }
        Ok(())
    }
}

fn outcomes(rows: &[[f64; 3]], whose: &str) -> Result<(), Damage> {
    if rows.len() != crate::track::flow::CLASSES {
        return damage(format!("{whose} have {} classes", rows.len()));
    }
    for row in rows {
        counts(row, 3, super::rates::MEMORY, whose)?;
        // Less than any counts that began with the assumption they begin with.
        if row.iter().sum::<f64>() < super::rates::PRIOR_WEIGHT / 2.0 {
            return damage(format!("{whose} were never counted"));
        }
    }
    Ok(())
}

/// Counts are halved beyond `most`, so twice of that is never reached.
fn counts(list: &[f64], length: usize, most: f64, whose: &str) -> Result<(), Damage> {
    if list.len() != length {
        return damage(format!("{whose} are {} numbers, not {length}", list.len()));
    }
    if !list.iter().all(|n| n.is_finite() && *n >= 0.0) {
        return damage(format!("{whose} are no counts"));
    }
    if list.iter().sum::<f64>() > 2.0 * most {
        return damage(format!("{whose} are more than were ever counted"));
    }
    Ok(())
}

fn rate(n: f64, whose: &str) -> Result<(), Damage> {
    if n.is_finite() && (0.0..=MAX_RATE).contains(&n) {
        Ok(())
    } else {
        damage(format!("{whose} are no rate"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::rates::{PRIOR_WEIGHT, Rates};
    use crate::detect::silence::BINS;

    fn good() -> Memory {
        Memory {
            nodes: vec![NodeMemory {
                address: IpAddr::from([172, 16, 0, 1]),
                age: Duration::ZERO,
                gaps: vec![1.0; BINS],
                frames: 3.0,
                config_sync: None,
                paths: vec![PathMemory {
                    name: "any".into(),
                    outcomes: Rates::default().remember(),
                    round_trips: 2.0,
                    clients: Vec::new(),
                    servers: Vec::new(),
                }],
            }],
            canaries: Vec::new(),
        }
    }

    #[test]
    fn what_nobody_wrote_is_refused_with_its_place() {
        type Change = fn(&mut Memory);
        assert_eq!(good().check(), Ok(()));
        let table: [(&str, Change); 11] = [
            ("the gaps of 172.16.0.1 are no counts", |m| {
                m.nodes[0].gaps[3] = f64::NAN
            }),
            ("the gaps of 172.16.0.1 are no counts", |m| m.nodes[0].gaps[3] = -1.0),
            ("the gaps of 172.16.0.1 are no counts", |m| {
                m.nodes[0].gaps[3] = f64::INFINITY;
            }),
            ("more than were ever counted", |m| m.nodes[0].gaps[3] = 1e9),
            ("are 1 numbers, not 92", |m| m.nodes[0].gaps.truncate(1)),
            ("the frames per second of 172.16.0.1 are no rate", |m| {
                m.nodes[0].frames = -3.0;
            }),
            ("the outcomes of 172.16.0.1 on any are no counts", |m| {
                m.nodes[0].paths[0].outcomes[0][1] = f64::NAN;
            }),
            ("were never counted", |m| m.nodes[0].paths[0].outcomes[2] = [0.0; 3]),
            ("have 1 classes", |m| m.nodes[0].paths[0].outcomes.truncate(1)),
            ("are more than 512", |m| {
                let host = HostMemory {
                    address: IpAddr::from([10, 0, 0, 1]),
                    age: Duration::ZERO,
                };
                m.nodes[0].paths[0].clients = vec![host; MAX_HOSTS + 1];
            }),
            ("more than 64 nodes", |m| m.nodes = vec![m.nodes[0].clone(); 65]),
        ];
        for (expected, change) in table {
            let mut m = good();
            change(&mut m);
            let said = m.check().unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn half_is_believed_after_a_week_and_nothing_after_a_month() {
        let day = Duration::from_secs(86_400);
        assert!((weight(Duration::ZERO) - 1.0).abs() < 1e-12);
        assert!((weight(day * 7) - 0.5).abs() < 1e-12);
        assert!(weight(day * 31).abs() < 1e-12);
    }

    #[test]
    fn what_is_old_gives_way_to_what_is_assumed() {
        let rows = vec![[0.0, 0.0, 4_000.0]; crate::track::flow::CLASSES];
        let share = |weight: f64| {
            let mut r = Rates::default();
            r.recall(&rows, weight);
            let row = r.remember()[0];
            (row[2] / row.iter().sum::<f64>(), row.iter().sum::<f64>())
        };
        assert!(share(1.0).0 > 0.999);
        assert!(share(0.001).0 < 0.4);
        assert!((share(0.0).1 - PRIOR_WEIGHT).abs() < 1e-9);
    }
}
