//! Fencing with what is real: a fence agent against a simulated BMC, a BREAK on a pseudo-terminal, a magic packet on a wire.
//!
//! Each test says so where it is left out for want of a tool. Nothing here leaves this host: the agent speaks to loopback,
//! and the packet is sent in a network namespace of its own.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

mod again;
mod agent;
mod bmc;
mod serial;
mod wol;

use pfwatch::act::fence::{Report, carry_out};
use pfwatch::act::hooks::Occasion;
use pfwatch::act::stop::pair;
use pfwatch::act::system::System;
use pfwatch::config::{Fence, FenceKind};
use std::time::Duration;

/// A fence of that kind, without anything that a kind needs.
fn fence(kind: FenceKind) -> Fence {
    Fence {
        kind,
        node: "fw2".into(),
        command: None,
        options_file: None,
        mac: None,
        interface: None,
        device: None,
        delay: Duration::ZERO,
        timeout: Duration::from_secs(60),
    }
}

/// Fences as the worker of the queue does.
fn fenced(fence: &Fence) -> Report {
    let (_stop, stopped) = pair().unwrap();
    let occasion = Occasion {
        event: "fence".into(),
        seq: 1,
        node: fence.node.clone(),
        ..Occasion::default()
    };
    carry_out(&mut System::new(stopped), fence, &occasion)
}
