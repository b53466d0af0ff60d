//! One interface: opening it, waiting for it, and saying why it failed in words that help.
//!
//! Called by the live source at its start and by the reader threads. The only file that knows file descriptors and
//! interface flags.

use super::Options;
use super::filter::filter;
use crate::capture::{LinkType, SourceError};
use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use pcap::{Active, Capture};
use std::os::fd::AsFd;

/// How long one wait for a frame takes. It bounds how late a silence is known to be one (see `live`), and how
/// long the end of the program takes; 50 wake-ups a second are no load.
const WAIT_MS: u8 = 20;

/// Waits until there is something to read, or a while.
///
/// Not left to libpcap, because its read timeout need not end a read: version 1.10 on Linux goes on polling inside
/// `pcap_dispatch` until a frame comes.
pub(super) fn wait(capture: &Capture<Active>) -> Result<(), Errno> {
    match poll(
        &mut [PollFd::new(capture.as_fd(), PollFlags::POLLIN)],
        PollTimeout::from(WAIT_MS),
    ) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(e) => Err(e),
    }
}

/// Whether an interface exists and was not taken down; unknown for what is no interface to the system (`any` on Linux).
///
/// libpcap tells of an interface that is gone, but not of one that is down.
pub(super) fn is_up(interface: &str) -> Option<bool> {
    let mut all = getifaddrs().ok()?;
    all.find(|i| i.interface_name == interface)
        .map(|i| i.flags.contains(InterfaceFlags::IFF_UP))
}

/// Opens an interface for capture, with the filter set.
pub(super) fn open(interface: &str, options: &Options) -> Result<(Capture<Active>, LinkType), SourceError> {
    let explain = |e: pcap::Error| explain(interface, &e);
    let mut capture = Capture::from_device(interface)
        .map_err(explain)?
        .promisc(options.promiscuous)
        .snaplen(options.snap_len)
        .buffer_size(options.buffer)
        .immediate_mode(true)
        .timeout(i32::from(WAIT_MS))
        .open()
        .and_then(Capture::setnonblock)
        .map_err(explain)?;
    let link = LinkType(u32::try_from(capture.get_datalink().0).unwrap_or(u32::MAX));
    if let Some(text) = filter(link, &options.config_sync, options.mirrored) {
        capture.filter(&text, true).map_err(explain)?;
    }
    Ok((capture, link))
}

/// libpcap's words are different on every system and the crate hides its error codes.
fn explain(interface: &str, error: &pcap::Error) -> SourceError {
    let said = match error {
        pcap::Error::PcapError(said) => said.clone(),
        other => other.to_string(),
    };
    let interface = interface.to_owned();
    let low = said.to_lowercase();
    if ["permission", "not permitted", "cap_net_raw"]
        .iter()
        .any(|w| low.contains(w))
    {
        return SourceError::CaptureDenied { interface };
    }
    // Not libpcap's list, which is full of things that are no interfaces.
    let mut known: Vec<_> = getifaddrs()
        .map(|all| all.map(|i| i.interface_name).collect())
        .unwrap_or_default();
    known.sort_unstable();
    known.dedup();
    if !known.is_empty() && !known.contains(&interface) {
        return SourceError::NoInterface {
            interface,
            known: known.join(", "),
        };
    }
    SourceError::Interface { interface, said }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::ErrorClass;

    #[test]
    fn words_of_several_systems() {
        for said in [
            "eth0: You don't have permission to capture on that device (socket: Operation not permitted)",
            "eth0: You don't have permission to perform this capture on that device\n(Attempt to create packet socket failed - CAP_NET_RAW may be required)",
            "em0: You don't have permission to capture on that device ((cannot open BPF device) /dev/bpf: Permission denied)",
        ] {
            let error = explain("em0", &pcap::Error::PcapError(said.to_owned()));
            assert_eq!(error.class(), ErrorClass::Permission);
            let sentence =
                "may not capture on em0: run as root, with CAP_NET_RAW on Linux, or in the group of /dev/bpf on BSD";
            assert_eq!(error.to_string(), sentence);
        }
        let error = explain("no-such-0", &pcap::Error::PcapError("No such device exists".to_owned()));
        assert_eq!(error.class(), ErrorClass::Unavailable);
        assert!(error.to_string().contains("no-such-0"), "{error}");
    }
}
