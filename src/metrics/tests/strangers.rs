//! Strangers on the wires, through the engine: whatever they forge, the set of series does not grow with them.

use super::render;
use crate::capture::{Frame, LinkType, Net};
use crate::engine::Engine;
use crate::settings::{Node, Segment, Settings};
use crate::status::history::History;
use crate::status::{Facts, Status};
use crate::time::Timestamp;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// As many as the engine remembers where nobody is configured.
const REMEMBERED: usize = 32;
const STRANGERS: u8 = 120;

struct Wire {
    engine: Engine,
    history: History,
    now: Timestamp,
    /// Every series that was ever in a scrape, as Prometheus keeps it.
    seen: BTreeSet<String>,
}

impl Wire {
    fn new(nodes: usize) -> Self {
        let node = |i: usize| Node {
            name: format!("fw{i}"),
            addresses: vec![address(172, i)],
            is_self: i == 2,
            local: vec![address(10, i)],
        };
        let settings = Settings {
            nodes: (1..=nodes).map(node).collect(),
            segments: vec![Segment {
                name: "lan".into(),
                password: None,
                vlan: None,
            }],
            ..Settings::default()
        };
        Self {
            engine: Engine::new(settings, 1),
            history: History::default(),
            now: Timestamp::from_nanos(1_790_000_000_000_000_000),
            seen: BTreeSet::new(),
        }
    }

    /// An empty message of pfsync version 6 from there, and an advertisement for one virtual host.
    fn speaks(&mut self, host: u8) {
        let pfsync = [&[6, 0, 0, 28][..], &[0; 16], &[0; 8]].concat();
        self.frame(Net::Sync, 172, host, 240, &pfsync);
        let mut carp = [&[0x21, 7, 0, 7, 0, 1, 0, 0][..], &[0; 28]].concat();
        let sum = checksum(&carp);
        carp[6..8].copy_from_slice(&sum.to_be_bytes());
        self.frame(Net::Segment(0), 10, host, 112, &carp);
    }

    fn frame(&mut self, net: Net, first: u8, host: u8, protocol: u8, payload: &[u8]) {
        let length = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
        let mut data = vec![0x45, 0, length[0], length[1], 0, 0, 0, 0, 255, protocol, 0, 0];
        data.extend([first, 0, 0, host, 224, 0, 0, 18]);
        data.extend(payload);
        self.engine.frame(&Frame::whole(self.now, net, LinkType(101), &data));
    }

    /// Some seconds later, so that the last master is gone: a scrape.
    fn scrape(&mut self) -> String {
        let seconds = |t: Timestamp| t.since(Timestamp::from_nanos(0)).as_secs_f64();
        self.engine.idle(self.now + Duration::from_millis(10));
        while let Some(event) = self.engine.poll() {
            self.history.note(&event, &self.engine, seconds);
        }
        let text = render(&Status::of(
            &self.engine,
            &self.history,
            Facts::default(),
            self.now,
            seconds,
        ));
        let text = text.unwrap();
        let series = text.lines().filter(|l| !l.starts_with('#'));
        self.seen
            .extend(series.filter_map(|l| Some(l.rsplit_once(' ')?.0.to_owned())));
        self.now = self.now + Duration::from_secs(20);
        self.engine.idle(self.now);
        text
    }
}

fn address(first: u8, host: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(first, 0, 0, u8::try_from(host).unwrap()))
}

fn checksum(octets: &[u8]) -> u16 {
    let words = octets.chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(w[1]));
    let sum: u32 = words.sum();
    !u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap()
}

fn holds(text: &str, line: &str) {
    assert!(text.lines().any(|l| l == line), "no `{line}` in\n{text}");
}

#[test]
fn beside_configured_nodes_strangers_add_no_series() {
    let mut wire = Wire::new(2);
    wire.speaks(1);
    let text = wire.scrape();
    holds(&text, "pfwatch_carp_master{node=\"fw1\",segment=\"lan\",vhid=\"7\"} 1");
    holds(&text, "pfwatch_node_frames_total{node=\"unknown\"} 0");
    wire.speaks(101);
    let text = wire.scrape();
    holds(
        &text,
        "pfwatch_carp_master{node=\"foreign\",segment=\"lan\",vhid=\"7\"} 1",
    );
    holds(&text, "pfwatch_carp_master{node=\"fw1\",segment=\"lan\",vhid=\"7\"} 0");
    holds(&text, "pfwatch_node_frames_total{node=\"unknown\"} 1");
    let before = wire.seen.clone();
    for host in 102..102 + STRANGERS {
        wire.speaks(host);
        wire.scrape();
    }
    let new: Vec<_> = wire.seen.difference(&before).collect();
    assert!(new.is_empty(), "{new:?}");
    assert!(
        !before
            .iter()
            .any(|s| s.contains("172.0.0.") && !s.starts_with("pfwatch_node_info"))
    );
}

#[test]
fn where_nobody_is_configured_the_labels_end_with_the_memory_of_the_engine() {
    let mut wire = Wire::new(0);
    for host in 1..=STRANGERS {
        wire.speaks(host);
        let text = wire.scrape();
        if host == 1 {
            holds(&text, "pfwatch_node_frames_total{node=\"172.0.0.1\"} 1");
        }
    }
    let labels = |family: &str| wire.seen.iter().filter(|s| s.starts_with(family)).count();
    assert_eq!(labels("pfwatch_node_frames_total{"), REMEMBERED);
    assert_eq!(labels("pfwatch_carp_master{"), 1, "foreign alone");
}
