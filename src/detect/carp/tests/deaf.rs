//! What moved while nothing was heard at all.

use super::*;

/// `A` is master of both segments until we are deaf for ten seconds.
fn deaf() -> Lab {
    let mut lab = Lab::new();
    lab.reign(A, &[0, 1], 0, 0.0, 20.0);
    lab.now = 30.0;
    lab.view.forgive(at(30.0), Duration::from_secs(11));
    lab
}

#[test]
fn who_lost_a_part_while_we_were_deaf_gave_nothing_away() {
    let mut lab = deaf();
    for i in 0..8 {
        let t = 30.1 + f64::from(i) * 1.4;
        lab.hear(t, 1, B, &carp(1, 100, 0));
        lab.hear(t + 0.1, 0, A, &carp(1, 0, 0));
        lab.hear(t + 1.1, 0, A, &carp(1, 0, 0));
    }
    assert_eq!(lab.view.split().and_then(|s| s.suspect), Some(A));
    assert!(lab.view.robbed(A), "and that is known from then on");
    assert!(lab.view.torn(at(lab.now), A, Timestamp::MIN));
}

#[test]
fn who_lost_everything_while_we_were_deaf_may_be_a_backup_that_keeps_silent() {
    let mut lab = deaf();
    lab.reign(B, &[0, 1], 100, 30.5, 45.0);
    lab.until(45.0);
    assert_eq!(lab.view.split(), None);
    assert!(!lab.view.robbed(A));
    assert_eq!(lab.view.witness(at(45.0), A).held, 0, "nothing speaks of its death");
}

#[test]
fn what_was_missing_before_we_were_deaf_was_not_given_away_then() {
    let mut lab = Lab::new();
    lab.reign(A, &[0, 1], 0, 0.0, 20.0);
    lab.reign(A, &[0], 0, 20.0, 21.0);
    lab.now = 26.0;
    lab.view.forgive(at(26.0), Duration::from_millis(5_500));
    lab.hear(26.3, 1, B, &carp(1, 100, 0));
    assert_eq!(lab.view.split().and_then(|s| s.suspect), None);
    for i in 0..6 {
        lab.hear(26.5 + f64::from(i), 0, A, &carp(1, 0, 0));
        lab.hear(27.7 + f64::from(i), 1, B, &carp(1, 100, 0));
    }
    assert_eq!(lab.view.split().and_then(|s| s.suspect), Some(A));
}

/// A split ends where a master falls silent, and the half of the traffic that the other had is still not its fault.
#[test]
fn where_a_master_is_missing_carp_does_not_tell_whose_fault_it_is() {
    let mut lab = Lab::new();
    lab.reign(A, &[0, 1], 0, 0.0, 20.0);
    for i in 0..15 {
        lab.hear(20.0 + f64::from(i), 0, A, &carp(1, 0, 0));
        if i < 12 && i > 2 {
            lab.hear(20.5 + f64::from(i), 1, B, &carp(1, 0, 0));
        }
    }
    lab.until(31.5 + 3.0);
    assert!(!lab.view.deserted(), "until then it is only late");
    lab.until(31.5 + 3.4);
    assert!(lab.view.deserted());
}

/// A clock that was set back made the time that the backup waited look short, and that is known a little later.
#[test]
fn a_clock_that_was_set_makes_nobody_yield() {
    let mut lab = Lab::new();
    lab.reign(A, &[0, 1], 0, 0.0, 20.0);
    for i in 0..3 {
        lab.hear(19.9 + f64::from(i) * 1.4, 1, B, &carp(1, 100, 0));
        lab.hear(20.0 + f64::from(i) * 1.4, 0, A, &carp(1, 0, 0));
    }
    assert_eq!(lab.view.split().map(|s| s.suspect), Some(None));
    lab.view.forgive(at(lab.now), Duration::ZERO);
    for i in 0..8 {
        lab.hear(23.2 + f64::from(i), 0, A, &carp(1, 0, 0));
        lab.hear(24.1 + f64::from(i), 1, B, &carp(1, 100, 0));
    }
    assert_eq!(lab.view.split().and_then(|s| s.suspect), Some(A));
    assert!(lab.view.robbed(A) && lab.view.torn(at(lab.now), A, Timestamp::MIN));
}
