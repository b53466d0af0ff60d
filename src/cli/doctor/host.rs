//! The interfaces of this host: whether those that are listened on are there, up and connected.

use super::finding::{Finding, ok, problem, warning};
use super::list;
use crate::capture::live::LiveInput;
use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use std::net::IpAddr;

const NAME: &str = "interfaces";

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interface {
    pub(super) name: String,
    /// Not taken down.
    pub(super) up: bool,
    /// There is somebody at the other end of the cable, where the system tells by this flag (Linux; on a BSD it is the
    /// driver that runs).
    pub(super) connected: bool,
    pub(super) addresses: Vec<IpAddr>,
}

/// All of them.
pub(super) fn interfaces() -> Result<Vec<Interface>, Errno> {
    let mut all: Vec<Interface> = Vec::new();
    for entry in getifaddrs()? {
        let at = all.iter().position(|i| i.name == entry.interface_name);
        let address = entry.address.and_then(|a| {
            let v4 = a.as_sockaddr_in().map(|a| IpAddr::V4(a.ip()));
            v4.or_else(|| a.as_sockaddr_in6().map(|a| IpAddr::V6(a.ip())))
        });
        match at.and_then(|i| all.get_mut(i)) {
            Some(known) => known.addresses.extend(address),
            None => all.push(Interface {
                name: entry.interface_name,
                up: entry.flags.contains(InterfaceFlags::IFF_UP),
                connected: entry.flags.contains(InterfaceFlags::IFF_RUNNING),
                addresses: address.into_iter().collect(),
            }),
        }
    }
    Ok(all)
}

/// Those that are listened on.
pub(super) fn check(inputs: &[LiveInput], interfaces: &[Interface]) -> Vec<Finding> {
    let mut all = Vec::new();
    let mut good = Vec::new();
    for name in inputs.iter().map(|i| &i.interface).filter(|name| *name != "any") {
        match interfaces.iter().find(|i| i.name == *name) {
            None => {
                let known: Vec<String> = interfaces.iter().map(|i| i.name.clone()).collect();
                all.push(problem(
                    NAME,
                    format!("there is no interface {name}: this host has {}", list(&known)),
                ));
            }
            Some(i) if !i.up => all.push(problem(NAME, format!("{name} is down: `ifconfig {name} up`"))),
            Some(i) if !i.connected => {
                all.push(warning(
                    NAME,
                    format!("{name} has no carrier: look at its cable and the port at its other end"),
                ));
            }
            Some(_) => good.push(name.clone()),
        }
    }
    if all.is_empty() && !good.is_empty() {
        all.push(ok(NAME, format!("up: {}", list(&good))));
    }
    all
}
