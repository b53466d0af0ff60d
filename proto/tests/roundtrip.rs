//! decode(encode(x)) == x for every dialect and action, and what the writer refuses.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on shall fail loudly"
)]

mod strategy;

use pfsync_proto::message::{Extra, IfName};
use pfsync_proto::{
    Action, Dialect, Direction, EncodeError, Endpoints, Family, Key, Message, Packet, PacketWriter, Peer, State,
    StateKeys,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

fn write(dialect: Dialect, md5: [u8; 16], sections: &[(Action, Vec<Message>)]) -> Vec<u8> {
    let mut buf = vec![0x5a; 16_000];
    let mut writer = PacketWriter::new(&mut buf, dialect, md5).unwrap();
    for (action, messages) in sections {
        writer.section(*action).unwrap();
        for message in messages {
            writer.push(message).unwrap();
        }
    }
    let len = writer.len();
    assert_eq!(writer.finish(), len);
    buf.truncate(len);
    buf
}

fn read(octets: &[u8]) -> strategy::Sections {
    let packet = Packet::new_checked(octets).unwrap();
    let sections = packet
        .sections()
        .map(Result::unwrap)
        .filter(|section| section.action != Action::Eof);
    sections
        .map(|section| {
            (
                section.action,
                section.messages().map(|decoded| decoded.message).collect(),
            )
        })
        .collect()
}

/// A check that a size or layout is not shared by mistake: each action of each dialect by itself.
#[test]
fn every_action_of_every_dialect_is_read_as_written() {
    let mut runner = TestRunner::deterministic();
    let mut pairs = 0;
    for dialect in Dialect::ALL {
        for action in strategy::actions(dialect) {
            for _ in 0..16 {
                let messages: Vec<_> = (0..3)
                    .map(|_| {
                        strategy::message(dialect, action)
                            .new_tree(&mut runner)
                            .unwrap()
                            .current()
                    })
                    .collect();
                let sections = vec![(action, messages)];
                let octets = write(dialect, [7; 16], &sections);
                assert_eq!(read(&octets), sections, "{dialect:?} {action}");
                let section = Packet::new_checked(&octets)
                    .unwrap()
                    .sections()
                    .next()
                    .unwrap()
                    .unwrap();
                let state = matches!(action, Action::Ins | Action::Upd | Action::Del);
                if dialect.version() != 5 || state {
                    assert_eq!(section.dialect(), dialect, "{action}");
                }
            }
            pairs += 1;
        }
    }
    // V2: 8, V3 and V4: 9, OpenBSD 4.5 and 1301: 10, 1400 and 1500: 9, OpenBSD 6: 11.
    assert_eq!(pairs, 8 + 9 + 9 + 10 + 10 + 9 + 9 + 11);
}

proptest! {
    #[test]
    fn frames_are_read_as_written((dialect, md5, sections) in strategy::frame()) {
        let octets = write(dialect, md5, &sections);
        let packet = Packet::new_checked(&octets).unwrap();
        prop_assert_eq!(packet.version(), dialect.version());
        prop_assert_eq!(packet.md5(), (dialect != Dialect::V2).then_some(md5));
        prop_assert_eq!(read(&octets), sections);
    }
}

fn a_state() -> State {
    let ends = Endpoints {
        addr: [[192, 0, 2, 1].into(), [192, 0, 2, 2].into()],
        port: [1, 2],
    };
    State {
        key: Key::default(),
        ifname: IfName::default(),
        keys: StateKeys::Pair {
            wire: ends,
            stack: ends,
        },
        src: Peer::default(),
        dst: Peer::default(),
        rt_addr: [0; 16],
        rule: None,
        anchor: None,
        nat_rule: None,
        age: 0,
        expire: 0,
        packets: [0; 2],
        bytes: [0; 2],
        af: Family::Inet,
        proto: 6,
        direction: Direction::In,
        log: 0,
        timeout: 0,
        state_flags: 0,
        sync_flags: 0,
        updates: 0,
        extra: Extra::None,
    }
}

#[test]
fn the_writer_refuses_rather_than_cuts() {
    let mut buf = [0; 1500];
    assert!(matches!(
        PacketWriter::new(&mut buf[..23], Dialect::FreeBsd1301, [0; 16]),
        Err(EncodeError::Full)
    ));
    assert!(PacketWriter::new(&mut buf[..4], Dialect::V2, [0; 16]).is_ok());

    let mut writer = PacketWriter::new(&mut buf, Dialect::FreeBsd1301, [0; 16]).unwrap();
    let state = Message::State(a_state());
    assert_eq!(writer.push(&state), Err(EncodeError::Message));
    assert_eq!(writer.section(Action::Eof), Err(EncodeError::Action));
    assert_eq!(writer.section(Action::Otdb), Err(EncodeError::Action));
    writer.section(Action::Ins).unwrap();
    assert_eq!(writer.push(&Message::InsAck(Key::default())), Err(EncodeError::Message));
    let wide = Message::State(State {
        state_flags: 0x100,
        ..a_state()
    });
    assert_eq!(writer.push(&wide), Err(EncodeError::Range));
    while writer.push(&state).is_ok() {}
    assert_eq!(writer.push(&state), Err(EncodeError::Full));
    assert_eq!(writer.finish(), 20 + 4 + 6 * 242 + 4);

    let mut writer = PacketWriter::new(&mut buf, Dialect::V3, [0; 16]).unwrap();
    assert_eq!(writer.section(Action::InsAck), Err(EncodeError::Action));
    writer.section(Action::Ins).unwrap();
    assert_eq!(
        writer.push(&state),
        Err(EncodeError::Message),
        "wire and stack are not lan, gwy and ext"
    );
    assert_eq!(
        writer.section(Action::Upd),
        Err(EncodeError::Action),
        "one action per frame"
    );

    let mut large = vec![0; 70_000];
    let mut writer = PacketWriter::new(&mut large, Dialect::V3, [0; 16]).unwrap();
    writer.section(Action::DelC).unwrap();
    while writer
        .push(&Message::DelC {
            key: Key::default(),
            states: None,
        })
        .is_ok()
    {}
    assert_eq!(writer.finish(), 20 + 255 * 16);
    let mut writer = PacketWriter::new(&mut large, Dialect::OpenBsd6, [0; 16]).unwrap();
    writer.section(Action::DelC).unwrap();
    while writer
        .push(&Message::DelC {
            key: Key::default(),
            states: None,
        })
        .is_ok()
    {}
    assert!(writer.finish() <= 65_535);
}

/// A state moves between dialects: what the other lacks is left out, never refused.
#[test]
fn a_plain_state_can_be_said_in_every_dialect_with_keys() {
    for dialect in [
        Dialect::V4,
        Dialect::OpenBsd45,
        Dialect::FreeBsd1301,
        Dialect::FreeBsd1400,
        Dialect::FreeBsd1500,
        Dialect::OpenBsd6,
    ] {
        let octets = write(dialect, [0; 16], &[(Action::Ins, vec![Message::State(a_state())])]);
        let Message::State(got) = read(&octets)[0].1[0] else {
            panic!()
        };
        assert_eq!(
            State {
                extra: Extra::None,
                ..got
            },
            a_state(),
            "{dialect:?}"
        );
    }
}
