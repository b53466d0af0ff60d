//! One capture as a sequence of frames, whatever its format.
//!
//! Called by the timeline in `file`, which looks at [`Reader::head`] to merge and at [`Reader::data`] to deliver. A
//! frame stays in the window until [`Reader::advance`]; nothing is copied, but what [`Reader::ahead`] was asked to look at.
//!
//! Own readers rather than the `pcap-parser` crate: version 0.17 gives wrong times for some captures (it refuses every
//! if_tsresol of the form 2^-n and reads if_tsoffset in little endian whatever the section says), and it hides why a read
//! failed, so that a cut gzip file cannot be told from a damaged one. Not for speed: on 1 GB (960 000 frames) it needs 160 ns a
//! frame for classic pcap and 160 (230 with options, which it allocates) for pcapng, these readers 190, 155 and 175, most
//! of it the copy from the page cache. The test `agrees_with_pcap_parser` compares the two.

use super::classic::Classic;
use super::interfaces::{Interface, Interfaces};
use super::pcapng::{Pcapng, SECTION_HEADER};
use super::window::Window;
use crate::capture::{Direction, LinkType, Net};
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::io::{self, Read};

/// Longer frames are damage: libpcap's own limit.
pub(super) const MAX_FRAME: u32 = 256 * 1024;

/// Why a capture cannot be read on.
#[derive(Debug)]
pub(super) enum Fault {
    /// Not one octet.
    Empty,
    /// Neither pcap nor pcapng.
    NotACapture,
    /// The end, inside a record.
    Cut,
    /// It has no interfaces to choose from.
    NotPcapng,
    /// Its interfaces, or sections, come one after another, and not in the order of time.
    Unordered,
    /// A record that cannot be.
    Corrupt(&'static str),
    /// The system or the decompressor.
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(e: io::Error) -> Self {
        // The decompressors say so when their input ends too early.
        if e.kind() == io::ErrorKind::UnexpectedEof {
            Self::Cut
        } else {
            Self::Io(e)
        }
    }
}

/// The record at the start of the window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) at: Timestamp,
    pub(super) link: LinkType,
    /// The net it belongs to, where that is not the one of the file.
    pub(super) net: Option<Net>,
    /// Number of the interface's name.
    pub(super) interface: u16,
    /// Which interface of which section: within one the order is that of the capture.
    pub(super) lane: usize,
    pub(super) direction: Option<Direction>,
    pub(super) wire_len: u32,
    /// Where in the window the frame starts.
    pub(super) skip: usize,
    /// How many octets of it there are.
    pub(super) length: usize,
    /// What the whole record occupies.
    pub(super) total: usize,
}

enum Format {
    Classic(Classic),
    Pcapng(Pcapng),
}

/// See the module.
pub(super) struct Reader {
    window: Window,
    format: Format,
    /// The record at the start of the window.
    head: Option<Head>,
    /// Frames before it that were looked at ahead of their turn, with their octets.
    kept: VecDeque<(Head, Vec<u8>)>,
    /// What was met behind them.
    fault: Option<Fault>,
}

impl Reader {
    /// Reads up to the first frame. Damage before it is no error here: [`Reader::advance`] will meet it again.
    pub(super) fn open(input: Box<dyn Read + Send>, wanted: &Interfaces) -> Result<Self, Fault> {
        let mut window = Window::new(input);
        if !window.need(4)? {
            return Err(if window.octets().is_empty() {
                Fault::Empty
            } else {
                Fault::NotACapture
            });
        }
        let first = window.octets().first_chunk::<4>().copied().unwrap_or_default();
        let format = if first == SECTION_HEADER.to_be_bytes() {
            Format::Pcapng(Pcapng::new(wanted.clone()))
        } else if let Some(magic) = Classic::magic(first) {
            if matches!(wanted, Interfaces::One(_)) {
                return Err(Fault::NotPcapng);
            }
            Format::Classic(Classic::open(&mut window, magic)?)
        } else {
            return Err(Fault::NotACapture);
        };
        Ok(Self {
            window,
            format,
            head: None,
            kept: VecDeque::new(),
            fault: None,
        })
    }

    /// The frame to be delivered next, as far as [`Reader::advance`] found one.
    #[inline]
    pub(super) fn head(&self) -> Option<&Head> {
        match self.kept.front() {
            Some((head, _)) => Some(head),
            None => self.head.as_ref(),
        }
    }

    /// The octets of the head.
    #[inline]
    pub(super) fn data(&self) -> &[u8] {
        if let Some((_, data)) = self.kept.front() {
            return data;
        }
        self.head.as_ref().map_or(&[], |head| self.in_window(head))
    }

    #[inline]
    fn in_window(&self, head: &Head) -> &[u8] {
        self.window
            .octets()
            .get(head.skip..head.skip + head.length)
            .unwrap_or(&[])
    }

    /// Leaves the head behind and looks for the next one; false at the end.
    #[inline]
    pub(super) fn advance(&mut self) -> Result<bool, Fault> {
        if self.kept.is_empty() {
            return self.read();
        }
        self.kept.pop_front();
        match self.fault.take_if(|_| self.kept.is_empty()) {
            Some(fault) => Err(fault),
            None => Ok(self.head().is_some()),
        }
    }

    /// The next record, instead of the one at the start of the window.
    #[inline]
    fn read(&mut self) -> Result<bool, Fault> {
        if let Some(head) = self.head.take() {
            self.window.consume(head.total);
        }
        self.head = match &mut self.format {
            Format::Classic(format) => format.peek(&mut self.window)?,
            Format::Pcapng(format) => format.peek(&mut self.window)?,
        };
        Ok(self.head.is_some())
    }

    /// The times of the head and of those that follow it, `most` at most.
    #[cold]
    pub(super) fn ahead(&mut self, most: usize) -> Vec<Timestamp> {
        while self.kept.len() + 1 < most
            && let Some(head) = self.head
        {
            let data = self.in_window(&head).to_vec();
            self.kept.push_back((head, data));
            self.fault = self.read().err();
        }
        let kept = self.kept.iter().map(|(head, _)| head.at);
        kept.chain(self.head.map(|head| head.at)).take(most).collect()
    }

    /// The lanes of those that were looked at ahead of their turn.
    pub(super) fn lanes(&self) -> impl Iterator<Item = usize> {
        let kept = self.kept.iter().map(|(head, _)| head.lane);
        kept.chain(self.head.map(|head| head.lane))
    }

    /// What the file header says, where the format has one for the whole file.
    pub(super) const fn link(&self) -> Option<LinkType> {
        match &self.format {
            Format::Classic(format) => Some(format.link),
            Format::Pcapng(_) => None,
        }
    }

    /// The name of an interface: that of a head.
    #[inline]
    pub(super) fn interface(&self, number: u16) -> &str {
        match &self.format {
            Format::Classic(_) => "",
            Format::Pcapng(format) => format.names.get(number),
        }
    }

    /// Whether such an interface was described.
    pub(super) fn has(&self, interface: &Interface) -> bool {
        match &self.format {
            Format::Classic(_) => false,
            Format::Pcapng(format) => format.names.has(interface),
        }
    }

    /// The interfaces that were described so far.
    pub(super) fn interfaces(&self) -> String {
        match &self.format {
            Format::Classic(_) => String::new(),
            Format::Pcapng(format) => format.names.described(),
        }
    }

    /// Where in the uncompressed capture the current record starts.
    pub(super) const fn offset(&self) -> u64 {
        self.window.offset()
    }
}
