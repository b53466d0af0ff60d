//! How fast messages are decoded: `cargo bench -p pfsync-proto`.
//!
//! Full frames of one action each, lent (`visit`) and moved (`messages`), with every message handed to code that the
//! compiler cannot see into, as a tracker is.

use pfsync_proto::message::{Extra, IfName};
use pfsync_proto::{
    Action, Dialect, Direction, Endpoints, Family, Key, Message, Packet, PacketWriter, Peer, Section, State, StateKeys,
    UpdC,
};
use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

/// Messages decoded per measurement.
const MESSAGES: u64 = 10_000_000;

fn state() -> State {
    let ends = Endpoints {
        addr: [[192, 0, 2, 1].into(); 2],
        port: [40_000, 443],
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
        age: 1,
        expire: 30,
        packets: [1, 1],
        bytes: [60, 60],
        af: Family::Inet,
        proto: 6,
        direction: Direction::In,
        log: 0,
        timeout: 2,
        state_flags: 0,
        sync_flags: 0,
        updates: 0,
        extra: Extra::None,
    }
}

#[inline(never)]
fn track(message: &Message) {
    match message {
        Message::UpdC(update) => {
            black_box(update);
        }
        Message::State(state) => {
            black_box(state);
        }
        other => {
            black_box(other);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn measure(frame: &[u8], count: u64, each: impl Fn(&Section<'_>)) -> f64 {
    let rounds = MESSAGES / count;
    let start = Instant::now();
    for _ in 0..rounds {
        let Ok(packet) = Packet::new_checked(black_box(frame)) else {
            return 0.0;
        };
        for section in packet.sections().flatten() {
            each(&section);
        }
    }
    (rounds * count) as f64 / start.elapsed().as_secs_f64() / 1e6
}

fn main() {
    let update = UpdC {
        key: Key::default(),
        src: Peer::default(),
        dst: Peer::default(),
        expire: 0,
        timeout: 2,
        updates: None,
    };
    let mut out = std::io::stdout().lock();
    for (action, message) in [
        (Action::UpdC, Message::UpdC(update)),
        (
            Action::DelC,
            Message::DelC {
                key: Key::default(),
                states: None,
            },
        ),
        (Action::Ins, Message::State(state())),
    ] {
        for dialect in [Dialect::OpenBsd6, Dialect::FreeBsd1301] {
            let mut buf = [0; 1480];
            let Ok(mut writer) = PacketWriter::new(&mut buf, dialect, [0; 16]) else {
                return;
            };
            let mut count = 0;
            if writer.section(action).is_ok() {
                while writer.push(&message).is_ok() {
                    count += 1;
                }
            }
            let len = writer.finish();
            let frame = buf.get(..len).unwrap_or(&[]);
            let lent = measure(frame, count, |section| section.visit(|decoded| track(&decoded.message)));
            let moved = measure(frame, count, |section| {
                for decoded in section.messages() {
                    track(&decoded.message);
                }
            });
            let _ = writeln!(
                out,
                "{action:<6} {dialect:?}: {lent:.0} million/s lent, {moved:.0} moved"
            );
        }
    }
}
