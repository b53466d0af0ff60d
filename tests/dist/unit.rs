//! The systemd unit: systemd understands it, and what it starts says that it is ready, with no more rights than it gives.

use crate::{BUILT, INSTALLED, Stage, here, ran, read, say};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
const UNIT: &str = "systemd/pfwatch.service";

fn value(key: &str) -> String {
    let unit = read(UNIT);
    let line = unit.lines().find_map(|l| l.strip_prefix(&format!("{key}=")));
    line.unwrap_or_else(|| panic!("no {key}")).to_owned()
}

#[test]
fn systemd_understands_it() {
    if !here("systemd-analyze", "systemd_understands_it") {
        return;
    }
    let (_, version, _) = ran(Command::new("systemd-analyze").arg("--version"));
    let version: u32 = version.split_whitespace().nth(1).unwrap().parse().unwrap();
    let mut unit = read(UNIT).replace(INSTALLED, BUILT);
    if version < 253 {
        // What the unit itself says to write then.
        let older: Vec<&str> = unit.lines().filter_map(|l| l.strip_prefix("#   ")).collect();
        assert_eq!(older.len(), 2);
        unit = unit.replace("\nType=notify-reload\n", &format!("\n{}\n", older.join("\n")));
    }
    let stage = Stage::new(&[]);
    let path = stage.path("pfwatch.service");
    fs::write(&path, &unit).unwrap();
    let (code, out, err) = ran(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path));
    assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "", ""));
    // It can find fault.
    fs::write(&path, unit.replace("WatchdogSec", "WatchdogSecs")).unwrap();
    let (_, _, err) = ran(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path));
    assert!(err.contains("WatchdogSecs"), "{err}");
}

struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The rights of the unit, where the tool and the user that could take others away are there.
fn with_its_rights() -> Option<Command> {
    let rights: Vec<String> = value("CapabilityBoundingSet")
        .split(' ')
        .map(|c| format!("+{}", c.trim_start_matches("CAP_").to_lowercase()))
        .collect();
    let bound = format!("--bounding-set=-all,{}", rights.join(","));
    let limited = || {
        let mut command = Command::new("setpriv");
        command.args([&bound, "--inh-caps=-all", "--no-new-privs"]);
        command
    };
    let tried = limited().arg("true").output();
    tried.is_ok_and(|o| o.status.success()).then(limited)
}

#[test]
fn what_it_starts_is_ready() {
    let stage = Stage::new(&[]);
    let config = stage.path("pfwatch.toml");
    // A group makes it give the socket away, for which it needs a right of its own.
    let text = format!(
        "[sync]\ninterface = \"lo\"\n[control]\nsocket = \"{}\"\ngroup = \"daemon\"\n",
        stage.path("s").display()
    );
    fs::write(&config, text).unwrap();
    let line = value("ExecStart").replace(INSTALLED, BUILT);
    let line = line.replace("/etc/pfwatch.toml", &config.display().to_string());
    let words: Vec<&str> = line.split(' ').collect();
    let limited = with_its_rights();
    if limited.is_none() {
        say(format_args!(
            "the rights of {UNIT} are not tried: it needs root and setpriv"
        ));
    }
    let mut command = limited.unwrap_or_else(|| Command::new("env"));
    let path = stage.path("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    command
        .args(words)
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "200000");
    let mut child = Owned(command.stderr(Stdio::piped()).spawn().unwrap());
    let mut heard = Vec::new();
    for _ in 0..PATIENCE.as_millis() / 100 {
        let mut octets = [0; 1024];
        match manager.recv(&mut octets) {
            Ok(n) => heard.push(String::from_utf8_lossy(&octets[..n]).trim().to_owned()),
            Err(e) if e.kind() == ErrorKind::WouldBlock => {}
            Err(e) => panic!("{e}"),
        }
        let all = ["READY=1", "STATUS=observing", "WATCHDOG=1"];
        if all.iter().all(|what| heard.iter().any(|h| h.starts_with(what))) {
            // With the rights that it has it could give the socket to the group.
            assert!(stage.path("s").exists());
            return;
        }
        if child.0.try_wait().unwrap().is_some() {
            let said = std::io::read_to_string(child.0.stderr.take().unwrap()).unwrap();
            // Where nobody may listen there is nothing to test; everything else is a right that is missing.
            let refused = said.contains(" lo") && !said.contains("socket");
            assert!(refused, "{said}");
            return;
        }
    }
    panic!("{heard:?}");
}
