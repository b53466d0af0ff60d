//! A node: its firewall, its vhids, and whether it runs.

use super::queue::deadline;
use super::switch::index;
use crate::Time;
use crate::carp::{self, Role, Style, Vhost};
use crate::dice::stream;
use crate::firewall::{Config, Firewall, Nat, System};
use crate::frame::{LOW_DELAY, NETWORK_CONTROL};
use crate::setup::Setup;
use crate::site::{Net, Node, address, shared};
use pfsync_proto::{CreatorId, Dialect};
use rand::Rng;

/// One in so many clients goes out with a shared address.
const NAT_SHARE: u64 = 3;

/// A node as the world runs it.
pub(super) struct Machine {
    pub(super) firewall: Firewall,
    /// Vhids of lan and wan.
    pub(super) carp: [Vec<Vhost>; 2],
    /// Rather than crashed.
    pub(super) up: bool,
    /// Stands still until then.
    pub(super) frozen: Time,
    /// Takes packets in and sends none out.
    pub(super) wedged: bool,
    /// On which segments its rules block the CARP of others.
    pub(super) deaf: [bool; 3],
    /// When it wants to be called, as [`super::queue::nanos`].
    pub(super) wake: u64,
    /// The part of that which CARP wants.
    carp_wake: u64,
    /// When it is done with the sync frames that came.
    pub(super) busy: Time,
    /// Identification of the last IP packet, where those have one.
    ip_id: u16,
    /// TOS of its advertisements.
    pub(super) tos: u8,
    style: Style,
    node: Node,
    boots: u64,
    /// What the operator added to the demotion.
    demoted: i32,
    bulk: bool,
}

impl Machine {
    pub(super) fn new(setup: &Setup, node: Node) -> Self {
        let system = setup.nodes[node].system;
        let (style, tos) = match system {
            System::OpenBsd => (Style::OpenBsd, LOW_DELAY),
            System::FreeBsd(Dialect::FreeBsd1301) => (Style::FreeBsd, LOW_DELAY),
            System::FreeBsd(_) => (Style::FreeBsd, NETWORK_CONTROL),
        };
        Self {
            firewall: firewall(setup, node, 0, Time::ZERO),
            carp: vhosts(setup, node, style, 0),
            up: true,
            frozen: Time::ZERO,
            wedged: false,
            deaf: [false; 3],
            busy: Time::ZERO,
            wake: u64::MAX,
            carp_wake: u64::MAX,
            ip_id: u16::try_from(stream(setup.seed, &format!("ip {node}")).next_u32() >> 16).unwrap_or(0),
            tos,
            style,
            node,
            boots: 0,
            demoted: 0,
            bulk: false,
        }
    }

    /// Whether packets get anywhere in it.
    pub(super) fn runs(&self, now: Time) -> bool {
        self.up && self.frozen <= now
    }

    /// Everything in memory is gone.
    pub(super) fn crash(&mut self) {
        self.up = false;
        self.wake = u64::MAX;
    }

    /// Everything anew: demoted until the peers told their states.
    pub(super) fn boot(&mut self, now: Time, setup: &Setup) {
        self.boots += 1;
        self.firewall = firewall(setup, self.node, self.boots, now);
        self.carp = vhosts(setup, self.node, self.style, self.boots);
        self.up = true;
        self.frozen = now;
        self.wedged = false;
        self.demoted = 0;
        self.bulk = false;
        self.firewall.request_bulk(now);
        self.weigh(now);
        self.vhosts().for_each(|v| v.start(now));
    }

    /// The operator adds to the demotion, or takes back.
    pub(super) fn demote(&mut self, now: Time, by: i16) {
        self.demoted += i32::from(by);
        self.reweigh(now);
    }

    /// Looks whether the bulk transfer still goes on, on which the demotion depends.
    pub(super) fn weigh(&mut self, now: Time) {
        if self.firewall.bulk_pending() != self.bulk {
            self.bulk = !self.bulk;
            self.reweigh(now);
        }
    }

    fn reweigh(&mut self, now: Time) {
        let bulk = match self.style {
            Style::OpenBsd => 32,
            Style::FreeBsd => 240,
        };
        let total = self.demoted + if self.bulk { bulk } else { 0 };
        self.vhosts().for_each(|v| v.demote(now, total));
    }

