//! Damaged, cut and missing files: every whole frame before the damage, then one clear sentence.

use crate::build::{Classic, Ng, classic, gzip, plain};
use crate::{drain, read, source};
use pfwatch::capture::file::{FileInput, FileSource};
use pfwatch::capture::{ErrorClass, Net, SourceError};
use std::fs;
use std::path::Path;

/// Cuts at every octet. `ends` are the lengths at which the file is whole, with the frames that it then has.
fn cut_everywhere(octets: &[u8], ends: &[usize]) {
    for length in 1..octets.len() {
        let (seen, failed) = read(&octets[..length]);
        let whole = ends.iter().filter(|e| **e <= length).count();
        assert_eq!(seen.len(), whole.saturating_sub(1), "cut at {length}");
        if ends.contains(&length) {
            assert!(failed.is_none(), "cut at {length}: {failed:?}");
        } else if length < 4 {
            assert!(matches!(failed, Some(SourceError::NotACapture { .. })));
        } else {
            assert!(
                matches!(failed, Some(SourceError::Cut { .. })),
                "cut at {length}: {failed:?}"
            );
        }
    }
}

#[test]
fn classic_cut_at_every_octet() {
    for big_endian in [false, true] {
        let how = Classic {
            big_endian,
            nanos: big_endian,
            link: 1,
        };
        let records: [(u64, &[u8]); 4] = [(1, b"first"), (2, b""), (3, &[7; 99]), (4, b"last")];
        let ends: Vec<_> = (0..=records.len()).map(|n| classic(how, &records[..n]).len()).collect();
        cut_everywhere(&classic(how, &records), &ends);
    }
}

#[test]
fn pcapng_cut_at_every_octet() {
    for big_endian in [false, true] {
        let mut ng = Ng::new(big_endian);
        // Whole, but without a frame yet: a file may end after any block.
        let mut whole = vec![(ng.out.len(), 0)];
        ng.interface(1, 0, &[(9, &[9]), (2, b"em0")]);
        whole.push((ng.out.len(), 0));
        for n in 1..4 {
            ng.enhanced(0, n, b"frame", &[(1, b"comment")]);
            whole.push((ng.out.len(), n));
        }
        ng.block(77, &[0; 24]);
        whole.push((ng.out.len(), 3));
        for length in 4..ng.out.len() {
            let (seen, failed) = read(&ng.out[..length]);
            let frames = whole
                .iter()
                .filter(|(l, _)| *l <= length)
                .map(|(_, n)| *n)
                .max()
                .unwrap_or(0);
            assert_eq!(seen.len() as u64, frames, "cut at {length}");
            let is_whole = whole.iter().any(|(l, _)| *l == length);
            assert_eq!(failed.is_none(), is_whole, "cut at {length}: {failed:?}");
            assert!(
                is_whole || matches!(failed, Some(SourceError::Cut { .. })),
                "cut at {length}: {failed:?}"
            );
        }
    }
}

#[test]
fn compressed_files_cut_at_every_octet() {
    let golden = include_bytes!("../../captures/golden/openbsd6.eth.pcap");
    let all = read(golden).0;
    let zstd = include_bytes!("openbsd6.eth.pcap.zst");
    let parts = include_bytes!("openbsd6.eth.pcap.parts.zst");
    for octets in [&gzip(golden)[..], zstd, parts] {
        let mut most = 0;
        for length in 4..octets.len() {
            let (seen, failed) = read(&octets[..length]);
            assert_eq!(seen, all[..seen.len()], "cut at {length}");
            assert!(
                seen.len() >= most,
                "cut at {length}: a longer file gives at least as much"
            );
            most = most.max(seen.len());
            if failed.is_none() {
                // Between two parts, where the capture happens to be whole.
                panic!("cut at {length}: no error");
            }
            assert!(
                matches!(failed, Some(SourceError::Cut { .. })),
                "cut at {length}: {failed:?}"
            );
        }
        // What precedes the last block or checksum is not lost with it.
        assert!(most > 0);
    }
}

#[test]
fn a_large_zstd_file_gives_all_whole_blocks_before_the_cut() {
    let octets = include_bytes!("counting.pcap.zst");
    let (all, failed) = read(octets);
    assert!(failed.is_none(), "{failed:?}");
    let (seen, failed) = read(&octets[..octets.len() - 5]);
    assert!(matches!(failed, Some(SourceError::Cut { .. })), "{failed:?}");
    assert_eq!(seen, all[..seen.len()]);
    assert!(seen.len() * 10 > all.len() * 5, "{} of {}", seen.len(), all.len());
}

