//! Any octets as pfsync, CARP and VRRP: nothing panics, every walk ends, nothing is said about octets that are not there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pfsync_proto::{Ends, Packet, Proto112, Vrrp, strip_ip};
use std::net::{IpAddr, Ipv4Addr};

const ENDS: Option<Ends> = Some((IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::BROADCAST)));

fuzz_target!(|data: &[u8]| {
    match Proto112::decode(data, ENDS) {
        Ok(Proto112::Carp(carp)) => {
            assert!(!carp.cksum_ok || carp.encode() == data);
            let _ = carp.verify(data, &[]);
        }
        Ok(Proto112::Vrrp(vrrp)) => {
            let addresses = [IpAddr::V4(Ipv4Addr::LOCALHOST); 255];
            let mut octets = [0; 1200];
            let length = vrrp.encode(&addresses[..usize::from(vrrp.naddr)], ENDS, &mut octets);
            let again = Proto112::decode(&octets[..length.expect("what was read can be written")], ENDS);
            assert_eq!(again, Ok(Proto112::Vrrp(Vrrp { cksum_ok: true, ..vrrp })));
        }
        Err(_) => {}
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
