//! The commands that talk to a daemon: with one that is made up here, with a real one, and with none.

use crate::{Ran, pfwatch, ran, run};
use pfwatch::control::{Clock, Order, Server};
use pfwatch::status::board::Board;
use pfwatch::status::{Maintenance, Node, Path, Status};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

/// A daemon that knows what it is told.
pub(crate) struct Daemon {
    pub(crate) folder: TempDir,
    pub(crate) clock: Clock,
    pub(crate) board: Arc<Board>,
    _server: Server,
    _orders: Receiver<Order>,
}

impl Daemon {
    pub(crate) fn new(status: Status) -> Self {
        let (folder, clock) = (TempDir::new().unwrap(), Clock::start());
        // From the past, so that time can be made to have gone by.
        let board = Arc::new(Board::new(status, clock.now()));
        let (sender, orders) = sync_channel(1);
        let server = Server::start(&folder.path().join("s"), None, Arc::clone(&board), clock, sender);
        Self {
            folder,
            clock,
            board,
            _server: server.unwrap(),
            _orders: orders,
        }
    }

    fn hang(&self) {
        let before = self.clock.now() - Duration::from_secs(7);
        assert!(self.board.publish((*self.board.read(before).0).clone(), before));
    }

    pub(crate) fn socket(&self) -> String {
        self.folder.path().join("s").display().to_string()
    }

    fn run(&self, line: &str) -> Ran {
        run(line.split(' ').chain(["--socket", &self.socket()]))
    }
}

pub(crate) fn pair() -> Status {
    let node = |name: &str, health: &str| Node {
        address: format!("address of {name}"),
        name: Some(name.into()),
        health: health.into(),
        frames: 1,
        paths: vec![Path {
            critical: true,
            health: health.into(),
            reason: Some("nothing comes back".into()),
            ..Path::default()
        }],
        ..Node::default()
    };
    Status {
        schema: 1,
        role: "demoted".into(),
        nodes: vec![node("fw1", "down"), node("fw2", "up")],
        ..Status::default()
    }
}

/// Nothing but an exit code.
fn silent(ran: &Ran, code: i32, what: &str) {
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (code, "", ""), "{what}");
}

#[test]
fn check_answers_with_its_exit_code_alone() {
    let daemon = Daemon::new(pair());
    let table = [
        ("check --node fw1", 1),
        ("check --node fw1 --on-unreachable fail", 1),
        ("check --node fw1 --invert", 0),
        ("check --node fw2", 0),
        ("check --node fw2 --invert", 1),
        ("check --self", 1),
        ("check", 1),
    ];
    for (line, code) in table {
        silent(&daemon.run(line), code, line);
    }
    let said = daemon.run("check -v --node fw1");
    assert_eq!(
        (said.code, said.err.as_str()),
        (1, "pfwatch: fw1 is down: nothing comes back\n")
    );
    let nobody = daemon.run("check --node fw3 --on-unreachable fail");
    assert_eq!(
        (nobody.code, nobody.err.as_str()),
        (1, "pfwatch: there is no node fw3; there are fw1, fw2\n")
    );
    assert_eq!(daemon.run("check --node fw3").code, 0);
    assert!(daemon.board.publish(
        Status {
            maintenance: Some(Maintenance::default()),
            ..pair()
        },
        daemon.clock.now()
    ));
    silent(&daemon.run("check --node fw1"), 0, "maintenance");
    daemon.hang();
    silent(&daemon.run("check --node fw1"), 0, "the loop hangs");
    silent(
        &daemon.run("check --node fw1 --on-unreachable fail"),
        1,
        "the loop hangs",
    );
}