#[test]
fn damaged_compression_is_told_from_a_cut() {
    let golden = include_bytes!("../../captures/golden/openbsd6.eth.pcap");
    let mut gz = gzip(golden);
    let at = gz.len() - 6;
    gz[at] ^= 1;
    let mut zst = include_bytes!("openbsd6.eth.pcap.parts.zst").to_vec();
    let at = zst.len() - 2;
    zst[at] ^= 1;
    for octets in [gz, zst] {
        let (seen, failed) = read(&octets);
        assert_eq!(seen.len(), 16, "only the checksum is wrong");
        let failed = failed.unwrap();
        assert!(matches!(failed, SourceError::Read { .. }), "{failed:?}");
        assert_eq!(failed.to_string(), "test could not be read on after 16 frames");
        assert!(std::error::Error::source(&failed).is_some());
    }
}

fn sentence(octets: &[u8]) -> (usize, String) {
    let (seen, failed) = read(octets);
    let failed = failed.unwrap();
    assert_eq!(failed.class(), ErrorClass::Data);
    (seen.len(), failed.to_string())
}

#[test]
fn impossible_records() {
    let good = plain(&[(1000, b"good")]);
    let mut long = good.clone();
    for v in [0u32, 0, 262_145, 262_145] {
        long.extend(v.to_le_bytes());
    }
    long.resize(long.len() + 300_000, 0);
    let expected = "test is damaged at octet 44: a frame longer than 256 KiB; 1 frames before it were read";
    assert_eq!(sentence(&long), (1, expected.into()));

    let ng = |f: &dyn Fn(&mut Ng)| {
        let mut ng = Ng::new(false);
        ng.interface(1, 0, &[]);
        ng.enhanced(0, 1, b"good", &[]);
        f(&mut ng);
        ng.enhanced(0, 1, b"never reached", &[]);
        let (frames, sentence) = sentence(&ng.out);
        assert_eq!(frames, 1);
        let (place, what) = sentence.split_once(": ").unwrap();
        // Of a block that is only skipped, the trailing length is what is looked at.
        assert!(
            ["test is damaged at octet 84", "test is damaged at octet 100"].contains(&place),
            "{place}"
        );
        what.trim_end_matches("; 1 frames before it were read").to_owned()
    };
    assert_eq!(
        ng(&|n| n.enhanced(1, 1, b"x", &[])),
        "a frame of an interface that was not described"
    );
    assert_eq!(ng(&|n| n.block(6, &[0; 12])), "a packet block shorter than its header");
    assert_eq!(
        ng(&|n| n.block(1, &[0; 4])),
        "an interface description without link type"
    );
    assert_eq!(
        ng(&|n| n.out.extend([6, 0, 0, 0, 13, 0, 0, 0])),
        "a block of impossible length"
    );
    assert_eq!(
        ng(&|n| n.out.extend([6, 0, 0, 0, 8, 0, 0, 0])),
        "a block of impossible length"
    );
    assert_eq!(
        ng(&|n| n.out.extend([6, 0, 0, 0, 0, 0, 0, 0x10])),
        "a block longer than a frame can be"
    );
    let differ = |n: &mut Ng| {
        n.block(5, &[0; 8]);
        *n.out.last_mut().unwrap() ^= 1;
    };
    assert_eq!(ng(&differ), "a block whose two lengths differ");
    let overlong = |n: &mut Ng| {
        n.enhanced(0, 1, b"1234", &[]);
        let at = n.out.len() - 4 - 4 - 8;
        n.out[at] = 5;
    };
    assert_eq!(ng(&overlong), "a frame longer than its block");
    let version = |n: &mut Ng| {
        n.section();
        let at = n.out.len() - 16;
        n.out[at] = 2;
    };
    assert_eq!(ng(&version), "a section of an unknown version");
    let order = |n: &mut Ng| {
        n.section();
        let at = n.out.len() - 20;
        n.out[at] = 2;
    };
    assert_eq!(ng(&order), "a section without byte order");
}

fn open(path: impl AsRef<Path>) -> (Vec<crate::Seen>, SourceError) {
    let mut source = FileSource::open(&[FileInput::new(path.as_ref(), Net::Sync)]);
    let (seen, failed) = drain(&mut source);
    (seen, failed.unwrap())
}

