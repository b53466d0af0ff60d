//! Interfaces of a pcapng: which of them are wanted, and what they are called.
//!
//! Used by `pcapng`, which knows where they are described.

use super::pcapng::MAX_INTERFACES;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Characters of a name that are kept.
const LONGEST: usize = 64;

/// Which frames of a file are wanted, where it has several interfaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interfaces {
    /// All. Those of one of these interfaces belong to that segment, whatever net the file is of; or to none here, because they
    /// are read beside it.
    All(Arc<[(Interface, Option<usize>)]>),
    /// Those of this one.
    One(Interface),
}

/// An interface as it is asked for: `em1`, or `#2` for the second one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface(pub String);

impl Default for Interfaces {
    fn default() -> Self {
        Self::All(Arc::default())
    }
}

impl Interface {
    /// Whether it is this one.
    pub(super) fn is(&self, name: &str, place: usize) -> bool {
        self.0 == name || self.0 == nth(place)
    }
}

/// What an interface without a name is called.
fn nth(place: usize) -> String {
    format!("#{}", place.saturating_add(1))
}

/// What the interfaces of all sections of a file are called. One that is alone in its file needs no name and has the number 0.
#[derive(Default)]
pub(super) struct Names {
    all: Vec<String>,
    numbers: BTreeMap<String, u16>,
    described: BTreeSet<String>,
    /// How many one section has at most.
    most: usize,
}

impl Names {
    /// A name as it is described, in which nothing tells a terminal what to do.
    pub(super) fn plain(octets: &[u8]) -> String {
        let name = String::from_utf8_lossy(octets);
        let name = name.trim_end_matches('\0').replace(char::is_control, "\u{fffd}");
        name.chars().take(LONGEST).collect()
    }

    /// There is such an interface.
    pub(super) fn describe(&mut self, name: &str, place: usize) {
        self.most = self.most.max(place.saturating_add(1));
        let name = if name.is_empty() { nth(place) } else { name.to_owned() };
        if self.described.len() < MAX_INTERFACES {
            self.described.insert(name);
        }
    }

    /// Whether there is one that is called so, or has this place.
    pub(super) fn has(&self, interface: &Interface) -> bool {
        let place = interface.0.strip_prefix('#').and_then(|n| n.parse::<usize>().ok());
        self.described.contains(&interface.0) || place.is_some_and(|n| (1..=self.most).contains(&n))
    }

    /// Every interface that was described.
    pub(super) fn described(&self) -> String {
        let names: Vec<&str> = self.described.iter().map(String::as_str).collect();
        names.join(", ")
    }

    /// The number of an interface of which there is a frame.
    pub(super) fn number(&mut self, name: &str, place: usize, alone: bool) -> u16 {
        let name = if name.is_empty() { nth(place) } else { name.to_owned() };
        if let Some(number) = self.numbers.get(&name) {
            return *number;
        }
        if self.numbers.len() >= MAX_INTERFACES {
            return 0;
        }
        let number = match u16::try_from(self.all.len() + 1) {
            Ok(number) if !(alone && self.numbers.is_empty()) => number,
            _ => 0,
        };
        if number > 0 {
            self.all.push(name.clone());
        }
        self.numbers.insert(name, number);
        number
    }

    /// Its name.
    #[inline]
    pub(super) fn get(&self, number: u16) -> &str {
        let place = usize::from(number).checked_sub(1);
        place.and_then(|i| self.all.get(i)).map_or("", String::as_str)
    }
}
