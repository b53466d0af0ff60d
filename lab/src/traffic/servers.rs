//! The servers: they answer every request with as many octets as it asks for.

use super::{LONGEST, REQUEST, TCP_PORT, UDP_PORT};
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

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// How many there are
    #[arg(long, value_name = "N", default_value_t = plan::SERVERS)]
    servers: u8,
}

/// In milliseconds, so that a signal is heard.
const WAIT: u8 = 100;

/// Runs until it is told to end.
pub fn run(args: &Args, end: &Arc<AtomicBool>) -> Result<(), LabError> {
    let listener = listen()?;
    let lookups: Vec<UdpSocket> = (0..args.servers)
        .map(|n| UdpSocket::bind((plan::server(n), UDP_PORT)))
        .collect::<Result<_, _>>()?;
    for socket in &lookups {
        socket.set_nonblocking(true)?;
    }
    let mut guests: Vec<TcpStream> = Vec::new();
    while !end.load(Ordering::Relaxed) {
        let mut files = vec![PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        files.extend(lookups.iter().map(|s| PollFd::new(s.as_fd(), PollFlags::POLLIN)));
        files.extend(guests.iter().map(|s| PollFd::new(s.as_fd(), PollFlags::POLLIN)));
        match poll(&mut files, PollTimeout::from(WAIT)) {
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
        guests.retain_mut(|guest| !is_ready() || answer(guest));
        while let Some(guest) = someone.then(|| listener.accept().ok()).flatten() {
            guest.0.set_nonblocking(true)?;
            guests.push(guest.0);
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
        // One packet only.
        let len = u32::from_be_bytes(request).min(500);
        let _ = socket.send_to(octets(len), guest);
    }
}

/// False when the guest is gone.
fn answer(guest: &mut TcpStream) -> bool {
    let mut request = [0; REQUEST];
    match guest.read(&mut request) {
        Ok(REQUEST) => guest.write_all(octets(u32::from_be_bytes(request))).is_ok(),
        Err(e) => matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        Ok(_) => false,
    }
}

fn octets(len: u32) -> &'static [u8] {
    static OCTETS: [u8; LONGEST as usize] = [b'.'; LONGEST as usize];
    OCTETS.get(..len.min(LONGEST) as usize).unwrap_or(&OCTETS)
}
