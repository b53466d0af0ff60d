//! What real pairs were seen to do that misled watchdogs: elections that tie, two masters, proxies on the firewall, and
//! captures that are not whole. Entries of the catalogue like the others.

use super::Story;
use super::catalogue::{A, B, blackhole, demotes, port};
use crate::Time;
use crate::fault::{Fault, Loss, Way};
use crate::setup::Proxy;
use crate::site::Net;
use crate::traffic::Mix;
use crate::truth::{Act, Grade, TwoMasters};
use std::time::Duration;

/// What is missing in the capture.
const GAP: Duration = Duration::from_secs(300);

/// A demotion to which that of the bulk update adds nothing: both have the same for as long as it lasts.
const MOST: i16 = 255;

/// Both boot at time 0, demoted as start scripts do it, and on one segment or both the second has the advskew of the first
/// until later. There both lose patience before they hear each other over a switch that is slow as yet, once or twice. When
/// it is settled.
fn election(s: &mut Story) -> Time {
    s.setup.cold = true;
    let [first, second] = [A, B].map(|node| s.setup.nodes[node].advskew);
    // So long a backup waits.
    let patience = Duration::from_secs(3) + Duration::from_secs(1) * u32::from(first) / 256;
    let ties = s.count(1.0, 3.0);
    let nets: &[Net] = match s.count(0.0, 3.0) {
        0 => &[Net::Lan, Net::Wan],
        1 => &[Net::Lan],
        _ => &[Net::Wan],
    };
    let delay = s.seconds(0.01, 0.06);
    for &net in nets {
        s.at(Time::ZERO, Fault::Slow(net, delay));
        s.at(delay.mul_f64(0.7), Fault::AdvskewOn(B, net, first));
        let over = patience * ties + patience / 4;
        s.at(over, Fault::AdvskewOn(B, net, second));
        s.at(over, Fault::Slow(net, Duration::ZERO));
    }
    let settled = patience * (ties + 1) + s.seconds(2.0, 20.0);
    for (node, later) in [(A, 0), (B, 1)] {
        s.at(Time::ZERO, Fault::Demote(node, MOST));
        s.at(settled + Duration::from_secs(later), Fault::Demote(node, -MOST));
    }
    settled + Duration::from_secs(1)
}

pub(super) fn boot_tie(s: &mut Story) {
    election(s);
}

/// The one that won is master for a few seconds, so that there is something to miss.
pub(super) fn boot_crash(s: &mut Story) {
    s.start = election(s) + s.seconds(5.0, 30.0);
    s.begins(Fault::Crash(A));
    s.ends(Fault::Boot(A));
    s.down(A, Grade::Must);
}

pub(super) fn two_masters(s: &mut Story, net: Net) {
    s.begins(Fault::Deaf(B, net, true));
    s.ends(Fault::Deaf(B, net, false));
    let (from, to) = (s.start, s.healed());
    s.truth.two_masters.push(TwoMasters { net, from, to });
}

pub(super) fn reflected(s: &mut Story) {
    for net in [Net::Lan, Net::Wan] {
        s.begins(Fault::Reflect(net, true));
        s.ends(Fault::Reflect(net, false));
    }
}

/// The usual traffic, and half as much again to port 80, for a proxy on the firewall.
fn proxied(s: &mut Story, proxy: Proxy) {
    s.setup.proxy = Some(proxy);
    s.setup.mix = Mix::proxied();
    s.setup.load.flows_per_second *= 1.5;
}

pub(super) fn proxy_port(s: &mut Story, proxy: Proxy) {
    proxied(s, proxy);
    port(s, Net::Wan, Way::Both);
}

pub(super) fn proxy_hangs(s: &mut Story) {
    let proxy = if s.count(0.0, 2.0) == 0 {
        Proxy::Loopback
    } else {
        Proxy::Own
    };
    proxied(s, proxy);
    s.begins(Fault::ProxyHangs(true));
    s.ends(Fault::ProxyHangs(false));
}

pub(super) fn twice(s: &mut Story) {
    s.setup.twice = Some(s.seconds(0.000_5, 0.015));
}

pub(super) fn twice_port(s: &mut Story) {
    twice(s);
    port(s, Net::Wan, Way::Both);
}

pub(super) fn gap(s: &mut Story) {
    s.lasts = GAP;
    s.begins(Fault::Stall(GAP));
}

/// The trouble is heard for as long as elsewhere, and nobody hears its end.
pub(super) fn gap_outage(s: &mut Story) {
    blackhole(s);
    demotes(s, A);
    let deaf = s.healed();
    let ends = deaf + GAP / 2;
    s.begins(Fault::Port(A, Net::Wan, Way::Both, Loss::ALL));
    s.at(ends, Fault::Port(A, Net::Wan, Way::Both, Loss::NONE));
    s.at(deaf, Fault::Stall(GAP));
    // Whoever is blind may go on saying what he knew.
    s.down_for(A, Grade::May, deaf, deaf + GAP);
    s.right_for(B, Act::Promote, false, deaf, deaf + GAP);
    s.right_for(A, Act::Demote, false, deaf, deaf + GAP);
    s.lasts += GAP;
}

pub(super) fn wake_up(s: &mut Story) {
    s.lasts = Duration::from_secs(600);
    s.begins(Fault::Quiet(1.0));
    s.ends(Fault::Quiet(0.0));
    let rush = s.between(3.0, 8.0);
    s.ends(Fault::Load(rush));
    s.at(s.healed() + Duration::from_secs(20), Fault::Load(1.0));
}
