//! The emitter: what really passes this firewall goes through pf's state tracking, and pfsync says so on the sync net.
//!
//! One process in each firewall's namespace. Linux forwards and knows of no state; the emitter sees each packet come in and
//! go out, as pf would, and speaks as pf's kernel would speak. It also takes in what the peer says, so that its table is that
//! of one node of a pair: imported states, stale replies, requests, a bulk update at the start. It never changes a packet
//! and never drops one: what pf would have blocked passes all the same.

mod dissect;
mod tap;
mod wire;

use crate::clock;
use crate::error::LabError;
use clap::ValueEnum;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use pf_sim::firewall::{Config, Firewall, System};
use pfsync_proto::{CreatorId, Dialect};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tap::{Hook, Tap};
use wire::Wire;

/// What the emitter speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Speech {
    /// Version 6, OpenBSD since 7.4.
    #[default]
    Openbsd,
    /// Version 5, FreeBSD up to 13.
    Freebsd1301,
    /// Version 5, FreeBSD 14.
    Freebsd1400,
    /// Version 5, FreeBSD 15.
    Freebsd1500,
}

impl Speech {
    fn system(self) -> System {
        match self {
            Self::Openbsd => System::OpenBsd,
            Self::Freebsd1301 => System::FreeBsd(Dialect::FreeBsd1301),
            Self::Freebsd1400 => System::FreeBsd(Dialect::FreeBsd1400),
            Self::Freebsd1500 => System::FreeBsd(Dialect::FreeBsd1500),
        }
    }
}

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Interface on the side of the clients
    #[arg(long, value_name = "NAME")]
    inside: String,
    /// Interface on the side of the servers
    #[arg(long, value_name = "NAME")]
    outside: String,
    /// Own address on the sync net
    #[arg(long, value_name = "ADDRESS")]
    own: Ipv4Addr,
    /// Send to this address rather than to the group (syncpeer)
    #[arg(long, value_name = "ADDRESS")]
    peer: Option<Ipv4Addr>,
    /// Own and shared addresses of the firewall on the other nets, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    local: Vec<IpAddr>,
    /// Which kernel to speak like
    #[arg(long, value_enum, default_value_t)]
    speech: Speech,
}

/// The longest wait, so that a signal is heard.
const WAIT: Duration = Duration::from_millis(100);

/// Runs until it is told to end.
pub fn run(args: Args, end: &Arc<AtomicBool>) -> Result<(), LabError> {
    let mut tap = Tap::open(&args.inside, &args.outside)?;
    let mut wire = Wire::open(args.own, args.peer)?;
    let start = clock::now();
    let mut firewall = Firewall::new(config(&args));
    firewall.request_bulk(Duration::ZERO);
    while !end.load(Ordering::Relaxed) {
        send(&mut firewall, &wire)?;
        let now = start.elapsed();
        let deadline = firewall.next_deadline().unwrap_or(Duration::MAX);
        wait(&tap, &wire, deadline.saturating_sub(now).min(WAIT))?;

        let now = start.elapsed();
        firewall.advance(now);
        tap.read(|hook, side, packet| {
            match hook {
                Hook::In => firewall.input(now, side, packet),
                Hook::Out => firewall.output(now, side, packet),
            };
        })?;
        while let Some(payload) = wire.receive()? {
            firewall.receive(now, payload);
        }
    }
    Ok(())
}

/// Nothing is held back: `defer` is off.
fn config(args: &Args) -> Config {
    let booted = Duration::try_from_secs_f64(clock::unix()).unwrap_or_default();
    Config {
        system: args.speech.system(),
        // Made up at each boot, as kernels do.
        creator: CreatorId((booted.subsec_nanos() ^ u32::from(args.own)).to_be_bytes()),
        first_id: booted.as_secs() << 32,
        nat: None,
        redirect: None,
        local: args.local.clone(),
        defer: false,
        mtu: 1500,
        seed: u64::from(booted.subsec_nanos()),
        max_updates: 128,
    }
}

fn send(firewall: &mut Firewall, wire: &Wire) -> Result<(), LabError> {
    while let Some(payload) = firewall.poll() {
        wire.send(&payload)?;
    }
    Ok(())
}

fn wait(tap: &Tap, wire: &Wire, length: Duration) -> Result<(), LabError> {
    let mut files = [
        PollFd::new(tap.as_fd(), PollFlags::POLLIN),
        PollFd::new(wire.as_fd(), PollFlags::POLLIN),
    ];
    // Rounded up: a deadline that is a part of a millisecond away must not spin.
    let length = PollTimeout::try_from(length + Duration::from_micros(999)).unwrap_or(PollTimeout::ZERO);
    match poll(&mut files, length) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(e) => Err(LabError::Poll(e)),
    }
}
