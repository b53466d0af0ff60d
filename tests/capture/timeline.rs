//! Several files are one timeline; deadlines; what is known of the files meanwhile.

use crate::build::{Classic, classic, gzip, plain};
use crate::{Seen, drain};
use pfwatch::capture::file::{FileInput, FileSource};
use pfwatch::capture::{Input, LinkType, Net, Source, SourceError};
use pfwatch::time::Timestamp;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

struct Dir(TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, net: Net, octets: &[u8]) -> FileInput {
        let path = self.0.path().join(name);
        fs::write(&path, octets).unwrap();
        FileInput::new(path, net)
    }

    /// Times in microseconds; the data is the name and the number of the frame.
    fn times(&self, name: &str, net: Net, times: &[u64]) -> FileInput {
        let data: Vec<_> = (0..times.len()).map(|i| format!("{name}{i}").into_bytes()).collect();
        let records: Vec<_> = times.iter().zip(&data).map(|(t, d)| (t * 1000, &d[..])).collect();
        self.file(name, net, &plain(&records))
    }
}

fn order(seen: &[Seen]) -> String {
    seen.iter()
        .map(|s| String::from_utf8(s.data.clone()).unwrap())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_rotated_set_in_any_order() {
    let dir = Dir::new();
    let inputs = [
        dir.times("c", Net::Sync, &[30, 31]),
        dir.times("a", Net::Sync, &[10, 11, 20]),
        dir.times("empty", Net::Sync, &[]),
        dir.times("b", Net::Sync, &[20, 21]),
    ];
    let mut source = FileSource::open(&inputs);
    let (seen, failed) = drain(&mut source);
    assert!(failed.is_none());
    assert_eq!(order(&seen), "a0 a1 a2 b0 b1 c0 c1");
    let frames: Vec<_> = source.files().iter().map(|f| f.frames).collect();
    assert_eq!(frames, [2, 3, 0, 2]);
}

#[test]
fn overlapping_files_and_segments_are_merged_by_time() {
    let dir = Dir::new();
    let inputs = [
        dir.times("w", Net::Segment(1), &[5, 20]),
        dir.times("y", Net::Segment(0), &[5, 12, 40]),
        dir.times("a", Net::Sync, &[1, 5, 9, 30]),
        dir.times("b", Net::Sync, &[5, 6, 50]),
        dir.times("x", Net::Segment(0), &[5, 13]),
    ];
    let (seen, failed) = drain(&mut FileSource::open(&inputs));
    assert!(failed.is_none());
    // At time 5 the sync net first, then the segments by number; within one net by the order of naming.
    assert_eq!(order(&seen), "a0 a1 b0 y0 x0 w0 b1 a2 y1 x1 w1 a3 y2 b2");
    let nets: Vec<_> = seen.iter().map(|s| s.net).collect();
    assert_eq!(nets[3..6], [Net::Segment(0), Net::Segment(0), Net::Segment(1)]);
}

#[test]
fn time_that_runs_backwards_inside_a_file_is_left_alone() {
    let dir = Dir::new();
    let inputs = [
        dir.times("a", Net::Sync, &[10, 13, 12, 14]),
        dir.times("b", Net::Segment(0), &[11, 12, 15]),
    ];
    let mut source = FileSource::open(&inputs);
    let (seen, _) = drain(&mut source);
    assert_eq!(order(&seen), "a0 b0 b1 a1 a2 a3 b2");
    let a = &source.files()[0];
    assert_eq!(
        (a.first, a.last),
        (Some(Timestamp::from_nanos(10_000)), Some(Timestamp::from_nanos(14_000)))
    );
}

#[test]
fn many_files_compressed_or_not() {
    let dir = Dir::new();
    let inputs: Vec<_> = (0..60u64)
        .map(|i| {
            let t = (i * 37 % 60) * 100_000;
            let octets = plain(&[(t, b"1"), (t + 50_000, b"2"), (t + 120_000, b"3")]);
            let octets = if i % 2 == 0 { octets } else { gzip(&octets) };
            dir.file(&format!("f{i}"), Net::Sync, &octets)
        })
        .collect();
    let mut source = FileSource::open(&inputs);
    let (seen, failed) = drain(&mut source);
    assert!(failed.is_none());
    assert_eq!(seen.len(), 180);
    assert!(seen.is_sorted_by_key(|s| s.nanos));
    for f in source.files() {
        assert_eq!(f.frames, 3);
        assert_eq!(Some(f.bytes_read), f.bytes_total);
    }
    let progress = source.progress();
    assert_eq!(Some(progress.read()), progress.total());
}

#[test]
fn deadlines() {
    let dir = Dir::new();
    let inputs = [dir.times("a", Net::Sync, &[10, 20])];
    let mut source = FileSource::open(&inputs);
    let us = |n: i64| Timestamp::from_nanos(n * 1000);
    let mut told = vec![];
    for deadline in [5, 9, 10, 10, 19, 21, 21, 22] {
        told.push(match source.next(us(deadline)).unwrap() {
            Input::Frame(f) => {
                assert!(f.at <= us(deadline), "in time");
                String::from_utf8(f.data.to_vec()).unwrap()
            }
            Input::Idle(at) => {
                assert_eq!(at, us(deadline));
                "idle".into()
            }
            Input::End => "end".into(),
            Input::Gap { .. } => panic!("a file has no gaps"),
        });
    }
    assert_eq!(told.join(" "), "idle idle a0 idle idle a1 end end");
}

#[test]
fn what_is_known_of_a_file() {
    let dir = Dir::new();
    let how = Classic {
        big_endian: true,
        nanos: true,
        link: 117,
    };
    let octets = classic(how, &[(7, b"unknown link types are delivered")]);
    let input = dir.file("pflog", Net::Sync, &octets);
    let mut source = FileSource::open(std::slice::from_ref(&input));
    assert_eq!(source.files()[0].frames, 0);
    assert_eq!(source.files()[0].links, [LinkType(117)]);
    let (seen, failed) = drain(&mut source);
    assert!(failed.is_none());
    assert_eq!(seen[0].link, 117);
    let info = &source.files()[0];
    assert_eq!(info.path, input.path);
    assert_eq!((info.frames, info.bytes_total), (1, Some(octets.len() as u64)));
    assert_eq!(info.bytes_read, octets.len() as u64);
}

#[test]
fn nothing_named_is_the_end() {
    let mut source = FileSource::open(&[]);
    assert!(matches!(source.next(Timestamp::MAX), Ok(Input::End)));
}

#[test]
fn the_standard_input_only_once() {
    let stdin = FileInput::new(PathBuf::from("-"), Net::Sync);
    // The test's own standard input is whatever it is; the second mention is what is asked about.
    let source = FileSource::open(&[stdin.clone(), stdin]);
    assert!(source.problems().iter().any(|p| matches!(p, SourceError::StdinTwice)));
}

/// A pipe cannot be opened twice, so it stays open although it starts later than the others.
#[cfg(unix)]
#[test]
fn a_named_pipe() {
    let dir = Dir::new();
    let path = dir.0.path().join("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    let inputs = [
        FileInput::new(path.clone(), Net::Sync),
        dir.times("a", Net::Sync, &[1, 3]),
    ];
    let octets = fs::read(dir.times("p", Net::Sync, &[2, 4]).path).unwrap();
    let writer = std::thread::spawn(move || fs::write(path, octets));
    let (seen, failed) = drain(&mut FileSource::open(&inputs));
    writer.join().unwrap().unwrap();
    assert!(failed.is_none());
    assert_eq!(order(&seen), "a0 p0 a1 p1");
}
