//! Who is at the other end of a socket: the kernel says it, so nobody can pretend.
//!
//! Asked by `guest` before it hands anything on that changes something.

use std::os::unix::net::UnixStream;

/// Whether it may change something: root may, and whoever the daemon itself runs as. Who may only ask is the business
/// of the file's mode and group.
pub(super) fn may_order(stream: &UnixStream) -> bool {
    user(stream).is_some_and(|uid| uid == 0 || uid == nix::unistd::geteuid().as_raw())
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn user(stream: &UnixStream) -> Option<u32> {
    use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
    getsockopt(stream, PeerCredentials).ok().map(|peer| peer.uid())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn user(stream: &UnixStream) -> Option<u32> {
    nix::unistd::getpeereid(stream).ok().map(|(uid, _)| uid.as_raw())
}
