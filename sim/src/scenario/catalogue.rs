//! What each scenario does. Node 0 carries the traffic at the start, node 1 (and 2) stands by.

use super::{Kind, Scenario, Story, reported};
use crate::fault::{Fault, Loss, Way};
use crate::setup::{NodeSetup, Proxy};
use crate::site::{Net, Node};
use crate::truth::{Act, Grade};
use std::ops::Range;
use std::time::Duration;

pub(super) const A: Node = 0;
pub(super) const B: Node = 1;

macro_rules! scenarios {
    ($($kind:ident $name:literal $what:literal $tell:expr;)*) => {
        /// All of them.
        pub(super) const ALL: &[Scenario] = &[$(Scenario { name: $name, what: $what, kind: Kind::$kind, tell: $tell }),*];
    };
}

scenarios! {
    Crash "crash" "the active firewall dies, and boots when the trouble is over" crash;
    Blackhole "wedge" "the active firewall lives, CARP and pfsync go on, nothing is forwarded" wedge;
    Blackhole "inside-port-dead" "the active firewall's inside switch port dies without losing link"
        |s| inside(s, Way::Both);
    Blackhole "outside-port-dead" "the active firewall's outside switch port dies without losing link"
        |s| port(s, Net::Wan, Way::Both);
    Blackhole "forward-lost" "what the active firewall sends outside is lost, replies would come" |s| port(s, Net::Wan, Way::Out);
    Blackhole "reply-lost" "what is sent outside arrives, the replies do not reach the active firewall"
        |s| port(s, Net::Wan, Way::In);
    Blackhole "reply-lost-inside" "replies leave the active firewall and do not reach the clients"
        |s| inside(s, Way::Out);
    Blackhole "clients-lost-inside" "nothing that clients send reaches the active firewall" |s| inside(s, Way::In);
    Degraded "loss-10" "about one packet in ten is lost on the active firewall's outside port" |s| lossy(s, 0.06, 0.15);
    Degraded "loss-30" "about three packets in ten are lost on the active firewall's outside port" |s| lossy(s, 0.2, 0.4);
    Degraded "loss-60" "about six packets in ten are lost on the active firewall's outside port" |s| lossy(s, 0.52, 0.75);
    Degraded "flapping-port" "the active firewall's outside port dies and returns every few seconds" flapping;
    Degraded "upstream-dead" "everything beyond both firewalls is gone: moving does not help" upstream;
    Degraded "clients-gone" "all clients vanish at once: their switch, not the firewall" clients_gone;
    Fine "steady" "nothing happens" |_| {};
    Fine "upstream-flap" "everything beyond both firewalls is gone for 0.5 to 5 s, several times" upstream_flap;
    Fine "clients-flap" "all clients are gone for 0.5 to 5 s, several times" clients_flap;
    Fine "sync-cable-out" "the sync cable is pulled: the firewalls are fine and deaf to each other" sync_out;
    Fine "sync-loss-1" "about one sync frame in a hundred is lost" |s| sync_loss(s, 0.005..0.02, 1.0);
    Fine "sync-loss-5" "about one sync frame in twenty is lost, in bursts" |s| sync_loss(s, 0.03..0.08, 4.0);
    Fine "sync-loss-20" "about one sync frame in five is lost, in bursts" |s| sync_loss(s, 0.15..0.3, 8.0);
    Fine "backup-reboot" "the backup reboots and asks for a bulk update" backup_reboot;
    Fine "failover" "planned failover and fail-back" failover;
    Fine "asymmetric" "one firewall carries the requests and the other the replies, always" |s| s.setup.asymmetric = true;
    Fine "unsynchronised" "somebody moves the outside address alone to the other firewall" unsynchronised;
    Fine "load-sharing" "two vhids, each firewall master of one" |s| s.setup.vhids = 2;
    Fine "half-servers-dead" "about half of the servers stop answering, by lot, whatever their rank" half_servers;
    Fine "busiest-dead" "the one busy server stops answering" busiest;
    Fine "half-clients-gone" "about half of the clients vanish at once" half_clients;
    Fine "syn-flood" "one client floods a server with SYNs" flood;
    Fine "port-scan" "one client scans addresses and ports" scan;
    Fine "spoofed-flood" "SYNs from forged addresses to forged servers" spoofed;
    Fine "state-flush" "a rule reload flushes all states" |s| s.begins(Fault::ClearStates(A));
    Fine "lull" "nearly all clients fall quiet at once, and return at once" lull;
    Fine "silence" "all clients fall quiet at once, and return at once" |s| storm(s, Fault::Quiet(1.0), Fault::Quiet(0.0));
    Fine "rush" "three to eight times the usual load at once" rush;
    Fine "clock-forward" "the watching host's clock jumps an hour forward" |s| s.begins(Fault::ClockStep(3_600.0));
    Fine "clock-back" "the watching host's clock jumps an hour back" |s| s.begins(Fault::ClockStep(-3_600.0));
    Fine "capture-drops" "the watching host loses a fifth to a half of the frames" drops;
    Fine "own-stall" "the watching process stands still for 2 to 20 s" stall;
    Fine "freeze" "the active firewall stands still for 0.3 to 3 s now and then" freeze;
    Fine "hostile-sync" "somebody on the sync net sends noise, replays, and frames with flipped bits" hostile;
    Fine "backup-outside-port-dead" "the backup's outside port dies: it believes to be master there" |s| backup_port(s, Net::Wan);
    Fine "backup-inside-port-dead" "the backup's inside port dies: it believes to be master there" |s| backup_port(s, Net::Lan);
    Blackhole "three-nodes" "outside port dead, with two backups: exactly one promotes" three;
    Blackhole "load-sharing-dead" "two vhids, and the outside port of one of the firewalls dies" sharing_dead;
    Fine "boot-tie" "both boot together, advertise at the same moment, and yield to each other" reported::boot_tie;
    Crash "boot-crash" "the same, and soon after the election its winner dies" reported::boot_crash;
    Fine "two-masters" "the backup does not hear the other's CARP inside: both are master there"
        |s| reported::two_masters(s, Net::Lan);
    Fine "two-masters-outside" "the backup does not hear the other's CARP outside: both are master there"
        |s| reported::two_masters(s, Net::Wan);
    Fine "carp-reflected" "the switches send the active firewall's advertisements back to it" reported::reflected;
    Blackhole "proxy-outside-port-dead" "outside port dead; port 80 is redirected to a proxy on 127.0.0.1, which goes on answering"
        |s| reported::proxy_port(s, Proxy::Loopback);
    Blackhole "own-proxy-outside-port-dead" "the same, with a proxy on the firewall's own address"
        |s| reported::proxy_port(s, Proxy::Own);
    Fine "proxy-hangs" "the proxy on the firewall answers nobody, and all else flows" reported::proxy_hangs;
    Fine "heard-twice" "every frame is captured twice, some milliseconds apart" reported::twice;
    Blackhole "heard-twice-port-dead" "the same, and the active firewall's outside port dies" reported::twice_port;
    Fine "capture-gap" "five minutes are missing in the capture" reported::gap;
    Blackhole "capture-gap-outage" "the outside port dies, five minutes are missing, and afterwards all is well"
        reported::gap_outage;
    Fine "wake-up" "the site sleeps for ten minutes, and all wake up at once" reported::wake_up;
}

