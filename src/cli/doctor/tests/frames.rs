//! Frames as the nodes would have sent them.

use super::super::ear::Ear;
use crate::capture::{Frame, LinkType, Net};
use crate::time::Timestamp;
use pfsync_proto::{Action, Bus, BusStatus, Carp, CreatorId, Dialect, Key, Message, PacketWriter, StateId};
use std::time::Duration;

pub(super) const LENGTH: Duration = Duration::from_secs(10);
pub(super) const FW1: [u8; 4] = [172, 30, 0, 1];
pub(super) const FW2: [u8; 4] = [172, 30, 0, 2];
pub(super) const GROUP: [u8; 4] = [224, 0, 0, 240];
pub(super) const SEED: [u8; 16] = [7; 16];

/// A raw IPv4 packet.
pub(super) fn packet((src, dst): ([u8; 4], [u8; 4]), proto: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    let head = [0x45, 0x10, length[0], length[1], 0, 0, 0x40, 0, 255, proto, 0, 0];
    [head.as_slice(), &src, &dst, payload].concat()
}

/// So many seconds after the beginning.
pub(super) fn frame(at: u64, net: Net, link: u32, data: &[u8]) -> Frame<'_> {
    Frame::whole(
        Timestamp::default() + Duration::from_secs(at),
        net,
        LinkType(link),
        data,
    )
}

pub(super) fn feed(ear: &mut Ear, at: u64, net: Net, ends: ([u8; 4], [u8; 4]), proto: u8, payload: &[u8]) {
    ear.frame(&frame(at, net, 101, &packet(ends, proto, payload)));
}

pub(super) fn message(action: Action, message: &Message) -> Vec<u8> {
    let mut buffer = [0; 1480];
    let mut writer = PacketWriter::new(&mut buffer, Dialect::OpenBsd6, SEED).unwrap();
    writer.section(action).unwrap();
    writer.push(message).unwrap();
    let length = writer.finish();
    buffer[..length].to_vec()
}

/// A compressed update of zeros, as version 6 sends it.
pub(super) fn update() -> Vec<u8> {
    update_with(SEED)
}

pub(super) fn update_with(md5: [u8; 16]) -> Vec<u8> {
    let mut payload = vec![6, 0, 0, 108];
    payload.extend(md5);
    payload.extend([4, 21, 0, 1]);
    payload.extend([0; 84]);
    payload
}

/// A frame with one full state, almost of zeros, in a layout of version 5.
pub(super) fn full_state(code: u8, size: usize) -> Vec<u8> {
    let length = u16::try_from(20 + 4 + size + 4).unwrap().to_be_bytes();
    let mut payload = vec![5, 0, length[0], length[1]];
    payload.extend(SEED);
    payload.extend([code, 0, 0, 1]);
    let mut state = vec![0; size];
    // IPv4, in: where they are in both layouts that are used here.
    (state[232], state[234]) = (2, 1);
    payload.extend(state);
    payload.extend([12, 0, 0, 1]);
    payload
}

pub(super) fn key(id: u8) -> Key {
    Key {
        id: StateId([id; 8]),
        creator: CreatorId([id; 4]),
    }
}

pub(super) fn bus(status: BusStatus) -> Message {
    Message::Bus(Bus {
        creator: CreatorId([1; 4]),
        endtime: 0,
        status,
    })
}

pub(super) fn say(ear: &mut Ear, at: u64, from: [u8; 4], payload: &[u8]) {
    feed(ear, at, Net::Sync, (from, GROUP), 240, payload);
}

pub(super) const ADVERTISEMENT: Carp = Carp {
    vhid: 1,
    advskew: 10,
    advbase: 1,
    demote: 0,
    authlen: 7,
    counter: 1,
    hmac: [0; 20],
    cksum_ok: true,
    bow_out: false,
};

pub(super) fn advertise(ear: &mut Ear, from: [u8; 4], change: impl FnOnce(Carp) -> Carp) {
    let carp = change(ADVERTISEMENT).encode();
    feed(ear, 1, Net::Segment(0), (from, [224, 0, 0, 18]), 112, &carp);
}
