//! The server with guests of every kind: many, silent, half-open, garbled, endless, and those who leave.

use super::protocol::{LONGEST, Verdict, Why, parse};
use super::server::ServerError;
use super::{Clock, Order, Reply, Request, Server, client};
use crate::status::board::Board;
use crate::status::{Node, Status};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Longer than any test may take.
const PATIENCE: Duration = Duration::from_secs(20);

struct House {
    folder: TempDir,
    clock: Clock,
    board: Arc<Board>,
    orders: Receiver<Order>,
    server: Option<Server>,
}

impl House {
    fn new() -> Self {
        Self::with(Status {
            role: "backup".into(),
            nodes: vec![Node {
                address: "172.16.0.1".into(),
                name: Some("fw1".into()),
                health: "down".into(),
                ..Node::default()
            }],
            ..Status::default()
        })
    }

    fn with(status: Status) -> Self {
        let (folder, clock) = (TempDir::new().unwrap(), Clock::start());
        let board = Arc::new(Board::new(status, clock.now()));
        let (sender, orders) = sync_channel(2);
        let path = folder.path().join("s");
        let server = Server::start(&path, None, Arc::clone(&board), clock, sender).unwrap();
        Self {
            folder,
            clock,
            board,
            orders,
            server: Some(server),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    fn connect(&self) -> UnixStream {
        let stream = client::connect(&self.path(), &self.clock, self.clock.now() + PATIENCE).unwrap();
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn say(&self, octets: &[u8]) -> String {
        let mut stream = self.connect();
        // Who says too much is interrupted.
        let _ = stream.write_all(octets);
        let mut reply = String::new();
        let _ = stream.read_to_string(&mut reply);
        reply
    }

    fn ask(&self, request: &Request) -> Reply {
        converse(&self.path(), request)
    }

    fn is_well(&self) {
        let reply = self.ask(&Request::Check {
            node: Some("fw1".into()),
        });
        assert!(
            matches!(
                reply,
                Reply::Check {
                    answer: Verdict::Fail,
                    ..
                }
            ),
            "{reply:?}"
        );
    }
}

fn converse(path: &Path, request: &Request) -> Reply {
    let clock = Clock::start();
    client::converse(path, request, &clock, clock.now() + PATIENCE).unwrap()
}

#[test]
fn everybody_gets_his_answer() {
    let house = House::new();
    house.is_well();
    let Reply::Status { status } = house.ask(&Request::Status) else {
        panic!()
    };
    assert_eq!((status.role.as_str(), status.stuck), ("backup", false));
    let check = |node: &str| house.say(format!("{{\"ask\":\"check\",\"node\":\"{node}\"}}\n").as_bytes());
    assert_eq!(
        check("172.16.0.1"),
        "{\"reply\":\"check\",\"answer\":\"fail\",\"text\":\"fw1 is down\"}\n"
    );
    assert!(check("fw9").contains("no-such-node"));
    // Without an end of the line, but with an end; and what nobody asked for is passed over.
    let mut stream = house.connect();
    stream.write_all(b"{\"ask\":\"check\",\"colour\":1}").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.contains("\"ok\""), "{reply}");
}

#[test]
fn a_loop_that_hangs_is_told() {
    let house = House::new();
    let long_ago = house.clock.now() - Duration::from_secs(7);
    assert!(house.board.publish((*house.board.read(long_ago).0).clone(), long_ago));
    let reply = house.ask(&Request::Check { node: None });
    assert!(
        matches!(
            reply,
            Reply::Check {
                answer: Verdict::Stuck,
                ..
            }
        ),
        "{reply:?}"
    );
    let Reply::Status { status } = house.ask(&Request::Status) else {
        panic!()
    };
    assert!(status.stuck && status.age >= 7.0);
}

#[test]
fn what_is_no_request_is_refused_with_a_sentence() {
    let house = House::new();
    let long = [vec![b'x'; LONGEST + 1], b"\n".to_vec()].concat();
    let table: [(&[u8], &str); 6] = [
        (b"GET / HTTP/1.1\r\n\r\n", "this is no request"),
        (b"{}\n", "missing field `ask`"),
        (b"{\"ask\":\"reboot\"}\n", "unknown variant `reboot`"),
        (b"\n", "this is no request"),
        (b"\xff\xfe\x00\n", "this is no request"),
        (&long, "longer than 4096 octets"),
    ];
    for (octets, expected) in table {
        let reply = house.say(octets);
        assert!(reply.contains("refused") && reply.contains(expected), "{reply}");
    }
    assert!(parse(&[b'['; 4000]).is_err());
    // Ten megabytes in one line: interrupted, and soon.
    let reply = house.say(&vec![b'x'; 10 << 20]);
    assert!(reply.contains("longer than") || reply.is_empty(), "{reply}");
    house.is_well();
}

#[test]
fn three_hundred_at_once_who_say_nothing_keep_nobody_out() {
    let house = House::new();
    let mut guests = Vec::new();
    for n in 0..300 {
        let mut stream = house.connect();
        match n % 3 {
            0 => {}
            1 => stream.write_all(b"{\"ask\":").unwrap_or_default(),
            _ => stream.shutdown(std::net::Shutdown::Write).unwrap_or_default(),
        }
        guests.push(stream);
        if n % 50 == 0 {
            house.is_well();
        }
    }
    house.is_well();
    // All are shown the door: by those who came later, or because their time was over.
    for mut stream in guests {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty());
    }
    house.is_well();
}

#[test]
fn three_hundred_at_once_are_all_answered() {
    let house = House::new();
    let (path, request) = (house.path(), Request::Check { node: None });
    thread::scope(|s| {
        let ask = || {
            for _ in 0..10 {
                assert!(matches!(
                    converse(&path, &request),
                    Reply::Check {
                        answer: Verdict::Ok,
                        ..
                    }
                ));
            }
        };
        (0..30).for_each(|_| drop(s.spawn(ask)));
    });
}

#[test]
fn whoever_asks_and_does_not_listen_keeps_nobody_waiting() {
    let nodes = (0..2000).map(|n| Node {
        address: format!("10.0.{}.{}", n / 256, n % 256),
        creatorids: vec!["x".repeat(200)],
        ..Node::default()
    });
    let house = House::with(Status {
        nodes: nodes.collect(),
        ..Status::default()
    });
    let mut deaf: Vec<UnixStream> = (0..40).map(|_| house.connect()).collect();
    for stream in &mut deaf {
        stream.write_all(b"{\"ask\":\"status\"}\n").unwrap();
    }
    let reply = house.ask(&Request::Check { node: None });
    assert!(
        matches!(
            reply,
            Reply::Check {
                answer: Verdict::Ok,
                ..
            }
        ),
        "{reply:?}"
    );
    // Who listens gets all of it, however long it is.
    let Reply::Status { status } = house.ask(&Request::Status) else {
        panic!()
    };
    assert_eq!(status.nodes.len(), 2000);
}

#[test]
fn orders_are_carried_out_by_the_loop_and_answered_when_it_likes() {
    let house = House::new();
    let order = Request::Maintenance {
        on: true,
        seconds: Some(60),
    };
    let path = house.path();
    thread::scope(|s| {
        let asked = s.spawn(|| converse(&path, &order));
        let got = house.orders.recv_timeout(PATIENCE).unwrap();
        assert_eq!(got.request, order);
        // Meanwhile everybody else is served.
        house.is_well();
        got.answer(Reply::done("so be it"));
        assert_eq!(asked.join().unwrap(), Reply::done("so be it"));
        // One that is dropped is answered too.
        let asked = s.spawn(|| converse(&path, &Request::Undo));
        drop(house.orders.recv_timeout(PATIENCE).unwrap());
        assert!(matches!(
            asked.join().unwrap(),
            Reply::Refused {
                reason: Why::Unable,
                ..
            }
        ));
    });
    // More than the loop takes are refused, and whoever leaves is no trouble.
    let mut gone: Vec<UnixStream> = (0..2).map(|_| house.connect()).collect();
    for stream in &mut gone {
        stream.write_all(b"{\"ask\":\"undo\"}\n").unwrap();
    }
    drop(gone);
    let first = house.orders.recv_timeout(PATIENCE).unwrap();
    let second = house.orders.recv_timeout(PATIENCE).unwrap();
    first.answer(Reply::done("nobody hears that"));
    second.answer(Reply::done("nor that"));
    house.is_well();
}

#[test]
fn a_full_queue_of_orders_is_said() {
    let house = House::new();
    let mut first: Vec<UnixStream> = (0..2).map(|_| house.connect()).collect();
    for stream in &mut first {
        stream.write_all(b"{\"ask\":\"undo\"}\n").unwrap();
    }
    // The server reads them in its own time; the third is refused once both are in the queue.
    let refused = (0..1000)
        .map(|_| house.ask_without_waiting())
        .find(|r| r.contains("busy"));
    assert!(refused.is_some());
}

impl House {
    fn ask_without_waiting(&self) -> String {
        let until = self.clock.now() + Duration::from_millis(50);
        let line = client::ask(&self.path(), &Request::Undo, &self.clock, until);
        line.map(|l| String::from_utf8(l).unwrap()).unwrap_or_default()
    }
}

#[test]
fn the_file_is_for_owner_and_group_and_goes_with_the_server() {
    let mut house = House::new();
    let path = house.path();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    assert_eq!(
        fs::read_dir(house.folder.path()).unwrap().count(),
        1,
        "no file beside it"
    );
    house.server = None;
    assert!(!path.exists());
}

#[test]
fn a_dead_daemons_file_is_replaced_and_a_living_ones_is_not() {
    let house = House::new();
    let again = |path: &Path, group: Option<&str>| {
        let board = Arc::clone(&house.board);
        Server::start(path, group, board, house.clock, sync_channel(1).0)
    };
    let path = house.path();
    let before = fs::metadata(&path).unwrap().ino();
    assert!(matches!(again(&path, None), Err(ServerError::Taken(_))));
    assert_eq!(fs::metadata(&path).unwrap().ino(), before);
    house.is_well();
    // What a killed one leaves behind.
    let stale = house.folder.path().join("stale");
    drop(UnixListener::bind(&stale).unwrap());
    assert!(stale.exists());
    let server = again(&stale, None).unwrap();
    // Whoever replaced it meanwhile keeps his own.
    fs::remove_file(&stale).unwrap();
    fs::write(&stale, "somebody else's").unwrap();
    drop(server);
    assert!(stale.exists());
    assert!(matches!(again(&stale, None), Err(ServerError::NoSocket(_))));
    let new = house.folder.path().join("new");
    assert!(matches!(again(&new, Some("no-such-group")), Err(ServerError::Group(_))));
    assert!(matches!(
        again(Path::new("/no/such/folder/s"), None),
        Err(ServerError::Make { .. })
    ));
}

#[test]
fn a_client_waits_for_nobody() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s");
    let clock = Clock::start();
    let ask = || {
        let until = clock.now() + Duration::from_millis(30);
        client::converse(&path, &Request::Check { node: None }, &clock, until)
    };
    assert!(matches!(ask(), Err(client::Absent::Nobody)));
    // It listens, and never answers; then its queue is full.
    let listener = UnixListener::bind(&path).unwrap();
    assert!(matches!(ask(), Err(client::Absent::Late)));
    let full: Vec<_> = (0..5000)
        .map_while(|_| client::connect(&path, &clock, clock.now() + Duration::from_millis(5)).ok())
        .collect();
    assert!(
        matches!(ask(), Err(client::Absent::Late | client::Absent::Nobody)),
        "{}",
        full.len()
    );
    drop(full);
    drop(listener);
    assert!(matches!(ask(), Err(client::Absent::Nobody)));
}
