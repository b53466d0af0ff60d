//! A BMC, by OpenIPMI's ipmi_sim, with a machine behind it: a process that is killed when the power goes off.

use crate::again::works;
use std::fs::{self, Permissions};
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "s3cret";

/// What ipmi_sim asks about the chassis, and tells it. `stuck`: a relay that does not open any more.
const CHASSIS: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 1
echo "$@" >>orders
verb=$1
shift
case $verb in
get) if kill -0 "$(cat machine)" 2>/dev/null; then echo "$1:1"; else echo "$1:0"; fi ;;
set) [ -e stuck ] || [ "$1 $2" != "power 0" ] || kill -9 "$(cat machine)" ;;
esac
"#;

/// All of it; gone when dropped.
pub(crate) struct Bmc {
    pub(crate) folder: TempDir,
    port: u16,
    simulator: Child,
    machine: u32,
    end: Option<JoinHandle<ExitStatus>>,
}

impl Bmc {
    /// Starts it with the machine running; none where that cannot be.
    pub(crate) fn start(test: &str) -> Option<Self> {
        // The one has a version, the other only a usage.
        if !works(test, &["fence_ipmilan", "--version"]) || !works(test, &["sh", "-c", "command -v ipmi_sim ipmitool"])
        {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        // Whoever takes the port before the simulator does makes the test fail, not pass.
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut machine = Command::new("sleep").arg("100000").spawn().unwrap();
        let number = machine.id();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("machine", &number.to_string());
        write("chassis", CHASSIS);
        fs::set_permissions(folder.path().join("chassis"), Permissions::from_mode(0o755)).unwrap();
        write(
            "emulation",
            "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\nmc_enable 0x20\n",
        );
        let chassis = folder.path().join("chassis");
        let auth = ["callback", "user", "operator", "admin"]
            .map(|level| format!("    allowed_auths_{level} none md2 md5 straight\n"))
            .concat();
        write(
            "lan",
            &format!(
                "name \"fw2\"\nset_working_mc 0x20\n  startlan 1\n    addr 127.0.0.1 {port}\n    priv_limit admin\n{auth}    \
                 guid a123456789abcdefa123456789abcdef\n  endlan\n  chassis_control \"{}\"\n  \
                 user 1 true \"\" \"\" user 10 none md2 md5 straight\n  \
                 user 2 true \"pfwatch\" \"{PASSWORD}\" admin 10 none md2 md5 straight\n",
                chassis.display()
            ),
        );
        let simulator = Command::new("ipmi_sim")
            .args(["-n", "-c", "lan", "-f", "emulation", "-s", "."])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Some(Self {
            folder,
            port,
            simulator,
            machine: number,
            // Whoever is killed and not waited for still seems to live.
            end: Some(thread::spawn(move || machine.wait().unwrap())),
        })
    }

    /// Options for fence_ipmilan, readable by nobody else.
    pub(crate) fn options(&self, password: &str) -> PathBuf {
        let path = self.folder.path().join("options");
        let port = self.port;
        let text = format!(
            "ip=127.0.0.1\nipport={port}\nusername=pfwatch\npassword={password}\nlanplus=1\ncipher=3\npower_timeout=5\n"
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// The relay does not open any more.
    pub(crate) fn stick(&self, stuck: bool) {
        let path = self.folder.path().join("stuck");
        if stuck {
            fs::write(path, "").unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }

    /// Nothing is answered, as on a network that is cut; or it is again.
    pub(crate) fn hang(&self, hangs: bool) {
        let signal = if hangs { "-STOP" } else { "-CONT" };
        let status = Command::new("kill")
            .args([signal, &self.simulator.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    pub(crate) fn runs(&self) -> bool {
        self.end.as_ref().is_some_and(|end| !end.is_finished())
    }

    /// Waits for the machine's end and returns the signal that ended it.
    pub(crate) fn ended_by(&mut self) -> Option<i32> {
        self.end.take().unwrap().join().unwrap().signal()
    }

    /// What the chassis was told to do, without the questions.
    pub(crate) fn orders(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join("orders")).unwrap_or_default();
        text.lines()
            .filter(|l| l.starts_with("set"))
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Bmc {
    fn drop(&mut self) {
        let _ = self.simulator.kill();
        let _ = self.simulator.wait();
        if self.runs() {
            let _ = Command::new("kill").args(["-9", &self.machine.to_string()]).status();
        }
    }
}