fn crash(s: &mut Story) {
    s.begins(Fault::Crash(A));
    s.ends(Fault::Boot(A));
    s.down(A, Grade::Must);
}

/// The active node forwards nothing: it must be found, and moving away from it is right.
pub(super) fn blackhole(s: &mut Story) {
    s.down(A, Grade::Must);
    s.right(B, Act::Promote, true);
}

fn wedge(s: &mut Story) {
    s.begins(Fault::Wedge(A));
    s.ends(Fault::Unwedge(A));
    blackhole(s);
    demotes(s, A);
}

/// A probe of this node, to the far host outside or to the clients' switch inside, fails: stepping back is right. It need
/// not happen, and who takes it back does no wrong.
pub(super) fn demotes(s: &mut Story, node: Node) {
    s.right(node, Act::Demote, false);
}

/// Replies that are lost inside have passed the firewall, and clients that are not heard look like quiet ones: only TCP
/// tells the difference.
fn inside(s: &mut Story, way: Way) {
    s.usual_traffic();
    port(s, Net::Lan, way);
}

pub(super) fn port(s: &mut Story, net: Net, way: Way) {
    s.begins(Fault::Port(A, net, way, Loss::ALL));
    s.ends(Fault::Port(A, net, way, Loss::NONE));
    blackhole(s);
    demotes(s, A);
}

