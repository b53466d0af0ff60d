//! Pages in a real browser: nothing is asked for elsewhere, the console stays silent, the verdict is there and everything fits.
//!
//! Where no Chromium is installed this says so and tests nothing; `make test` installs one. With `PFWATCH_TEST_PICTURES=FOLDER`
//! the pages are left there as pictures, to be looked at.
#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

mod chromium;

use chromium::Browser;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A capture, whether it is heard on the segments too, and what the first sentence begins with.
const PAGES: [(&str, &str); 4] = [
    (
        "openbsd-pair/steady2",
        "No firewall went down: traffic passed end to end through fw1 ",
    ),
    (
        "openbsd-pair/servers_dead",
        "No firewall went down: traffic passed end to end through fw1 ",
    ),
    ("openbsd-pair/far_drop_low", "fw1 (172.16.0.1) went DOWN at 01:58:11."),
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

fn keep(name: &str, base64: &str) {
    let Some(folder) = std::env::var_os("PFWATCH_TEST_PICTURES") else {
        return;
    };
    let mut decode = Command::new("base64");
    decode.arg("-d").stdin(std::process::Stdio::piped());
    decode.stdout(std::fs::File::create(Path::new(&folder).join(name)).unwrap());
    let mut child = decode.spawn().unwrap();
    child.stdin.take().unwrap().write_all(base64.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn reports_in_a_browser() {
    let Some(mut browser) = Browser::start() else {
        assert!(std::env::var_os("CI").is_none(), "no Chromium is installed");
        let _ = writeln!(std::io::stderr(), "left out: no Chromium is installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (name, verdict) in PAGES {
        let url = format!("file://{}", report(folder.path(), name).display());
        for (look, width, dark) in [("light", 1200, false), ("dark", 1200, true), ("narrow", 390, false)] {
            browser.screen(width, dark);
            (browser.requests, browser.said) = (Vec::new(), Vec::new());
            browser.open(&url);
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
            let seen = browser.value(
                "[...document.querySelectorAll('svg')].every(s => s.getBoundingClientRect().height >= 15 \
                 && s.getBoundingClientRect().width >= 250 && s.children.length > 0)",
            );
            assert_eq!(seen, json!(true), "{what}");
            assert_eq!(light(&mut browser), (!dark, dark), "{what}: paper and ink");
            keep(&format!("{}-{look}.png", name.replace('/', "-")), &browser.picture());
            assert_eq!(browser.requests, [url.as_str()], "{what}");
            assert_eq!(browser.said, [""; 0], "{what}");
        }
        let paper = browser.paper();
        keep(&format!("{}.pdf", name.replace('/', "-")), &paper);
        assert!(paper.len() > 20_000, "{name}");
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
