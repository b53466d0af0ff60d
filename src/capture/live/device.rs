//! One interface: opening it, and saying why that failed in words that help.
//!
//! Called by the live source at its start and by the reader threads when an interface comes back.

use super::Options;
use super::filter::filter;
use crate::capture::{LinkType, SourceError};
use pcap::{Active, Capture, Device};

/// How long one read waits for a frame. It bounds how late a silence is known to be one (see `live`), and how
/// long the end of the program takes; 50 wake-ups a second are no load.
const READ_TIMEOUT_MS: i32 = 20;

/// Opens an interface for capture, with the filter set.
pub(super) fn open(interface: &str, options: &Options) -> Result<(Capture<Active>, LinkType), SourceError> {
    let explain = |e: pcap::Error| explain(interface, &e);
    let mut capture = Capture::from_device(interface)
        .map_err(explain)?
        .promisc(options.promiscuous)
        .snaplen(options.snap_len)
        .buffer_size(options.buffer)
        .immediate_mode(true)
        .timeout(READ_TIMEOUT_MS)
        .open()
        .map_err(explain)?;
    let link = LinkType(u32::try_from(capture.get_datalink().0).unwrap_or(u32::MAX));
    if let Some(text) = filter(link, &options.config_sync) {
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
    let known: Vec<_> = Device::list().unwrap_or_default().into_iter().map(|d| d.name).collect();
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
