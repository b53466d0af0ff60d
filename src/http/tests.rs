//! The real server on a port of its own, asked as browsers and Prometheus ask.

use super::{Options, Source, TelemetryPath, Web};
use crate::status::board::{Board, STUCK};
use crate::status::{Interface, Master, Node, Notice, Path, Probe, Segment, Span, Status, Vhid};
use crate::time::Timestamp;
use jiff::tz::TimeZone;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// A board whose clock is set by hand.
pub(super) struct House {
    pub(super) web: Web,
    pub(super) board: Arc<Board>,
    clock: Arc<AtomicU64>,
}

pub(super) fn status() -> Status {
    Status {
        version: "0".into(),
        role: "backup".into(),
        interfaces: vec![Interface {
            interface: "em2".into(),
            net: "sync".into(),
            up: true,
            ..Interface::default()
        }],
        nodes: vec![Node {
            address: "172.30.0.1".into(),
            name: Some("fw1".into()),
            health: "down".into(),
            frames: 5,
            paths: vec![Path {
                path: "any".into(),
                critical: true,
                health: "down".into(),
                reason: Some("0 of 46 tries were answered".into()),
                ..Path::default()
            }],
            ..Node::default()
        }],
        notices: vec![Notice {
            text: "a <script>alert(1)</script> & \"quotes\"".into(),
            ..Notice::default()
        }],
        ..Status::default()
    }
}

impl House {
    pub(super) fn open(config: Option<&std::path::Path>) -> Self {
        Self::serving(config, TelemetryPath::default())
    }

    fn serving(config: Option<&std::path::Path>, telemetry_path: TelemetryPath) -> Self {
        let board = Arc::new(Board::new(status(), Timestamp::default()));
        let clock = Arc::new(AtomicU64::new(0));
        let options = Options {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            config_file: config.map(Into::into),
            telemetry_path,
        };
        let millis = Arc::clone(&clock);
        let source = Source {
            board: Arc::clone(&board),
            now: Arc::new(move || Timestamp::default() + Duration::from_millis(millis.load(Ordering::Relaxed))),
            zone: TimeZone::UTC,
        };
        let web = Web::start(&options, source).unwrap();
        Self { web, board, clock }
    }

    fn address(&self) -> SocketAddr {
        self.web.addresses()[0]
    }

    fn later(&self, length: Duration) {
        let millis = u64::try_from(length.as_millis()).unwrap();
        self.clock.fetch_add(millis, Ordering::Relaxed);
    }

