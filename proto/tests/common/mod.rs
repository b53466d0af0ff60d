//! What several tests share: a reader for the classic pcap files in `captures/`, and the way to the payload.

#![allow(
    dead_code,
    clippy::indexing_slicing,
    reason = "each test uses its part; a broken sample shall fail loudly"
)]

use std::path::PathBuf;

/// A file below `captures/`.
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../captures").join(name)
}

/// Link type and frames of a little-endian microsecond pcap file.
pub fn frames(name: &str) -> (u32, Vec<Vec<u8>>) {
    let data = std::fs::read(path(name)).unwrap();
    assert_eq!(data[..4], [0xd4, 0xc3, 0xb2, 0xa1]);
    let word = |at: usize| u32::from_le_bytes(data[at..at + 4].try_into().unwrap());
    let (mut at, mut frames) = (24, Vec::new());
    while at < data.len() {
        let len = word(at + 8) as usize;
        frames.push(data[at + 16..at + 16 + len].to_vec());
        at += 16 + len;
    }
    (word(20), frames)
}

/// IP protocol and payload of a frame; `None` where there is none.
pub fn payload(link: u32, frame: &[u8]) -> (Option<u8>, &[u8]) {
    let ip = match link {
        1 if frame[12..14] != [0x08, 0x00] && frame[12..14] != [0x86, 0xdd] => return (None, &frame[14..]),
        1 => &frame[14..],
        246 => return (None, frame),
        _ => frame,
    };
    if ip[0] >> 4 == 6 {
        return (Some(ip[6]), &ip[40..]);
    }
    let (head, total) = (
        usize::from(ip[0] & 15) * 4,
        usize::from(u16::from_be_bytes([ip[2], ip[3]])),
    );
    (Some(ip[9]), &ip[head..total.clamp(head, ip.len())])
}

/// The pfsync payloads of a capture.
pub fn payloads(name: &str) -> Vec<Vec<u8>> {
    let (link, frames) = frames(name);
    frames.iter().map(|frame| payload(link, frame).1.to_vec()).collect()
}

/// Every capture whose frames are all sound.
pub const GOLDEN: [(&str, &str); 9] = [
    ("golden/openbsd6.eth.pcap", "golden/openbsd6.json"),
    ("golden/openbsd6.raw.pcap", "golden/openbsd6.json"),
    ("golden/openbsd6.pfsync246.pcap", "golden/openbsd6.json"),
    ("golden/freebsd1301.eth.pcap", "golden/freebsd1301.json"),
    ("golden/freebsd1301.raw.pcap", "golden/freebsd1301.json"),
    ("golden/freebsd1400.raw.pcap", "golden/freebsd1400.json"),
    ("golden/netbsd3.eth.pcap", "golden/netbsd3.json"),
    ("golden/life_openbsd6.raw.pcap", "golden/life_openbsd6.json"),
    ("golden/life_freebsd1301.raw.pcap", "golden/life_freebsd1301.json"),
];
