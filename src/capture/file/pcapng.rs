//! The pcapng format: sections of either byte order, several interfaces with their own link types, time resolutions
//! and offsets; enhanced, simple and the old packet blocks. Every other block is skipped by its length.
//!
//! Called by `reader`. A frame is a view into the window; only interface descriptions are kept.
//!
//! Why not the `pcap-parser` crate: see `reader`.

use super::interfaces::{Interfaces, Names};
use super::reader::{Fault, Head, MAX_FRAME};
use super::window::{MAX_RECORD, Window};
use crate::capture::{Direction, LinkType, Net};
use crate::time::Timestamp;

pub(super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// More interfaces than any host has; keeps a forged file from filling the memory.
pub(super) const MAX_INTERFACES: usize = 4096;

/// The section that is being read.
#[derive(Default)]
pub(super) struct Pcapng {
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// Interfaces of the sections before it.
    before: usize,
    last: Timestamp,
    /// What is wanted of the file.
    wanted: Interfaces,
    /// What its interfaces are called.
    pub(super) names: Names,
}

#[derive(Clone)]
struct Interface {
    link: LinkType,
    snap: u32,
    unit: Unit,
    /// Nanoseconds to add.
    offset: i128,
    /// As it is described; empty if it is not.
    name: String,
    /// Where its frames belong, once one was met.
    place: Option<Place>,
}

/// Where the frames of an interface belong.
#[derive(Clone, Copy)]
enum Place {
    /// To the net of the file: the interface's number in [`Names`].
    Here(u16),
    /// To this segment.
    Segment(usize),
    /// They were not asked for.
    Nowhere,
}

/// What one tick of an interface's clock is.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Unit {
    /// So many nanoseconds.
    Nanos(u128),
    /// A fraction of a nanosecond: so many ticks are one.
    PerNano(u128),
    /// 2^-n seconds.
    Binary(u32),
}

impl Unit {
    /// From the value of an if_tsresol option.
    fn new(resolution: u8) -> Self {
        let exponent = u32::from(resolution & 0x7f);
        match (resolution & 0x80, exponent) {
            (0, 0..=9) => Self::Nanos(10u128.pow(9 - exponent)),
            (0, _) => Self::PerNano(10u128.checked_pow(exponent - 9).unwrap_or(u128::MAX)),
            _ => Self::Binary(exponent),
        }
    }

    fn nanos(self, ticks: u64) -> i128 {
        let ticks = u128::from(ticks);
        let nanos = match self {
            Self::Nanos(n) => ticks * n,
            Self::PerNano(n) => ticks / n,
            Self::Binary(n) => (ticks * 1_000_000_000).checked_shr(n).unwrap_or(0),
        };
        i128::try_from(nanos).unwrap_or(i128::MAX)
    }
}

impl Interface {
    #[inline]
    fn time(&self, ticks: u64) -> Timestamp {
        let nanos = self.unit.nanos(ticks).saturating_add(self.offset);
        Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
    }
}

impl Pcapng {
    /// A file of which this is wanted.
    pub(super) fn new(wanted: Interfaces) -> Self {
        Self {
            wanted,
            ..Self::default()
        }
    }

    /// Where the frames of an interface belong; found out with the first of them.
    #[inline]
    fn place(&mut self, number: usize) -> Option<Place> {
        let interface = self.interfaces.get(number)?;
        interface.place.or_else(|| self.find_place(number))
    }

    #[cold]
    fn find_place(&mut self, number: usize) -> Option<Place> {
        let alone = self.interfaces.len() == 1;
        let interface = self.interfaces.get_mut(number)?;
        let place = match &self.wanted {
            Interfaces::One(wanted) if wanted.is(&interface.name, number) => Place::Here(0),
            Interfaces::One(_) => Place::Nowhere,
            Interfaces::All(elsewhere) => match elsewhere.iter().find(|(one, _)| one.is(&interface.name, number)) {
                Some((_, Some(segment))) => Place::Segment(*segment),
                Some((_, None)) => Place::Nowhere,
                None => Place::Here(self.names.number(&interface.name, number, alone)),
            },
        };
        interface.place = Some(place);
        Some(place)
    }