#[test]
fn every_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, octets: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, octets).unwrap();
        path
    };
    let there = dir.path().display();
    let check = |path: &Path, class: ErrorClass, sentence: String| {
        let (seen, failed) = open(path);
        assert!(seen.is_empty());
        assert_eq!((failed.class(), failed.to_string()), (class, sentence));
    };
    let missing = dir.path().join("none.pcap");
    check(
        &missing,
        ErrorClass::NoInput,
        format!("{there}/none.pcap: no such file"),
    );
    check(
        dir.path(),
        ErrorClass::NoInput,
        format!("{there} is a directory: name the capture files in it"),
    );
    let empty = file("empty", b"");
    check(
        &empty,
        ErrorClass::Data,
        format!("{there}/empty is empty: a capture has at least a file header"),
    );
    let not = "is not a capture: pcap and pcapng can be read, plain or compressed by gzip or zstd";
    check(
        &file("text", b"hello, world\n"),
        ErrorClass::Data,
        format!("{there}/text {not}"),
    );
    check(&file("short", b"hi"), ErrorClass::Data, format!("{there}/short {not}"));
    check(
        &file("text.gz", &gzip(b"hello, world\n")),
        ErrorClass::Data,
        format!("{there}/text.gz {not}"),
    );
    let cut = file("cut", &plain(&[(1, b"abc")])[..20]);
    check(
        &cut,
        ErrorClass::Data,
        format!("{there}/cut is cut: it ends inside a record, after 0 whole frames"),
    );
    assert_eq!([65, 66, 69, 77], {
        use ErrorClass::{Data, NoInput, Permission, Unavailable};
        [Data, NoInput, Unavailable, Permission].map(ErrorClass::exit_code)
    });
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret.pcap");
    fs::write(&path, plain(&[])).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&path).is_ok() {
        return; // root reads everything
    }
    let (_, failed) = open(&path);
    assert_eq!(failed.class(), ErrorClass::Permission);
    let sentence = format!(
        "{}: permission denied: run this as a user who may read it",
        path.display()
    );
    assert_eq!(failed.to_string(), sentence);
}

#[test]
fn one_bad_file_does_not_stop_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, octets: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, octets).unwrap();
        FileInput::new(path, Net::Sync)
    };
    let early = plain(&[(1_000_000, b"a"), (3_000_000, b"lost")]);
    let inputs = [
        file("late", &plain(&[(4_000_000, b"d")])),
        file("cut", &early[..early.len() - 1]),
        FileInput::new(dir.path().join("missing"), Net::Sync),
        file("text", b"no capture"),
        file("middle", &plain(&[(2_000_000, b"b")])),
    ];
    let mut source = FileSource::open(&inputs);
    assert_eq!(source.problems().len(), 2, "found at once: {:?}", source.problems());
    let (seen, failed) = drain(&mut source);
    assert_eq!(seen.iter().map(|s| s.data[0]).collect::<Vec<_>>(), b"abd");
    assert!(matches!(failed, Some(SourceError::Missing { .. })));
    let problems = source.problems();
    assert!(matches!(
        problems,
        [
            SourceError::Missing { .. },
            SourceError::NotACapture { .. },
            SourceError::Cut { frames: 1, .. }
        ]
    ));
}

#[test]
fn random_octets_behind_a_good_start_never_panic() {
    use proptest::prelude::*;
    let starts = [
        plain(&[]),
        Ng::new(false).out,
        Ng::new(true).out,
        {
            let mut ng = Ng::new(false);
            ng.interface(1, 0, &[]);
            ng.enhanced(0, 1, b"x", &[]);
            ng.out
        },
        vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3],
        vec![0x28, 0xb5, 0x2f, 0xfd],
        vec![],
    ];
    proptest!(|(which in 0..starts.len(), tail in proptest::collection::vec(any::<u8>(), 0..300))| {
        let _ = read(&[&starts[which][..], &tail].concat());
    });
    // Every octet of a good file changed, too.
    let mut ng = Ng::new(true);
    ng.interface(1, 0, &[(9, &[9]), (14, &[1; 8])]);
    ng.enhanced(0, 1, b"frame", &[(1, b"comment")]);
    ng.simple(4, b"1234");
    let gz = gzip(&ng.out);
    let zst = include_bytes!("openbsd6.eth.pcap.parts.zst");
    for octets in [&ng.out[..], &gz, zst] {
        for at in 0..octets.len() {
            for change in [1, 0x80, 0xff] {
                let mut damaged = octets.to_vec();
                damaged[at] ^= change;
                let _ = drain(&mut source(&damaged));
            }
        }
    }
}