#[test]
fn check_without_an_answer_is_what_the_caller_wants() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s");
    let check = |more: &[&str]| {
        run(["check", "--node", "fw1", "--socket", path.to_str().unwrap()]
            .iter()
            .chain(more)
            .copied())
    };
    let all = |what: &str| {
        silent(&check(&[]), 0, what);
        silent(&check(&["--invert"]), 1, what);
        silent(&check(&["--on-unreachable", "fail"]), 1, what);
        silent(&check(&["--on-unreachable", "fail", "--invert"]), 0, what);
    };
    all("no file");
    let listener = UnixListener::bind(&path).unwrap();
    all("nobody accepts");
    drop(listener);
    all("a dead daemon's file");
    fs::remove_file(&path).unwrap();
    fs::write(&path, "").unwrap();
    all("no socket");
    // What is wrong with the arguments is said, and is as if nobody answered.
    for (line, code) in [
        ("check --nod fw1", 0),
        ("check --nod fw1 --on-unreachable fail", 1),
        ("check --nod fw1 --invert", 1),
        ("check --node fw1 --self --on-unreachable=fail", 1),
        ("check fw1", 0),
    ] {
        let ran = run(line.split(' '));
        assert_eq!((ran.code, ran.err.lines().count()), (code, 1), "{line}: {}", ran.err);
    }
}

#[test]
fn the_socket_is_found_through_a_configuration_however_bad() {
    let daemon = Daemon::new(pair());
    let config = daemon.folder.path().join("c.toml");
    let check = || run(["check", "--node", "fw1", "-c", config.to_str().unwrap()]);
    fs::write(&config, format!("[control]\nsocket = \"{}\"\n", daemon.socket())).unwrap();
    silent(&check(), 1, "named");
    fs::write(
        &config,
        format!("[control]\nsocket = \"{}\"\n[detect]\nmin = 1s\n", daemon.socket()),
    )
    .unwrap();
    silent(&check(), 1, "named in a bad one");
    fs::write(&config, "[control]\nsocket = \"/no/such/socket\"\n").unwrap();
    silent(&check(), 0, "another");
    // A pipe that nobody writes to must not be waited for.
    fs::remove_file(&config).unwrap();
    assert!(Command::new("mkfifo").arg(&config).status().unwrap().success());
    check();
}

#[test]
fn status_is_for_eyes_and_for_programs() {
    let daemon = Daemon::new(pair());
    let page = daemon.run("status");
    assert_eq!((page.code, page.err.as_str()), (0, ""));
    assert!(
        page.out.starts_with("fw1 is DOWN: nothing comes back.\n"),
        "{}",
        page.out
    );
    let json = daemon.run("status --format json");
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (&json["schema"], &json["stuck"], &json["nodes"][0]["health"]),
        (&1.into(), &false.into(), &"down".into())
    );
    daemon.hang();
    assert!(daemon.run("status").out.starts_with("The daemon is STUCK"));
}

#[test]
fn without_a_daemon_a_sentence_and_69() {
    for line in [
        "status",
        "status --watch",
        "maintenance on --for 2h",
        "undo",
        "test-hook promote",
    ] {
        let ran = run(line.split(' ').chain(["--socket", "/no/such/socket"]));
        assert_eq!(
            (ran.code, ran.out.as_str(), ran.err.lines().count()),
            (69, "", 1),
            "{line}: {}",
            ran.err
        );
        assert!(
            ran.err
                .contains("no pfwatch answers on /no/such/socket: start `pfwatch run`"),
            "{}",
            ran.err
        );
    }
    for line in [
        "maintenance",
        "maintenance on --for 2",
        "maintenance off --for 2h",
        "test-hook dance",
    ] {
        let ran = run(line.split(' ').chain(["--socket", "/no/such/socket"]));
        assert_eq!((ran.code, ran.err.lines().count()), (2, 1), "{line}: {}", ran.err);
    }
}

/// A real one, on the loopback interface.
struct Real {
    folder: TempDir,
    process: Child,
    lines: Receiver<String>,
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Real {
    /// None, and says so, where nobody may listen.
    fn start(more: &str) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let text = format!(
            "[sync]\ninterface = \"lo\"\n[[node]]\nname = \"fw1\"\naddress = \"172.16.0.1\"\n[[node]]\nname = \
             \"fw2\"\naddress = \"172.16.0.2\"\nself = true\n[control]\nsocket = \"{}\"\n{more}",
            folder.path().join("s").display()
        );
        let config = folder.path().join("c.toml");
        fs::write(&config, text).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_pfwatch"))
            .args(["run", "-c"])
            .arg(&config)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (out, lines) = channel();
        let log = BufReader::new(process.stderr.take().unwrap());
        thread::spawn(move || log.lines().map_while(Result::ok).for_each(|l| drop(out.send(l))));
        let real = Self { folder, process, lines };
        real.until("observing").then_some(real)
    }

