//! Everything that can go wrong, all at once: nothing panics, time goes on, and the dice decide alone.

use super::*;
use crate::dice::stream;
use pfsync_proto::Dialect;
use rand::RngExt;

const NODES: [Node; 4] = [0, 1, 2, 7];

fn any_fault(dice: &mut Dice) -> Fault {
    let node = NODES[dice.random_range(0..4)];
    let net = switch::NETS[dice.random_range(0..3)];
    let way = [Way::In, Way::Out, Way::Both][dice.random_range(0..3)];
    let share: f64 = if dice.random::<bool>() { 0.0 } else { dice.random() };
    let loss = Loss {
        share,
        burst: dice.random_range(0.5..10.0),
    };
    let length = Time::from_millis(dice.random_range(0..6000));
    match dice.random_range(0..22) {
        0..3 => Fault::Port(node, net, way, loss),
        3 => Fault::Crash(node),
        4..6 => Fault::Boot(node),
        6 => Fault::Wedge(node),
        7 => Fault::Unwedge(node),
        8 => Fault::Freeze(node, length),
        9 => Fault::Demote(node, dice.random_range(-300..300)),
        10 => Fault::Advskew(node, dice.random()),
        11 => Fault::ClearStates(node),
        12 => Fault::Upstream(loss),
        13 => Fault::HostileSync(dice.random_range(0..100)),
        14 => Fault::CaptureDrops(share),
        15 => Fault::Stall(length),
        16 => Fault::ClockStep(share * 100.0 - 50.0),
        17 => Fault::ServersDead(share),
        18 => Fault::SpoofedFlood(dice.random_range(0..50)),
        19 => Fault::Scan(dice.random_range(0..50)),
        20 => Fault::ClientsGone(share),
        _ => Fault::Load(dice.random_range(0.0..3.0)),
    }
}

fn storm(seed: u64) -> Setup {
    let mut dice = stream(seed, "storm");
    let systems = [
        OPENBSD,
        System::FreeBsd(Dialect::FreeBsd1301),
        System::FreeBsd(Dialect::FreeBsd1400),
        System::FreeBsd(Dialect::FreeBsd1500),
    ];
    let mut setup = Setup::pair(systems[dice.random_range(0..4)], Load::OFFICE, seed).lasting(s(30));
    for _ in 0..dice.random_range(0..2) {
        setup.nodes.push(setup.nodes[1]);
    }
    setup.vhids = dice.random_range(1..4);
    (setup.asymmetric, setup.unicast) = (dice.random(), dice.random());
    (setup.defer, setup.nat, setup.preempt) = (dice.random(), dice.random(), dice.random());
    (setup.carp_states, setup.ping_states) = (dice.random(), dice.random());
    setup.advbase = dice.random_range(0..3);
    setup.vantage = [None, Some(0), Some(1)][dice.random_range(0..3)];
    for _ in 0..40 {
        let at = Time::from_millis(dice.random_range(0..30_000));
        setup.faults.push((at, any_fault(&mut dice)));
    }
    setup
}

#[test]
fn storms_are_survived_and_repeatable() {
    for seed in 0..6 {
        let (world, heard) = run(storm(seed));
        assert!(world.now() > s(28), "{seed}: stopped at {:?}", world.now());
        assert!(world.events() < 20_000_000, "{seed}: {} events", world.events());
        let (again, same) = run(storm(seed));
        assert!(heard == same, "{seed}");
        assert_eq!(world.experience(), again.experience(), "{seed}");
    }
}
