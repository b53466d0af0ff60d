//! Pages in a real browser: nothing is asked for elsewhere, the console stays silent, the verdict is there and everything fits;
//! and the live view of a terminal, which needs no browser but for its picture.
//!
//! Where no Chromium is installed this says so and tests nothing; `make test` installs one. With `PFWATCH_TEST_PICTURES=FOLDER`
//! the pages are left there as pictures, to be looked at.
#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

mod chromium;
mod screen;

use chromium::Browser;
use pfwatch::event::{Event, Health};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A capture, and what the first sentence begins with: steady, in doubt, down, down in a pair that came apart.
const PAGES: [(&str, &str); 4] = [
    (
        "openbsd-pair/steady2",
        "No firewall went down: traffic passed end to end through fw1 ",
    ),
    (
        "openbsd-pair/servers_dead",
        "No firewall was found down, but we did not hear for 5.2 s",
    ),
    (
        "openbsd-pair/far_drop_low",
        "What went out through fw1 (172.16.0.1) did not come back from 01:58:11.",
    ),
    ("openbsd-pair/awan_port_dead", "fw1 (172.16.0.1) went DOWN at 01:58:10."),
];

/// Writes the report of a shipped capture and gives its place.
fn report(folder: &Path, name: &str) -> PathBuf {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let out = folder.join(format!("{}.html", name.replace('/', "-")));
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfwatch"));
    command
        .args(["analyze", "--format", "html", "--self", "172.16.0.2", "-o"])
        .arg(&out);
    command.arg(captures.join(format!("{name}.sync.pcap.zst")));
    command.arg("-c").arg(captures.join("openbsd-pair/pair.toml"));
    for net in ["lan", "wan"] {
        let file = captures.join(format!("{name}.{net}.carp.pcap"));
        command.arg("--segment").arg(format!("{net}={}", file.display()));
    }
    assert!(command.status().unwrap().success());
    out
}

