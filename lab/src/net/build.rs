//! Builds the network, and takes it down with everything that runs in it.
//!
//! What is left of one that was killed is found by its names alone.

use super::plan::{self, Net, Node, Place};
use super::shell::{line, nft, within};
use crate::clock;
use crate::error::LabError;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::time::Duration;

/// No IPv6, so that nothing but what we mean is on the wire; and Linux shall not think about where packets come from.
const QUIET: &str = "net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 \
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
    net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0 \
    net.ipv4.conf.all.accept_redirects=0 net.ipv4.conf.default.accept_redirects=0";

/// Rules of a switch. A dead port takes nothing in (and learns nothing) and lets nothing out; its link stays.
const SWITCH: &str = "table bridge lab { \
    set dead { type ifname; }; \
    chain from { type filter hook prerouting priority -300; iifname @dead drop; }; \
    chain to { type filter hook postrouting priority 300; oifname @dead drop; }; \
    chain loss { type filter hook prerouting priority -200; }; }";

/// Builds it.
pub fn up(place: &Place) -> Result<(), LabError> {
    down(place)?;
    for net in Net::ALL {
        switch(place, net)?;
    }
    for node in Node::ALL {
        firewall(place, node)?;
    }
    hosts(place)
}

fn namespace(place: &Place, what: &str) -> Result<String, LabError> {
    let name = place.namespace(what);
    line(&format!("ip netns add {name}"))?;
    within(&name, &format!("sysctl -qw {QUIET}"))?;
    line(&format!("ip -n {name} link set lo up"))?;
    Ok(name)
}

fn switch(place: &Place, net: Net) -> Result<(), LabError> {
    let name = namespace(place, net.name())?;
    line(&format!(
        "ip -n {name} link add name switch type bridge stp_state 0 mcast_snooping 0"
    ))?;
    line(&format!("ip -n {name} link set switch up"))?;
    nft(&name, SWITCH)
}

/// A cable from a namespace to a port of the same name as its owner.
fn plug(place: &Place, owner: &str, interface: &str, net: Net) -> Result<(), LabError> {
    let (host, switch) = (place.namespace(owner), place.namespace(net.name()));
    line(&format!(
        "ip link add name {interface} netns {host} type veth peer name {owner} netns {switch}"
    ))?;
    line(&format!("ip -n {switch} link set {owner} master switch up"))?;
    line(&format!("ip -n {host} link set {interface} up"))?;
    Ok(())
}

fn firewall(place: &Place, node: Node) -> Result<(), LabError> {
    let name = namespace(place, node.name())?;
    for net in Net::ALL {
        plug(place, node.name(), net.name(), net)?;
        let (own, bits) = (net.own(node), net.prefix());
        line(&format!("ip -n {name} address add {own}/{bits} dev {}", net.name()))?;
    }
    line(&format!("ip -n {name} route add default via {}", plan::ROUTER))?;
    within(&name, "sysctl -qw net.ipv4.ip_forward=1").map(drop)
}

fn hosts(place: &Place) -> Result<(), LabError> {
    let clients = namespace(place, "clients")?;
    plug(place, "clients", "inside", Net::Inside)?;
    let all = (0..plan::CLIENTS).map(plan::client).chain([plan::user()]);
    for address in all {
        line(&format!("ip -n {clients} address add {address}/16 dev inside"))?;
    }
    line(&format!(
        "ip -n {clients} route add default via {}",
        Net::Inside.shared()
    ))?;

    let router = namespace(place, "router")?;
    plug(place, "router", "outside", Net::Outside)?;
    let servers = namespace(place, "servers")?;
    line(&format!(
        "ip link add name far netns {router} type veth peer name near netns {servers}"
    ))?;
    line(&format!("ip -n {router} address add {}/24 dev outside", plan::ROUTER))?;
    line(&format!("ip -n {router} address add {}/24 dev far", plan::ROUTER_FAR))?;
    line(&format!("ip -n {servers} address add {}/24 dev near", plan::TARGET))?;
    line(&format!("ip -n {router} link set far up"))?;
    line(&format!("ip -n {servers} link set near up"))?;
    for address in (0..plan::SERVERS).map(plan::server) {
        line(&format!("ip -n {servers} address add {address}/32 dev lo"))?;
    }
    line(&format!(
        "ip -n {router} route add {} via {}",
        plan::SERVERS_NET,
        plan::TARGET
    ))?;
    line(&format!(
        "ip -n {router} route add {} via {}",
        plan::CLIENTS_NET,
        Net::Outside.shared()
    ))?;
    line(&format!("ip -n {servers} route add default via {}", plan::ROUTER_FAR))?;
    within(&router, "sysctl -qw net.ipv4.ip_forward=1")?;
    nft(
        &router,
        "table ip lab { set gone { type ipv4_addr; flags interval; }; \
        chain f { type filter hook forward priority 0; ip daddr @gone drop; ip saddr @gone drop; }; }",
    )
}

/// Everything that runs in a namespace.
pub fn pids(namespace: &str) -> Vec<Pid> {
    let listed = line(&format!("ip netns pids {namespace}")).unwrap_or_default();
    listed
        .split_whitespace()
        .filter_map(|p| p.parse().ok().map(Pid::from_raw))
        .collect()
}

/// Ends everything in a namespace, at once.
pub fn kill_all(namespace: &str) {
    for _ in 0..50 {
        let left = pids(namespace);
        if left.is_empty() {
            return;
        }
        for pid in left {
            // Gone already is as good.
            let _: Result<(), Errno> = kill(pid, Signal::SIGKILL);
        }
        clock::pause(Duration::from_millis(20));
    }
}

/// Takes a laboratory down, whatever is left of it.
pub fn down(place: &Place) -> Result<(), LabError> {
    let prefix = place.namespace("");
    for name in namespaces()?.iter().filter(|n| n.starts_with(&prefix)) {
        kill_all(name);
        line(&format!("ip netns delete {name}"))?;
    }
    Ok(())
}

/// Takes down what is left of all laboratories of this host that nobody runs any more. Says which are still run.
pub fn clean() -> Result<Vec<Place>, LabError> {
    let mut tags: Vec<String> = namespaces()?
        .iter()
        .filter_map(|n| {
            n.strip_prefix(Place::PREFIX)?
                .split_once('-')
                .map(|(tag, _)| tag.to_owned())
        })
        .collect();
    tags.dedup();
    let mut busy = Vec::new();
    for place in tags.into_iter().map(|tag| Place { tag }) {
        match lock(&place) {
            Ok(_lock) => down(&place)?,
            Err(LabError::Busy { .. }) => busy.push(place),
            Err(e) => return Err(e),
        }
    }
    Ok(busy)
}

/// Whoever builds a laboratory holds this until it is down: two with one tag would take each other down.
pub fn lock(place: &Place) -> Result<Flock<File>, LabError> {
    let folder = place.folder();
    let fail = |source| LabError::File {
        path: folder.clone(),
        source,
    };
    fs::create_dir_all(&folder).map_err(fail)?;
    let file = File::create(folder.join("lock")).map_err(fail)?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|_| LabError::Busy { folder })
}

fn namespaces() -> Result<Vec<String>, LabError> {
    let listed = line("ip netns list")?;
    let names = listed.lines().filter_map(|l| l.split_whitespace().next());
    let mut names: Vec<String> = names
        .filter(|n| n.starts_with(Place::PREFIX))
        .map(str::to_owned)
        .collect();
    names.sort();
    Ok(names)
}
