mod heard;
mod service;
mod storm;

use super::*;
use crate::fault::{Loss, Way};
use crate::firewall::System;
use crate::frame::{CARP, PFSYNC};
use crate::traffic::Load;
use pfsync_proto::Carp;

const OPENBSD: System = System::OpenBsd;

fn s(seconds: u64) -> Time {
    Time::from_secs(seconds)
}

/// A light pair for this many seconds.
fn pair(seconds: u64) -> Setup {
    Setup::pair(OPENBSD, Load::OFFICE, 1).lasting(s(seconds))
}

fn run(setup: Setup) -> (World, Vec<Heard>) {
    let mut world = World::new(setup);
    let heard: Vec<Heard> = std::iter::from_fn(|| world.next()).collect();
    assert!(heard.is_sorted_by_key(Heard::at), "times go back");
    (world, heard)
}

/// Share of what was opened in these seconds that was answered.
fn served(world: &World, from: usize, to: usize) -> f64 {
    let seconds = world.experience().seconds();
    let of = |f: fn(&crate::traffic::Second) -> u32| f64::from(seconds[from..to].iter().map(f).sum::<u32>());
    let tried = of(|s| s.tried);
    assert!(tried > 50.0, "nothing to judge by: {tried}");
    of(|s| s.established) / tried
}

/// Frames of a protocol: when, where, from which address (last octet), payload.
fn frames(heard: &[Heard], proto: u8) -> impl Iterator<Item = (Time, Net, u8, &[u8])> {
    heard.iter().filter_map(move |h| match h {
        Heard::Frame { at, net, octets } if octets[23] == proto => {
            let total = usize::from(u16::from_be_bytes([octets[16], octets[17]]));
            Some((*at, *net, octets[29], &octets[34..14 + total]))
        }
        _ => None,
    })
}

/// Advertisements on a segment: when, by which node, what.
fn ads(heard: &[Heard], net: Net) -> Vec<(Time, Node, Carp)> {
    frames(heard, CARP)
        .filter(|(_, n, ..)| *n == net)
        .map(|(at, _, src, payload)| (at, usize::from(src) - 2, Carp::decode(payload).unwrap()))
        .collect()
}

/// When a node is first heard to advertise after a time.
fn first_ad(heard: &[Heard], net: Net, node: Node, after: Time) -> Time {
    let all = ads(heard, net);
    all.iter()
        .find(|(at, n, _)| *at > after && *n == node)
        .expect("no ad")
        .0
}

/// Goes on until a time and looks at the world there.
fn until(world: &mut World, at: Time) -> Vec<Heard> {
    std::iter::from_fn(|| (world.now() < at).then(|| world.next()).flatten()).collect()
}

fn dead(node: Node, net: Net) -> Fault {
    Fault::Port(node, net, Way::Both, Loss::ALL)
}

fn whole(node: Node, net: Net) -> Fault {
    Fault::Port(node, net, Way::Both, Loss::NONE)
}