    /// Status line with headers, and body.
    fn get(&self, path: &str, more: &str) -> (String, String) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n");
        let answer = self.send(request.as_bytes());
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        (head.to_owned(), body.to_owned())
    }

    fn send(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

#[test]
fn everything_has_its_place() {
    let house = House::open(None);
    let table = [
        ("/", "200", "text/html", "<h1>fw1 is DOWN"),
        ("/live", "200", "text/html", "<main data-title=\"fw1 DOWN - pfwatch\">"),
        ("/metrics", "200", "text/plain; version=0.0.4", "pfwatch_health{"),
        ("/status", "200", "application/json", "\"role\":\"backup\""),
        ("/-/healthy", "200", "text/plain", "pfwatch is healthy"),
        ("/-/ready", "200", "text/plain", "pfwatch is ready"),
        ("/favicon.ico", "404", "text/plain", "there is nothing here"),
        ("/../etc/passwd", "404", "text/plain", "there is nothing here"),
    ];
    for (path, code, kind, text) in table {
        let (head, body) = house.get(path, "");
        assert!(head.starts_with(&format!("HTTP/1.1 {code} ")), "{path}: {head}");
        assert!(head.contains(&format!("content-type: {kind}")), "{path}: {head}");
        assert!(body.contains(text), "{path}: {body}");
    }
    let post = house.send(b"POST /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    assert!(post.starts_with("HTTP/1.1 405 "), "{post}");
}

#[test]
fn what_comes_from_outside_is_only_text() {
    let (head, body) = House::open(None).get("/", "");
    assert!(body.contains("a &lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot;"));
    assert_eq!(body.matches("<script").count(), 1);
    assert!(!body.contains("http://") && !body.contains("https://"), "{body}");
    assert!(head.contains("default-src 'none'; script-src 'sha256-"), "{head}");
}

#[test]
fn a_loop_that_hangs_is_unhealthy_and_the_page_says_so() {
    let house = House::open(None);
    assert!(house.get("/", "").1.contains("fw1 is DOWN"));
    house.later(STUCK);
    let (head, body) = house.get("/-/healthy", "");
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(body.contains("the daemon's loop has not moved for 5 s"), "{body}");
    assert!(house.get("/-/ready", "").0.starts_with("HTTP/1.1 503 "));
    assert!(house.get("/live", "").1.contains("The daemon is STUCK"));
    assert!(house.get("/status", "").1.contains("\"stuck\":true"));
    // It can still be scraped, and tells by its timestamp.
    assert!(house.get("/metrics", "").0.starts_with("HTTP/1.1 200 "));
    let now = Timestamp::default() + STUCK;
    assert!(house.board.publish(status(), now));
    assert!(house.get("/-/healthy", "").0.starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_reader_that_hangs_is_unhealthy_and_a_deaf_one_not_ready() {
    let house = House::open(None);
    let mut hanging = status();
    hanging.interfaces[0].behind = 7.0;
    assert!(house.board.publish(hanging, Timestamp::default()));
    let (head, body) = house.get("/-/healthy", "");
    assert!(
        head.starts_with("HTTP/1.1 503 ")
            && body.contains("the capture thread of em2 hangs: it has not come round for 7 s"),
        "{body}"
    );
    let mut deaf = status();
    deaf.interfaces[0].up = false;
    assert!(house.board.publish(deaf, Timestamp::default()));
    assert!(house.get("/-/healthy", "").0.starts_with("HTTP/1.1 200 "));
    let (head, body) = house.get("/-/ready", "");
    assert!(
        head.starts_with("HTTP/1.1 503 ") && body.contains("nothing can be heard on em2"),
        "{body}"
    );
}

/// Anybody can invent senders; the page stays short, and what it is about stays in sight.
#[test]
fn senders_that_nobody_knows_share_a_line() {
    let house = House::open(None);
    let mut flood = status();
    flood.segments = vec![segment("lan", &[("172.30.0.1", 0.0)])];
    flood.trend = vec![Arc::default(); 300];
    assert!(house.board.publish(flood.clone(), Timestamp::default()));
    let before = house.get("/live", "").1;
    for i in 1..=30 {
        let address = format!("10.9.0.{i}");
        let forged = Node {
            name: None,
            address,
            ..flood.nodes[0].clone()
        };
        flood.nodes.push(forged);
    }
    assert!(house.board.publish(flood.clone(), Timestamp::default()));
    let body = house.get("/live", "").1;
    assert!(body.len() < before.len() + 300, "{} and {}", before.len(), body.len());
    assert!(body.contains("30 senders that the configuration does not know: 10.9.0.1, 10.9.0.2, ..."));
    // Where nobody is configured all are shown; but of whom CARP says nothing, nothing is said.
    flood.nodes[0].name = None;
    assert!(house.board.publish(flood, Timestamp::default()));
    let body = house.get("/live", "").1;
    assert_eq!(body.matches("<article").count(), 31);
    assert!(body.contains("10.9.0.30") && !body.contains("backup</dd>"), "{body}");
}

/// A segment whose vhid went from one node to the next.
fn segment(name: &str, masters: &[(&str, f64)]) -> Segment {
    let master = |(i, (node, from)): (usize, &(&str, f64))| Master {
        address: format!("10.0.0.{i}"),
        node: Some((*node).into()),
        name: Some((*node).into()),
        from: *from,
        to: masters.get(i + 1).map(|next| next.1),
    };
    Segment {
        name: name.into(),
        vhids: vec![Vhid {
            vhid: 1,
            masters: masters.iter().enumerate().map(master).collect(),
            ..Vhid::default()
        }],
        ..Segment::default()
    }
}

#[test]
fn a_split_names_who_lost_what_and_marks_it() {
    let house = House::open(None);
    let mut torn = status();
    torn.segments = vec![
        segment("lan", &[("172.30.0.1", 10.0)]),
        segment("wan", &[("172.30.0.1", 10.0), ("172.30.0.2", 50.0)]),
    ];
    torn.unsynchronised = vec![Span { from: 50.0, to: None }];
    torn.nodes[0].witnesses.insert("split".into(), -1);
    let shown = |torn: &Status| {
        assert!(house.board.publish(torn.clone(), Timestamp::default()));
        house.get("/live", "").1
    };
    let body = shown(&torn);
    for words in [
        ": fw1 is missing from wan.</p>",
        "<tr class=\"bad\"><td>wan</td>",
        "<tr><td>lan</td>",
        "it is missing from wan</dd>",
    ] {
        assert!(body.contains(words), "{words} in {body}");
    }
    // Who gave it away is not missing; and when it is over, nothing is marked.
    torn.nodes[0].witnesses.clear();
    assert!(shown(&torn).contains("fw1 is no longer master on wan."));
    torn.unsynchronised[0].to = Some(60.0);
    let body = shown(&torn);
    assert!(
        !body.contains("<tr class=\"bad\">") && !body.contains("nsynchronised since"),
        "{body}"
    );
}

#[test]
fn suspicion_beyond_what_down_takes_says_what_holds_it_back() {
    let house = House::open(None);
    let mut doubt = status();
    doubt.trend = vec![Arc::default(); 3];
    for (health, suspicion, held_back, expected) in [
        ("suspect", 4.0, None, "4.0 of the 4.5 that down takes"),
        (
            "suspect",
            9.3,
            Some("fw2 is the one that lost a segment"),
            "9.3, enough for down (4.5), held back</figcaption>",
        ),
        ("down", 9.3, None, "9.3, where down took 4.5"),
    ] {
        let path = &mut doubt.nodes[0].paths[0];
        (path.health, path.suspicion, path.threshold) = (health.into(), suspicion, 4.5);
        path.held_back = held_back.map(str::to_owned);
        assert!(house.board.publish(doubt.clone(), Timestamp::default()));
        let body = house.get("/live", "").1;
        assert!(body.contains(expected), "{expected} in {body}");
        let said = body.contains("<p class=\"reason warn\">held back: ");
        assert_eq!(said, held_back.is_some(), "{body}");
    }
}

#[test]
fn what_is_not_there_names_what_is() {
    let telemetry = "/numbers".parse().unwrap();
    let house = House::serving(None, telemetry);
    let body = house.get("/metrics", "").1;
    assert!(body.contains("there are /, /numbers, /status"), "{body}");
}

#[test]
fn a_witness_names_its_probes() {
    let house = House::open(None);
    let mut asked = status();
    let probe = |name: &str, state: &str| Probe {
        name: name.into(),
        about: "self".into(),
        state: state.into(),
        since: None,
    };
    asked.probes = vec![probe("internet", "up"), probe("office", "up")];
    asked.nodes[0].witnesses.insert("probe".into(), 1);
    assert!(house.board.publish(asked.clone(), Timestamp::default()));
    assert!(
        house
            .get("/live", "")
            .1
            .contains("it reaches as far as it should (probes internet, office)")
    );
    asked.probes[1].state = "down".into();
    asked.nodes[0].witnesses.insert("probe".into(), -1);
    assert!(house.board.publish(asked, Timestamp::default()));
    assert!(
        house
            .get("/live", "")
            .1
            .contains("it does not reach as far as it should (probe office)")
    );
}

#[test]
fn answers_are_made_anew_with_the_snapshot() {
    let house = House::open(None);
    assert!(house.get("/metrics", "").1.contains("pfwatch_role{role=\"backup\"} 1"));
    let primary = Status {
        role: "primary".into(),
        ..status()
    };
    assert!(house.board.publish(primary, Timestamp::default()));
    assert!(house.get("/metrics", "").1.contains("pfwatch_role{role=\"primary\"} 1"));
}

#[test]
fn silent_guests_keep_nobody_out() {
    let house = House::open(None);
    let silent: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(house.address()).unwrap()).collect();
    for _ in 0..3 {
        assert!(house.get("/-/healthy", "").0.starts_with("HTTP/1.1 200 "));
    }
    drop(silent);
    for garbage in [&b"\x16\x03\x01\x02\x00\x01"[..], b"GET", b"\r\n\r\n", &[0xff; 4096]] {
        let mut stream = TcpStream::connect(house.address()).unwrap();
        let _ = stream.write_all(garbage);
    }
    assert!(house.get("/", "").0.starts_with("HTTP/1.1 200 "));
}

#[test]
fn only_users_may_ask_where_there_are_users() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("web.yml");
    let hash = bcrypt::hash("open sesame", 4).unwrap();
    fs::write(&file, format!("basic_auth_users:\n  ali: {hash}\n")).unwrap();
    let house = House::open(Some(&file));
    let header = |pair: &str| {
        use base64::Engine as _;
        let pair = base64::engine::general_purpose::STANDARD.encode(pair);
        format!("Authorization: Basic {pair}\r\n")
    };
    let table = [
        (String::new(), "401"),
        (header("ali:open sesame"), "200"),
        (header("ali:open sesame"), "200"),
        (header("ali:open barley"), "401"),
        (header("kasim:open sesame"), "401"),
        (header("ali"), "401"),
        ("Authorization: Basic !!!\r\n".into(), "401"),
        ("Authorization: Bearer x\r\n".into(), "401"),
    ];
    for path in ["/metrics", "/", "/status", "/nowhere"] {
        for (more, code) in &table {
            let code = if path == "/nowhere" && *code == "200" {
                "404"
            } else {
                code
            };
            let (head, body) = house.get(path, more);
            assert!(head.starts_with(&format!("HTTP/1.1 {code} ")), "{path} {more}: {head}");
            assert!(*code != *"401" || !body.contains("fw1"));
        }
    }
    assert!(
        house
            .get("/", "")
            .0
            .contains("www-authenticate: Basic realm=\"pfwatch\"")
    );
}
