//! The whole of it: a real failure is replayed to a real daemon, a real Prometheus scrapes it and raises the alarm, others
//! scrape it a thousand times a second, and a browser looks at its page.

use super::ask::{Line, get};
use super::browser::visit;
use super::cut::{self, Sent, shipped};
use super::namespace::{Owned, inside, replay, say};
use super::prometheus::Prometheus;
use super::{PATIENCE, grafana, have, until};
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const NAME: &str = "live::prometheus_raises_the_alarm_and_the_page_says_why";
const BEFORE: Duration = Duration::from_secs(20);
const AFTER: Duration = Duration::from_secs(45);
/// From the fault to the verdict, offline 1.2 s: what more it may take here.
const LATE: f64 = 3.0;
/// Scrapers at once, and the time from one scrape to the next of each.
const SCRAPERS: usize = 4;
const PACE: Duration = Duration::from_millis(4);
/// Somebody is answered within it, on the slowest machine.
const PART: Duration = Duration::from_secs(5);

#[test]
fn prometheus_raises_the_alarm_and_the_page_says_why() {
    if !["prometheus", "promtool", "chromium", "tcpreplay"]
        .iter()
        .all(|p| have(NAME, p))
        || !inside(NAME)
    {
        return;
    }
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status();
    assert!(up.unwrap().success());
    let folder = tempfile::TempDir::new().unwrap();
    let fault = cut::fault("awan_port_dead");
    let ([pfsync, ..], mut carp) = cut::write("awan_port_dead", fault - BEFORE, fault + AFTER, folder.path());
    carp.retain(|(_, net, _)| cut::NETS[*net] != "sync");
    carp.insert(0, config_sync());

    let address: SocketAddr = "127.0.0.1:10240".parse().unwrap();
    let daemon = start(folder.path(), address);
    let prometheus = Prometheus::start(folder.path(), &address.to_string());
    let over = AtomicBool::new(false);
    let scrapes = thread::scope(|scope| {
        scope.spawn(|| {
            let _over = Over(&over);
            let mut player = play(&pfsync);
            replay(&carp);
            assert!(player.0.wait().unwrap().success());
        });
        let scrapers = [(); SCRAPERS].map(|()| scope.spawn(|| scrape(address, &over)));
        until("fw1 is up", || said(address, "fw1").filter(|s| s == "up"));
        until("fw1 is down", || said(address, "fw1").filter(|s| s == "down"));
        until("it is pending", || {
            prometheus.alert("PfwatchNodeDown").filter(|s| s == "pending")
        });
        // Only when CARP has come apart too is it fw1 itself that is blamed, a second or two later.
        let split = "PfwatchCarpUnsynchronised";
        until("the split is known", || prometheus.alert(split));
        look(address, folder.path());
        until("it fires", || {
            prometheus.alert("PfwatchNodeDown").filter(|s| s == "firing")
        });
        until("the decision fires", || {
            prometheus.alert("PfwatchDecision").filter(|s| s == "firing")
        });
        until("the split fires", || prometheus.alert(split).filter(|s| s == "firing"));
        for quiet in [
            "PfwatchAbsent",
            "PfwatchStalled",
            "PfwatchInterfaceDown",
            "PfwatchSyncOneWay",
        ] {
            assert_eq!(prometheus.alert(quiet), None, "{quiet}");
        }
        asked_for(&prometheus);
        scrapers.map(|one| one.join().unwrap())
    });
    went_on(&scrapes);
    undisturbed(address);
    files(address, folder.path());
    ends(daemon, folder.path());
}

/// A firewall sends its configuration to the other: a SYN to port 443.
fn config_sync() -> Sent {
    let mut frame = vec![0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 8, 0];
    frame.extend([0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 172, 16, 0, 1, 172, 16, 0, 2]);
    frame.extend([
        0xc0, 0, 1, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0,
    ]);
    (Duration::ZERO, 0, frame)
}

/// What the firewalls tell each other, at its own pace. Three of tcpreplay, one for each network, would drift apart on a busy
/// host, by a second or two in a minute; CARP, which is told by ourselves, is not needed so exactly.
fn play(file: &Path) -> Owned {
    let mut command = Command::new("tcpreplay");
    command.args(["--quiet", "--timer=nano", "-i", "sync-in"]).arg(file);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Owned(command.spawn().unwrap())
}