    fn until(&self, text: &str) -> bool {
        let mut log = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            let found = line.contains(text);
            log.push(line);
            if found {
                return true;
            }
        }
        // Without the permission to capture, or without that interface, there is nothing to test.
        let refused = log.iter().any(|l| l.contains("error: ") && l.contains("lo"));
        assert!(refused, "no line with `{text}` in {log:#?}");
        false
    }

    fn run(&self, line: &str) -> Ran {
        let config = self.folder.path().join("c.toml");
        run(line.split(' ').chain(["-c", config.to_str().unwrap()]))
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a real daemon has real time")]
fn a_real_daemon_is_asked_and_ordered_about() {
    let Some(real) = Real::start("") else { return };
    let done = |line: &str, text: &str| {
        // The next snapshot is there within a tenth of a second, or later on a machine that is busy.
        let asked = Instant::now();
        loop {
            let ran = real.run(line);
            assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line}");
            if ran.out.contains(text) {
                break;
            }
            let again = line == "status" && asked.elapsed() < PATIENCE;
            assert!(again, "{line}: {}", ran.out);
        }
    };
    done("maintenance on --for 2h", "maintenance for 2h: nothing is done");
    done("status", "MAINTENANCE until ");
    done("status", "No pfsync is heard: look whether that is the right interface");
    done("maintenance off", "maintenance is over");
    done("maintenance off", "there was no maintenance");
    done(
        "undo",
        "there is nothing to take back: neither a preset in [actions] nor a program in [hooks] is configured",
    );
    let refused = real.run("test-hook promote --dry-run");
    assert_eq!((refused.code, refused.out.as_str()), (69, ""));
    assert!(
        refused.err.contains("no promote hooks are configured"),
        "{}",
        refused.err
    );
    let json: Value = serde_json::from_str(&real.run("status --format json").out).unwrap();
    assert_eq!(json["maintenance"], Value::Null);
    assert_eq!(json["interfaces"][0]["interface"], "lo");
    assert_eq!(
        (&json["nodes"][0]["name"], &json["nodes"][1]["self"]),
        (&"fw1".into(), &true.into())
    );
    assert!(json["age"].as_f64().unwrap() < 5.0 && json["at"].as_f64().unwrap() > 1.7e9);
    silent(&real.run("check --node fw1"), 0, "nothing known");
    // Of two that would act on one pair the second does not start.
    let config = real.folder.path().join("c.toml");
    let second = ran(pfwatch().args(["run", "-c"]).arg(&config));
    assert_eq!(second.code, 69);
    assert!(second.err.contains("another pfwatch answers on"), "{}", second.err);
}

/// `cargo test --release --test cli -- --ignored --nocapture ten_thousand`
#[test]
#[ignore = "measures, and proves nothing"]
#[expect(clippy::disallowed_methods, clippy::disallowed_macros, reason = "a measurement")]
fn ten_thousand_checks() {
    let Some(real) = Real::start("") else { return };
    let socket = real.folder.path().join("s");
    let print = |what: &str, mut times: Vec<Duration>| {
        times.sort();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        println!(
            "{what}: {} times, p50 {:?}, p99 {:?}, max {:?}",
            times.len(),
            at(50),
            at(99),
            at(100)
        );
    };
    let clock = Clock::start();
    let request = pfwatch::control::Request::Check {
        node: Some("fw1".into()),
    };
    let asked = (0..10_000).map(|_| {
        let begin = Instant::now();
        pfwatch::control::client::converse(&socket, &request, &clock, clock.now() + PATIENCE).unwrap();
        begin.elapsed()
    });
    print("one question and its answer", asked.collect());
    let exec = || {
        let begin = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_pfwatch"));
        let status = command
            .args(["check", "--node", "fw1", "--on-unreachable", "fail", "--socket"])
            .arg(&socket)
            .status();
        assert!(status.unwrap().success());
        begin.elapsed()
    };
    print("`pfwatch check` as a process", (0..10_000).map(|_| exec()).collect());
}
