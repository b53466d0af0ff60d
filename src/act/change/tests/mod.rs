//! Killed at every point, with a reboot or somebody else's change in between: afterwards the system is as it would be
//! without us. And: failures of every command and every write while we live.

mod world;

use super::*;
use crate::act::preset::{self, look};
use crate::config::model::{self as config, Actions, Preset};
use world::{Harm, Other, Shared, World};

/// A preset, what it is to make of the node, hooks beside it, the counter as found.
#[derive(Clone, Copy, Debug)]
struct Scene {
    preset: Preset,
    role: Made,
    with_hook: bool,
    found: i64,
}

fn scenes() -> Vec<Scene> {
    let mut scenes = Vec::new();
    for (preset, founds) in [
        // 128 is what rc adds while it starts the system; at 200 only a part of ours fits.
        (Preset::Openbsd, [0, 1, 128, 200]),
        (Preset::Freebsd, [0, 240, 720, -50]),
        (Preset::Opnsense, [0, 240, 0, 0]),
    ] {
        for role in [Made::Promoted, Made::Demoted] {
            for (i, found) in founds.into_iter().enumerate() {
                if preset == Preset::Opnsense && i > 1 {
                    continue;
                }
                scenes.push(Scene {
                    preset,
                    role,
                    with_hook: i == 0,
                    found,
                });
            }
        }
    }
    scenes
}

impl Scene {
    fn world(self) -> Shared {
        Shared::new(World::new(self.preset == Preset::Openbsd, self.found))
    }

    /// Reads the system and plans, as the program does.
    fn plan(self, shared: &Shared) -> Plan {
        let actions = Actions {
            preset: Some(self.preset),
            ..Actions::default()
        };
        let hook = || vec![config::Command::Shell("/hook".to_owned())];
        let hooks = config::Hooks {
            promote: if self.with_hook { hook() } else { Vec::new() },
            demote: if self.with_hook { hook() } else { Vec::new() },
            ..config::Hooks::default()
        };
        let look = look(actions.preset, &mut shared.clone()).unwrap();
        let plan = preset::plan(self.role, look.as_ref(), &actions, &hooks)
            .unwrap()
            .unwrap();
        for thing in &plan.things {
            if let Thing::Counter { added, .. } = thing {
                shared.world().ours = *added;
            }
        }
        plan
    }
}

fn open(shared: &Shared) -> Ledger {
    Ledger::open(Box::new(shared.clone())).unwrap()
}

/// Runs something as a process of its own does: with what is on the disk, and with hands of its own.
fn process<T>(shared: &Shared, harm: Option<Harm>, work: impl FnOnce(&mut Ledger, &mut Hands<'_>) -> T) -> T {
    shared.world().restart(harm);
    let boot = shared.world().boot();
    let mut ledger = open(shared);
    let mut hands = Hands {
        run: &mut shared.clone(),
        hooks: &mut shared.clone(),
        boot: &boot,
    };
    work(&mut ledger, &mut hands)
}

/// How the second life begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Second {
    /// The daemon is started again, and later everything is taken back.
    Resume,
    /// `pfwatch undo`.
    Undo,
}

fn second(shared: &Shared, how: Second, harm: Option<Harm>) -> Vec<Outcome> {
    process(shared, harm, |ledger, hands| {
        let mut outcomes = Vec::new();
        if how == Second::Resume {
            outcomes.extend(resume(ledger, hands).outcomes);
        }
        outcomes.extend(undo_all(ledger, hands));
        outcomes
    })
}

/// A death and the one after it, in the order in which they are tried: `None` comes last and says that there was none.
fn deaths(operations: usize) -> impl Iterator<Item = Option<Harm>> {
    let points = (0..operations).flat_map(|at| [Harm::Before(at), Harm::After(at)]);
    points.map(Some).chain([None])
}

#[derive(Default, Debug)]
struct Tally {
    points: usize,
    lives: usize,
    unclear: usize,
}

/// One story: killed at `first`, `one` happens, killed at `then`, `two` happens, taken back. Returns how many operations the
/// second life had.
#[expect(clippy::too_many_arguments, reason = "a story has that many turns")]
fn story(
    scene: Scene,
    start: &World,
    plan: &Plan,
    first: Option<Harm>,
    one: Other,
    how: Second,
    then: Option<Harm>,
    two: Other,
    tally: &mut Tally,
) -> usize {
    let shared = Shared::new(start.clone());
    let carried = process(&shared, first, |ledger, hands| {
        carry_out(plan, ledger, hands, 1_790_000_100)
    });
    assert!(
        shared.world().dead || matches!(carried, Ok(None)),
        "{scene:?} {first:?}: {carried:?}"
    );
    shared.world().other(one);
    let mut said = second(&shared, how, then);
    let operations = shared.world().operations;
    shared.world().other(two);
    said.extend(second(&shared, Second::Resume, None));

    tally.lives += 1;
    let context = || format!("{scene:?} {first:?} {one:?} {how:?} {then:?} {two:?} {said:#?}");
    let world = shared.world();
    assert!(world.rest_is_clean(), "{}\n{:?}", context(), *world);
    drop(world);
    assert!(open(&shared).entries().is_empty(), "{}", context());
    let world = shared.world();
    if world.counter != world.counter_true {
        // Nobody can know: only where we died between a command and its mark AND somebody else added at that very time.
        let added_while_dead =
            (first.is_some() && matches!(one, Other::Add(_))) || (then.is_some() && matches!(two, Other::Add(_)));
        let over = world.counter - world.counter_true;
        assert!(
            added_while_dead && over == world.ours.abs(),
            "{}\n{:?}",
            context(),
            *world
        );
        // And it is said, unless the one who would have said it was killed.
        let is_said = said.iter().any(|o| matches!(o.what, What::Unclear { .. }));
        assert!(is_said || then.is_some(), "{}", context());
        tally.unclear += 1;
    }
    operations
}