/// base64, without what would make it a dependency.
fn to_octets(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u8> = text.bytes().filter_map(value).collect();
    let group = |digits: &[u8]| {
        let word = digits.iter().fold(0, |word, d| word << 6 | u32::from(*d)) << (6 * (4 - digits.len()));
        word.to_be_bytes()[1..digits.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}

fn keep(name: &str, base64: &str) {
    if let Some(folder) = std::env::var_os("PFWATCH_TEST_PICTURES") {
        std::fs::write(Path::new(&folder).join(name), to_octets(base64)).unwrap();
    }
}

fn browser() -> Option<Browser> {
    let browser = Browser::start();
    if browser.is_none() {
        assert!(std::env::var_os("CI").is_none(), "no Chromium is installed");
        let _ = writeln!(std::io::stderr(), "left out: no Chromium is installed");
    }
    browser
}

/// Looks at a page by day, by night and on a phone: it says what it must, all of it is to be seen (charts at least so wide), it
/// asks nobody else and has nothing to complain of.
fn look_at(browser: &mut Browser, url: &str, name: &str, verdict: &str, wide: u32) {
    for (look, width, dark) in [("light", 1200, false), ("dark", 1200, true), ("narrow", 390, false)] {
        browser.screen(width, dark);
        (browser.requests, browser.said) = (Vec::new(), Vec::new());
        browser.open(url);
        let what = format!("{name}, {look}");
        let said = browser
            .value("document.querySelector('h1').innerText")
            .as_str()
            .unwrap()
            .replace('\u{a0}', " ");
        assert!(said.starts_with(verdict), "{what}: {said}");
        assert_eq!(browser.value("document.compatMode"), json!("CSS1Compat"), "{what}");
        // Whatever does not fit would have to be looked for.
        let width = json!(width);
        assert_eq!(browser.value("document.documentElement.scrollWidth"), width, "{what}");
        let seen = browser.value(&format!(
            "[...document.querySelectorAll('svg')].every(s => s.getBoundingClientRect().height >= 15 \
             && s.getBoundingClientRect().width >= {wide} && s.children.length > 0)"
        ));
        assert_eq!(seen, json!(true), "{what}");
        assert_eq!(light(browser), (!dark, dark), "{what}: paper and ink");
        keep(&format!("{}-{look}.png", name.replace('/', "-")), &browser.picture());
        assert!(
            browser.requests.iter().all(|r| r.starts_with(url)),
            "{what}: {:?}",
            browser.requests
        );
        assert_eq!(browser.said, [""; 0], "{what}");
    }
}

#[test]
fn reports_in_a_browser() {
    let Some(mut browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (name, verdict) in PAGES {
        let url = format!("file://{}", report(folder.path(), name).display());
        look_at(&mut browser, &url, name, verdict, 250);
        assert_eq!(browser.requests, [url.as_str()], "{name}");
        let paper = browser.paper();
        keep(&format!("{}.pdf", name.replace('/', "-")), &paper);
        assert!(paper.len() > 20_000, "{name}");
    }
}

/// The live page at the moments at which the live view is looked at.
#[test]
fn the_live_page_in_a_browser() {
    let Some(mut browser) = browser() else { return };
    for (name, moment, verdict) in [
        (
            "steady2",
            screen::watched("openbsd-pair/steady2", |_| false, Duration::ZERO),
            "All is well: traffic passes end to end through fw1",
        ),
        (
            "servers_dead",
            screen::watched("openbsd-pair/servers_dead", is_doubt, Duration::from_secs(1)),
            "fw1 is in doubt: ",
        ),
        (
            "awan_port_dead",
            screen::watched("openbsd-pair/awan_port_dead", is_decision, Duration::from_secs(24)),
            "fw1 is DOWN since 01:58:10",
        ),
    ] {
        let web = screen::served(moment.1);
        let url = format!("http://{}/", web.addresses()[0]);
        look_at(&mut browser, &url, &format!("page/{name}"), verdict, 150);
        for words in [
            "Unsynchronised since",
            "fw1 is missing from wan",
            "held back: fw1 is the one that lost a segment",
            "only observes and would be promoted",
        ] {
            let said = browser.value(&format!("document.body.innerText.includes('{words}')"));
            assert_eq!(said, json!(name == "awan_port_dead"), "{name}: {words}");
        }
        let marked = browser.value("[...document.querySelectorAll('tr.bad')].map(r => r.cells[0].innerText).join()");
        assert_eq!(
            marked,
            json!(if name == "awan_port_dead" { "wan" } else { "" }),
            "{name}"
        );
    }
}

/// Nothing is taken from whoever marks text, and the page does not look newer than it is.
#[test]
#[expect(clippy::disallowed_methods, reason = "the page asks again each second")]
fn the_live_page_pauses_while_text_is_marked() {
    let Some(mut browser) = browser() else { return };
    let web = screen::served(screen::watched("openbsd-pair/steady2", |_| false, Duration::ZERO).1);
    browser.screen(860, false);
    browser.open(&format!("http://{}/", web.addresses()[0]));
    for (what, paused) in [
        ("getSelection().selectAllChildren(document.querySelector('h1'))", true),
        ("getSelection().removeAllRanges()", false),
    ] {
        browser.value(what);
        let line = "(l => l.hidden ? '' : l.innerText)(document.getElementById('lost'))";
        let mut shown = String::new();
        let came = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            shown = browser.value(line).as_str().unwrap().to_owned();
            shown.starts_with("Paused while text is marked") == paused
        });
        assert!(came, "{what}: {shown}");
    }
}

/// Whether paper and ink are light.
fn light(browser: &mut Browser) -> (bool, bool) {
    let mut light = |what: &str| {
        let style = format!("getComputedStyle(document.body).{what}.match(/\\d+/g).slice(0, 3).every(n => n > 128)");
        browser.value(&style) == Value::Bool(true)
    };
    (light("backgroundColor"), light("color"))
}

fn is_decision(event: &Event) -> bool {
    matches!(event, Event::Decision(_))
}

fn is_doubt(event: &Event) -> bool {
    matches!(event, Event::Verdict(v) if v.to == Health::Suspect)
}

/// The live view in 80 columns and 24 lines, at moments that an operator will see.
#[test]
fn the_live_view_of_real_failures() {
    let nothing: fn(&Event) -> bool = |_| false;
    let shown = |name: &str, is_it, longer| {
        let drawn = screen::text(&screen::screen(&screen::watched(name, is_it, longer).0, 80, 24));
        if let Some(folder) = std::env::var_os("PFWATCH_TEST_PICTURES") {
            std::fs::write(
                Path::new(&folder).join(format!("{}.txt", name.replace('/', "-"))),
                &drawn,
            )
            .unwrap();
        }
        drawn
    };
    let steady = shown("openbsd-pair/steady2", nothing, Duration::ZERO);
    let doubt = shown("openbsd-pair/servers_dead", is_doubt, Duration::from_secs(1));
    let torn = shown("openbsd-pair/awan_port_dead", is_decision, Duration::from_secs(24));
    let table: [(&str, &[&str]); 3] = [
        (
            &steady,
            &[
                "All is well: traffic passes end to end through fw1",
                "lan 11: fw1",
                "em2 (sync)",
            ],
        ),
        (&doubt, &["fw1 is in doubt: ", "fw1   suspect"]),
        (
            &torn,
            &[
                "fw1 is DOWN since 01:58:10",
                "fw1   DOWN",
                "CARP IS UNSYNCHRONISED: fw1 is missing from wan, so fw2 is held back",
                "9.3 held",
                "wan 12: fw2",
                "would promote fw2",
            ],
        ),
    ];
    for (drawn, expected) in table {
        assert!(
            drawn.lines().count() == 24 && drawn.ends_with("q quits; once a second"),
            "{drawn}"
        );
        for words in expected {
            assert!(drawn.contains(words), "{words} in\n{drawn}");
        }
        // Nobody was answered for all the seconds that are shown, and the tries go on.
        let bars = |what: &str| {
            drawn
                .lines()
                .any(|l| l.contains(what) && l.contains(['▁', '▂', '▃', '▅', '▇', '█']))
        };
        assert!(bars(" unanswered "), "{drawn}");
        assert_eq!(bars(" answered "), !drawn.contains("DOWN"), "{drawn}");
    }
}

/// `make pictures`: what the README shows, from a shipped capture.
#[test]
#[ignore = "it writes into docs/pictures"]
fn pictures() {
    let mut browser = Browser::start().expect("no Chromium is installed");
    let (folder, out) = (
        tempfile::tempdir().unwrap(),
        Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures"),
    );
    std::fs::create_dir_all(&out).unwrap();
    let name = "openbsd-pair/awan_port_dead";
    let (torn, status) = screen::watched(name, is_decision, Duration::from_secs(24));
    let web = screen::served(status);
    let live = format!("http://{}/", web.addresses()[0]);
    let terminal = folder.path().join("terminal.html");
    std::fs::write(&terminal, screen::page(&screen::screen(&torn, 96, 25))).unwrap();
    let local = |page: &Path| format!("file://{}", page.display());
    let report = local(&report(folder.path(), name));
    for (file, page, size, scale) in [
        ("report.png", report, Some((860, 920)), 0.9),
        ("page.png", live, Some((860, 1110)), 0.9),
        ("terminal.png", local(&terminal), None, 1.0),
    ] {
        browser.screen(860, false);
        browser.open(&page);
        let size = size.unwrap_or_else(|| {
            let size = browser
                .value("(({width, height}) => [width, height])(document.querySelector('pre').getBoundingClientRect())");
            let whole = |i: usize| size[i].as_f64().unwrap().ceil();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the size of a screen"
            )]
            (whole(0) as u32, whole(1) as u32)
        });
        let octets = to_octets(&browser.part(size, scale));
        assert!(
            octets.len() < 150_000,
            "{file}: {} octets are too many for a README",
            octets.len()
        );
        std::fs::write(out.join(file), octets).unwrap();
    }
}
