//! Counters to which several parties add: was a step of ours carried out, and does what we added still stand?
//!
//! Asked by `change` and `undo`. Arithmetic only. A step that a crash interrupted left no trace but the value itself, to
//! which others may have added since. What can be told:
//!
//! * the value is as before the step, or exactly as after it: then that is so (others would have had to add just our
//!   amount; it is chosen to be nobody else's);
//! * one of the two would mean that the others' part is below zero, which it never is: then it is the other one.
//!
//! In between nobody can know. Then we take what leaves this node rather too demoted than too attractive: a node that is
//! demoted still carries when nobody else does, and the sentence in the log says what to correct; one that is too attractive,
//! perhaps with a negative demotion for ever, takes traffic that it cannot carry.

/// What the value tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It was carried out.
    Yes,
    /// It was not.
    No,
    /// Nobody can know.
    Unclear,
}

/// A step that adds to a counter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// The value before.
    before: i64,
    /// Of which ours.
    ours: i64,
    /// What the step adds.
    adds: i64,
    /// The others' part is never less.
    least: i64,
}

impl Step {
    /// Adding our amount to what was found.
    pub(super) fn of_intent(found: i64, added: i64) -> Self {
        Self {
            before: found,
            ours: 0,
            adds: added,
            least: found.min(0),
        }
    }

    /// Taking our amount back from what was read right before that.
    pub(super) fn of_undo(found: i64, added: i64, from: i64) -> Self {
        Self {
            before: from,
            ours: added,
            adds: added.saturating_neg(),
            least: found.min(0),
        }
    }

    /// Whether it was carried out, by what the counter is now.
    pub(super) fn was_done(self, now: i64) -> Told {
        let after = self.before.saturating_add(self.adds);
        let others_if_not = now.saturating_sub(self.ours);
        let others_if_done = others_if_not.saturating_sub(self.adds);
        match (others_if_done >= self.least, others_if_not >= self.least) {
            _ if now == self.before => Told::No,
            _ if now == after => Told::Yes,
            (false, true) => Told::No,
            (true, false) => Told::Yes,
            _ => Told::Unclear,
        }
    }

    /// The same, where nobody can know: as if it was done if it makes this node more attractive, so that this is taken back
    /// or not done again; as if it was not if it demotes.
    pub(super) fn assume_done(self, now: i64) -> bool {
        match self.was_done(now) {
            Told::Yes => true,
            Told::No => false,
            Told::Unclear => self.adds < 0,
        }
    }
}

/// Whether what we added for certain still stands. It does not where the value is back at what was found: then somebody has
/// taken it away already. Nor where the others' part would be below zero.
pub(super) fn stands(found: i64, added: i64, now: i64) -> bool {
    let others = now.saturating_sub(added);
    now != found && (added < 0 || others >= found.min(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_step_is_known_by_the_value() {
        let table = [
            // Demote by 125: found, added, now.
            ((0, 125, 0), Told::No),
            ((0, 125, 125), Told::Yes),
            ((0, 125, 1), Told::No),
            ((0, 125, 124), Told::No),
            ((0, 125, 126), Told::Unclear),
            ((0, 125, 240), Told::Unclear),
            ((128, 125, 253), Told::Yes),
            // rc has taken its 128 back.
            ((128, 127, 0), Told::No),
            ((128, 127, 127), Told::Unclear),
            // Promote by -100.
            ((0, -100, 0), Told::No),
            ((0, -100, -100), Told::Yes),
            ((0, -100, -99), Told::Yes),
            ((0, -100, 140), Told::Unclear),
            ((240, -100, 140), Told::Yes),
            ((240, -100, -100), Told::Yes),
            // Somebody else keeps it negative: then below zero proves nothing.
            ((-50, -100, -60), Told::Yes),
            ((-50, -100, -40), Told::Unclear),
        ];
        for ((found, added, now), told) in table {
            let step = Step::of_intent(found, added);
            assert_eq!(step.was_done(now), told, "{found}{added:+} now {now}");
        }
    }

    #[test]
    fn an_interrupted_undo_is_known_by_the_value() {
        // 125 added to 0, others +1 since: 126 was read, then taken back or not.
        let step = Step::of_undo(0, 125, 126);
        assert_eq!(
            [126, 1, 0, 124, 127].map(|now| step.was_done(now)),
            [Told::No, Told::Yes, Told::Yes, Told::Yes, Told::Unclear]
        );
        // Not taken away a second time; and a promotion is rather taken back twice than never.
        assert!(step.assume_done(127));
        let step = Step::of_undo(0, -100, -60);
        assert_eq!(
            [-60, 40, -59].map(|now| step.was_done(now)),
            [Told::No, Told::Yes, Told::No]
        );
        assert!(!step.assume_done(50));
    }

    #[test]
    fn what_somebody_else_took_away_does_not_stand() {
        assert!(stands(0, 125, 125));
        assert!(stands(0, 125, 365));
        assert!(stands(240, 125, 125), "the others' part has ended");
        assert!(!stands(0, 125, 0));
        assert!(!stands(0, 125, 1));
        assert!(!stands(240, 125, 240));
        assert!(stands(0, -100, -100));
        assert!(stands(0, -100, 140));
        assert!(!stands(0, -100, 0));
    }

    #[test]
    fn absurd_numbers_do_not_overflow() {
        for a in [i64::MIN, -1, 0, 1, i64::MAX] {
            for b in [i64::MIN, -1, 1, i64::MAX] {
                for c in [i64::MIN, 0, i64::MAX] {
                    let _ = Step::of_intent(a, b).assume_done(c);
                    let _ = Step::of_undo(a, b, c).assume_done(a);
                    let _ = stands(a, b, c);
                }
            }
        }
    }
}