fn start(folder: &Path, address: SocketAddr) -> Owned {
    let pair = fs::read_to_string(shipped("pair.toml")).unwrap();
    let mut text = pair.replace("name = \"fw2\"", "name = \"fw2\"\nself = true");
    text += "[sync]\ninterface = \"sync\"\n";
    text += "[[probe]]\nname = \"far\"\nabout = \"self\"\ncommand = [\"true\"]\n";
    for net in ["lan", "wan"] {
        text += &format!("[[segment]]\nname = \"{net}\"\ninterface = \"{net}\"\n");
    }
    let config = folder.join("pfwatch.toml");
    fs::write(&config, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfwatch"));
    command.arg("run").arg("-c").arg(config);
    command.arg("--socket").arg(folder.join("pfwatch.sock"));
    command.arg("--state").arg(folder.join("memory.json"));
    command.arg("--textfile").arg(folder);
    command.arg(format!("--web.listen-address={address}"));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(fs::File::create(folder.join("log")).unwrap());
    let daemon = Owned(command.spawn().unwrap());
    until("it is ready", || {
        get(address, "/-/ready").filter(|(code, _)| *code == 200)
    });
    assert_eq!(get(address, "/-/healthy").unwrap().0, 200);
    daemon
}

fn status(address: SocketAddr) -> Value {
    let (code, body) = get(address, "/status").unwrap();
    assert_eq!(code, 200);
    serde_json::from_str(&body).unwrap()
}

fn said(address: SocketAddr, name: &str) -> Option<String> {
    let status = status(address);
    let node = status["nodes"].as_array()?.iter().find(|n| n["name"] == name)?;
    Some(node["health"].as_str()?.to_owned())
}

/// The replay is over, however it ends: else the scrapers never would.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Somebody who scrapes far too often: how many scrapes came back in each part of the replay.
#[expect(clippy::disallowed_methods, reason = "the pace of a scraper")]
fn scrape(address: SocketAddr, over: &AtomicBool) -> Vec<u32> {
    let start = Instant::now();
    let (mut due, mut parts) = (start, Vec::new());
    while !over.load(Ordering::Relaxed) {
        // Nobody stays for ever, so the line may be cut.
        let Some(mut line) = Line::open(address) else { continue };
        while !over.load(Ordering::Relaxed) && line.get("/metrics").is_some_and(|length| length > 5_000) {
            let part = usize::try_from(start.elapsed().as_secs() / PART.as_secs()).unwrap();
            parts.resize(parts.len().max(part + 1), 0);
            parts[part] += 1;
            due += PACE;
            thread::park_timeout(due.saturating_duration_since(Instant::now()));
        }
    }
    parts
}

/// Scrapes came back from the beginning of the replay to its end. How many depends on the machine, so that is only said.
fn went_on(scrapers: &[Vec<u32>]) {
    let whole = (BEFORE + AFTER).as_secs();
    let all: u32 = scrapers.iter().flatten().sum();
    say(format_args!(
        "{all} scrapes in {whole} s beside Prometheus, {} a second",
        u64::from(all) / whole
    ));
    for part in 0..usize::try_from(whole / PART.as_secs()).unwrap() {
        let then = scrapers.iter().filter_map(|one| one.get(part)).sum::<u32>();
        assert!(then > 0, "nobody was answered for {PART:?} after {part} times as long");
    }
}

/// The page, while fw1 is down.
fn look(address: SocketAddr, folder: &Path) {
    let url = format!("http://{address}/");
    let seen = visit(&url, folder, 3_000, &[]);
    assert!(seen.dom.contains("<h1>fw1 is DOWN since "), "{}", seen.dom);
    assert!(seen.dom.contains("tries"), "{}", seen.dom);
    assert_eq!(seen.console, Vec::<String>::new());
    assert!(
        seen.asked.iter().all(|asked| asked.starts_with(&url)),
        "{:?}",
        seen.asked
    );
    if let Some(shots) = std::env::var_os("PFWATCH_TEST_SHOTS") {
        fs::write(Path::new(&shots).join("page.html"), seen.dom).unwrap();
    }
}

/// Every query of the dashboard finds something, and every rule can be evaluated.
fn asked_for(prometheus: &Prometheus) {
    let mut empty = Vec::new();
    for (panel, query) in grafana::queries() {
        let found = prometheus.query(&query);
        if found.is_empty() {
            empty.push(format!("{panel}: {query}"));
        }
    }
    assert!(empty.is_empty(), "{empty:#?}");
    assert!(prometheus.rules() > 20);
    for recorded in [
        "pfwatch:evidence:rate1m",
        "pfwatch:end_to_end:ratio5m",
        "pfwatch:suspicion:ratio",
    ] {
        assert!(!prometheus.query(recorded).is_empty(), "{recorded}");
    }
}

/// Neither late nor blind, whoever scrapes.
fn undisturbed(address: SocketAddr) {
    let status = status(address);
    let at = |v: &Value| v["at"].as_f64().unwrap();
    let of = |to: &str| {
        let all = status["verdicts"].as_array().unwrap().iter();
        let mut first = all.filter(|v| v["name"] == "fw1" && v["to"] == to).map(at);
        first.next().unwrap()
    };
    // It is up with the first frames of the replay.
    let took = of("down") - of("up") - BEFORE.as_secs_f64();
    say(format_args!("down {took:.2} s after the fault"));
    assert!(took < LATE, "{took} s");
    assert_eq!(status["interfaces"][0]["dropped"], 0);
    assert_eq!(status["gaps"].as_array().unwrap().len(), 0, "{}", status["gaps"]);
}

/// What it serves and writes, by Prometheus' own tool.
fn files(address: SocketAddr, folder: &Path) {
    let (_, scrape) = get(address, "/metrics").unwrap();
    grafana::check_metrics(&scrape);
    grafana::holds_all_names(&scrape);
    let written = fs::read_to_string(folder.join("pfwatch.prom")).unwrap();
    grafana::check_metrics(&written);
    grafana::holds_all_names(&written);
}

/// A signal ends it, and its textfile with it.
#[expect(clippy::disallowed_methods, reason = "a test of how long something takes")]
fn ends(mut daemon: Owned, folder: &Path) {
    let asked = Instant::now();
    let kill = format!("kill -TERM {}", daemon.0.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let code = daemon.0.wait().unwrap().code();
    assert_eq!(code, Some(0), "{}", fs::read_to_string(folder.join("log")).unwrap());
    assert!(asked.elapsed() < PATIENCE / 10, "{:?}", asked.elapsed());
    assert!(!folder.join("pfwatch.prom").exists());
}
