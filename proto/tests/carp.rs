//! CARP and its look-alikes: every value of the samples, both ways, HMAC included.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on shall fail loudly"
)]

mod common;

use std::net::IpAddr;

use pfsync_proto::{Carp, ErrorKind, Proto112, Vrrp};
use proptest::prelude::*;
use serde_json::Value;

fn samples(name: &str) -> Vec<Vec<u8>> {
    let (link, frames) = common::frames(name);
    let payloads = frames.iter().map(|frame| common::payload(link, frame));
    payloads
        .filter(|(proto, _)| *proto == Some(112))
        .map(|(_, payload)| payload.to_vec())
        .collect()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn every_sample_value_comes_back() {
    let truth: Value = serde_json::from_slice(&std::fs::read(common::path("carp/carp.json")).unwrap()).unwrap();
    let truth = truth.as_array().unwrap();
    let samples = samples("carp/carp.eth.pcap");
    assert_eq!(samples.len(), truth.len());
    for (payload, truth) in samples.iter().zip(truth) {
        let want = truth["expect"].as_object().unwrap();
        let got = Proto112::decode(payload, None);
        let mut fields = serde_json::Map::new();
        let mut set = |key: &str, value: Value| {
            fields.insert(key.to_owned(), value);
        };
        match got {
            Ok(Proto112::Carp(carp)) => {
                set("proto", "carp".into());
                set("vhid", carp.vhid.into());
                set("advskew", carp.advskew.into());
                set("advbase", carp.advbase.into());
                set("demote", carp.demote.into());
                set("authlen", carp.authlen.into());
                set("counter", carp.counter.into());
                set("cksum_ok", carp.cksum_ok.into());
                set("bow_out", carp.bow_out.into());
                set("hmac_ok", carp.verify(b"mekmitasdigoat", &[ip("192.0.2.1")]).into());
                assert_eq!(carp.encode()[..] == payload[..], carp.cksum_ok, "{truth}");
            }
            Ok(Proto112::Vrrp(vrrp)) => {
                set("proto", format!("vrrp{}", vrrp.version).into());
                set("vrid", vrrp.vrid.into());
                set("prio", vrrp.prio.into());
                set("naddr", vrrp.naddr.into());
                set("interval_cs", vrrp.adver_int.into());
            }
            Err(error) => assert_eq!(
                (error.kind, &truth["why"]),
                (ErrorKind::Hdrops, &Value::from("truncated"))
            ),
        }
        for (key, value) in want {
            match key.as_str() {
                // Whether to believe it depends on the IP layer too.
                "valid" | "v6" => {}
                "hmac_ok_with" => assert_eq!(fields["hmac_ok"], Value::Bool(true), "{truth}"),
                key => assert_eq!(&fields[key], value, "{truth}"),
            }
        }
    }
}

#[test]
fn openbsd_7_8_is_verified_with_its_password_and_no_other() {
    let payload = samples("carp/openbsd78.pcap").remove(0);
    let carp = Carp::decode(&payload).unwrap();
    assert!(carp.cksum_ok);
    assert!(carp.verify(b"interop-pass", &[ip("10.0.253.42")]));
    assert!(
        carp.verify(b"interop-pass", &[ip("fe80:1::1"), ip("10.0.253.42")]),
        "link-local is left out"
    );
    assert!(!carp.verify(b"interop-past", &[ip("10.0.253.42")]));
    assert!(!carp.verify(b"interop-pass", &[ip("10.0.253.43")]));
    assert_eq!(carp.encode()[..], payload[..]);
}

#[test]
fn two_ucarp_nodes_speak_nothing_else() {
    let mut vhids = std::collections::BTreeMap::<u8, u32>::new();
    for payload in samples("carp/ucarp-failover.pcap") {
        match Proto112::decode(&payload, None) {
            Ok(Proto112::Carp(carp)) => {
                assert!(carp.cksum_ok);
                *vhids.entry(carp.vhid).or_default() += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(vhids.keys().copied().collect::<Vec<_>>(), [7, 9]);
}

#[test]
fn vrrp_is_never_taken_for_carp() {
    for payload in samples("carp/vrrp-control.pcap") {
        assert!(
            !matches!(Proto112::decode(&payload, None), Ok(Proto112::Carp(_))),
            "{payload:02x?}"
        );
    }
}

#[test]
fn the_hmac_knows_order_duplicates_scope_and_key_length() {
    let carp = Carp {
        vhid: 1,
        advskew: 0,
        advbase: 1,
        demote: 0,
        authlen: 7,
        counter: 5,
        hmac: [0; 20],
        cksum_ok: true,
        bow_out: false,
    };
    let sign = |list: &[&str]| carp.sign(b"password", &list.iter().map(|a| ip(a)).collect::<Vec<_>>());
    let sorted = sign(&["9.0.0.1", "10.0.0.1", "192.0.2.1", "2001:db8::1", "fe80::1"]);
    assert_eq!(
        sign(&[
            "fe80:3::1",
            "192.0.2.1",
            "2001:db8::1",
            "10.0.0.1",
            "9.0.0.1",
            "10.0.0.1"
        ]),
        sorted
    );
    assert_ne!(sign(&["9.0.0.1", "10.0.0.1", "192.0.2.1", "2001:db8::1"]), sorted);
    let long = [b'x'; 30];
    assert_eq!(carp.sign(&long, &[]), carp.sign(&long[..20], &[]));
    assert_ne!(carp.sign(&long, &[]), carp.sign(&long[..19], &[]));
    assert_eq!(carp.interval().as_millis(), 1000);
    assert_eq!(
        Carp {
            advbase: 0,
            advskew: 64,
            ..carp
        }
        .interval()
        .as_millis(),
        250
    );
}

#[test]
fn each_refusal_by_one_octet() {
    let good = samples("carp/carp.eth.pcap").remove(0);
    let kind = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut octets = good.clone();
        change(&mut octets);
        Proto112::decode(&octets, None).map_err(|error| error.kind)
    };
    assert!(matches!(kind(&|_| {}), Ok(Proto112::Carp(_))));
    assert_eq!(kind(&|o| o.truncate(7)), Err(ErrorKind::Hdrops));
    assert_eq!(kind(&|o| o.truncate(35)), Err(ErrorKind::Hdrops));
    assert_eq!(kind(&|o| o.push(0)), Err(ErrorKind::Badlen));
    assert_eq!(kind(&|o| o[0] = 0x22), Err(ErrorKind::Badver));
    assert_eq!(kind(&|o| o[3] = 8), Err(ErrorKind::Badlen));
    // VRRPv2 with seven addresses starts to be possible where the authentication data fits behind them.
    assert!(matches!(
        kind(&|o| o.resize(44, 0)),
        Ok(Proto112::Vrrp(Vrrp { naddr: 7, .. }))
    ));
    assert!(matches!(kind(&|o| o[3] = 6), Ok(Proto112::Vrrp(Vrrp { naddr: 6, .. }))));
    assert!(matches!(
        kind(&|o| o[8] ^= 1),
        Ok(Proto112::Carp(Carp { cksum_ok: false, .. }))
    ));
    assert_eq!(Carp::decode(&[0x31; 36]).map_err(|e| e.kind), Err(ErrorKind::Badver));
    assert_eq!(
        Carp::decode(&[0x21; 36]).map_err(|e| (e.kind, e.offset)),
        Err((ErrorKind::Badlen, 3))
    );
}

proptest! {
    #[test]
    fn what_was_written_is_read(vhid: u8, advskew: u8, advbase: u8, demote: u8, counter: u64, hmac: [u8; 20]) {
        let bow_out = (advbase, advskew) == (255, 255);
        let carp = Carp { vhid, advskew, advbase, demote, authlen: 7, counter, hmac, cksum_ok: true, bow_out };
        prop_assert_eq!(Carp::decode(&carp.encode()), Ok(carp));
        prop_assert_eq!(Proto112::decode(&carp.encode(), None), Ok(Proto112::Carp(carp)));
    }

    #[test]
    fn nothing_panics(octets in proptest::collection::vec(any::<u8>(), 0..64), first in prop::sample::select(vec![0x21_u8, 0x31, 0])) {
        let mut octets = octets;
        if let Some(slot) = octets.first_mut() {
            *slot = first;
        }
        if let Ok(Proto112::Carp(carp)) = Proto112::decode(&octets, None) {
            let _ = carp.verify(&octets, &[]);
        }
    }
}