#[test]
fn whoever_kills_us_wherever_and_whatever_happens_meanwhile_the_system_is_as_without_us() {
    let mut tally = Tally::default();
    for scene in scenes() {
        let shared = scene.world();
        let plan = scene.plan(&shared);
        let start = shared.world().clone();
        process(&shared, None, |ledger, hands| carry_out(&plan, ledger, hands, 0)).unwrap();
        let points = shared.world().operations;
        tally.points += 2 * points;
        let others: &[Other] = match scene.preset {
            Preset::Openbsd => &[
                Other::Add(1),
                Other::Add(-1),
                Other::Add(30),
                Other::Advskew(20),
                Other::TakesOurs,
            ],
            Preset::Opnsense => &[Other::Add(240), Other::Add(-240), Other::Services],
            _ => &[Other::Add(240), Other::Add(-240), Other::Add(1), Other::TakesOurs],
        };
        let mut between = vec![(Other::Nothing, Other::Nothing), (Other::Reboot, Other::Reboot)];
        for other in others.iter().copied().chain([Other::Reboot]) {
            between.push((other, Other::Nothing));
            between.push((Other::Nothing, other));
            between.push((other, Other::Reboot));
        }
        for first in deaths(points) {
            for (one, two) in &between {
                for how in [Second::Resume, Second::Undo] {
                    let lives = &mut tally;
                    let operations = story(scene, &start, &plan, first, *one, how, None, *two, lives);
                    for then in deaths(operations).flatten() {
                        lives.points += 1;
                        story(scene, &start, &plan, first, *one, how, Some(then), *two, lives);
                    }
                }
            }
        }
    }
    // The test would pass as well if it tried nothing.
    assert!(tally.lives > 50_000 && tally.unclear * 20 < tally.lives, "{tally:?}");
}

#[test]
fn a_promotion_that_was_carried_out_is_resumed_and_half_a_one_is_taken_back() {
    for scene in scenes() {
        let shared = scene.world();
        let plan = scene.plan(&shared);
        let start = shared.world().clone();
        process(&shared, None, |ledger, hands| carry_out(&plan, ledger, hands, 0)).unwrap();
        let acted = shared.world().clone();
        for first in deaths(acted.operations) {
            let shared = Shared::new(start.clone());
            let _ = process(&shared, first, |ledger, hands| carry_out(&plan, ledger, hands, 0));
            let resumed = process(&shared, None, resume);
            let world = shared.world();
            match resumed.role {
                // A hook that has begun is taken for one that has not: what the preset did before it goes too.
                None => assert!(world.is_clean() && first.is_some(), "{scene:?} {first:?} {world:?}"),
                Some(role) => {
                    assert_eq!(role, scene.role);
                    assert_eq!(
                        (&world.advskew, world.counter),
                        (&acted.advskew, acted.counter),
                        "{scene:?} {first:?}"
                    );
                    assert_eq!(world.hook, scene.with_hook);
                }
            }
        }
        // Nothing is read where everything is marked: a start is quick, and nothing can fail.
        let resumed = process(&shared, Some(Harm::Before(0)), resume);
        assert_eq!((resumed.role, shared.world().operations), (Some(scene.role), 0));
    }
}

#[test]
fn a_command_that_fails_takes_the_others_back_at_once() {
    for scene in scenes() {
        let shared = scene.world();
        let plan = scene.plan(&shared);
        let start = shared.world().clone();
        process(&shared, None, |ledger, hands| carry_out(&plan, ledger, hands, 0)).unwrap();
        let operations = shared.world().operations;
        for at in 0..operations {
            for harm in [Harm::Fails(at), Harm::Times(at)] {
                let shared = Shared::new(start.clone());
                let carried = process(&shared, Some(harm), |ledger, hands| carry_out(&plan, ledger, hands, 0));
                let context = format!("{scene:?} {harm:?} {carried:?}");
                match carried {
                    // The mark of something that was done: said, and known later.
                    Ok(Some(LedgerError::Write { .. })) => {}
                    // Not even the intent was written, or so it was reported: nothing is done.
                    Err(ChangeError::Ledger(_)) => assert!(shared.world().is_clean(), "{context}"),
                    Err(ChangeError::Failed { taken_back, .. }) => {
                        assert!(shared.world().is_clean(), "{context}");
                        assert!(taken_back.iter().all(Outcome::is_clean), "{context}");
                        assert!(open(&shared).entries().is_empty(), "{context}");
                    }
                    other => panic!("{context} {other:?}"),
                }
                second(&shared, Second::Undo, None);
                assert!(shared.world().is_clean(), "{context}");
            }
        }
    }
}

