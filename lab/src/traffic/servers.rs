//! The servers: they answer every request with as many octets as it asks for, at once or piece by piece.

use super::{LONGEST, PACE, REQUEST, TCP_PORT, UDP_PORT};
use crate::clock;
use crate::error::LabError;
use crate::net::plan;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// How many there are
    #[arg(long, value_name = "N", default_value_t = plan::SERVERS)]
    servers: u8,
}

/// The longest wait, so that a signal is heard.
const WAIT: Duration = Duration::from_millis(100);

/// A connection.
struct Guest {
    stream: TcpStream,
    /// Pieces that are still to be sent, their octets, and when the next one goes.
    left: u16,
    size: u16,
    next: Instant,
}

/// Runs until it is told to end.
pub fn run(args: &Args, end: &Arc<AtomicBool>) -> Result<(), LabError> {
    let listener = listen()?;
    let lookups: Vec<UdpSocket> = (0..args.servers)
        .map(|n| UdpSocket::bind((plan::server(n), UDP_PORT)))
        .collect::<Result<_, _>>()?;
    for socket in &lookups {
        socket.set_nonblocking(true)?;
    }
    let mut guests: Vec<Guest> = Vec::new();
    while !end.load(Ordering::Relaxed) {
        let mut files = vec![PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        files.extend(lookups.iter().map(|s| PollFd::new(s.as_fd(), PollFlags::POLLIN)));
        files.extend(guests.iter().map(|g| PollFd::new(g.stream.as_fd(), PollFlags::POLLIN)));
        let busy = guests.iter().filter(|g| g.left > 0).map(|g| g.next);
        let wait = busy
            .min()
            .map_or(WAIT, |at| at.saturating_duration_since(clock::now()).min(WAIT));
        let wait = PollTimeout::try_from(wait + Duration::from_micros(999)).unwrap_or(PollTimeout::ZERO);
        match poll(&mut files, wait) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(e) => return Err(LabError::Poll(e)),
        }
        let ready: Vec<bool> = files.iter().map(|f| f.any().unwrap_or(false)).collect();
        let mut ready = ready.into_iter();
        let mut is_ready = || ready.next().unwrap_or(false);
        let someone = is_ready();
        for socket in lookups.iter().filter(|_| is_ready()) {
            look_up(socket);
        }
        let now = clock::now();
        guests.retain_mut(|guest| (!is_ready() || guest.listen(now)) && guest.speak(now));
        while let Some(guest) = someone.then(|| listener.accept().ok()).flatten() {
            guest.0.set_nonblocking(true)?;
            guests.push(Guest {
                stream: guest.0,
                left: 0,
                size: 0,
                next: now,
            });
        }
    }
    Ok(())
}

fn listen() -> Result<TcpListener, LabError> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, TCP_PORT).into())?;
    socket.listen(1024)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn look_up(socket: &UdpSocket) {
    let mut request = [0; REQUEST];
    while let Ok((_, guest)) = socket.recv_from(&mut request) {
        let [_, _, c, d] = request;
        // One packet only.
        let len = u16::from_be_bytes([c, d]).min(500);
        let _ = socket.send_to(octets(len), guest);
    }
}

impl Guest {
    /// Takes a request; false when the guest is gone.
    fn listen(&mut self, now: Instant) -> bool {
        let mut request = [0; REQUEST];
        match self.stream.read(&mut request) {
            Ok(REQUEST) => {
                let [a, b, c, d] = request;
                (self.left, self.size, self.next) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]), now);
                true
            }
            Err(e) => matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
            Ok(_) => false,
        }
    }

    /// Sends the next piece if it is time; false when the guest does not take it.
    fn speak(&mut self, now: Instant) -> bool {
        if self.left == 0 || now < self.next {
            return true;
        }
        self.left -= 1;
        self.next += PACE;
        self.stream.write_all(octets(self.size)).is_ok()
    }
}

fn octets(len: u16) -> &'static [u8] {
    static OCTETS: [u8; LONGEST as usize] = [b'.'; LONGEST as usize];
    OCTETS.get(..usize::from(len.min(LONGEST))).unwrap_or(&OCTETS)
}
