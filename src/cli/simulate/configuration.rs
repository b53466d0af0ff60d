//! The configuration of the simulated pair, as its operator would have written it.

use pf_sim::setup::Setup;
use pf_sim::site::{self, Net, Node};
use std::fmt::Write as _;
use std::net::IpAddr;

/// How each of these files begins; one that does not is somebody else's and is not written over.
pub(super) const MARK: &str = "# Written by `pfwatch simulate`";

/// The node beside which pfwatch runs: the first backup, which is the one that would have to act.
pub(super) fn me(setup: &Setup) -> Node {
    setup.nodes.len().saturating_sub(1).min(1)
}

/// Own and shared addresses of a node on both segments.
pub(super) fn local(setup: &Setup, node: Node) -> Vec<IpAddr> {
    let own = [Net::Lan, Net::Wan].map(|net| site::address(net, node));
    let shared = (1..=setup.vhids).flat_map(|vhid| [Net::Lan, Net::Wan].map(|net| site::shared(net, vhid)));
    own.into_iter().chain(shared).collect()
}

/// The file.
pub(super) fn text(setup: &Setup) -> String {
    let mut text = format!("{MARK}: the firewalls of a site that never was.\n");
    for node in 0..setup.nodes.len() {
        let local: Vec<String> = local(setup, node).iter().map(|a| format!("\"{a}\"")).collect();
        let _ = write!(
            text,
            "\n[[node]]\nname = \"fw{}\"\naddress = [\"{}\"]\nself = {}\nlocal = [{}]\n",
            node + 1,
            site::address(Net::Sync, node),
            node == me(setup),
            local.join(", ")
        );
    }
    text.push_str(
        "\n[zones]\nlan = [\"10.0.0.0/8\"]\nwan = [\"0.0.0.0/0\"]\n\n[[path]]\nfrom = \"lan\"\nto = \"wan\"\ncritical = true\n",
    );
    for canary in &setup.canaries {
        let _ = write!(
            text,
            "\n[[canary]]\nfrom = \"{}\"\nto = \"{}\"\nproto = \"tcp\"\nevery = \"{}ms\"\n",
            canary.client,
            canary.server,
            canary.every.as_millis()
        );
    }
    text
}
