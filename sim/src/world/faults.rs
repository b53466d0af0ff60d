//! What the faults of a setup do to the world.

use super::World;
use super::switch::index;
use crate::fault::Fault;
use crate::observer::Observer;
use crate::site::Node;
use std::time::Duration;

impl World {
    pub(super) fn fault(&mut self, fault: Fault) {
        let now = self.now;
        match fault {
            Fault::Port(node, net, way, loss) => self.switches.set(node, net, way, loss),
            Fault::Crash(node) => self.with(node, |world| {
                world.nodes[node].crash();
                world.ears_on(node).for_each(|e| e.stall(now, Duration::MAX));
            }),
            Fault::Boot(node) => self.with(node, |world| world.boot(node)),
            Fault::Wedge(node) => self.with(node, |world| world.nodes[node].wedged = true),
            Fault::Unwedge(node) => self.with(node, |world| world.nodes[node].wedged = false),
            Fault::Freeze(node, length) => self.with(node, |world| {
                let until = now + length;
                world.nodes[node].frozen = world.nodes[node].frozen.max(until);
                world.ears_on(node).for_each(|e| e.stall(now, length));
            }),
            Fault::Demote(node, by) => self.with(node, |world| world.nodes[node].demote(now, by)),
            Fault::Advskew(node, skew) => self.with(node, |world| {
                world.nodes[node].vhosts().for_each(|v| v.set_advskew(now, skew));
            }),
            Fault::AdvskewOn(node, net, skew) => self.with(node, |world| {
                for vhid in 1..=world.setup.vhids {
                    if let Some(vhost) = world.nodes[node].vhost(net, vhid) {
                        vhost.set_advskew(now, skew);
                    }
                }
            }),
            Fault::Deaf(node, net, deaf) => self.with(node, |world| world.nodes[node].deaf[index(net)] = deaf),
            Fault::Reflect(net, reflects) => self.switches.reflect(net, reflects),
            Fault::Slow(net, delay) => self.switches.slow(net, delay),
            Fault::ClearStates(node) => self.with(node, |world| world.nodes[node].firewall.clear(now)),
            Fault::Upstream(loss) => self.upstream.iter_mut().for_each(|way| way.set(loss)),
            Fault::HostileSync(rate) => self.intruder.rate(now, rate),
            Fault::CaptureDrops(share) => self.ears.iter_mut().for_each(|e| e.drop_frames(now, share)),
            Fault::Stall(length) => self.ears.iter_mut().for_each(|e| e.stall(now, length)),
            Fault::ClockStep(_) => self.ears.iter_mut().for_each(|e| e.clock(now)),
            Fault::ProxyHangs(_)
            | Fault::ServersDead(_)
            | Fault::BusiestDead(_)
            | Fault::Quiet(_)
            | Fault::ClientsGone(_)
            | Fault::Flood(_)
            | Fault::SpoofedFlood(_)
            | Fault::Scan(_)
            | Fault::Load(_) => {
                if let Fault::ClientsGone(share) = fault {
                    self.inside_dead = share >= 1.0;
                }
                self.traffic.change(now, &fault);
                self.send_all(Vec::new());
            }
        }
    }

    /// Does something to a node that exists, and what follows from it.
    fn with(&mut self, node: Node, change: impl FnOnce(&mut Self)) {
        if node >= self.nodes.len() {
            return;
        }
        change(self);
        if self.nodes[node].runs(self.now) {
            self.settle(node);
        } else {
            self.nodes[node].plan();
        }
    }

    fn ears_on(&mut self, node: Node) -> impl Iterator<Item = &mut Observer> {
        self.ears.iter_mut().filter(move |e| e.on(node))
    }

    fn boot(&mut self, node: Node) {
        if self.nodes[node].runs(self.now) {
            // A planned reboot takes its interfaces down first.
            self.nodes[node].vhosts().for_each(crate::carp::Vhost::stop);
            self.advertise(node);
        }
        self.nodes[node].boot(self.now, &self.setup);
        let now = self.now;
        self.ears_on(node).for_each(|e| e.wake(now));
    }
}
