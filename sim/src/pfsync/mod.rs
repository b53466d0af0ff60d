//! pfsync as its two families of kernels speak it: OpenBSD since 7.4 with slices, FreeBSD with buckets.
//!
//! Called by `firewall` when pf made, moved or lost a state and when a payload came from another node. Leaves payloads
//! to be sent. What differs between the families is decided by [`System`](crate::firewall::System) where it differs.

pub(crate) mod bulk;
pub(crate) mod defer;
pub(crate) mod flush;
pub(crate) mod queue;
pub(crate) mod receive;
pub(crate) mod room;
