//! The network: namespaces, switches, addresses, and what can be broken in it.
//!
//! ```text
//!   clients --+                    +-- fw1 --+                    +-- router -- servers
//!             +-- switch inside ---+   sync  +-- switch outside --+
//!   user -----+                    +-- fw2 --+
//! ```
//!
//! Switches are bridges in namespaces of their own, so that a port can die without any firewall seeing its link go.

pub mod build;
pub mod fault;
pub mod plan;
pub mod shell;
