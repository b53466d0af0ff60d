//! Which vhids have two masters just now, and which have none; and lists of vhids that stand alike.
//!
//! Made from a snapshot, so that every page that shows one says the same.

use super::{Node, Segment, Status, Vhid};
use crate::event::place::{places, ranges};

/// Seconds within which what began belongs together.
const TOGETHER: f64 = 2.0;

/// What is wrong with the masters of some vhids, as a clause, and since when.
#[derive(Clone, Debug, PartialEq)]
pub struct Wrong {
    /// The first of them began then.
    pub since: f64,
    /// Without its full stop.
    pub text: String,
}

impl Status {
    fn vhids(&self) -> impl Iterator<Item = (&str, &Vhid)> {
        self.segments
            .iter()
            .flat_map(|s| s.vhids.iter().map(|v| (s.name.as_str(), v)))
    }

    /// `two masters of lan vhid 1: fw1 and fw2 advertise it at the same time (split brain)`.
    #[must_use]
    pub fn contested(&self) -> Option<Wrong> {
        let all = || self.vhids().filter_map(|(s, v)| Some((s, v, v.contest()?)));
        let since = all().map(|(_, _, t)| t.from).reduce(f64::min)?;
        let mut names: Vec<&str> = Vec::new();
        for name in all().flat_map(|(_, _, t)| &t.names) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let number = if names.len() == 2 { "two" } else { "several" };
        let place = places(all().map(|(s, v, _)| (s, v.vhid)));
        let text = format!(
            "{number} masters of {place}: {} advertise it at the same time (split brain)",
            names.join(" and ")
        );
        Some(Wrong { since, text })
    }

    /// `no master of lan vhid 1: nobody advertises it, as far as is heard there`.
    #[must_use]
    pub fn vacant(&self) -> Option<Wrong> {
        let all = || self.vhids().filter_map(|(s, v)| Some((s, v, v.vacancy()?)));
        let since = all().map(|(_, _, s)| s.from).reduce(f64::min)?;
        let place = places(all().map(|(s, v, _)| (s, v.vhid)));
        let text = format!("no master of {place}: nobody advertises it, as far as is heard there");
        Some(Wrong { since, text })
    }

    /// Segments of which a node is master, alone or beside another, and how many have one at all.
    #[must_use]
    pub fn mastered(&self, n: &Node) -> (Vec<&str>, usize) {
        let held = |s: &&Segment| s.vhids.iter().any(|v| v.master().is_some() || v.contest().is_some());
        let by = |v: &Vhid| {
            let alone = v.master().is_some_and(|m| m.node.as_deref() == Some(&n.address));
            alone || v.contest().is_some_and(|t| t.nodes.contains(&n.address))
        };
        let all: Vec<&Segment> = self.segments.iter().filter(held).collect();
        let own = all.iter().filter(|s| s.vhids.iter().any(by));
        (own.map(|s| s.name.as_str()).collect(), all.len())
    }

    /// Advertisements that came back to their sender, by segment.
    pub fn reflected(&self) -> impl Iterator<Item = (&str, u64)> {
        let count = |s: &Segment| s.vhids.iter().map(|v| v.reflected).sum::<u64>();
        self.segments
            .iter()
            .map(move |s| (s.name.as_str(), count(s)))
            .filter(|(_, n)| *n > 0)
    }
}

impl Segment {
    /// Vhids that have the same masters since about the same time, as ranges; `torn`: what else tells them apart.
    pub fn alike<'a>(&'a self, torn: impl Fn(&Vhid) -> bool) -> Vec<(String, &'a Vhid)> {
        let mut groups: Vec<Vec<&Vhid>> = Vec::new();
        for v in &self.vhids {
            match groups.iter_mut().find(|g| is_alike(g[0], v) && torn(g[0]) == torn(v)) {
                Some(g) => g.push(v),
                None => groups.push(vec![v]),
            }
        }
        let named = |g: Vec<&'a Vhid>| (ranges(g.iter().map(|v| v.vhid)), g[0]);
        groups.into_iter().map(named).collect()
    }
}

fn is_alike(a: &Vhid, b: &Vhid) -> bool {
    let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= TOGETHER,
        (a, b) => a.is_none() && b.is_none(),
    };
    let masters = a.masters.len() == b.masters.len()
        && a.masters.iter().zip(&b.masters).all(|(a, b)| {
            (&a.address, &a.node) == (&b.address, &b.node) && near(Some(a.from), Some(b.from)) && near(a.to, b.to)
        });
    let names = |v: &Vhid| v.contest().map(|t| t.names.clone());
    masters && names(a) == names(b) && a.vacancy().is_some() == b.vacancy().is_some()
}

#[cfg(test)]
mod tests {
    use super::super::headline::{Times, Tone, headline};
    use super::super::{Master, Node, Span, TwoMasters};
    use super::*;

    struct Plain;

    impl Times for Plain {
        fn time(&self, at: f64) -> String {
            format!("{at}")
        }

        fn ago(&self, at: f64) -> String {
            format!("{} s", 100.0 - at)
        }

