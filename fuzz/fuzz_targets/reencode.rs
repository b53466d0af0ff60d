//! What was decoded, encoded and decoded again, is the same: on what was WRITTEN, not on the input.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pfsync_proto::{Action, Dialect, Message, Packet, PacketWriter, Section};

/// The messages of a section, each written into a frame of its own and read back.
fn again(section: &Section<'_>, dialect: Dialect, message: &Message) {
    let mut buf = [0xa5; 1024];
    let mut writer = PacketWriter::new(&mut buf, dialect, [7; 16]).expect("room for a header");
    writer.section(section.action).expect("the dialect said it");
    writer.push(message).expect("the dialect held it");
    let len = writer.finish();
    let packet = Packet::new_checked(&buf[..len]).expect("a header that we wrote");
    let mut seen = 0;
    for found in packet.sections().map(|found| found.expect("a section that we wrote")) {
        if found.action == Action::Eof {
            continue;
        }
        assert_eq!((found.action, found.count), (section.action, 1));
        found.visit(|decoded| {
            seen += 1;
            assert_eq!(&decoded.message, message);
        });
    }
    assert_eq!(seen, 1);
}

fuzz_target!(|data: &[u8]| {
    let Ok(packet) = Packet::new_checked(data) else { return };
    for section in packet.sections().flatten() {
        let dialect = section.dialect();
        if dialect.speaks(section.action) {
            section.visit(|decoded| again(&section, dialect, &decoded.message));
        }
    }
});
