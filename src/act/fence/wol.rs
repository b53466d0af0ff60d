//! Wake-on-LAN: a magic packet to the network of an interface. It wakes a machine that sleeps and does nothing to one that
//! runs, so it is no fencing.
//!
//! Sent by UDP to the broadcast address of that network: that needs no right beyond that to send, on any system, and the
//! kernel knows by the address where to send it (255.255.255.255 would go where the default route goes).

use crate::config::model::Fence;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{AddressFamily, SockaddrLike, SockaddrStorage};
use std::io;
use std::net::{Ipv4Addr, UdpSocket};

/// `discard`: nobody answers there. Who sleeps looks at the payload alone.
const PORT: u16 = 9;

/// Sends it; why not, if not.
pub(super) fn wake(fence: &Fence) -> Result<(), String> {
    let (Some(mac), Some(interface)) = (fence.mac, fence.interface.as_deref()) else {
        return Err("no machine to wake is configured; set `mac` and `interface` in [fence]".into());
    };
    let (own, broadcast) = network(interface)?;
    let send = || -> io::Result<usize> {
        let socket = UdpSocket::bind((own, 0))?;
        socket.set_broadcast(true)?;
        socket.send_to(&magic(mac), (broadcast, PORT))
    };
    match send() {
        Ok(_) => Ok(()),
        Err(e) => Err(format!(
            "no magic packet could be sent on {interface} ({e}); does pf pass it out?"
        )),
    }
}

/// Whether there is a network to send to.
pub(super) fn look(fence: &Fence) -> Result<String, String> {
    let (_, broadcast) = network(fence.interface.as_deref().unwrap_or_default())?;
    Ok(format!("{} would be woken through {broadcast}", fence.node))
}

/// Six octets of ones, then the address sixteen times.
fn magic(mac: [u8; 6]) -> Vec<u8> {
    [[0xff; 6].as_slice(), &mac.repeat(16)].concat()
}

/// An own address on the interface, and the broadcast address that belongs to it.
fn network(interface: &str) -> Result<(Ipv4Addr, Ipv4Addr), String> {
    let all = getifaddrs().map_err(|e| format!("the interfaces cannot be listed ({})", e.desc()))?;
    let mut known = false;
    for address in all.filter(|a| a.interface_name == interface) {
        known = true;
        if let (Some(own), Some(broadcast)) = (v4(address.address), v4(address.broadcast)) {
            return Ok((own, broadcast));
        }
    }
    Err(if known {
        format!("{interface} has no IPv4 address with a broadcast address; name one that has, or give it one")
    } else {
        format!("there is no interface {interface}; name that on which the peer is")
    })
}

fn v4(address: Option<SockaddrStorage>) -> Option<Ipv4Addr> {
    let address = address?;
    (address.family() == Some(AddressFamily::Inet)).then_some(())?;
    address.as_sockaddr_in().map(|a| a.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_magic_packet_is_six_ones_and_sixteen_times_the_address() {
        let packet = magic([0x00, 0x0d, 0xb9, 0x12, 0x34, 0x56]);
        assert_eq!(packet.len(), 102);
        assert_eq!(
            packet[..12],
            [255, 255, 255, 255, 255, 255, 0x00, 0x0d, 0xb9, 0x12, 0x34, 0x56]
        );
        assert_eq!(packet[96..], [0x00, 0x0d, 0xb9, 0x12, 0x34, 0x56]);
    }

    #[test]
    fn without_a_network_to_send_to_it_says_so() {
        assert!(
            network("no-such-0")
                .unwrap_err()
                .contains("there is no interface no-such-0")
        );
        #[cfg(target_os = "linux")]
        assert!(network("lo").unwrap_err().contains("broadcast"));
    }
}
