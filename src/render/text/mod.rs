//! One frame as one line for humans, in the manner of tcpdump; verbose adds one indented line per message.
//!
//! Called by `decode --format text`. The words are those of pfctl(8) and netstat(1). Text is for eyes: programs read
//! JSON. Octets from the wire reach the terminal escaped.

mod message;

use super::Shown;
use crate::dissect::Kind;
use crate::time::Timestamp;
use jiff::tz::TimeZone;
use pfsync_proto::{DecodeError, ErrorKind, Packet, Proto112};
use std::fmt::Write as _;

/// Writes frames as text.
#[derive(Debug)]
pub struct Text {
    verbose: bool,
    zone: TimeZone,
    /// The last second that was written out: formatting a date costs more than decoding a frame.
    second: i64,
    stamp: String,
}

impl Text {
    /// `zone` for the times; `verbose` for a line per message.
    #[must_use]
    pub fn new(zone: TimeZone, verbose: bool) -> Self {
        Self {
            verbose,
            zone,
            second: i64::MIN,
            stamp: String::new(),
        }
    }

    /// Appends `frame`, one line or more, each with its newline.
    pub fn write(&mut self, buf: &mut String, frame: &Shown<'_>) {
        self.time(buf, frame.at);
        if let Some(ip) = &frame.packet.ip {
            let _ = write!(buf, " {} > {}:", ip.src, ip.dst);
        }
        let mut details = String::new();
        let found = match frame.packet.kind {
            Kind::Pfsync(payload) => self.pfsync(buf, &mut details, payload),
            Kind::Proto112(payload) => proto112(buf, frame, payload),
            Kind::TcpSyn { .. } | Kind::Other | Kind::Unsupported => {
                let _ = match &frame.packet.ip {
                    Some(ip) => write!(buf, " protocol {}", super::words::protocol(ip.proto)),
                    None => write!(buf, " not pfsync"),
                };
                None
            }
        };
        if let Some(error) = frame.error(found) {
            damage(buf, frame, &error);
        }
        buf.push('\n');
        buf.push_str(&details);
    }

    fn time(&mut self, buf: &mut String, at: Timestamp) {
        let (second, part) = (
            at.as_nanos().div_euclid(1_000_000_000),
            at.as_nanos().rem_euclid(1_000_000_000),
        );
        if second != self.second {
            self.second = second;
            self.stamp.clear();
            let _ = match jiff::Timestamp::from_second(second) {
                Ok(moment) => {
                    let local = moment.to_zoned(self.zone.clone());
                    write!(self.stamp, "{}", local.strftime("%Y-%m-%d %H:%M:%S"))
                }
                Err(_) => write!(self.stamp, "{second}"),
            };
        }
        let _ = write!(buf, "{}.{:06}", self.stamp, part / 1000);
    }

    fn pfsync(&self, buf: &mut String, details: &mut String, payload: &[u8]) -> Option<DecodeError> {
        let packet = match Packet::new_checked(payload) {
            Ok(packet) => packet,
            Err(error) => {
                buf.push_str(" pfsync");
                return Some(error);
            }
        };
        let _ = write!(buf, " pfsync v{} len {}", packet.version(), payload.len());
        let (mut error, mut separator) = (None, ": ");
        for section in packet.sections() {
            match section {
                Err(found) => error = error.or(Some(found)),
                Ok(section) => {
                    let _ = write!(buf, "{separator}{} {}", section.action, section.count);
                    separator = ", ";
                    section.visit(|decoded| {
                        error = error.or(decoded.refused);
                        if self.verbose {
                            let _ = write!(details, "    {} ", section.action);
                            message::message(details, packet.version(), decoded);
                            details.push('\n');
                        }
                    });
                }
            }
        }
        if let (true, Some(md5)) = (self.verbose, packet.md5().filter(|md5| *md5 != [0; 16])) {
            let _ = write!(buf, ", rules {:032x}", u128::from_be_bytes(md5));
        }
        error
    }
}

/// `[|pfsync]` is what tcpdump says when there is less than there should be.
fn damage(buf: &mut String, frame: &Shown<'_>, error: &DecodeError) {
    let what = if matches!(frame.packet.kind, Kind::Proto112(_)) {
        "carp"
    } else {
        "pfsync"
    };
    if matches!(error.kind, ErrorKind::Hdrops | ErrorKind::Badlen) {
        let _ = write!(buf, " [|{what}]");
    }
    let _ = write!(buf, " [{error}]");
}

fn proto112(buf: &mut String, frame: &Shown<'_>, payload: &[u8]) -> Option<DecodeError> {
    let _ = match Proto112::decode(payload, frame.packet.ip.map(|ip| ip.ends())) {
        Ok(Proto112::Carp(carp)) => {
            let _ = write!(
                buf,
                " carp vhid {} advbase {} advskew {} demote {}",
                carp.vhid, carp.advbase, carp.advskew, carp.demote
            );
            if carp.bow_out {
                buf.push_str(" bow-out");
            }
            if !carp.cksum_ok {
                buf.push_str(" [bad checksum]");
            }
            match frame.secret.map(|secret| secret.verifies(&carp)) {
                Some(true) => buf.push_str(" [password ok]"),
                Some(false) => buf.push_str(" [wrong password]"),
                None => {}
            }
            write!(buf, " counter {:016x}", carp.counter)
        }
        Ok(Proto112::Vrrp(vrrp)) => {
            let _ = write!(
                buf,
                " vrrp v{} vrid {} prio {} addresses {} interval {:?}",
                vrrp.version,
                vrrp.vrid,
                vrrp.prio,
                vrrp.naddr,
                vrrp.interval()
            );
            if vrrp.auth_type != 0 {
                let _ = write!(buf, " auth {}", vrrp.auth_type);
            }
            if vrrp.bow_out() {
                buf.push_str(" bow-out");
            }
            if !vrrp.cksum_ok {
                buf.push_str(" [bad checksum]");
            }
            Ok(())
        }
        Err(error) => {
            buf.push_str(" protocol 112");
            return Some(error);
        }
    };
    None
}
