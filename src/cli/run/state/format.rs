//! What was learned as JSON and back. Says what cannot be read; whether it can be believed is `Memory`'s own business.

use crate::detect::memory::{CanaryMemory, HostMemory, Memory, NodeMemory, PathMemory};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::time::Duration;

/// Changes when an older or newer program would misunderstand the file.
const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
struct File {
    schema: u32,
    /// Unix time.
    saved: f64,
    nodes: Vec<Node>,
    #[serde(default)]
    canaries: Vec<Canary>,
}

/// Read first: of a file of another kind nothing else is known.
#[derive(Deserialize)]
struct Head {
    schema: u32,
}

#[derive(Serialize, Deserialize)]
struct Node {
    address: IpAddr,
    age: f64,
    gaps: Vec<f64>,
    frames: f64,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    config_sync: Option<f64>,
    paths: Vec<Path>,
}

#[derive(Serialize, Deserialize)]
struct Path {
    path: String,
    outcomes: Vec<[f64; 3]>,
    round_trips: f64,
    /// Address and seconds since its last answer.
    clients: Vec<(IpAddr, f64)>,
    servers: Vec<(IpAddr, f64)>,
}

#[derive(Serialize, Deserialize)]
struct Canary {
    from: IpAddr,
    to: IpAddr,
    outcomes: Vec<[f64; 3]>,
    answers: u32,
}

/// As text, to be written at a Unix time.
pub(super) fn print(memory: &Memory, saved: f64) -> String {
    let hosts = |list: &[HostMemory]| list.iter().map(|h| (h.address, short(h.age.as_secs_f64()))).collect();
    let path = |p: &PathMemory| Path {
        path: p.name.clone(),
        outcomes: rows(&p.outcomes),
        round_trips: short(p.round_trips),
        clients: hosts(&p.clients),
        servers: hosts(&p.servers),
    };
    let node = |n: &NodeMemory| Node {
        address: n.address,
        age: short(n.age.as_secs_f64()),
        gaps: n.gaps.iter().map(|g| short(*g)).collect(),
        frames: short(n.frames),
        config_sync: n.config_sync.map(|t| short(t.as_secs_f64())),
        paths: n.paths.iter().map(path).collect(),
    };
    let canary = |c: &CanaryMemory| Canary {
        from: c.from,
        to: c.to,
        outcomes: rows(&c.outcomes),
        answers: c.answers,
    };
    let file = File {
        schema: SCHEMA,
        saved,
        nodes: memory.nodes.iter().map(node).collect(),
        canaries: memory.canaries.iter().map(canary).collect(),
    };
    // Numbers and names alone: nothing in it can fail to be JSON.
    serde_json::to_string(&file).unwrap_or_default() + "\n"
}

/// Back, with the time at which it was written; or what is wrong.
pub(super) fn parse(text: &str) -> Result<(Memory, f64), String> {
    let wrong = |e: serde_json::Error| e.to_string();
    let head: Head = serde_json::from_str(text).map_err(wrong)?;
    if head.schema != SCHEMA {
        return Err(format!("it is of kind {}, not {SCHEMA}", head.schema));
    }
    let file: File = serde_json::from_str(text).map_err(wrong)?;
    let memory = Memory {
        nodes: file.nodes.into_iter().map(node).collect::<Result<_, _>>()?,
        canaries: file
            .canaries
            .into_iter()
            .map(|c| CanaryMemory {
                from: c.from,
                to: c.to,
                outcomes: c.outcomes,
                answers: c.answers,
            })
            .collect(),
    };
    Ok((memory, file.saved))
}

fn node(n: Node) -> Result<NodeMemory, String> {
    Ok(NodeMemory {
        address: n.address,
        age: age(n.age)?,
        gaps: n.gaps,
        frames: n.frames,
        config_sync: n.config_sync.map(age).transpose()?,
        paths: n.paths.into_iter().map(path).collect::<Result<_, _>>()?,
    })
}

fn path(p: Path) -> Result<PathMemory, String> {
    Ok(PathMemory {
        name: p.path,
        outcomes: p.outcomes,
        round_trips: p.round_trips,
        clients: hosts(p.clients)?,
        servers: hosts(p.servers)?,
    })
}

fn hosts(list: Vec<(IpAddr, f64)>) -> Result<Vec<HostMemory>, String> {
    let host = |(address, seconds): (IpAddr, f64)| {
        Ok(HostMemory {
            address,
            age: age(seconds)?,
        })
    };
    list.into_iter().map(host).collect()
}

fn age(seconds: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(seconds).map_err(|_| format!("{seconds} is no age in seconds"))
}

fn rows(rows: &[[f64; 3]]) -> Vec<[f64; 3]> {
    rows.iter().map(|row| row.map(short)).collect()
}

/// More digits would only make the file larger.
fn short(n: f64) -> f64 {
    (n * 1e3).round() / 1e3
}