/// Whatever was left of it, a restart must not take it for a plan that stands.
#[test]
fn what_was_begun_to_be_taken_back_is_finished_by_the_next_start() {
    for scene in scenes() {
        let shared = scene.world();
        let plan = scene.plan(&shared);
        process(&shared, None, |ledger, hands| carry_out(&plan, ledger, hands, 0)).unwrap();
        let acted = shared.world().clone();
        process(&shared, None, undo_all);
        let operations = shared.world().operations;
        let harms =
            (0..operations).flat_map(|at| [Harm::Before(at), Harm::After(at), Harm::Fails(at), Harm::Times(at)]);
        let mut finished = 0;
        for harm in harms {
            let shared = Shared::new(acted.clone());
            process(&shared, Some(harm), undo_all);
            let untouched = {
                let world = shared.world();
                (&world.advskew, world.counter, world.hook) == (&acted.advskew, acted.counter, acted.hook)
            };
            let owed = open(&shared).book().owed;
            let resumed = process(&shared, None, resume);
            if owed || !untouched {
                assert!(
                    resumed.role.is_none() && shared.world().is_clean(),
                    "{scene:?} {harm:?}"
                );
                finished += 1;
            } else {
                assert_eq!(resumed.role, Some(scene.role), "{scene:?} {harm:?}");
            }
        }
        assert!(finished > operations, "{scene:?}: {finished}");
    }
}

/// A start at which nothing can be read, in the middle of a plan: somebody has to try again, also where nothing can be written.
#[test]
fn half_a_plan_that_cannot_be_looked_at_is_owed() {
    for scene in scenes() {
        let shared = scene.world();
        let plan = scene.plan(&shared);
        // The intent is written, and nothing else.
        let _ = process(&shared, Some(Harm::After(0)), |ledger, hands| {
            carry_out(&plan, ledger, hands, 0)
        });
        let resumed = process(&shared, Some(Harm::Before(0)), resume);
        assert!(
            resumed.owed && resumed.role == Some(scene.role),
            "{scene:?} {resumed:?}"
        );
        let again = process(&shared, None, resume);
        assert!(again.role.is_none() && shared.world().is_clean(), "{scene:?} {again:?}");
    }
}

#[test]
fn a_disk_that_fills_up_at_any_point_costs_nothing_but_time() {
    for scene in scenes() {
        let shared = scene.world();
        let plan = scene.plan(&shared);
        let start = shared.world().clone();
        process(&shared, None, |ledger, hands| carry_out(&plan, ledger, hands, 0)).unwrap();
        let acted = shared.world().clone();
        for at in 0..acted.operations {
            let shared = Shared::new(start.clone());
            process(&shared, Some(Harm::Full(at)), |ledger, hands| {
                let carried = carry_out(&plan, ledger, hands, 0);
                assert_eq!(carried.is_err(), at == 0, "{scene:?} {at}");
                if at == 0 {
                    assert!(shared.world().is_clean(), "{scene:?}: acted before it was written");
                }
                // Nothing can be taken back by halves either; when there is room again, everything.
                undo_all(ledger, hands);
                shared.world().harm = None;
                undo_all(ledger, hands);
                assert!(ledger.entries().is_empty());
            });
            assert!(shared.world().is_clean(), "{scene:?} {at}");
        }
    }
}

#[test]
fn one_change_at_a_time() {
    let scene = scenes()[0];
    let shared = scene.world();
    let plan = scene.plan(&shared);
    process(&shared, None, |ledger, hands| {
        carry_out(&plan, ledger, hands, 0).unwrap();
        let again = carry_out(&plan, ledger, hands, 0).unwrap_err().to_string();
        assert!(again.starts_with("this node is promoted already"), "{again}");
    });
}

#[test]
fn what_happened_is_said_in_sentences() {
    let scene = scenes()[0];
    let shared = scene.world();
    let plan = scene.plan(&shared);
    process(&shared, None, |ledger, hands| carry_out(&plan, ledger, hands, 0)).unwrap();
    shared.world().other(Other::Advskew(20));
    let said: Vec<String> = second(&shared, Second::Undo, None)
        .iter()
        .map(Outcome::to_string)
        .collect();
    assert_eq!(
        said,
        [
            "entry 3, hooks, which made this node promoted: taken back",
            "entry 2, advskew of carp2 (50 -> 0), which made this node promoted: taken back",
            "entry 1, advskew of carp0 (100 -> 0), which made this node promoted: somebody changed it since, so it is left at 20",
        ]
    );
}
