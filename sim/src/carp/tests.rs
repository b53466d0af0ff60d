use super::*;

fn vhost(style: Style, advskew: u8, preempt: bool) -> Vhost {
    let config = Config {
        style,
        vhid: 1,
        advbase: 1,
        advskew,
        preempt,
        password: "secret".to_owned(),
        addresses: vec![IpAddr::from([10, 0, 255, 1])],
    };
    Vhost::new(config, u64::from(advskew))
}

/// Runs nodes on a perfect segment until `until`; `deaf` nodes neither hear nor are heard. When each became master last.
fn run(nodes: &mut [Vhost], from: Time, until: Time, deaf: &[usize]) -> Vec<Option<Time>> {
    let mut since = vec![None; nodes.len()];
    let mut now = from;
    loop {
        // Advertisements first: whatever is to be sent at `now` is heard at `now`.
        while let Some((sender, ad)) = (0..nodes.len()).find_map(|n| nodes[n].poll().map(|ad| (n, ad))) {
            for n in (0..nodes.len()).filter(|n| *n != sender && !deaf.contains(n) && !deaf.contains(&sender)) {
                let was = nodes[n].role();
                nodes[n].receive(now, &ad);
                if was != Role::Master && nodes[n].role() == Role::Master {
                    since[n] = Some(now);
                }
            }
        }
        let Some(next) = nodes
            .iter()
            .filter_map(Vhost::next_deadline)
            .min()
            .filter(|t| *t <= until)
        else {
            return since;
        };
        now = next;
        for (n, node) in nodes.iter_mut().enumerate() {
            let was = node.role();
            node.advance(now);
            if was != Role::Master && node.role() == Role::Master {
                since[n] = Some(now);
            }
        }
    }
}

fn pair(style: Style, preempt: bool) -> Vec<Vhost> {
    let mut nodes = vec![vhost(style, 10, preempt), vhost(style, 100, preempt)];
    nodes.iter_mut().for_each(|n| n.start(Time::ZERO));
    nodes
}

const fn s(seconds: u64) -> Time {
    Time::from_secs(seconds)
}

#[test]
fn the_better_node_wins_the_first_election() {
    for style in [Style::OpenBsd, Style::FreeBsd] {
        let mut nodes = pair(style, true);
        let since = run(&mut nodes, s(0), s(20), &[]);
        assert_eq!(since, [Some(span(3, 10)), None]);
        assert_eq!((nodes[0].role(), nodes[1].role()), (Role::Master, Role::Backup));
    }
}

#[test]
fn a_silent_master_is_replaced_after_three_intervals_and_the_skew() {
    let mut nodes = pair(Style::OpenBsd, true);
    run(&mut nodes, s(0), s(20), &[]);
    let last = nodes[0].next_deadline().unwrap() - span(1, 10);
    nodes[0].stop();
    nodes[0].poll();
    let since = run(&mut nodes, s(20), s(40), &[0]);
    assert_eq!(since[1], Some(last + span(3, 100)));
}

#[test]
fn the_better_node_takes_back_only_with_preempt() {
    for (preempt, back) in [(true, Role::Master), (false, Role::Backup)] {
        let mut nodes = pair(Style::OpenBsd, preempt);
        nodes[1].claim(s(0));
        run(&mut nodes, s(0), s(10), &[]);
        assert_eq!(nodes[0].role(), back, "preempt {preempt}");
        assert_ne!(nodes[1].role(), back);
    }
}

#[test]
fn a_demotion_hands_over_at_once_and_back() {
    for style in [Style::OpenBsd, Style::FreeBsd] {
        let mut nodes = pair(style, true);
        run(&mut nodes, s(0), s(20), &[]);
        nodes[0].demote(s(20), 240);
        let since = run(&mut nodes, s(20), s(20), &[]);
        assert_eq!(since[1], Some(s(20)), "{style:?}");
        assert_eq!(nodes[0].role(), Role::Backup);
        nodes[0].demote(s(30), 0);
        let since = run(&mut nodes, s(30), s(40), &[]);
        assert!(since[0].is_some_and(|t| t < s(32)), "{style:?} {since:?}");
        assert_eq!(nodes[1].role(), Role::Backup);
    }
}

#[test]
fn openbsd_hands_over_without_preempt_too_but_freebsd_does_not() {
    for (style, expected) in [(Style::OpenBsd, Role::Master), (Style::FreeBsd, Role::Backup)] {
        let mut nodes = pair(style, false);
        run(&mut nodes, s(0), s(20), &[]);
        nodes[0].demote(s(20), 240);
        run(&mut nodes, s(20), s(30), &[]);
        assert_eq!(nodes[1].role(), expected, "{style:?}");
    }
}

#[test]
fn a_demotion_is_seen_in_the_header_as_the_kernel_shows_it() {
    let seen = |style| {
        let mut node = vhost(style, 10, true);
        node.demote(s(0), 50);
        node.claim(s(0));
        let ad = node.poll().unwrap();
        (ad.advskew, ad.demote)
    };
    assert_eq!(seen(Style::OpenBsd), (10, 50));
    assert_eq!(seen(Style::FreeBsd), (60, 0));
    let mut node = vhost(Style::FreeBsd, 100, true);
    node.demote(s(0), 240);
    node.claim(s(0));
    assert_eq!(node.poll().unwrap().advskew, 240);
}

#[test]
fn a_planned_end_is_told_by_openbsd_and_believed_at_once() {
    let mut nodes = pair(Style::OpenBsd, true);
    run(&mut nodes, s(0), s(20), &[]);
    nodes[0].stop();
    let since = run(&mut nodes, s(20), s(20), &[]);
    assert_eq!(since[1], Some(s(20)));

    let mut node = vhost(Style::FreeBsd, 10, true);
    node.claim(s(0));
    node.poll();
    node.stop();
    assert_eq!(node.poll(), None);
}

#[test]
fn counters_are_a_cookie_or_one_sequence_across_nodes() {
    let mut node = vhost(Style::OpenBsd, 10, true);
    node.claim(s(0));
    let first = node.poll().unwrap();
    node.advance(s(2));
    assert_eq!(node.poll().unwrap().counter, first.counter);

    let mut nodes = pair(Style::FreeBsd, true);
    nodes[0].claim(s(0));
    let ad = nodes[0].poll().unwrap();
    nodes[1].receive(s(0), &ad);
    nodes[1].advance(s(10));
    assert_eq!(nodes[1].poll().unwrap().counter, ad.counter + 1);
}

#[test]
fn what_is_sent_verifies() {
    let mut node = vhost(Style::OpenBsd, 10, true);
    node.claim(s(0));
    let ad = Carp::decode(&node.poll().unwrap().encode()).unwrap();
    assert!(ad.cksum_ok && ad.verify(b"secret", &[IpAddr::from([10, 0, 255, 1])]));
    assert!(!ad.verify(b"other", &[IpAddr::from([10, 0, 255, 1])]));
}

#[test]
fn a_promotion_by_advskew_takes_over_with_the_next_advertisement() {
    let mut nodes = pair(Style::OpenBsd, true);
    run(&mut nodes, s(0), s(20), &[]);
    nodes[1].set_advskew(s(20), 0);
    let since = run(&mut nodes, s(20), s(30), &[]);
    assert!(since[1].is_some_and(|t| t < s(22)), "{since:?}");
    assert_eq!(nodes[0].role(), Role::Backup);
}