    /// Looks at the next frame, passing over all other blocks; none at the end of the file.
    #[inline]
    pub(super) fn peek(&mut self, window: &mut Window) -> Result<Option<Head>, Fault> {
        loop {
            if !window.need(8)? {
                return if window.octets().is_empty() {
                    Ok(None)
                } else {
                    Err(Fault::Cut)
                };
            }
            let kind = self.word(window.octets(), 0);
            if kind == SECTION_HEADER {
                self.section(window)?;
                continue;
            }
            let length = self.word(window.octets(), 4);
            check_length(length, 12)?;
            if !matches!(kind, INTERFACE | OLD_PACKET | SIMPLE_PACKET | ENHANCED_PACKET) {
                if !window.skip(u64::from(length) - 4)? || !window.need(4)? {
                    return Err(Fault::Cut);
                }
                self.check_trailer(window.octets(), 0, length)?;
                window.consume(4);
                continue;
            }
            let total = length as usize;
            if total > MAX_RECORD {
                return Err(Fault::Corrupt("a block longer than a frame can be"));
            }
            if !window.need(total)? {
                return Err(Fault::Cut);
            }
            let block = window.octets().get(..total).unwrap_or(&[]);
            self.check_trailer(block, total - 4, length)?;
            let (mut head, number) = match kind {
                INTERFACE => {
                    let interface = self.interface(block)?;
                    self.names.describe(&interface.name, self.interfaces.len());
                    if self.interfaces.len() >= MAX_INTERFACES {
                        return Err(Fault::Corrupt("more than 4096 interfaces"));
                    }
                    self.interfaces.push(interface);
                    window.consume(total);
                    continue;
                }
                SIMPLE_PACKET => self.simple(block)?,
                _ => self.packet(block, kind)?,
            };
            self.last = head.at;
            head.lane = self.before.saturating_add(number);
            match self.place(number) {
                Some(Place::Here(interface)) => head.interface = interface,
                Some(Place::Segment(segment)) => head.net = Some(Net::Segment(segment)),
                Some(Place::Nowhere) | None => {
                    window.consume(total);
                    continue;
                }
            }
            return Ok(Some(head));
        }
    }

    /// A section header starts anew: byte order, no interfaces.
    fn section(&mut self, window: &mut Window) -> Result<(), Fault> {
        if !window.need(28)? {
            return Err(Fault::Cut);
        }
        let block = window.octets();
        self.big_endian = true;
        if self.word(block, 8) != BYTE_ORDER {
            self.big_endian = false;
            if self.word(block, 8) != BYTE_ORDER {
                return Err(Fault::Corrupt("a section without byte order"));
            }
        }
        if self.half(block, 12) != 1 {
            return Err(Fault::Corrupt("a section of an unknown version"));
        }
        let length = self.word(block, 4);
        check_length(length, 28)?;
        self.before = self.before.saturating_add(self.interfaces.len());
        self.interfaces.clear();
        if !window.skip(u64::from(length) - 4)? || !window.need(4)? {
            return Err(Fault::Cut);
        }
        self.check_trailer(window.octets(), 0, length)?;
        window.consume(4);
        Ok(())
    }

    fn interface(&self, block: &[u8]) -> Result<Interface, Fault> {
        if block.len() < 20 {
            return Err(Fault::Corrupt("an interface description without link type"));
        }
        let mut interface = Interface {
            link: LinkType(u32::from(self.half(block, 8))),
            snap: self.word(block, 12),
            unit: Unit::Nanos(1000),
            offset: 0,
            name: String::new(),
            place: None,
        };
        for (code, value) in self.options(block.get(16..block.len() - 4).unwrap_or(&[])) {
            match (code, value) {
                (2, name) => interface.name = Names::plain(name),
                (9, [resolution]) => interface.unit = Unit::new(*resolution),
                (14, [_, _, _, _, _, _, _, _]) => {
                    let octets = value.first_chunk::<8>().copied().unwrap_or_default();
                    let seconds = if self.big_endian {
                        i64::from_be_bytes(octets)
                    } else {
                        i64::from_le_bytes(octets)
                    };
                    interface.offset = i128::from(seconds) * 1_000_000_000;
                }
                _ => {}
            }
        }
        Ok(interface)
    }

