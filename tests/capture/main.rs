//! Capture files end to end: formats, compression, damage, the timeline, and what dissection makes of real layouts.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

mod build;
mod clocks;
mod damage;
mod formats;
mod golden;
mod interfaces;
mod timeline;
mod written;

use pfwatch::capture::file::FileSource;
use pfwatch::capture::{Input, Net, Source, SourceError};
use pfwatch::time::Timestamp;
use std::io::{Cursor, Read};

/// An owned frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) nanos: i64,
    pub(crate) net: Net,
    pub(crate) link: u32,
    pub(crate) wire_len: u32,
    pub(crate) data: Vec<u8>,
}

/// Everything a source gives, and what it fails with at the end.
pub(crate) fn drain(source: &mut FileSource) -> (Vec<Seen>, Option<SourceError>) {
    let mut seen = vec![];
    let mut failed = None;
    loop {
        match source.next(Timestamp::MAX) {
            Ok(Input::Frame(f)) => {
                assert!(failed.is_none(), "a failure comes after all frames");
                let (nanos, data) = (f.at.as_nanos(), f.data.to_vec());
                seen.push(Seen {
                    nanos,
                    net: f.net,
                    link: f.link.0,
                    wire_len: f.wire_len,
                    data,
                });
            }
            // Told of times that do not go on; see `clocks`.
            Ok(Input::Gap { .. }) => {}
            Ok(Input::End) => return (seen, failed),
            Ok(other) => panic!("a file source without deadline gives frames only, not {other:?}"),
            Err(e) => assert!(failed.replace(e).is_none(), "a failure is told once"),
        }
    }
}

pub(crate) fn source(octets: &[u8]) -> FileSource {
    let octets: Box<dyn Read + Send> = Box::new(Cursor::new(octets.to_vec()));
    FileSource::from_readers([("test".into(), Net::Sync, octets)])
}

pub(crate) fn read(octets: &[u8]) -> (Vec<Seen>, Option<SourceError>) {
    drain(&mut source(octets))
}

/// Nanoseconds and octets only.
pub(crate) fn short(seen: &[Seen]) -> Vec<(u64, Vec<u8>)> {
    seen.iter()
        .map(|s| (u64::try_from(s.nanos).unwrap(), s.data.clone()))
        .collect()
}
