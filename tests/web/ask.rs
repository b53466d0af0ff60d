//! HTTP as far as a test needs it: one request, its answer; or many over one connection.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// Status code and body of a GET, if anybody answers.
pub(crate) fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, crate::PATIENCE).ok()?;
    stream.set_read_timeout(Some(crate::PATIENCE)).ok()?;
    // 1.0: the body ends with the connection, and is in one piece.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let code = head.split(' ').nth(1)?.parse().ok()?;
    Some((code, body.to_owned()))
}

/// The same over a connection that stays.
pub(crate) struct Line(BufReader<TcpStream>);

impl Line {
    pub(crate) fn open(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(crate::PATIENCE)).ok()?;
        Some(Self(BufReader::new(stream)))
    }

    /// How long the body is.
    pub(crate) fn get(&mut self, path: &str) -> Option<usize> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        self.0.get_mut().write_all(request.as_bytes()).ok()?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if line == "\r\n" {
                break;
            }
            if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = n.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).ok()?;
        Some(length)
    }
}

/// For a query string.
pub(crate) fn quoted(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}
