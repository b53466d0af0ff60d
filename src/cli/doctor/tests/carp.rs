//! CARP that was heard, and what we did not hear.

use super::super::ear::Ear;
use super::super::finding::Outcome::{Problem, Warning};
use super::super::listen::Heard;
use super::super::{carp, clock};
use super::frames::{ADVERTISEMENT, LENGTH, advertise, feed, frame, packet};
use super::{config, faults, one};
use crate::absence::Wanted;
use crate::capture::{GapCause, Net};
use crate::config::Config;
use crate::engine::Engine;
use crate::event::Event;
use crate::time::Timestamp;
use pfsync_proto::Carp;
use std::time::Duration;

#[test]
fn masters() {
    let config = config("");
    let look = |ear: &Ear| carp::look(&config, LENGTH, ear, &|_| None);
    let from = |from: [u8; 4], change: fn(Carp) -> Carp| {
        let mut ear = Ear::default();
        advertise(&mut ear, from, change);
        look(&ear)
    };
    const OWN: [u8; 4] = [10, 0, 0, 2];
    let well = from(OWN, |c| c);
    assert_eq!(faults(&well), Vec::<String>::new());
    assert_eq!(well[0].text, "on lan fw1 is master of vhid 1 (1 heard)");
    one(&look(&Ear::default()), Problem, "no CARP on lan (em0) in 10 s");
    one(
        &from(OWN, |c| Carp { advskew: 0, ..c }),
        Warning,
        "fw1 advertises vhid 1 on lan with advskew 0",
    );
    one(
        &from(OWN, |c| Carp { demote: 32, ..c }),
        Warning,
        "although it is demoted (demotion 32, advskew 10)",
    );
    one(
        &from(OWN, |c| Carp { advskew: 240, ..c }),
        Warning,
        "although it is demoted",
    );
    one(
        &from([10, 0, 0, 77], |c| c),
        Warning,
        "10.0.0.77 is master of vhid 1 on lan and stands in `local` of no node alone",
    );
    // Shared: it identifies nobody.
    one(&from([10, 0, 0, 1], |c| c), Warning, "10.0.0.1 is master of vhid 1");
    let routed = |wanted| (wanted == Wanted::Carp(None, Some(0))).then(|| "31 advertisements were routed".to_owned());
    one(
        &carp::look(&config, LENGTH, &Ear::default(), &routed),
        Problem,
        "no CARP on lan (em0) counts: 31 advertisements were routed",
    );
    let mut vrrp = Ear::default();
    let payload = [0x21, 1, 100, 1, 0, 1, 0, 0, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    feed(&mut vrrp, 1, Net::Segment(0), (OWN, [224, 0, 0, 18]), 112, &payload);
    one(&look(&vrrp), Problem, "on lan there is VRRP and no CARP");
}

fn heard(config: &Config, password: Option<&str>) -> Heard {
    let mut settings = config.settings(&[]);
    settings.segments[0].password = password.map(Into::into);
    Heard {
        length: LENGTH,
        ear: Ear::default(),
        engine: Engine::new(settings, 0),
        events: Vec::new(),
    }
}

#[test]
fn passwords_that_do_not_fit() {
    let config = config("");
    let hear = |password: &str| {
        let mut heard = heard(&config, Some(password));
        let mut carp = ADVERTISEMENT;
        carp.hmac = carp.sign(b"right", &["10.0.0.1".parse().unwrap()]);
        let data = packet(([10, 0, 0, 2], [224, 0, 0, 18]), 112, &carp.encode());
        for at in 1..6 {
            let frame = frame(at, Net::Segment(0), 101, &data);
            heard.ear.frame(&frame);
            heard.engine.frame(&frame);
        }
        heard.events.extend(std::iter::from_fn(|| heard.engine.poll()));
        carp::check(&config, &heard)
    };
    assert_eq!(faults(&hear("right")), Vec::<String>::new());
    one(&hear("wrong"), Problem, "advertisements of vhid 1 on lan do not verify");
}

#[test]
fn a_split_that_lasts() {
    let config = config("");
    let mut heard = heard(&config, None);
    advertise(&mut heard.ear, [10, 0, 0, 2], |c| c);
    let at = Timestamp::default();
    heard.events.push(Event::Unsynchronised { at, since: Some(at) });
    one(&carp::check(&config, &heard), Problem, "unsynchronised");
    heard.events.push(Event::Unsynchronised { at, since: None });
    assert_eq!(faults(&carp::check(&config, &heard)), Vec::<String>::new());
}

#[test]
fn a_split_that_was_there_before_we_listened() {
    let config = config("[[segment]]\nname = \"wan\"\ninterface = \"em1\"\n");
    let say = |ear: &mut Ear, net: usize, from: [u8; 4]| {
        feed(
            ear,
            1,
            Net::Segment(net),
            (from, [224, 0, 0, 18]),
            112,
            &ADVERTISEMENT.encode(),
        );
    };
    let mut heard = heard(&config, None);
    say(&mut heard.ear, 0, [10, 0, 0, 2]);
    say(&mut heard.ear, 1, [10, 0, 0, 2]);
    assert_eq!(faults(&carp::check(&config, &heard)), Vec::<String>::new());
    heard.ear = Ear::default();
    say(&mut heard.ear, 0, [10, 0, 0, 2]);
    say(&mut heard.ear, 1, [10, 0, 0, 3]);
    let said = carp::check(&config, &heard);
    one(&said, Problem, "unsynchronised: fw1 is master on lan and fw2 on wan");
    // Both at both, each of its own vhid: they share the load.
    say(&mut heard.ear, 0, [10, 0, 0, 3]);
    say(&mut heard.ear, 1, [10, 0, 0, 2]);
    assert_eq!(faults(&carp::check(&config, &heard)), Vec::<String>::new());
}

#[test]
fn two_masters_and_none_as_long_as_they_last() {
    let config = config("");
    let mut heard = heard(&config, None);
    advertise(&mut heard.ear, [10, 0, 0, 2], |c| c);
    let (at, segment) = (Timestamp::default(), 0);
    let advertiser = |host| crate::event::Advertiser {
        address: [10, 0, 0, host].into(),
        node: None,
    };
    let two = |vhid, until| Event::TwoMasters {
        at,
        segment,
        vhid,
        since: at,
        until,
        who: vec![advertiser(2), advertiser(3)],
    };
    let none = |until| Event::NoMaster {
        at,
        segment,
        vhid: 9,
        since: at,
        until,
    };
    heard
        .events
        .extend([two(1, None), two(2, None), two(3, None), two(4, None), two(4, Some(at))]);
    one(
        &carp::check(&config, &heard),
        Problem,
        "two masters of lan vhid 1-3: 10.0.0.2 and 10.0.0.3 advertise it at the same time",
    );
    heard.events.extend([1, 2, 3].map(|vhid| two(vhid, Some(at))));
    assert_eq!(faults(&carp::check(&config, &heard)), Vec::<String>::new());
    heard.events.push(none(None));
    one(&carp::check(&config, &heard), Problem, "no master of lan vhid 9");
    heard.events.push(none(Some(at)));
    assert_eq!(faults(&carp::check(&config, &heard)), Vec::<String>::new());
}

#[test]
fn advertisements_that_come_back() {
    let config = config("");
    let mut heard = heard(&config, None);
    advertise(&mut heard.ear, [10, 0, 0, 2], |c| c);
    let kind = crate::event::NoticeKind::Reflection;
    let notice = crate::event::Notice::new(Timestamp::default(), kind, "fw1's own advertisements come back");
    heard.events.push(Event::Notice(notice.about(crate::event::NodeId(0))));
    one(
        &carp::check(&config, &heard),
        Warning,
        "fw1's own advertisements come back",
    );
}

#[test]
fn our_own_deafness() {
    let config = config("");
    let check = |cause| {
        let mut heard = heard(&config, None);
        heard.engine.gap(Timestamp::default(), Duration::from_secs(2), cause, 7);
        clock::check(&heard)
    };
    assert_eq!(faults(&clock::check(&heard(&config, None))), Vec::<String>::new());
    one(
        &check(GapCause::ClockStep),
        Warning,
        "the wall clock was set while we listened (times: 1)",
    );
    one(&check(GapCause::KernelDrop), Problem, "the kernel dropped 7 frames");
    one(&check(GapCause::Stall), Warning, "did not let us listen for 2.0 s");
    one(
        &check(GapCause::InterfaceDown),
        Problem,
        "an interface was down or gone",
    );
}
