//! Which network a frame with CARP was heard on: a segment, and inside it the VLAN and the capture interface.
//!
//! The same vhid on every VLAN is normal, so each network has an index of its own, by which CARP is kept. The first indices are
//! those of the configured segments; the others come as they are heard, in bounded number.

use crate::capture::{Net, Vlan};
use crate::settings::Settings;

/// Networks told apart, configured segments included; more are invented tags.
pub(super) const MAX_NETWORKS: usize = 64;

/// One network.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Network {
    /// The configured segment that it is, or is a part of; none where no segment is configured.
    segment: Option<usize>,
    interface: String,
    vlan: Vlan,
    name: String,
    /// CARP of a node was heard on it outside of tunnels.
    bare: bool,
}

impl Network {
    fn is(&self, net: Net, interface: &str, vlan: Vlan) -> bool {
        self.segment == segment_of(net) && self.vlan == vlan && self.interface == interface
    }
}

const fn segment_of(net: Net) -> Option<usize> {
    match net {
        Net::Segment(i) => Some(i),
        Net::Sync => None,
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Networks {
    all: Vec<Network>,
    /// Tags that each configured segment insists on.
    wanted: Vec<Option<Vlan>>,
    full: bool,
}

/// What is to be done with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It belongs to this network.
    Here(usize),
    /// It belongs to one that was not known before.
    New(usize),
    /// Of a VLAN that the segment has nothing to do with.
    Elsewhere,
    /// There are too many networks; whether that is news.
    Full { news: bool },
}

impl Networks {
    /// The configured segments.
    pub(super) fn new(settings: &Settings) -> Self {
        let network = |(i, s): (usize, &crate::settings::Segment)| Network {
            segment: Some(i),
            interface: String::new(),
            vlan: s.vlan.unwrap_or_default(),
            name: s.name.clone(),
            bare: false,
        };
        Self {
            all: settings.segments.iter().enumerate().map(network).collect(),
            wanted: settings.segments.iter().map(|s| s.vlan).collect(),
            full: false,
        }
    }

    /// The network of a frame.
    pub(super) fn of(&mut self, net: Net, interface: &str, vlan: Vlan) -> Found {
        let segment = segment_of(net);
        let wanted = segment.and_then(|i| self.wanted.get(i).copied().flatten());
        // Which virtual network brought it is the mirror's business.
        if wanted.is_some_and(|w| w != vlan.within(0)) {
            return Found::Elsewhere;
        }
        if let Some(i) = self.all.iter().position(|n| n.is(net, interface, vlan)) {
            return Found::Here(i);
        }
        if self.all.len() >= MAX_NETWORKS {
            let news = !std::mem::replace(&mut self.full, true);
            return Found::Full { news };
        }
        let name = name(segment.map(|i| self.name(i)), interface, vlan);
        self.all.push(Network {
            segment,
            interface: interface.to_owned(),
            vlan,
            name,
            bare: false,
        });
        Found::New(self.all.len() - 1)
    }

    /// Whether CARP of a node was heard here outside of tunnels; `now`: it just was.
    pub(super) fn bare(&mut self, net: Net, interface: &str, vlan: Vlan, now: bool) -> bool {
        let here = self.all.iter_mut().find(|n| n.is(net, interface, vlan));
        here.is_some_and(|n| {
            n.bare |= now;
            n.bare
        })
    }

    /// The configured segment that a network is, or is a part of.
    pub(super) fn segment(&self, network: usize) -> Option<usize> {
        self.all.get(network)?.segment
    }

    /// `lan`, `trunk.10`, `em1`.
    pub(super) fn name(&self, network: usize) -> &str {
        self.all.get(network).map_or("sync", |n| &n.name)
    }

    /// Its tags.
    pub(super) fn vlan(&self, network: usize) -> Vlan {
        self.all.get(network).map_or_else(Vlan::default, |n| n.vlan)
    }
}

/// The segment, and behind it what tells this part of it from the others; without a segment the interface alone.
fn name(segment: Option<&str>, interface: &str, vlan: Vlan) -> String {
    let mut name = match (segment, interface) {
        (None, "") => "sync".to_owned(),
        (None, interface) => interface.to_owned(),
        (Some(segment), "") => segment.to_owned(),
        (Some(segment), interface) => format!("{segment}@{interface}"),
    };
    for tag in vlan.tags() {
        name += &format!(".{tag}");
    }
    if let Some(vni) = vlan.vni() {
        name += &format!(".vni{vni}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Segment;

    fn segment(name: &str, vlan: Option<&[u16]>) -> Segment {
        Segment {
            name: name.into(),
            password: None,
            vlan: vlan.map(Vlan::new),
        }
    }

    fn networks() -> Networks {
        Networks::new(&Settings {
            segments: vec![segment("trunk", None), segment("dmz", Some(&[30]))],
            ..Settings::default()
        })
    }

    #[test]
    fn vlans_and_interfaces_are_networks_of_their_own() {
        let mut n = networks();
        let trunk = Net::Segment(0);
        assert_eq!(n.of(trunk, "", Vlan::default()), Found::Here(0));
        assert_eq!(n.of(trunk, "", Vlan::new(&[10])), Found::New(2));
        assert_eq!(n.of(trunk, "", Vlan::new(&[100, 10])), Found::New(3));
        assert_eq!(n.of(trunk, "em1", Vlan::default()), Found::New(4));
        assert_eq!(n.of(trunk, "", Vlan::new(&[10])), Found::Here(2));
        assert_eq!(n.of(Net::Sync, "em2", Vlan::default()), Found::New(5));
        assert_eq!(n.of(trunk, "", Vlan::new(&[10]).within(77)), Found::New(6));
        let names: Vec<_> = (0..7).map(|i| n.name(i)).collect();
        let last = ["trunk@em1", "em2", "trunk.10.vni77"];
        assert_eq!(
            names,
            [&["trunk", "dmz", "trunk.10", "trunk.100.10"][..], &last].concat()
        );
        assert_eq!((n.segment(3), n.segment(5)), (Some(0), None));
    }

    #[test]
    fn a_segment_that_names_its_vlan_hears_no_other() {
        let mut n = networks();
        assert_eq!(n.of(Net::Segment(1), "", Vlan::new(&[30])), Found::Here(1));
        assert_eq!(n.of(Net::Segment(1), "", Vlan::new(&[10])), Found::Elsewhere);
        assert_eq!(n.of(Net::Segment(1), "", Vlan::default()), Found::Elsewhere);
        assert_eq!(n.of(Net::Segment(1), "", Vlan::new(&[30]).within(7)), Found::New(2));
    }

    #[test]
    fn invented_tags_end_at_a_number_and_that_is_said_once() {
        let mut n = networks();
        let found: Vec<_> = (1..200).map(|v| n.of(Net::Segment(0), "", Vlan::new(&[v]))).collect();
        let new = found.iter().filter(|f| matches!(f, Found::New(_))).count();
        let news = found.iter().filter(|f| **f == Found::Full { news: true }).count();
        assert_eq!((new, news), (MAX_NETWORKS - 2, 1));
        assert_eq!(n.of(Net::Segment(0), "", Vlan::new(&[1])), Found::Here(2));
    }
}