/// It may step back, and may then be called what it is said to be; taking its place is right where hardly anything passes.
fn lossy(s: &mut Story, least: f64, most: f64) {
    let share = s.between(least, most);
    let loss = Loss { share, burst: 1.0 };
    s.begins(Fault::Port(A, Net::Wan, Way::Both, loss));
    s.ends(Fault::Port(A, Net::Wan, Way::Both, Loss::NONE));
    demotes(s, A);
    s.down(A, Grade::May);
    // More than every second packet lost each way: three of four round trips fail, and more.
    if share > 0.5 {
        s.right(B, Act::Promote, false);
    }
}

fn flapping(s: &mut Story) {
    let period = (s.lasts / 6).max(Duration::from_secs(8)).mul_f64(s.between(0.7, 1.5));
    s.lasts = period * 6;
    for i in 0..6 {
        let at = s.start + period * i;
        s.at(at, Fault::Port(A, Net::Wan, Way::Both, Loss::ALL));
        s.at(at + period / 2, Fault::Port(A, Net::Wan, Way::Both, Loss::NONE));
    }
    s.down(A, Grade::May);
    s.right(B, Act::Promote, false);
    demotes(s, A);
}

fn upstream(s: &mut Story) {
    s.begins(Fault::Upstream(Loss::ALL));
    s.ends(Fault::Upstream(Loss::NONE));
    s.down(A, Grade::May);
    demotes(s, A);
    demotes(s, B);
}

fn clients_gone(s: &mut Story) {
    s.begins(Fault::ClientsGone(1.0));
    s.ends(Fault::ClientsGone(0.0));
    s.down(A, Grade::May);
    demotes(s, A);
    demotes(s, B);
}

fn upstream_flap(s: &mut Story) {
    flaps(s, Fault::Upstream(Loss::ALL), Fault::Upstream(Loss::NONE));
}

fn clients_flap(s: &mut Story) {
    flaps(s, Fault::ClientsGone(1.0), Fault::ClientsGone(0.0));
}

/// Nothing passes for a moment, because of what is beyond both firewalls, and again when that has been learned anew. Who
/// steps back does no wrong; nobody has a reason to take over.
fn flaps(s: &mut Story, gone: Fault, back: Fault) {
    let pause = s.lasts;
    let mut at = s.start;
    for _ in 0..5 {
        let to = at + s.seconds(0.5, 5.0);
        s.at(at, gone);
        s.at(to, back);
        s.down_for(A, Grade::May, at, to);
        for node in [A, B] {
            s.right_for(node, Act::Demote, false, at, to);
        }
        at = to + pause.mul_f64(s.between(0.5, 1.5));
    }
    s.lasts = at.saturating_sub(s.start);
}

fn sync_out(s: &mut Story) {
    s.begins(Fault::Port(B, Net::Sync, Way::Both, Loss::ALL));
    s.begins(Fault::Port(A, Net::Sync, Way::Both, Loss::ALL));
    s.ends(Fault::Port(A, Net::Sync, Way::Both, Loss::NONE));
    s.ends(Fault::Port(B, Net::Sync, Way::Both, Loss::NONE));
}

