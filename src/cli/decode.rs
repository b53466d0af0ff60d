//! `pfwatch decode`: every message of capture files, as JSON lines or in the manner of tcpdump.
//!
//! Reads frame by frame and keeps none, so that files of any size can be shown. What a frame looks like is the business of
//! `render`.

use super::failure::report_problems;
use super::output::Stream;
use super::{Common, Failure, Format, exit, nothing};
use crate::capture::file::{FileInput, FileSource};
use crate::capture::{Input, Net, Source};
use crate::dissect::{Kind, Packet, dissect};
use crate::render::text::Text;
use crate::render::{Shown, json};
use crate::time::Timestamp;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

/// Arguments.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Capture files (pcap or pcapng, plain or compressed by gzip or zstd); - is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How messages look: lines for eyes, or one JSON object per frame
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

enum Writer {
    Json,
    Text(Box<Text>, String),
}

impl Writer {
    fn write(&mut self, buffer: &mut Vec<u8>, frame: &Shown<'_>) {
        match self {
            Self::Json => json::write(buffer, frame),
            Self::Text(text, line) => {
                line.clear();
                text.write(line, frame);
                buffer.extend_from_slice(line.as_bytes());
            }
        }
    }
}

/// Runs.
pub(super) fn run(args: &Args, common: &Common) -> Result<u8, Failure> {
    let inputs: Vec<FileInput> = args
        .files
        .iter()
        .map(|path| FileInput::new(path.clone(), Net::Sync))
        .collect();
    let mut source = FileSource::as_recorded(&inputs);
    let mut writer = match args.format {
        Format::Json => Writer::Json,
        Format::Text => Writer::Text(Box::new(Text::new(common.zone(), common.verbose > 0)), String::new()),
    };
    let (stream, mut buffer, mut shown, mut nested) = (Stream::new(), Vec::new(), 0_u64, 0_u64);
    // An error comes after everything that could be read, and is among the problems.
    while let Ok(input) = source.next(Timestamp::MAX) {
        let frame = match input {
            Input::Frame(frame) => frame,
            Input::End => break,
            Input::Idle(_) | Input::Gap { .. } => continue,
        };
        let packet = dissect(frame.link, frame.data, frame.wire_len);
        nested += u64::from(packet.nested);
        if is_ours(&packet) {
            shown += 1;
            writer.write(
                &mut buffer,
                &Shown {
                    at: frame.at,
                    packet,
                    secret: None,
                },
            );
            stream.offer(&mut buffer)?;
        }
    }
    Stream::flush(&mut buffer)?;
    let problem = report_problems(source.problems());
    let files = source.files();
    let unreadable = nothing::unreadable(&files);
    unreadable.iter().for_each(|sentence| tracing::error!("{sentence}"));
    if let Some(code) = problem {
        return Ok(code);
    }
    if shown == 0 && unreadable.is_empty() {
        tracing::error!(
            "{}",
            nothing::nothing("pfsync or CARP", &files.iter().collect::<Vec<_>>(), nested)
        );
    }
    Ok(if shown == 0 || !unreadable.is_empty() {
        exit::DATA
    } else {
        exit::OK
    })
}

/// pfsync, CARP and VRRP; and whatever else is sent to their groups, because it is damaged or somebody plays games. Only
/// membership reports belong there.
fn is_ours(packet: &Packet<'_>) -> bool {
    const IGMP: u8 = 2;
    const GROUPS: [IpAddr; 2] = [
        IpAddr::V4(Ipv4Addr::new(224, 0, 0, 240)),
        IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18)),
    ];
    match packet.kind {
        Kind::Pfsync(_) | Kind::Proto112(_) => true,
        Kind::Other => packet.ip.is_some_and(|ip| ip.proto != IGMP && GROUPS.contains(&ip.dst)),
        Kind::TcpSyn { .. } | Kind::Unsupported => false,
    }
}
