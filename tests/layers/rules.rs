//! What a room may use, and the search for what it uses beyond that. Called by tests/layers.rs only.

use std::collections::BTreeSet;

use super::paths::{self, Token};

/// How much of the standard library a room may use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Std {
    /// All of it.
    All,
    /// What only computes: no files, sockets, processes, threads, environment, clocks or dice.
    Pure,
    /// None; `core` alone.
    None,
}

/// A room and its arrows.
pub(crate) struct Room {
    pub(crate) name: &'static str,
    std: Std,
    rooms: &'static [&'static str],
    crates: &'static [&'static str],
}

impl Room {
    /// A room without I/O, clock, dice or log.
    pub(crate) const fn pure(
        name: &'static str,
        rooms: &'static [&'static str],
        crates: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            std: Std::Pure,
            rooms,
            crates,
        }
    }

    /// A room at the edge, where the world is.
    pub(crate) const fn edge(
        name: &'static str,
        rooms: &'static [&'static str],
        crates: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            std: Std::All,
            rooms,
            crates,
        }
    }

    /// A room that goes into a kernel as well.
    pub(crate) const fn core_only(
        name: &'static str,
        rooms: &'static [&'static str],
        crates: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            std: Std::None,
            rooms,
            crates,
        }
    }

    /// The table may allow a crate by name or all with `*`, and take one of those back with `!name`.
    fn allows_crate(&self, name: &str) -> bool {
        let taken_back = |c: &&str| c.strip_prefix('!') == Some(name);
        self.crates.iter().any(|c| *c == "*" || *c == name) && !self.crates.iter().any(taken_back)
    }

    /// The table may allow `room`, `room::Item`, `@capture` (the items of `capture_data`) or `*`.
    fn allows(&self, target: &[String], capture_data: &[&str]) -> bool {
        let within = |allowed: &str| {
            let allowed: Vec<&str> = allowed.split("::").collect();
            target.len() >= allowed.len() && target.iter().zip(&allowed).all(|(t, a)| t == a)
        };
        within(self.name)
            || self.rooms.iter().any(|allowed| match *allowed {
                "*" => true,
                "@capture" => capture_data.iter().any(|item| within(item)),
                room => within(room),
            })
    }
}

/// Modules of std that reach out of the program.
const IMPURE_MODULES: [&str; 7] = ["env", "fs", "io", "os", "process", "thread", "*"];

/// Types that reach out of the program, under whatever path they were brought in.
const IMPURE_NAMES: [&str; 11] = [
    "Instant",
    "RandomState",
    "SystemTime",
    "TcpListener",
    "TcpStream",
    "ToSocketAddrs",
    "UNIX_EPOCH",
    "UdpSocket",
    "UnixDatagram",
    "UnixListener",
    "UnixStream",
];

/// Crates that reach out of the program even where nobody has put them into the manifest yet.
const IMPURE_CRATES: [&str; 9] = [
    "getrandom",
    "libc",
    "log",
    "nix",
    "pcap",
    "rand",
    "rustix",
    "tokio",
    "tracing",
];

/// Everything in `text`, a file of `room` from which `depth` times `super` lead to the root, that breaks a rule.
pub(crate) fn violations(
    room: &Room,
    capture_data: &[&str],
    depth: usize,
    dependencies: &BTreeSet<String>,
    text: &str,
) -> Vec<String> {
    let tokens = paths::without_tests(paths::tokens(text));
    let mut found = Vec::new();
    for path in paths::paths(&tokens) {
        if let Some(target) = inside_the_crate(&path, depth)
            && !target.is_empty()
            && !room.allows(&target, capture_data)
        {
            found.push(format!("the room `{}` uses `{}`", room.name, target.join("::")));
        }
        let [first, second, ..] = path.as_slice() else { continue };
        let is_std = first == "std" || first == "core" || first == "alloc";
        let banned = match room.std {
            Std::All => false,
            Std::Pure => is_std && IMPURE_MODULES.contains(&second.as_str()),
            Std::None => first == "std" || first == "alloc",
        };
        if banned {
            found.push(format!("the room `{}` uses {first}::{second}", room.name));
        }
        let is_crate =
            dependencies.contains(first) || (room.std != Std::All && IMPURE_CRATES.contains(&first.as_str()));
        if is_crate && !room.allows_crate(first) {
            found.push(format!("the room `{}` uses the crate `{first}`", room.name));
        }
    }
    if room.std != Std::All {
        for token in &tokens {
            if let Token::Word(word) = token
                && IMPURE_NAMES.contains(&word.as_str())
            {
                found.push(format!("the room `{}` names {word}", room.name));
            }
        }
    }
    found
}

/// The path from the root of the crate, if it leads there; `self` at its end is the module itself.
fn inside_the_crate(path: &[String], depth: usize) -> Option<Vec<String>> {
    let rest = match path.first()?.as_str() {
        "crate" | "pfwatch" => path.get(1..)?,
        "super" => {
            let supers = path.iter().take_while(|p| *p == "super").count();
            if supers < depth {
                return None;
            }
            path.get(supers..)?
        }
        _ => return None,
    };
    Some(rest.iter().filter(|p| *p != "self").cloned().collect())
}
