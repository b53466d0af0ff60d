//! What was decoded is encoded to the octets it came from, for every golden frame.

mod common;

use pfsync_proto::{Action, Dialect, Packet, PacketWriter};

fn dialect(capture: &str, packet: &Packet<'_>) -> Dialect {
    match packet.version() {
        3 => Dialect::V3,
        6 => Dialect::OpenBsd6,
        _ if capture.contains("1400") => Dialect::FreeBsd1400,
        _ => Dialect::FreeBsd1301,
    }
}

#[test]
fn golden_frames_come_out_as_they_went_in() {
    let mut frames = 0;
    for (capture, _) in common::GOLDEN {
        for payload in common::payloads(capture) {
            let packet = Packet::new_checked(&payload).unwrap();
            let mut buf = [0xa5; 1500];
            let mut writer =
                PacketWriter::new(&mut buf, dialect(capture, &packet), packet.md5().unwrap_or_default()).unwrap();
            for section in packet.sections().map(Result::unwrap) {
                if section.action == Action::Eof {
                    continue;
                }
                writer.section(section.action).unwrap();
                for decoded in section.messages() {
                    writer.push(&decoded.message).unwrap();
                }
            }
            assert_eq!(writer.len(), payload.len());
            let len = writer.finish();
            for (at, (got, want)) in buf[..len].iter().zip(&payload).enumerate() {
                assert_eq!(got, want, "{capture} frame {frames} octet {at}");
            }
            assert_eq!(len, payload.len());
            frames += 1;
        }
    }
    assert_eq!(frames, 158);
}