    /// The options of a block: codes and values.
    fn options<'a>(&self, mut octets: &'a [u8]) -> impl Iterator<Item = (u16, &'a [u8])> {
        std::iter::from_fn(move || {
            let (code, length) = (self.half(octets, 0), usize::from(self.half(octets, 2)));
            // Octets beyond the block are the sender's mistake, not ours to guess.
            let value = octets.get(4..4 + length)?;
            octets = octets.get(4 + length.next_multiple_of(4)..).unwrap_or(&[]);
            (code != 0).then_some((code, value))
        })
    }

    /// Which way a frame went, where an option behind it says so.
    fn direction(&self, options: &[u8]) -> Option<Direction> {
        let flags = self
            .options(options)
            .find(|(code, value)| *code == 2 && value.len() == 4);
        match self.word(flags?.1, 0) & 3 {
            1 => Some(Direction::Inbound),
            2 => Some(Direction::Outbound),
            _ => None,
        }
    }

    /// Enhanced and old packet blocks differ only in how wide the interface number is.
    #[inline]
    fn packet(&self, block: &[u8], kind: u32) -> Result<(Head, usize), Fault> {
        if block.len() < 32 {
            return Err(Fault::Corrupt("a packet block shorter than its header"));
        }
        let number = if kind == OLD_PACKET {
            u32::from(self.half(block, 8))
        } else {
            self.word(block, 8)
        };
        let Some(interface) = self.interfaces.get(number as usize) else {
            return Err(Fault::Corrupt("a frame of an interface that was not described"));
        };
        let ticks = u64::from(self.word(block, 12)) << 32 | u64::from(self.word(block, 16));
        let length = self.word(block, 20);
        if length > MAX_FRAME || length as usize > block.len() - 32 {
            return Err(Fault::Corrupt("a frame longer than its block"));
        }
        let length = length as usize;
        let options = block.get(28 + length.next_multiple_of(4)..block.len() - 4);
        let head = Head {
            at: interface.time(ticks),
            link: interface.link,
            net: None,
            interface: 0,
            lane: 0,
            direction: options.filter(|o| !o.is_empty()).and_then(|o| self.direction(o)),
            wire_len: self.word(block, 24),
            skip: 28,
            length,
            total: block.len(),
        };
        Ok((head, number as usize))
    }

    /// A simple packet has no time of its own: it gets that of the frame before it.
    fn simple(&self, block: &[u8]) -> Result<(Head, usize), Fault> {
        let Some(interface) = self.interfaces.first() else {
            return Err(Fault::Corrupt("a frame of an interface that was not described"));
        };
        if block.len() < 16 {
            return Err(Fault::Corrupt("a packet block shorter than its header"));
        }
        let wire_len = self.word(block, 8);
        let snap = if interface.snap == 0 { u32::MAX } else { interface.snap };
        let length = (wire_len.min(snap) as usize).min(block.len() - 16);
        if length > MAX_FRAME as usize {
            return Err(Fault::Corrupt("a frame longer than 256 KiB"));
        }
        let head = Head {
            at: self.last,
            link: interface.link,
            net: None,
            interface: 0,
            lane: 0,
            direction: None,
            wire_len,
            skip: 12,
            length,
            total: block.len(),
        };
        Ok((head, 0))
    }

    fn check_trailer(&self, octets: &[u8], at: usize, length: u32) -> Result<(), Fault> {
        if self.word(octets, at) == length {
            Ok(())
        } else {
            Err(Fault::Corrupt("a block whose two lengths differ"))
        }
    }

    #[inline]
    fn word(&self, octets: &[u8], at: usize) -> u32 {
        let octets = octets
            .get(at..)
            .and_then(|o| o.first_chunk::<4>())
            .copied()
            .unwrap_or_default();
        if self.big_endian {
            u32::from_be_bytes(octets)
        } else {
            u32::from_le_bytes(octets)
        }
    }

    #[inline]
    fn half(&self, octets: &[u8], at: usize) -> u16 {
        let octets = octets
            .get(at..)
            .and_then(|o| o.first_chunk::<2>())
            .copied()
            .unwrap_or_default();
        if self.big_endian {
            u16::from_be_bytes(octets)
        } else {
            u16::from_le_bytes(octets)
        }
    }
}

fn check_length(length: u32, least: u32) -> Result<(), Fault> {
    if length < least || !length.is_multiple_of(4) {
        return Err(Fault::Corrupt("a block of impossible length"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resolution_becomes_nanoseconds() {
        let at = |resolution, ticks| Unit::new(resolution).nanos(ticks);
        assert_eq!(at(0, 7), 7_000_000_000);
        assert_eq!(at(3, 7), 7_000_000);
        assert_eq!(at(6, 1_790_000_000_250_000), 1_790_000_000_250_000_000);
        assert_eq!(at(9, 1_790_000_000_250_000_001), 1_790_000_000_250_000_001);
        assert_eq!(at(12, 7_999), 7);
        assert_eq!(at(127, u64::MAX), 0);
        assert_eq!(at(0x80, 3), 3_000_000_000);
        assert_eq!(at(0x80 | 10, 512), 500_000_000);
        assert_eq!(
            at(0x80 | 32, (1_790_000_000 << 32) | (1 << 31)),
            1_790_000_000_500_000_000
        );
        assert_eq!(at(0xff, u64::MAX), 0);
    }
}