fn sync_loss(s: &mut Story, share: Range<f64>, burst: f64) {
    let share = s.between(share.start, share.end);
    s.begins(Fault::Port(A, Net::Sync, Way::Both, Loss { share, burst }));
    s.ends(Fault::Port(A, Net::Sync, Way::Both, Loss::NONE));
}

fn backup_reboot(s: &mut Story) {
    s.begins(Fault::Crash(B));
    s.at(s.start + s.lasts / 2, Fault::Boot(B));
}

fn failover(s: &mut Story) {
    s.begins(Fault::Demote(A, 128));
    s.ends(Fault::Demote(A, -128));
}

fn unsynchronised(s: &mut Story) {
    s.begins(Fault::AdvskewOn(A, Net::Wan, 200));
    s.ends(Fault::AdvskewOn(A, Net::Wan, 10));
}

fn half_servers(s: &mut Story) {
    s.many_hosts();
    let share = s.between(0.35, 0.6);
    storm(s, Fault::ServersDead(share), Fault::ServersDead(0.0));
}

fn busiest(s: &mut Story) {
    s.many_hosts();
    storm(s, Fault::BusiestDead(1), Fault::BusiestDead(0));
}

fn half_clients(s: &mut Story) {
    s.many_hosts();
    let share = s.between(0.35, 0.65);
    storm(s, Fault::ClientsGone(share), Fault::ClientsGone(0.0));
}

fn storm(s: &mut Story, begin: Fault, end: Fault) {
    s.begins(begin);
    s.ends(end);
}

fn flood(s: &mut Story) {
    let rate = s.count(100.0, 600.0);
    storm(s, Fault::Flood(rate), Fault::Flood(0));
}

fn spoofed(s: &mut Story) {
    let rate = s.count(100.0, 600.0);
    storm(s, Fault::SpoofedFlood(rate), Fault::SpoofedFlood(0));
}

fn scan(s: &mut Story) {
    let rate = s.count(50.0, 400.0);
    storm(s, Fault::Scan(rate), Fault::Scan(0));
}

fn lull(s: &mut Story) {
    let share = s.between(0.9, 0.995);
    storm(s, Fault::Quiet(share), Fault::Quiet(0.0));
}

fn rush(s: &mut Story) {
    let times = s.between(3.0, 8.0);
    storm(s, Fault::Load(times), Fault::Load(1.0));
}

fn drops(s: &mut Story) {
    let share = s.between(0.2, 0.5);
    storm(s, Fault::CaptureDrops(share), Fault::CaptureDrops(0.0));
}

fn stall(s: &mut Story) {
    let length = s.seconds(2.0, 20.0);
    s.begins(Fault::Stall(length));
}

fn hostile(s: &mut Story) {
    let rate = s.count(20.0, 150.0);
    storm(s, Fault::HostileSync(rate), Fault::HostileSync(0));
}

/// Nothing passes a node that stands still. It goes on by itself, so nobody has to take its place; CARP may.
fn freeze(s: &mut Story) {
    for i in 0..5 {
        let at = s.start + s.lasts / 5 * i;
        let length = s.seconds(0.3, 3.0);
        s.at(at, Fault::Freeze(A, length));
        s.down_for(A, Grade::May, at, at + length);
    }
}

fn backup_port(s: &mut Story, net: Net) {
    s.begins(Fault::Port(B, net, Way::Both, Loss::ALL));
    s.ends(Fault::Port(B, net, Way::Both, Loss::NONE));
    demotes(s, B);
}

fn three(s: &mut Story) {
    let system = s.setup.nodes[B].system;
    s.setup.nodes.push(NodeSetup {
        system,
        advskew: 150,
        hostid: None,
    });
    port(s, Net::Wan, Way::Both);
}

fn sharing_dead(s: &mut Story) {
    s.usual_traffic();
    s.setup.vhids = 2;
    port(s, Net::Wan, Way::Both);
}
