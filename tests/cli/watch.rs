//! `status --watch` on a real terminal: script(1) makes one, 80 columns wide and 24 lines high, and shows us what is drawn.

use crate::control::{Daemon, pair};
use crate::{pfwatch, ran};
use std::fs;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
/// Another screen, and back.
const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?1049l";
const CURSOR: &str = "\x1b[?25h";

/// A shell on a terminal that runs the live view and says afterwards how the terminal is.
struct Terminal {
    child: Child,
    drawn: Receiver<Vec<u8>>,
    all: String,
}

impl Terminal {
    fn open(daemon: &Daemon, environment: &str) -> Self {
        let binary = env!("CARGO_BIN_EXE_pfwatch");
        let folder = daemon.folder.path().display().to_string();
        let shell = format!(
            "stty cols 80 rows 24; tty >{folder}/tty; \
             sh -c 'echo $$ >{folder}/pid; exec env TERM=xterm-256color LC_ALL=C.UTF-8 {environment} {binary} status --watch --socket {}'; \
             echo \"ended with $?\"; stty -a",
            daemon.socket()
        );
        let mut command = Command::new("script");
        command.args(["-qec", &shell, "/dev/null"]).env("SHELL", "/bin/sh");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, drawn) = channel();
        let mut out = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = out.read(&mut buffer) {
                if sender.send(buffer[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        let all = String::new();
        Self { child, drawn, all }
    }

    /// Waits until it is drawn, and forgets what was before it.
    fn until(&mut self, words: &str) -> String {
        loop {
            if let Some(at) = self.all.find(words) {
                let rest = self.all.split_off(at + words.len());
                return std::mem::replace(&mut self.all, rest);
            }
            let more = self.drawn.recv_timeout(PATIENCE);
            let more = more.unwrap_or_else(|_| panic!("{words:?} does not come after {:?}", self.all));
            self.all.push_str(&String::from_utf8_lossy(&more));
        }
    }

    fn press(&mut self, keys: &str) {
        let keyboard = self.child.stdin.as_mut().unwrap();
        keyboard.write_all(keys.as_bytes()).unwrap();
        keyboard.flush().unwrap();
    }

    /// The exit code is 0, the screen is the one from before, and the terminal speaks with people again.
    fn must_be_put_back(mut self) {
        self.until(LEAVE);
        self.until(CURSOR);
        self.until("ended with 0");
        let modes = self.until("-crtscts") + &self.until("echoke");
        for off in ["-icanon", "-echo ", "-isig"] {
            assert!(!modes.contains(off), "{off} in {modes}");
        }
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_draws_follows_grows_and_ends_with_a_key() {
    let daemon = Daemon::new(pair());
    let mut terminal = Terminal::open(&daemon, "");
    terminal.until(ENTER);
    let first = terminal.until("FIREWALLS");
    assert!(first.contains("38;5;1;"), "down is red: {first:?}");
    terminal.until("fw1");
    // News are drawn, and only they.
    let mut news = pair();
    news.nodes[1].health = "suspect".into();
    news.nodes[1].paths[0].health = "suspect".into();
    assert!(daemon.board.publish(news, daemon.clock.now()));
    terminal.until("suspect");
    // Another size is drawn anew at once: the last line is another.
    let tty = fs::read_to_string(daemon.folder.path().join("tty")).unwrap();
    let resized = Command::new("stty")
        .args(["-F", tty.trim(), "cols", "60", "rows", "12"])
        .status();
    assert!(resized.unwrap().success());
    terminal.until("\x1b[12;1H");
    terminal.until("quits");
    terminal.press("q");
    terminal.must_be_put_back();
}

#[test]
fn a_signal_puts_the_terminal_back_too_and_without_colours_nothing_is_coloured() {
    let daemon = Daemon::new(pair());
    let mut terminal = Terminal::open(&daemon, "NO_COLOR=1");
    terminal.until(ENTER);
    let drawn = terminal.until("FIREWALLS") + &terminal.until("quits");
    let coloured = (31..38)
        .chain(91..98)
        .find(|n| drawn.contains(&format!("[{n}m")) || drawn.contains(&format!(";{n}m")));
    assert_eq!((coloured, drawn.contains("38;5;")), (None, false), "{drawn:?}");
    let pid = fs::read_to_string(daemon.folder.path().join("pid")).unwrap();
    assert!(
        Command::new("kill")
            .args(["-TERM", pid.trim()])
            .status()
            .unwrap()
            .success()
    );
    terminal.must_be_put_back();
}

#[test]
fn a_daemon_that_goes_away_is_called_gone() {
    let daemon = Daemon::new(pair());
    let mut terminal = Terminal::open(&daemon, "");
    terminal.until("FIREWALLS");
    fs::remove_file(daemon.socket()).unwrap();
    terminal.until("ANSWER:");
    terminal.press("\x03");
    terminal.must_be_put_back();
}

/// The window was closed, or the connection is gone: nothing goes on alone, least of all at full speed.
#[test]
fn a_terminal_that_is_gone_ends_it() {
    let daemon = Daemon::new(pair());
    let mut terminal = Terminal::open(&daemon, "");
    terminal.until("FIREWALLS");
    let pid = fs::read_to_string(daemon.folder.path().join("pid")).unwrap();
    let stat = format!("/proc/{}/stat", pid.trim());
    // script(1) is not asked: it would end what runs in it.
    drop(terminal);
    let lives = || fs::read_to_string(&stat).is_ok_and(|s| s.contains("(pfwatch)") && !s.contains(") Z "));
    for _ in 0..6_000 {
        if !lives() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    panic!("it goes on without a terminal");
}

/// No terminal: one page after the other, until the reader leaves.
#[test]
fn elsewhere_one_page_follows_the_other() {
    let daemon = Daemon::new(pair());
    let socket = daemon.socket();
    let one = ran(pfwatch().args(["status", "--socket", &socket])).out;
    let lines = one.lines().count();
    let binary = env!("CARGO_BIN_EXE_pfwatch");
    // Of the second page only the beginning, so that it is all over in a second.
    let watch = format!("{binary} status --watch --socket {socket} | head -n {}", lines + 8);
    let mut command = Command::new("sh");
    command.args(["-c", &watch]).env("TERM", "xterm");
    let out = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert_eq!(out.matches("\nNODES\n").count(), 2, "{out}");
    assert!(!out.contains('\x1b'), "{out}");
}
