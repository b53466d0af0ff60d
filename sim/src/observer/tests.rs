use super::*;

fn feed(observer: &mut Observer, from: u64, to: u64) -> Vec<Heard> {
    let mut all = Vec::new();
    for millis in (from..to).step_by(10) {
        let now = Time::from_millis(millis);
        if observer.next_deadline().is_some_and(|t| t <= now) {
            observer.advance(now);
        }
        observer.frame(now, Net::Sync, vec![1]);
        all.extend(std::iter::from_fn(|| observer.poll()));
    }
    assert!(all.is_sorted_by_key(Heard::at));
    all
}

fn frames(heard: &[Heard]) -> usize {
    heard.iter().filter(|h| matches!(h, Heard::Frame { .. })).count()
}

#[test]
fn drops_are_counted_and_told_each_second_while_they_last() {
    let mut observer = Observer::new(None, 1);
    observer.drop_frames(Time::ZERO, 0.3);
    let mut heard = feed(&mut observer, 0, 10_000);
    observer.drop_frames(Time::from_secs(10), 0.0);
    heard.extend(feed(&mut observer, 10_000, 20_000));
    let gaps: Vec<u64> = heard
        .iter()
        .filter_map(|h| match *h {
            Heard::Gap {
                lost,
                cause: Blindness::Drops,
                length,
                ..
            } => {
                assert_eq!(length, COUNTER);
                Some(lost)
            }
            _ => None,
        })
        .collect();
    assert_eq!(gaps.len(), 10);
    let lost: u64 = gaps.iter().sum();
    assert_eq!(frames(&heard) as u64 + lost, 2000);
    assert!((250..350).contains(&lost), "{lost}");
}

#[test]
fn a_stall_loses_all_and_tells_at_its_end() {
    let mut observer = Observer::new(None, 1);
    observer.stall(Time::ZERO, Duration::from_secs(2));
    observer.news(Heard::Ping {
        at: Time::ZERO,
        node: 0,
        target: crate::heard::Target::Gateway,
        ok: true,
    });
    let heard = feed(&mut observer, 0, 3000);
    assert_eq!(
        heard[0],
        Heard::Gap {
            at: Time::from_secs(2),
            length: Duration::from_secs(2),
            lost: 200,
            cause: Blindness::Stall
        }
    );
    assert_eq!(frames(&heard), 100);
}

#[test]
fn what_is_heard_twice_comes_in_order_of_time_and_is_lost_where_the_process_sleeps() {
    let after = Time::from_millis(25);
    let mut observer = Observer::new(None, 1).hearing_twice(Some(after));
    let heard = feed(&mut observer, 0, 1000);
    // Those of the last moment are still to come.
    assert_eq!(frames(&heard), 100 + 97);
    observer.stall(Time::from_secs(1), Duration::from_secs(1));
    let asleep = feed(&mut observer, 1000, 2000);
    assert_eq!(frames(&asleep), 0);
    let awake = feed(&mut observer, 2000, 3000);
    assert!((198..=200).contains(&frames(&awake)), "{}", frames(&awake));
}

#[test]
fn a_step_of_the_clock_is_marked() {
    let mut observer = Observer::new(None, 1);
    observer.clock(Time::from_secs(1));
    assert!(matches!(
        observer.poll(),
        Some(Heard::Gap {
            length: Duration::ZERO,
            cause: Blindness::Clock,
            ..
        })
    ));
}
