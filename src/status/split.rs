//! Who lost what, while masters differ.
//!
//! Made from the masterships of a snapshot, so that every page that shows them marks the same.

use super::{Master, Node, Span, Status};

/// A vhid whose master is another than before the split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lost<'a> {
    /// Where.
    pub segment: &'a str,
    /// Which.
    pub vhid: u8,
    /// Who was its master.
    pub by: &'a Master,
}

impl Status {
    /// The split that goes on.
    #[must_use]
    pub fn split(&self) -> Option<&Span> {
        self.unsynchronised.last().filter(|s| s.to.is_none())
    }

    /// What went to another node since the pair came apart. The onset is when the first of them did.
    #[must_use]
    pub fn lost(&self) -> Vec<Lost<'_>> {
        let Some(split) = self.split() else { return Vec::new() };
        let who = |m: &Master| m.node.clone().unwrap_or_else(|| m.address.clone());
        let mut lost = Vec::new();
        for segment in &self.segments {
            for vhid in &segment.vhids {
                let before = vhid.masters.iter().rev().find(|m| m.from < split.from);
                if let (Some(by), Some(now)) = (before, vhid.master())
                    && who(by) != who(now)
                {
                    let (segment, vhid) = (segment.name.as_str(), vhid.vhid);
                    lost.push(Lost { segment, vhid, by });
                }
            }
        }
        lost
    }

    /// `fw1 is missing from wan`, as far as that is known.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        let lost = |n: &Node| -> Option<String> {
            let place = self.missing_from(n)?;
            // Who gave it away is not missing.
            Some(match n.witnesses.get("split") {
                Some(-1) => format!("{} is missing from {place}", n.label()),
                _ => format!("{} is no longer master on {place}", n.label()),
            })
        };
        let all: Vec<String> = self.firewalls().filter_map(lost).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// The segments on which a node lost something, as a list.
    #[must_use]
    pub fn missing_from(&self, node: &Node) -> Option<String> {
        let lost = self.lost();
        let of_node = lost.iter().filter(|l| l.by.node.as_deref() == Some(&node.address));
        let mut places: Vec<&str> = of_node.map(|l| l.segment).collect();
        places.dedup();
        (!places.is_empty()).then(|| places.join(" and "))
    }
}
