//! A magic packet, octet by octet, as it comes out of the wire.

use crate::again::{is_inside, run_behind, works};
use crate::{fence, fenced};
use pcap::Capture;
use pfwatch::act::fence::Outcome;
use pfwatch::config::{Fence, FenceKind};
use std::fs;
use std::process::Command;

const TEST: &str = "wol::a_magic_packet_is_broadcast_and_called_no_fencing";
const MAC: [u8; 6] = [0x00, 0x0d, 0xb9, 0x12, 0x34, 0x56];

#[test]
fn a_magic_packet_is_broadcast_and_called_no_fencing() {
    if is_inside() {
        return inside();
    }
    if works(TEST, &["unshare", "--net", "ip", "link", "add", "pft", "type", "veth"]) {
        run_behind(&["unshare", "--net"], TEST);
    }
}

fn ip(line: &str) {
    let status = Command::new("ip").args(line.split(' ')).status().unwrap();
    assert!(status.success(), "ip {line}");
}

fn inside() {
    ip("link add em0 type veth peer name fw2");
    ip("link set em0 address 02:00:00:00:00:01");
    for end in ["em0", "fw2"] {
        fs::write(format!("/proc/sys/net/ipv6/conf/{end}/disable_ipv6"), "1").unwrap();
        ip(&format!("link set {end} up"));
    }
    ip("addr add 192.0.2.9/29 brd + dev em0");
    let mut wire = Capture::from_device("fw2")
        .unwrap()
        .immediate_mode(true)
        .timeout(60_000)
        .open()
        .unwrap();
    wire.filter("udp", true).unwrap();

    let wake = Fence {
        mac: Some(MAC),
        interface: Some("em0".into()),
        ..fence(FenceKind::Wol)
    };
    let report = fenced(&wake);
    assert_eq!(report.outcome, Outcome::Woken, "{report:?}");
    assert!(!report.succeeded());

    let frame = wire.next_packet().unwrap().data.to_vec();
    let expected = [
        // Ethernet: to everybody, from em0, IPv4.
        [0xff; 6].as_slice(),
        &[2, 0, 0, 0, 0, 1, 0x08, 0x00],
        // IPv4: 130 octets, whatever identification, one piece, 64 hops, UDP, whatever checksum.
        &[0x45, 0, 0, 130],
        &frame[18..20],
        &[0x40, 0, 64, 17],
        &frame[24..26],
        &[192, 0, 2, 9, 192, 0, 2, 15],
        // UDP: from wherever to discard, 110 octets.
        &frame[34..36],
        &[0, 9, 0, 110],
        &frame[40..42],
        // The magic.
        &[0xff; 6],
        &MAC.repeat(16),
    ]
    .concat();
    assert_eq!(frame, expected);

    // On an interface without a network it says what is missing, and nothing is sent.
    let nowhere = fenced(&Fence {
        interface: Some("fw2".into()),
        ..wake
    });
    assert!(
        matches!(&nowhere.outcome, Outcome::Failed(why) if why.contains("broadcast")),
        "{nowhere:?}"
    );
}
