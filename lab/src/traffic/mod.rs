//! Hosts: clients that open connections through the firewalls, servers that answer, and one user who notes what it is like.
//!
//! Each is a process of its own in its namespace, with one thread and one `poll`. Real sockets, real kernels: the
//! retransmissions are theirs.

pub mod clients;
mod crowd;
mod flow;
pub mod servers;
pub mod user;

/// Where servers speak TCP.
pub const TCP_PORT: u16 = 80;
/// Where servers answer single packets.
pub const UDP_PORT: u16 = 53;
/// A request: how many pieces are wanted, and how many octets in each, as two big-endian numbers.
const REQUEST: usize = 4;
/// The longest piece; it fits a socket's buffer, so that a server never has to wait.
const LONGEST: u16 = 4096;
/// A server sends a piece so often: a download that is paced, a ticker, a stream.
const PACE: std::time::Duration = std::time::Duration::from_millis(200);
