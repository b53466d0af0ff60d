//! What each sender said, in the terms in which pairs go wrong: versions, rule sets, requests without an answer.
//!
//! Fed with the frames that the engine gets, too, which has no use for these facts. Judges nothing.

use crate::capture::{Frame, Net};
use crate::detect::carp::Advert;
use crate::dissect::{Ip, Kind, Refusal, dissect};
use crate::time::Timestamp;
use pfsync_proto::{Action, BusStatus, DecodeError, Dialect, ErrorKind, Key, Message, Packet, Proto112};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Senders and advertisers that are told apart; a hostile host can invent any number.
const MOST: usize = 64;
/// Addresses with a vhid each: several nodes may have all vhids of some networks.
const MOST_VHIDS: usize = 4096;
/// Version 5 tells its dialects apart by full states alone.
const FULL: [Action; 3] = [Action::Ins, Action::Upd, Action::Del];
/// `state_flags`: the sender waits for an acknowledgement.
const ACK_WANTED: u16 = 0x10;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Ear {
    pub(super) senders: BTreeMap<IpAddr, Sender>,
    /// By segment, source and vhid.
    pub(super) advertisers: BTreeMap<(usize, IpAddr, u8), Advertiser>,
    /// VRRP by segment.
    pub(super) vrrp: BTreeMap<usize, u64>,
    /// Frames of pfsync without an IP header, as pfsync0 shows them.
    pub(super) tapped: u64,
    pub(super) now: Timestamp,
}

/// Who sends pfsync.
#[derive(Debug, Default)]
pub(super) struct Sender {
    pub(super) frames: u64,
    /// Of which so many were not taken.
    pub(super) refused: u64,
    /// To a group, and to one address.
    pub(super) multicast: u64,
    pub(super) unicast: u64,
    pub(super) versions: BTreeSet<u8>,
    /// How it lays out its states.
    pub(super) dialects: BTreeSet<&'static str>,
    /// The last that was not all zero.
    pub(super) rule_set: Option<[u8; 16]>,
    /// States that are to be acknowledged, and that it acknowledged.
    pub(super) wants_ack: u64,
    pub(super) acks: u64,
    /// Requests for a state, and for all of them.
    pub(super) asks: u64,
    pub(super) asks_for_all: u64,
    /// Bulk updates: one that has begun and not ended, and those that ended.
    pub(super) bulk_since: Option<Timestamp>,
    pub(super) bulks: u64,
    pub(super) damaged: BTreeMap<ErrorKind, u64>,
}

/// Who is master of a vhid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Advertiser {
    pub(super) count: u64,
    /// The last.
    pub(super) ad: Advert,
}

impl Ear {
    /// Hears a frame.
    pub(super) fn frame(&mut self, frame: &Frame<'_>) {
        self.now = self.now.max(frame.at);
        let packet = dissect(frame.link, frame.data, frame.wire_len);
        match (packet.kind, packet.ip) {
            (Kind::Pfsync(_), None) => self.tapped += 1,
            (Kind::Pfsync(payload), Some(ip)) => {
                let now = self.now;
                let full = self.senders.len() >= MOST;
                if full && !self.senders.contains_key(&ip.src) {
                    return;
                }
                let sender = self.senders.entry(ip.src).or_default();
                sender.frames += 1;
                if ip.dst.is_multicast() {
                    sender.multicast += 1;
                } else {
                    sender.unicast += 1;
                }
                match packet.refused {
                    // Cut by us.
                    None | Some(Refusal::Cut) => sender.hear(now, payload, packet.refused.is_some()),
                    Some(refusal) => {
                        sender.refused += 1;
                        sender.refuse(DecodeError::from(refusal));
                    }
                }
            }
            (Kind::Proto112(payload), Some(ip)) if packet.refused.is_none() => self.proto112(frame.net, ip, payload),
            _ => {}
        }
    }

    fn proto112(&mut self, net: Net, ip: Ip, payload: &[u8]) {
        let Net::Segment(segment) = net else { return };
        match Proto112::decode(payload, Some(ip.ends())) {
            Ok(Proto112::Carp(carp)) if carp.cksum_ok => self.advertiser(segment, ip.src, Advert::from(&carp)),
            Ok(Proto112::Vrrp(vrrp)) => {
                *self.vrrp.entry(segment).or_default() += 1;
                if vrrp.cksum_ok {
                    self.advertiser(segment, ip.src, Advert::from(&vrrp));
                }
            }
            // A wrong checksum and what is no advertisement are counted by the engine.
            Ok(Proto112::Carp(_)) | Err(_) => {}
        }
    }

    fn advertiser(&mut self, segment: usize, source: IpAddr, ad: Advert) {
        let key = (segment, source, ad.vhid);
        if self.advertisers.len() < MOST_VHIDS || self.advertisers.contains_key(&key) {
            let known = self.advertisers.entry(key).or_insert(Advertiser { count: 0, ad });
            known.count += 1;
            known.ad = ad;
        }
    }
}

impl Sender {
    fn refuse(&mut self, error: DecodeError) {
        // Values that kernels send and do not take are nobody's fault.
        if error.kind == ErrorKind::Badval && !error.damage {
            return;
        }
        *self.damaged.entry(error.kind).or_default() += 1;
    }

    fn hear(&mut self, now: Timestamp, payload: &[u8], cut: bool) {
        let packet = match Packet::new_checked(payload) {
            Ok(packet) => packet,
            Err(e) => return self.refuse(e),
        };
        self.versions.insert(packet.version());
        self.rule_set = packet.md5().filter(|md5| *md5 != [0; 16]).or(self.rule_set);
        for section in packet.sections() {
            match section {
                Ok(section) => {
                    if FULL.contains(&section.action) && section.count > 0 {
                        self.dialects.insert(spoken(section.dialect()));
                    }
                    section.visit(|decoded| match decoded.refused {
                        Some(e) => self.refuse(e),
                        None => self.message(now, section.action, &decoded.message),
                    });
                }
                Err(_) if cut => return,
                Err(e) => self.refuse(e),
            }
        }
    }

    fn message(&mut self, now: Timestamp, action: Action, message: &Message) {
        match message {
            Message::State(state) if action == Action::Ins && state.state_flags & ACK_WANTED != 0 => {
                self.wants_ack += 1
            }
            Message::InsAck(_) => self.acks += 1,
            Message::UpdReq(key) if *key == Key::default() => self.asks_for_all += 1,
            Message::UpdReq(_) => self.asks += 1,
            Message::Bus(bus) => match bus.status {
                // Begun anew, it is as old as it was.
                BusStatus::Start => self.bulk_since = self.bulk_since.or(Some(now)),
                BusStatus::End => {
                    self.bulk_since = None;
                    self.bulks += 1;
                }
                BusStatus::Unknown(_) => {}
            },
            _ => {}
        }
    }
}

/// A dialect as operators know it.
const fn spoken(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::V2 => "version 2",
        Dialect::V3 => "version 3",
        Dialect::V4 => "version 4",
        Dialect::OpenBsd45 => "version 5 of OpenBSD",
        Dialect::FreeBsd1301 => "version 1301 of FreeBSD",
        Dialect::FreeBsd1400 => "version 1400 of FreeBSD",
        Dialect::FreeBsd1500 => "version 1500 of FreeBSD",
        Dialect::OpenBsd6 => "version 6 of OpenBSD",
    }
}
