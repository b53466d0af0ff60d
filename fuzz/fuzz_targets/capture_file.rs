//! Any octets as a capture file, and every frame in it dissected: never panics, always ends, tells a failure once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pfwatch::capture::file::FileSource;
use pfwatch::capture::{Input, Net, Source};
use pfwatch::dissect::dissect;
use pfwatch::time::Timestamp;
use std::io::{Cursor, Read};

fuzz_target!(|octets: &[u8]| {
    let input: Box<dyn Read + Send> = Box::new(Cursor::new(octets.to_vec()));
    let mut source = FileSource::from_readers([("fuzz".into(), Net::Sync, input)]);
    let mut failures = 0;
    loop {
        match source.next(Timestamp::MAX) {
            Ok(Input::Frame(frame)) => {
                assert_eq!(failures, 0);
                let _ = dissect(frame.link, frame.data, frame.wire_len);
            }
            Ok(Input::End) => break,
            Ok(other) => panic!("{other:?}"),
            Err(_) => failures += 1,
        }
    }
    assert_eq!(failures, source.problems().len().min(1));
});
