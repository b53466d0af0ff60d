//! Chromium without a window: what the page becomes, what its console says and what it asks for.

use super::ask::get;
use super::have;
use super::namespace::say;
use pfwatch::http::{Options, Source, Web};
use pfwatch::status::board::Board;
use pfwatch::status::{Interface, Node, Path as Watched, Span, Status};
use pfwatch::time::Timestamp;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What came of a visit.
pub(crate) struct Seen {
    pub(crate) dom: String,
    /// Lines of the console.
    pub(crate) console: Vec<String>,
    /// What the page asked for.
    pub(crate) asked: Vec<String>,
}

/// Opens a page and leaves it after so many milliseconds of its own time; that is no real time.
pub(crate) fn visit(url: &str, folder: &Path, millis: u32, more: &[&str]) -> Seen {
    let log = folder.join("net.json");
    let mut command = browser(folder);
    command.args(["--enable-logging=stderr", "--dump-dom"]).args(more);
    command.arg(format!("--log-net-log={}", log.display()));
    command.arg(format!("--virtual-time-budget={millis}")).arg(url);
    let output = command.output().unwrap();
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(dom.contains("</html>"), "{output:?}");
    Seen {
        dom,
        console: said
            .lines()
            .filter(|l| l.contains("CONSOLE"))
            .map(str::to_owned)
            .collect(),
        asked: asked(&fs::read_to_string(log).unwrap(), url),
    }
}

fn browser(folder: &Path) -> Command {
    let mut command = Command::new("chromium");
    // Root has no sandbox. What the browser would do for itself finds nobody.
    command.arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1");
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
    ]);
    command.args([
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]);
    command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
    command.stdin(Stdio::null()).env("HOME", folder);
    command
}

/// What the page asked for, by the browser's own log of its network, in which everything has its initiator.
fn asked(log: &str, page: &str) -> Vec<String> {
    // Cut off where the browser ended.
    let log: Value = serde_json::from_str(log)
        .or_else(|_| serde_json::from_str(&format!("{}]}}", log.trim_end().trim_end_matches(','))))
        .unwrap();
    let params = log["events"].as_array().unwrap().iter().map(|e| &e["params"]);
    let by_the_page = |p: &&Value| p["initiator"].as_str().is_some_and(|i| page == format!("{i}/"));
    let urls = params.filter(by_the_page).filter_map(|p| p["url"].as_str());
    let mut all: Vec<String> = urls.map(str::to_owned).collect();
    all.dedup();
    all
}

fn status(health: &str) -> Status {
    let reason = "0 of 46 new connections from 9 hosts were answered";
    let node = |name: &str, health: &str| Node {
        address: format!("172.30.0.{}", name.len()),
        name: Some(name.into()),
        health: health.into(),
        frames: 10,
        paths: vec![Watched {
            path: "any".into(),
            critical: true,
            health: health.into(),
            reason: Some(reason.into()),
            last_end_to_end: Some(1_790_000_000.0),
            ..Watched::default()
        }],
        ..Node::default()
    };
    let split = (health == "down").then_some(Span {
        from: 1_790_000_000.0,
        to: None,
    });
    Status {
        at: 1_790_000_002.0,
        role: "backup".into(),
        interfaces: vec![Interface {
            interface: "em2".into(),
            up: true,
            ..Interface::default()
        }],
        frames: pfwatch::status::Frames {
            pfsync: 20,
            ..pfwatch::status::Frames::default()
        },
        nodes: vec![node("fw1", health), node("fw-2", "up")],
        unsynchronised: split.into_iter().collect(),
        ..Status::default()
    }
}

/// Serves a pair that is well, until somebody asks for the second time.
fn serve() -> (Web, Arc<AtomicUsize>) {
    let board = Arc::new(Board::new(status("up"), Timestamp::default()));
    let questions = Arc::new(AtomicUsize::new(0));
    let (wall, counted) = (Arc::clone(&board), Arc::clone(&questions));
    let source = Source {
        board,
        now: Arc::new(move || {
            if counted.fetch_add(1, Ordering::Relaxed) == 1 {
                assert!(wall.publish(status("down"), Timestamp::default()));
            }
            Timestamp::default()
        }),
        zone: jiff::tz::TimeZone::UTC,
    };
    let options = Options {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        ..Options::default()
    };
    (Web::start(&options, source).unwrap(), questions)
}

#[test]
fn the_page_changes_by_itself_and_asks_nobody_else() {
    if !have("browser::the_page_changes_by_itself_and_asks_nobody_else", "chromium") {
        return;
    }
    let folder = tempfile::TempDir::new().unwrap();
    let (web, questions) = serve();
    let url = format!("http://{}/", web.addresses()[0]);
    let seen = visit(&url, folder.path(), 5_000, &[]);
    assert!(seen.dom.contains("fw1 is DOWN"), "{}", seen.dom);
    assert!(seen.dom.contains("<title>fw1 DOWN - pfwatch</title>"), "{}", seen.dom);
    assert_eq!(seen.console, Vec::<String>::new());
    assert!(questions.load(Ordering::Relaxed) >= 2);
    assert!(seen.asked.contains(&format!("{url}live")), "{:?}", seen.asked);
    assert!(
        seen.asked.iter().all(|asked| asked.starts_with(&url)),
        "{:?}",
        seen.asked
    );
    say(format_args!("the page asked for {:?}", seen.asked));
}

#[test]
fn without_scripts_the_page_is_as_readable() {
    let (web, _) = serve();
    let (code, html) = get(web.addresses()[0], "/").unwrap();
    assert_eq!(code, 200);
    assert!(
        html.contains("<h1>All is well: traffic passes end to end through fw1"),
        "{html}"
    );
    assert!(
        html.contains("<h3>fw-2 <span class=\"badge up\">up</span></h3>"),
        "{html}"
    );
    assert!(
        html.contains("<noscript><meta http-equiv=\"refresh\""),
        "it would never change"
    );
}
