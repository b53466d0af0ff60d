//! Captures that hold nothing for us: what was found instead, and what to look at.
//!
//! Called by the commands after reading. Knows the names of link types that people capture on by mistake.

use crate::capture::LinkType;
use crate::capture::file::FileInfo;
use crate::dissect::{Kind, dissect};
use std::path::Path;

/// For each file of which no frame can be read because of its link type, a sentence.
pub(super) fn unreadable(files: &[FileInfo]) -> Vec<String> {
    let unknown = |f: &&FileInfo| !f.links.is_empty() && !f.links.iter().any(|l| is_readable(*l));
    let sentence = |f: &FileInfo| {
        format!(
            "{} has the link type {}, which pfsync is not captured on: capture on the sync interface itself \
             (Ethernet, raw IP, loopback, Linux cooked and pfsync captures can be read)",
            path(f),
            links(f)
        )
    };
    files.iter().filter(unknown).map(sentence).collect()
}

/// Says that there is nothing of `what` in the files.
pub(super) fn nothing(what: &str, files: &[&FileInfo], nested: u64) -> String {
    let frames: u64 = files.iter().map(|f| f.frames).sum();
    let names: Vec<String> = files.iter().map(|f| path(f)).collect();
    let names = match names.as_slice() {
        [one] => one.clone(),
        [first, .., last] => format!("{first} ... {last}"),
        [] => "the input".into(),
    };
    if frames == 0 {
        return format!("{names} has no frames in it: was anything captured?");
    }
    if nested > 0 {
        return format!(
            "no {what} in {names}, but {nested} mirrored frames in which there is another mirrored frame: only one level of \
             mirrors is taken off, so capture closer to the firewalls"
        );
    }
    let mut kinds: Vec<String> = files.iter().map(|f| links(f)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let noun = if frames == 1 { "frame" } else { "frames" };
    format!(
        "no {what} in {names} ({frames} {noun}, {}): was it captured on the sync interface, and does its filter let \
         IP protocol 240 pass?",
        kinds.join(", ")
    )
}

fn path(file: &FileInfo) -> String {
    if file.path == Path::new("-") {
        "the standard input".into()
    } else {
        file.path.display().to_string()
    }
}

fn links(file: &FileInfo) -> String {
    let names: Vec<String> = file.links.iter().map(|l| name(*l)).collect();
    names.join(", ")
}

/// The dissector itself is asked, so that the two never differ.
fn is_readable(link: LinkType) -> bool {
    dissect(link, &[], 0).kind != Kind::Unsupported
}

/// As libpcap's list calls them.
fn name(link: LinkType) -> String {
    let name = match link.0 {
        0 | 108 => "loopback",
        1 => "Ethernet",
        6 => "token ring",
        9 => "PPP",
        10 => "FDDI",
        12 | 14 | 101 | 228 | 229 => "raw IP",
        18 | 121 | 246 => "pfsync",
        50 | 51 => "PPP",
        105 => "802.11",
        109 => "enc",
        113 | 276 => "Linux cooked",
        117 => "pflog",
        119 => "802.11 with Prism header",
        127 => "802.11 with radiotap header",
        187 | 201 => "Bluetooth",
        189 | 220 | 249 => "USB",
        195 | 230 => "802.15.4",
        227 => "CAN",
        239 => "nflog",
        _ => return format!("{}", link.0),
    };
    if is_readable(link) {
        name.into()
    } else {
        format!("{} ({name})", link.0)
    }
}
