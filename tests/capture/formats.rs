//! Every format and every kind of compression gives the same frames.

use crate::build::{self, Classic, Ng, gzip, plain};
use crate::{read, short};

const T: u64 = 1_790_000_000_250_001_000;

fn frames() -> Vec<(u64, Vec<u8>)> {
    (0..40u8)
        .map(|i| (T + u64::from(i) * 1_000_000, vec![i; usize::from(i) * 40]))
        .collect()
}

fn records(frames: &[(u64, Vec<u8>)]) -> Vec<build::Record<'_>> {
    frames.iter().map(|(t, d)| (*t, d.as_slice())).collect()
}

#[test]
fn classic_in_both_byte_orders_and_both_resolutions() {
    let frames = frames();
    for big_endian in [false, true] {
        for nanos in [false, true] {
            let (seen, failed) = read(&build::classic(
                Classic {
                    big_endian,
                    nanos,
                    link: 0x1000_0000 | 101,
                },
                &records(&frames),
            ));
            assert!(failed.is_none());
            assert_eq!(short(&seen), frames);
            assert!(
                seen.iter().all(|s| s.link == 101),
                "the length of a check sequence is no link type"
            );
        }
    }
}

#[test]
fn nanoseconds_are_kept() {
    let (seen, _) = read(&build::classic(
        Classic {
            big_endian: false,
            nanos: true,
            link: 1,
        },
        &[(T + 7, b"x")],
    ));
    assert_eq!(short(&seen), [(T + 7, b"x".to_vec())]);
}

#[test]
fn the_longer_record_header() {
    let mut octets = plain(&[]);
    octets[..4].copy_from_slice(&0xa1b2_cd34u32.to_le_bytes());
    for v in [1u32, 2, 3, 5] {
        octets.extend(v.to_le_bytes());
    }
    octets.extend([9; 8]);
    octets.extend(b"abc");
    let (seen, failed) = read(&octets);
    assert!(failed.is_none());
    assert_eq!(short(&seen), [(1_000_002_000, b"abc".to_vec())]);
    assert_eq!(seen[0].wire_len, 5);
}

#[test]
fn no_valid_time_is_fine() {
    let (seen, failed) = read(&plain(&[(0, b"a"), (0, b"b")]));
    assert!(failed.is_none());
    assert_eq!(short(&seen), [(0, b"a".to_vec()), (0, b"b".to_vec())]);
}

#[test]
fn pcapng_with_everything() {
    for big_endian in [false, true] {
        let offset = 1_790_000_000i64;
        let offset = if big_endian {
            offset.to_be_bytes()
        } else {
            offset.to_le_bytes()
        };
        let mut ng = Ng::new(big_endian);
        ng.block(0x0bad_0bad, b"unknown blocks are skipped");
        ng.interface(1, 0, &[(2, b"em0")]);
        ng.interface(101, 96, &[(2, b"em12"), (9, &[9])]);
        ng.interface(276, 96, &[(9, &[0x80 | 10]), (14, &offset)]);
        ng.enhanced(0, T / 1000, b"micro", &[(1, b"a comment")]);
        ng.block(4, &[0; 4]);
        ng.enhanced(1, T + 1, b"nano", &[]);
        ng.enhanced(2, 512, b"half a second after the offset", &[]);
        ng.simple(5, b"seven p");
        // An old packet block: the interface number has 16 bits, then a drop count.
        let mut old = [build::half(1, big_endian), build::half(77, big_endian)].concat();
        for v in [
            u32::try_from(T >> 32).unwrap(),
            u32::try_from(T & 0xffff_ffff).unwrap(),
            3,
            30,
        ] {
            old.extend(build::word(v, big_endian));
        }
        old.extend(b"old");
        ng.block(2, &old);
        let mut octets = ng.out;
        // A second section, of the other byte order, forgets the interfaces of the first.
        let mut second = Ng::new(!big_endian);
        second.interface(12, 4, &[(9, &[3])]);
        second.enhanced(0, 1_790_000_000_250, b"milli", &[]);
        second.simple(100, b"snap");
        octets.extend(second.out);

        let (seen, failed) = read(&octets);
        assert!(failed.is_none(), "{failed:?}");
        let got: Vec<_> = seen
            .iter()
            .map(|s| (s.nanos - 1_790_000_000_000_000_000, s.link, &s.data[..]))
            .collect();
        assert_eq!(
            got,
            [
                (250_001_000, 1, &b"micro"[..]),
                (250_001_001, 101, b"nano"),
                (500_000_000, 276, b"half a second after the offset"),
                (500_000_000, 1, b"seven"),
                (250_001_000, 101, b"old"),
                (250_000_000, 12, b"milli"),
                (250_000_000, 12, b"snap"),
            ]
        );
        assert_eq!((seen[4].wire_len, seen[6].wire_len), (30, 100));
    }
}

#[test]
fn compressed_and_concatenated() {
    let frames = frames();
    let octets = plain(&records(&frames));
    assert_eq!(short(&read(&gzip(&octets)).0), frames);
    let (a, b) = octets.split_at(1000);
    let mut members = gzip(a);
    members.extend(gzip(b""));
    members.extend(gzip(b));
    let (seen, failed) = read(&members);
    assert!(failed.is_none());
    assert_eq!(short(&seen), frames);
}

/// The fixtures were made from the golden capture by the reference implementation (`zstd -19`, and two `zstd -1 --check`
/// halves around a skippable frame).
#[test]
fn zstd() {
    let plain = read(include_bytes!("../../captures/golden/openbsd6.eth.pcap")).0;
    assert_eq!(plain.len(), 16);
    for octets in [
        &include_bytes!("openbsd6.eth.pcap.zst")[..],
        include_bytes!("openbsd6.eth.pcap.parts.zst"),
    ] {
        let (seen, failed) = read(octets);
        assert!(failed.is_none(), "{failed:?}");
        assert_eq!(seen, plain);
    }
}

#[test]
fn agrees_with_pcap_parser() {
    use pcap_parser::traits::PcapNGPacketBlock;
    use pcap_parser::{Block, PcapBlockOwned, PcapError, create_reader};
    let mut ng = Ng::new(false);
    ng.interface(1, 0, &[(2, b"em0")]);
    for (t, d) in frames() {
        ng.enhanced(0, t / 1000, &d, &[(1, b"comment")]);
    }
    let golden = include_bytes!("../../captures/golden/freebsd1301.eth.pcap").to_vec();
    for octets in [plain(&records(&frames())), golden, ng.out] {
        let mut theirs = vec![];
        let mut reader = create_reader(65536, std::io::Cursor::new(octets.clone())).unwrap();
        loop {
            match reader.next() {
                Ok((length, block)) => {
                    match block {
                        PcapBlockOwned::Legacy(b) => {
                            let nanos = u64::from(b.ts_sec) * 1_000_000_000 + u64::from(b.ts_usec) * 1000;
                            theirs.push((nanos, b.data.to_vec()));
                        }
                        PcapBlockOwned::NG(Block::EnhancedPacket(b)) => {
                            let ticks = u64::from(b.ts_high) << 32 | u64::from(b.ts_low);
                            theirs.push((ticks * 1000, b.packet_data().to_vec()));
                        }
                        _ => {}
                    }
                    reader.consume(length);
                }
                Err(PcapError::Incomplete(_)) => reader.refill().unwrap(),
                Err(PcapError::Eof) => break,
                Err(e) => panic!("{e:?}"),
            }
        }
        assert!(!theirs.is_empty());
        assert_eq!(short(&read(&octets).0), theirs);
    }
}
