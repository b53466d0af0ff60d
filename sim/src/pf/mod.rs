//! pf's state table as far as pfsync shows it: keys, trackers, lifetimes, counters.
//!
//! Called by `firewall` (packets) and `pfsync` (imports, exports). Rules are those of pf(4): a state is found by the
//! hook and the tuple as seen there, on whatever interface ("floating"). Knows nothing of frames on the sync net.

pub(crate) mod clock;
pub(crate) mod key;
pub mod nat;
pub(crate) mod state;
pub(crate) mod table;
pub(crate) mod tcp;
pub mod timeout;