    /// All vhids.
    pub(super) fn vhosts(&mut self) -> impl Iterator<Item = &mut Vhost> {
        self.carp.iter_mut().flatten()
    }

    /// A vhid on a segment.
    pub(super) fn vhost(&mut self, net: Net, vhid: u8) -> Option<&mut Vhost> {
        let table = self.carp.get_mut(index(net))?;
        table.get_mut(usize::from(vhid).wrapping_sub(1))
    }

    /// Whether it has the shared address of a vhid.
    pub(super) fn master(&self, net: Net, vhid: u8) -> bool {
        let table = self.carp.get(index(net));
        let vhost = table.and_then(|t| t.get(usize::from(vhid).wrapping_sub(1)));
        self.up && vhost.is_some_and(|v| v.role() == Role::Master)
    }

    /// Finds out when it wants to be called. A node that stands still comes late.
    pub(super) fn plan(&mut self) {
        if !self.up {
            return;
        }
        let carp = self.vhosts().filter_map(|v| v.next_deadline()).min();
        self.carp_wake = deadline(carp);
        self.plan_firewall();
    }

    /// The same where CARP was not touched.
    pub(super) fn plan_firewall(&mut self) {
        let first = self.carp_wake.min(deadline(self.firewall.next_deadline()));
        self.wake = first.max(deadline(Some(self.frozen)));
    }

    /// Identification for the next IP packet: OpenBSD's (`ip_randomid`) goes through all but 0 before one comes again,
    /// FreeBSD gives packets that must not be fragmented none (`ip_fillid`, RFC 6864).
    pub(super) fn next_ip_id(&mut self) -> u16 {
        if self.style == Style::FreeBsd {
            return 0;
        }
        let step = |id: u16| id.wrapping_mul(0x6255).wrapping_add(0x3619);
        self.ip_id = step(self.ip_id);
        if self.ip_id == 0 {
            self.ip_id = step(0);
        }
        self.ip_id
    }
}

/// By how many places a vhid's preference is turned: whose advskew each node takes.
fn turn(setup: &Setup, net: Net, vhid: u8) -> usize {
    let spread = if setup.vhids > 1 { usize::from(vhid) - 1 } else { 0 };
    (spread + usize::from(setup.asymmetric && net == Net::Wan)) % setup.nodes.len()
}

fn vhosts(setup: &Setup, node: Node, style: Style, boots: u64) -> [Vec<Vhost>; 2] {
    let nodes = setup.nodes.len();
    [Net::Lan, Net::Wan].map(|net| {
        let vhost = |vhid| {
            let config = carp::Config {
                style,
                vhid,
                advbase: setup.advbase,
                advskew: setup.nodes[(node + nodes - turn(setup, net, vhid)) % nodes].advskew,
                preempt: setup.preempt,
                password: setup.password.clone(),
                addresses: vec![shared(net, vhid)],
            };
            let part = format!("vhid {node} {} {vhid} {boots}", net.name());
            Vhost::new(config, stream(setup.seed, &part).next_u64())
        };
        (1..=setup.vhids).map(vhost).collect()
    })
}

fn firewall(setup: &Setup, node: Node, boots: u64, now: Time) -> Firewall {
    let mut dice = stream(setup.seed, &format!("pf {node} {boots}"));
    let made_up = dice.next_u32();
    let vhid = u8::try_from(node % usize::from(setup.vhids.max(1))).unwrap_or(0) + 1;
    let own = [Net::Lan, Net::Wan, Net::Sync].map(|net| address(net, node));
    let common = (1..=setup.vhids).flat_map(|v| [shared(Net::Lan, v), shared(Net::Wan, v)]);
    let seconds = u64::try_from(setup.epoch / 1_000_000_000).unwrap_or(0) + now.as_secs();
    let config = Config {
        system: setup.nodes[node].system,
        creator: CreatorId(setup.nodes[node].hostid.unwrap_or(made_up).to_be_bytes()),
        first_id: seconds << 32,
        nat: setup.nat.then(|| Nat {
            to: shared(Net::Wan, vhid),
            one_in: NAT_SHARE,
        }),
        redirect: setup.proxy.map(|proxy| proxy.redirect(node)),
        local: own.into_iter().chain(common).collect(),
        defer: setup.defer,
        mtu: 1500,
        seed: dice.next_u64(),
        max_updates: 128,
    };
    Firewall::new(config).keeping_carp_states(setup.carp_states)
}
