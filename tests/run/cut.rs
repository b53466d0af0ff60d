//! A shipped capture cut to the seconds around its fault: as three files for `analyze`, and as one list for a replay.

use pfwatch::capture::file::{FileInput, FileSource};
use pfwatch::capture::{Input, LinkType, Net, Source};
use pfwatch::time::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) const NETS: [&str; 3] = ["sync", "lan", "wan"];

pub(super) fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("captures/openbsd-pair")
        .join(name)
}

/// When the fault began.
pub(super) fn fault(name: &str) -> Timestamp {
    let truth = fs::read_to_string(shipped(&format!("{name}.truth.json"))).unwrap();
    let truth: serde_json::Value = serde_json::from_str(&truth).unwrap();
    let t = truth["events"][0]["t"].as_f64().unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "a Unix time in microseconds")]
    let micros = (t * 1e6) as i64;
    Timestamp::from_nanos(micros * 1000)
}

/// One frame of a replay: when after its beginning, on which network (of `NETS`), and its octets.
pub(super) type Sent = (Duration, usize, Vec<u8>);

/// Writes the cut files, and gives what is in them in the order of time.
pub(super) fn write(name: &str, from: Timestamp, to: Timestamp, folder: &Path) -> ([PathBuf; 3], Vec<Sent>) {
    let inputs = [
        format!("{name}.sync.pcap.zst"),
        format!("{name}.lan.carp.pcap"),
        format!("{name}.wan.carp.pcap"),
    ];
    let frames = inputs.each_ref().map(|input| read(input, from, to));
    let files = NETS.map(|net| folder.join(format!("{net}.pcap")));
    for (file, frames) in files.iter().zip(&frames) {
        fs::write(file, pcap(frames)).unwrap();
    }
    let start = frames.iter().flatten().map(|f| f.0).min().unwrap();
    let sent =
        |(net, frames): (usize, Vec<Heard>)| frames.into_iter().map(move |(at, data)| (at.since(start), net, data));
    let mut all: Vec<Sent> = frames.into_iter().enumerate().flat_map(sent).collect();
    all.sort_by_key(|s| s.0);
    (files, all)
}

type Heard = (Timestamp, Vec<u8>);

fn read(input: &str, from: Timestamp, to: Timestamp) -> Vec<Heard> {
    let mut source = FileSource::open(&[FileInput::new(shipped(input), Net::Sync)]);
    let mut frames = Vec::new();
    while let Input::Frame(frame) = source.next(Timestamp::MAX).unwrap() {
        assert_eq!(frame.link, LinkType(1));
        if (from..=to).contains(&frame.at) {
            frames.push((frame.at, frame.data.to_vec()));
        }
    }
    frames
}

/// A classic capture of Ethernet, with microseconds.
fn pcap(frames: &[Heard]) -> Vec<u8> {
    let mut out = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, 1] {
        out.extend(word.to_le_bytes());
    }
    for (at, data) in frames {
        let micros = at.as_nanos() / 1000;
        let length = i64::try_from(data.len()).unwrap();
        for word in [micros / 1_000_000, micros % 1_000_000, length, length] {
            out.extend(u32::try_from(word).unwrap().to_le_bytes());
        }
        out.extend(data);
    }
    out
}