        fn length(&self, seconds: f64) -> String {
            format!("{seconds} s")
        }
    }

    /// A pair that is well: fw1 is master of these vhids on lan.
    fn status(vhids: impl IntoIterator<Item = u8>) -> Status {
        let master = || Master {
            name: Some("fw1".into()),
            from: 10.0,
            ..Master::default()
        };
        let vhid = |vhid| Vhid {
            vhid,
            masters: vec![master()],
            ..Vhid::default()
        };
        let node = |name: &str| Node {
            name: Some(name.into()),
            health: "up".into(),
            frames: 1,
            ..Node::default()
        };
        let mut status = Status {
            nodes: vec![node("fw1"), node("fw2")],
            segments: vec![Segment {
                name: "lan".into(),
                vhids: vhids.into_iter().map(vhid).collect(),
                ..Segment::default()
            }],
            ..Status::default()
        };
        status.frames.pfsync = 1;
        status
    }

    #[test]
    fn two_masters_and_none_are_the_headline_until_they_are_over() {
        let said = |s: &Status| headline(s, &Plain);
        let mut s = status(1..=3);
        assert!(said(&s).1.starts_with("All is well"), "{:?}", said(&s));
        for v in &mut s.segments[0].vhids[..2] {
            v.two_masters.push(TwoMasters {
                from: 50.0,
                names: vec!["fw1".into(), "fw2".into()],
                ..TwoMasters::default()
            });
        }
        let text = "CARP has two masters of lan vhid 1, 2 since 50 (50 s ago): fw1 and fw2 advertise it at the same time \
                    (split brain)";
        assert_eq!(said(&s), (Tone::Bad, text.into()));
        for v in &mut s.segments[0].vhids[..2] {
            v.two_masters[0].to = Some(60.0);
        }
        assert_eq!(said(&s).0, Tone::Good);
        s.segments[0].vhids[2].no_master.push(Span { from: 70.0, to: None });
        let text =
            "CARP has no master of lan vhid 3 since 70 (30 s ago): nobody advertises it, as far as is heard there";
        assert_eq!(said(&s), (Tone::Bad, text.into()));
        s.segments[0].vhids[2].no_master[0].to = Some(75.0);
        assert_eq!(said(&s).0, Tone::Good);
    }

    #[test]
    fn whoever_is_master_of_a_part_is_neither_primary_nor_backup_and_of_nothing() {
        let mut s = status([1]);
        s.segments.push(Segment {
            name: "wan".into(),
            ..s.segments[0].clone()
        });
        for (i, n) in s.nodes.iter_mut().enumerate() {
            n.address = format!("fw{}", i + 1);
        }
        for v in s.segments.iter_mut().flat_map(|s| &mut s.vhids) {
            v.masters[0].node = Some("fw1".into());
        }
        s.nodes[0].me = true;
        s.carp_role = "primary".into();
        s.role = "primary".into();
        let role = super::super::role::role;
        assert_eq!(role(&s), "is primary");
        s.segments[1].vhids[0].masters[0].node = Some("fw2".into());
        s.unsynchronised.push(Span { from: 50.0, to: None });
        assert_eq!(role(&s), "was primary and is master on lan");
        // Two masters: the other one, which was a backup.
        let mut s = Status {
            role: "backup".into(),
            carp_role: "backup".into(),
            unsynchronised: Vec::new(),
            ..s
        };
        (s.nodes[0].me, s.nodes[1].me) = (false, true);
        s.segments.pop();
        assert_eq!(role(&s), "is backup");
        s.segments[0].vhids[0].two_masters.push(TwoMasters {
            from: 60.0,
            nodes: vec!["fw1".into(), "fw2".into()],
            ..TwoMasters::default()
        });
        assert_eq!(role(&s), "was backup and is one of two masters");
        assert_eq!(s.mastered(&s.nodes[1]), (vec!["lan"], 1));
    }

    #[test]
    fn what_happens_to_many_vhids_at_once_is_one_line_of_the_story() {
        let mut s = status(1..=200);
        for v in &mut s.segments[0].vhids[140..] {
            v.masters[0].to = Some(40.0);
            v.masters.push(Master {
                name: Some("fw2".into()),
                from: 40.0,
                ..Master::default()
            });
        }
        let lines: Vec<_> = super::super::story::story(&s).into_iter().map(|l| l.text).collect();
        let expected = [
            "CARP on lan vhid 1-200: fw1 is master",
            "CARP on lan vhid 141-200: fw2 is master",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn vhids_that_stand_alike_are_one_line() {
        let mut s = status((1..=140).chain([143]));
        let lines = |s: &Status| {
            let alike = s.segments[0].alike(|v| v.vhid == 7);
            alike.into_iter().map(|(vhids, _)| vhids).collect::<Vec<_>>()
        };
        assert_eq!(lines(&s), ["1-6, 8-140, 143", "7"]);
        s.segments[0].vhids[0].masters[0].from = 20.0;
        s.segments[0].vhids[1].no_master.push(Span { from: 70.0, to: None });
        assert_eq!(lines(&s), ["1", "2", "3-6, 8-140, 143", "7"]);
    }
}
