//! What our writer writes, read back by our reader and by somebody else's.

use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{LegacyPcapReader, PcapBlockOwned, PcapError};
use pfwatch::capture::file::write::Writer;
use pfwatch::capture::file::{FileInput, FileSource};
use pfwatch::capture::{Input, Net, Source};
use pfwatch::time::Timestamp;
use std::fs;
use std::io::Write;

/// Time and octets.
type Frames = Vec<(i64, Vec<u8>)>;

fn frames() -> Frames {
    let octets = |n: usize| (0..n).map(|i| u8::try_from(i % 251).unwrap()).collect();
    vec![
        (1_790_000_000_000_000_000, octets(60)),
        (1_790_000_000_000_000_001, octets(1514)),
        (1_790_000_000_999_999_999, octets(0)),
        (1_790_000_001_000_000_000, octets(9000)),
        // The clock of a capturing host may be set back.
        (1_789_999_999_123_456_789, octets(61)),
    ]
}

fn written() -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file).unwrap();
    for (at, octets) in frames() {
        writer.frame(Timestamp::from_nanos(at), &octets).unwrap();
    }
    writer.finish().unwrap();
    file
}

#[test]
fn our_reader_reads_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("written.pcap");
    fs::write(&path, written()).unwrap();
    let mut source = FileSource::open(&[FileInput::new(path, Net::Sync)]);
    let mut read = Frames::new();
    loop {
        match source.next(Timestamp::MAX).unwrap() {
            Input::Frame(f) => {
                assert_eq!((f.link.0, f.wire_len as usize), (1, f.data.len()));
                read.push((f.at.as_nanos(), f.data.to_vec()));
            }
            Input::End => break,
            _ => {}
        }
    }
    assert_eq!(read, frames());
    assert!(source.problems().is_empty());
}

#[test]
fn another_reader_reads_it_too() {
    let file = written();
    let mut reader = LegacyPcapReader::new(65_536, file.as_slice()).unwrap();
    let mut read = Frames::new();
    let mut nanoseconds = false;
    loop {
        match reader.next() {
            Ok((used, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) => {
                        nanoseconds = header.is_nanosecond_precision();
                        assert_eq!(
                            (header.version_major, header.version_minor, header.network.0),
                            (2, 4, 1)
                        );
                    }
                    PcapBlockOwned::Legacy(block) => {
                        assert_eq!(block.origlen, block.caplen);
                        let at = i64::from(block.ts_sec) * 1_000_000_000 + i64::from(block.ts_usec);
                        read.push((at, block.data.to_vec()));
                    }
                    PcapBlockOwned::NG(_) => panic!("not this format"),
                }
                reader.consume(used);
            }
            Err(PcapError::Eof) => break,
            Err(PcapError::Incomplete(_)) => reader.refill().unwrap(),
            Err(e) => panic!("{e:?}"),
        }
    }
    assert!(nanoseconds);
    assert_eq!(read, frames());
}

/// A disk that is full after so many octets.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        if self.0 == 0 {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        let taken = octets.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_said_wherever_it_comes() {
    let length = written().len();
    for room in 0..length {
        let all = || -> std::io::Result<()> {
            let mut writer = Writer::new(Full(room))?;
            for (at, octets) in frames() {
                writer.frame(Timestamp::from_nanos(at), &octets)?;
            }
            writer.finish()
        };
        assert_eq!(
            all().map_err(|e| e.kind()),
            Err(std::io::ErrorKind::StorageFull),
            "{room}"
        );
    }
}
