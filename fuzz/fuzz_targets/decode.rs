//! Any octets as pfsync and as CARP: nothing panics, every walk ends, nothing is said about octets that are not there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pfsync_proto::{Packet, Proto112, strip_ip};

fuzz_target!(|data: &[u8]| {
    if let Ok(Proto112::Carp(carp)) = Proto112::decode(data) {
        assert!(!carp.cksum_ok || carp.encode() == data);
        let _ = carp.verify(data, &[]);
    }
    let payload = strip_ip(data);
    let Ok(packet) = Packet::new_checked(payload) else { return };
    let (mut errors, mut end) = (0, 0);
    for section in packet.sections() {
        let Ok(section) = section else {
            errors += 1;
            continue;
        };
        assert!(section.offset as usize >= end, "sections overlap");
        section.visit(|decoded| {
            end = decoded.offset as usize + usize::from(section.stride);
            assert!(end <= payload.len(), "a message beyond the payload");
            if let Some(refused) = decoded.refused {
                assert!((refused.offset as usize) < end, "a refusal outside its message");
            }
        });
    }
    assert!(errors <= payload.len() / 4 + 1);
});
