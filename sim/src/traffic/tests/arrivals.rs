use super::*;

fn first(load: &Load, mix: &Mix, seed: u64, until: Time) -> Vec<Arrival> {
    Arrivals::new(load, mix, seed).take_while(|a| a.at < until).collect()
}

fn seconds(n: u64) -> Time {
    Time::from_secs(n)
}

#[test]
fn come_in_order_and_equal_for_equal_seeds() {
    let run = |seed| first(&Load::OFFICE, &Mix::standard(), seed, seconds(200));
    let (a, b) = (run(1), run(1));
    assert!(a.windows(2).all(|w| w[0].at <= w[1].at));
    assert_eq!(a, b);
    assert_ne!(a, run(2));
    let seeds: std::collections::BTreeSet<_> = a.iter().map(|x| x.seed).collect();
    assert_eq!(seeds.len(), a.len());
}

#[test]
fn have_the_configured_rate() {
    for (load, length) in [
        (Load::BUSY, 200),
        (Load::OFFICE, 2_000),
        (Load::BRANCH, 20_000),
        (Load::NIGHT, 400_000),
    ] {
        let n = first(&load, &Mix::standard(), 3, seconds(length))
            .iter()
            .filter(|a| !a.already)
            .count() as f64;
        let expected = load.flows_per_second * length as f64;
        // Groups of up to six: the variance is at most four times that of single openings.
        let sigmas = (n - expected) / (4.0 * expected).sqrt();
        assert!(sigmas.abs() < 4.0, "{load:?}: {n} of {expected}");
    }
}

#[test]
fn have_the_shares_of_the_mix() {
    let mix = Mix::standard();
    let all: Vec<_> = first(&Load::BUSY, &mix, 4, seconds(400))
        .into_iter()
        .filter(|a| !a.already)
        .collect();
    for &(kind, share) in mix.shares() {
        let n = all.iter().filter(|a| a.kind == kind).count() as f64;
        let expected = share * all.len() as f64;
        assert!(
            (n - expected).abs() < 5.0 * (4.0 * expected).sqrt(),
            "{kind:?}: {n}, not {expected}"
        );
    }
    let bad = all.iter().filter(|a| a.server >= 1500 && a.kind.tcp()).count() as f64;
    let tcp = all.iter().filter(|a| a.kind.tcp()).count() as f64;
    assert!((0.015..0.025).contains(&(bad / tcp)), "{bad} of {tcp}");
}

#[test]
fn begin_with_what_runs_already() {
    let all = first(&Load::OFFICE, &Mix::standard(), 5, seconds(100));
    let of = |kind| all.iter().filter(|a| a.already && a.kind == kind).count() as f64;
    // 20/s, 3.5 %, 600 s.
    assert!((of(Kind::Push) - 420.0).abs() < 2.0);
    assert!((of(Kind::Keepalive) - 360.0).abs() < 2.0);
    assert!(of(Kind::WebShort) < 0.5);
    assert!(all.iter().all(|a| !a.already || a.at <= seconds(30)));
}

#[test]
fn are_many_for_few_and_few_for_many() {
    let all = first(&Load::OFFICE, &Mix::standard(), 6, seconds(3_000));
    let share = |pick: &dyn Fn(&Arrival) -> bool| all.iter().filter(|a| pick(a)).count() as f64 / all.len() as f64;
    let busiest = share(&|a| a.server == 0);
    assert!(busiest > 0.08, "{busiest}");
    for n in [4, 10, 100] {
        assert!(share(&|a| a.server == n) < busiest / 2.0, "server {n}");
    }
    let (first, middle) = (share(&|a| a.client == 0), share(&|a| a.client == 60));
    assert!(first > 4.0 * middle && middle > 0.0, "{first} {middle}");
    assert!(all.iter().all(|a| a.client < 120 && a.server < 303));
}

#[test]
fn follow_day_and_night() {
    let load = Load {
        daily: true,
        ..Load::OFFICE
    };
    let all = first(&load, &Mix::standard(), 7, seconds(2 * 86_400));
    let hour = |from: u64| {
        let span = seconds(from * 3600)..seconds((from + 1) * 3600);
        all.iter().filter(|a| !a.already && span.contains(&a.at)).count() as f64 / 3600.0
    };
    let (night, noon, next) = (hour(3), hour(10), hour(34));
    assert!((0.8..1.3).contains(&night), "{night}");
    assert!(
        (19.0..21.0).contains(&noon) && (19.0..21.0).contains(&next),
        "{noon} {next}"
    );
    let evening = hour(19);
    assert!((4.5..6.0).contains(&evening), "{evening}");
}

#[test]
fn change_their_rate_at_once_and_may_stop() {
    let mut arrivals = Arrivals::new(&Load::BUSY, &Mix::of(&[(Kind::Ntp, 1.0)]), 8);
    arrivals.scale(Time::ZERO, 0.0);
    assert_eq!((arrivals.peek(), arrivals.next()), (None, None));
    arrivals.scale(seconds(10), 2.0);
    let n = arrivals
        .by_ref()
        .take_while(|a| a.at < seconds(20))
        .filter(|a| a.at >= seconds(10))
        .count();
    assert!((9_400..10_600).contains(&n), "{n}");
    let peek = arrivals.peek();
    assert_eq!(arrivals.next().map(|a| a.at), peek);
}

#[test]
fn of_nothing_are_none() {
    for flows_per_second in [0.0, -1.0, f64::NAN] {
        let load = Load {
            flows_per_second,
            ..Load::BUSY
        };
        assert_eq!(Arrivals::new(&load, &Mix::standard(), 9).next(), None);
    }
    assert_eq!(Arrivals::new(&Load::BUSY, &Mix::of(&[]), 9).next(), None);
}
