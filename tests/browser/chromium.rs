//! A headless Chromium that is asked over a pipe (`--remote-debugging-pipe`): messages of JSON, a zero octet behind each.
//!
//! Used by the tests of pages. Notes everything that a page asks for and everything that the console says. The browser dies
//! with its `Browser`.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A machine under load starts a browser slowly; nothing waits so long where all is well.
const PATIENCE: Duration = Duration::from_secs(120);

/// The browser with one page in it.
pub(crate) struct Browser {
    child: Child,
    answers: Receiver<Value>,
    session: String,
    last: u64,
    /// Addresses that were asked for.
    pub(crate) requests: Vec<String>,
    /// Whatever the console, the log of the browser or an exception said.
    pub(crate) said: Vec<String>,
    loaded: bool,
    _profile: tempfile::TempDir,
}

/// Where it is, if it is installed.
fn program() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    folders
        .iter()
        .flat_map(|f| names.map(|n| f.join(n)))
        .find(|p| p.is_file())
}

impl Browser {
    /// Starts one; `None` if there is none.
    pub(crate) fn start() -> Option<Self> {
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new("/bin/sh");
        // Our two pipes become the two that it speaks on.
        command.args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null"]);
        command.arg(program()?).args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--no-first-run",
            "--disable-background-networking",
            "--remote-debugging-pipe",
        ]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        // With all its helpers it is ended at once.
        let mut child = command.process_group(0).spawn().unwrap();
        let (sender, answers) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for message in out.split(0).map_while(Result::ok) {
                let value = serde_json::from_slice(&message).unwrap_or_default();
                if sender.send(value).is_err() {
                    break;
                }
            }
        });
        let mut browser = Self {
            child,
            answers,
            session: String::new(),
            last: 0,
            requests: Vec::new(),
            said: Vec::new(),
            loaded: false,
            _profile: profile,
        };
        let page = browser.ask("Target.createTarget", json!({"url": "about:blank"}));
        let target = json!({"targetId": page["targetId"], "flatten": true});
        let session = browser.ask("Target.attachToTarget", target)["sessionId"].take();
        session.as_str().unwrap().clone_into(&mut browser.session);
        for room in ["Page", "Runtime", "Log", "Network"] {
            browser.ask(&format!("{room}.enable"), json!({}));
        }
        Some(browser)
    }

    /// How the screen is: its width, a taste for the dark.
    pub(crate) fn screen(&mut self, width: u32, dark: bool) {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.ask("Emulation.setDeviceMetricsOverride", size);
        let scheme = if dark { "dark" } else { "light" };
        let feature = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.ask("Emulation.setEmulatedMedia", feature);
    }

    /// Goes there and waits until everything is loaded.
    pub(crate) fn open(&mut self, url: &str) {
        self.loaded = false;
        let went = self.ask("Page.navigate", json!({"url": url}));
        assert!(went["errorText"].is_null(), "{url}: {went}");
        while !self.loaded {
            self.hear();
        }
    }

    /// What an expression is worth there.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let mut answer = self.ask(
            "Runtime.evaluate",
            json!({"expression": expression, "returnByValue": true}),
        );
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].take()
    }

    /// The whole page as a PNG in base64.
    pub(crate) fn picture(&mut self) -> String {
        let whole = json!({"format": "png", "captureBeyondViewport": true});
        self.ask("Page.captureScreenshot", whole)["data"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Its upper left corner, of that size, as large as `scale` says.
    pub(crate) fn part(&mut self, (width, height): (u32, u32), scale: f64) -> String {
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": scale});
        let part = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        self.ask("Page.captureScreenshot", part)["data"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The printed document as a PDF in base64.
    pub(crate) fn paper(&mut self) -> String {
        let a4 = json!({"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": false});
        self.ask("Page.printToPDF", a4)["data"].as_str().unwrap().to_owned()
    }

    fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": parameters});
        if !self.session.is_empty() {
            message["sessionId"] = self.session.as_str().into();
        }
        let pipe = self.child.stdin.as_mut().unwrap();
        pipe.write_all(format!("{message}\0").as_bytes()).unwrap();
        pipe.flush().unwrap();
        loop {
            let mut answer = self.hear();
            if answer["id"] == self.last {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].take();
            }
        }
    }

    fn hear(&mut self) -> Value {
        let message = self.answers.recv_timeout(PATIENCE).expect("the browser went away");
        let p = &message["params"];
        match message["method"].as_str().unwrap_or_default() {
            "Network.requestWillBeSent" => self
                .requests
                .push(p["request"]["url"].as_str().unwrap_or("?").to_owned()),
            "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" => self.said.push(p.to_string()),
            "Log.entryAdded" => self.said.push(p["entry"]["text"].to_string()),
            "Page.loadEventFired" => self.loaded = true,
            _ => {}
        }
        message
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let group = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
        let _ = self.child.wait();
    }
}
