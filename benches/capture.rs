//! How fast capture files are read and dissected: `cargo bench --bench capture -- FILE...`.
//!
//! One pass with dissection and one without, each over all files as one timeline. To compare: `time tcpdump -r FILE -w /dev/null`.

use pfwatch::capture::file::{FileInput, FileSource};
use pfwatch::capture::{Input, Net, Source};
use pfwatch::dissect::{Kind, dissect};
use pfwatch::time::Timestamp;
use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn main() {
    let inputs: Vec<_> = std::env::args_os()
        .skip(1)
        .filter(|a| a != "--bench")
        .map(|path| FileInput::new(path, Net::Sync))
        .collect();
    let mut out = std::io::stdout().lock();
    if inputs.is_empty() {
        // `cargo bench` without arguments runs every benchmark.
        let _ = writeln!(out, "capture: name capture files to measure");
        return;
    }
    for dissecting in [false, true] {
        let start = Instant::now();
        let mut source = FileSource::open(&inputs);
        let (mut frames, mut octets, mut pfsync) = (0u64, 0u64, 0u64);
        loop {
            match source.next(Timestamp::MAX) {
                Ok(Input::Frame(frame)) => {
                    frames += 1;
                    octets += frame.data.len() as u64;
                    if dissecting {
                        let packet = black_box(dissect(frame.link, frame.data, frame.wire_len));
                        pfsync += u64::from(matches!(packet.kind, Kind::Pfsync(_)));
                    }
                }
                Ok(_) => break,
                Err(e) => {
                    let _ = writeln!(out, "{e}");
                    break;
                }
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        let _ = writeln!(
            out,
            "{}: {frames} frames ({pfsync} pfsync), {octets} octets in {seconds:.3} s: {:.0} MB/s, {:.1} ns per frame",
            if dissecting { "read and dissect" } else { "read" },
            octets as f64 / seconds / 1e6,
            seconds * 1e9 / frames as f64,
        );
    }
}
