//! No input panics, every walk ends, and nothing is said about octets that are not there.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on shall fail loudly"
)]

mod common;

use pfsync_proto::{Dialect, Packet, PacketWriter, Proto112, strip_ip};
use proptest::prelude::*;

/// Reads everything, and writes what was read.
fn exercise(payload: &[u8]) -> Result<(), TestCaseError> {
    let _ = Proto112::decode(payload, None);
    let payload = strip_ip(payload);
    let Ok(packet) = Packet::new_checked(payload) else {
        return Ok(());
    };
    let (mut errors, mut end) = (0, 0);
    for section in packet.sections() {
        let Ok(section) = section else {
            errors += 1;
            continue;
        };
        prop_assert!(section.offset >= end, "sections do not overlap");
        for decoded in section.messages() {
            prop_assert!(decoded.offset as usize + usize::from(section.stride) <= payload.len());
            end = decoded.offset + u32::from(section.stride);
            let mut buf = [0; 1024];
            for dialect in Dialect::ALL {
                let mut writer = PacketWriter::new(&mut buf, dialect, [0; 16]).unwrap();
                if writer.section(section.action).is_ok() {
                    let _ = writer.push(&decoded.message);
                }
                prop_assert!(writer.finish() <= 1024);
            }
        }
    }
    prop_assert!(errors <= payload.len() / 4 + 1);
    Ok(())
}

fn goldens() -> Vec<Vec<u8>> {
    let mut all: Vec<_> = common::GOLDEN
        .iter()
        .flat_map(|(capture, _)| common::payloads(capture))
        .collect();
    all.extend(common::payloads("golden/malformed_openbsd6.raw.pcap"));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_octets(version in 0..8_u8, octets in prop::collection::vec(any::<u8>(), 0..1500)) {
        exercise(&octets)?;
        exercise(&[vec![version], octets].concat())?;
    }

    #[test]
    fn mutated_frames(
        golden in prop::sample::select(goldens()),
        cut in any::<prop::sample::Index>(),
        hits in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..8),
        header in prop::collection::vec((0..40_usize, prop::sample::select(vec![0_u8, 1, 2, 4, 12, 13, 255])), 0..4),
    ) {
        let mut payload = golden;
        payload.truncate(cut.index(payload.len() + 1));
        for (at, octet) in hits {
            if !payload.is_empty() {
                let at = at.index(payload.len());
                payload[at] = octet;
            }
        }
        for (at, octet) in header {
            if let Some(slot) = payload.get_mut(at) {
                *slot = octet;
            }
        }
        exercise(&payload)?;
    }
}
