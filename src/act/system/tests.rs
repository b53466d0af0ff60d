//! Real programs, as awkward as hooks get. Nothing here depends on how fast the machine is: what must have happened is
//! waited for.

use super::output::LIMIT;
use super::*;
use crate::act::stop::{Stop, pair, ready};
use nix::fcntl::OFlag;
use nix::poll::PollFlags;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

/// As good as for ever.
const LONG: Duration = Duration::from_secs(120);

fn shell(line: &str) -> Job {
    Job {
        command: Command::Shell(line.into()),
        env: Vec::new(),
        input: Vec::new(),
        timeout: LONG,
    }
}

fn argv(words: &[&str]) -> Job {
    Job {
        command: Command::Argv(words.iter().map(|w| (*w).to_owned()).collect()),
        ..shell("")
    }
}

fn run(job: &Job) -> Done {
    let (_stop, stopped) = pair().unwrap();
    System::new(stopped).run(job)
}

fn text(done: &Done) -> String {
    String::from_utf8_lossy(&done.output).into_owned()
}

/// Runs a program that never ends, with longer and longer timeouts until it had the time to say `ready`.
fn overrun(job: &Job) -> Done {
    overrun_until(job, "ready")
}

fn overrun_until(job: &Job, word: &str) -> Done {
    let mut timeout = Duration::from_millis(100);
    loop {
        let done = run(&Job { timeout, ..job.clone() });
        assert_eq!(done.end, End::Timeout, "{}", text(&done));
        assert!(done.took >= timeout);
        if text(&done).contains(word) {
            return done;
        }
        timeout *= 2;
        assert!(timeout < LONG, "it never said {word}: {}", text(&done));
    }
}

/// A named pipe by which a program shows that it lives: who holds it open is not dead.
struct Life {
    path: PathBuf,
    reader: File,
    _folder: tempfile::TempDir,
}

impl Life {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("life");
        mkfifo(&path, Mode::S_IRWXU).unwrap();
        let reader = OpenOptions::new()
            .read(true)
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open(&path)
            .unwrap();
        Self {
            path,
            reader,
            _folder: folder,
        }
    }

    fn job(&self, line: &str) -> Job {
        Job {
            env: vec![("LIFE".into(), self.path.to_str().unwrap().into())],
            ..shell(line)
        }
    }

    fn news(&mut self) -> usize {
        let asked = [Some((self.reader.as_fd(), PollFlags::POLLIN))];
        assert_eq!(ready(asked, LONG), [true], "nobody showed up, or nobody died");
        self.reader.read(&mut [0; 64]).unwrap()
    }

    fn wait_for_birth(&mut self) {
        assert!(self.news() > 0, "it died at birth");
    }

    fn wait_for_death(&mut self) {
        while self.news() > 0 {}
    }
}

/// Runs it in another thread, where it can be stopped.
fn beside(make: fn(Stopped) -> System, job: Job) -> (Stop, JoinHandle<Done>) {
    let (stop, stopped) = pair().unwrap();
    (stop, thread::spawn(move || make(stopped).run(&job)))
}

#[test]
fn arguments_environment_and_input_arrive() {
    let mut job = argv(&["sh", "-c", r#"echo "$1 $PFWATCH_EVENT"; cat"#, "sh", "a b"]);
    job.env = vec![("PFWATCH_EVENT".into(), "down; rm".into())];
    job.input = b"option=1\n".to_vec();
    let done = run(&job);
    assert_eq!(
        (done.end.clone(), text(&done).as_str()),
        (End::Exit(0), "a b down; rm\noption=1\n")
    );
    assert!(done.end.ok());
}

#[test]
fn both_outputs_come_in_order() {
    let done = run(&shell("echo 1; echo 2 >&2; echo 3; echo 4 >&2; exit 3"));
    assert_eq!((done.end.clone(), text(&done).as_str()), (End::Exit(3), "1\n2\n3\n4\n"));
}

#[test]
fn death_by_signal_is_told() {
    assert_eq!(run(&shell("kill -9 $$")).end, End::Signal(9));
}

#[test]
fn without_input_there_is_an_end_to_read() {
    assert_eq!(run(&shell("cat; echo read")).output, b"read\n");
}

#[test]
fn what_cannot_be_started_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hook");
    std::fs::write(&path, "echo\n").unwrap();
    let cases = [
        (argv(&["/nonexistent/hook"]), "install it or give its full path"),
        (argv(&[path.to_str().unwrap()]), "check its mode"),
        (argv(&[]), "name a program"),
        (argv(&["a\0b"]), "nul"),
    ];
    for (job, part) in cases {
        let done = run(&job);
        assert!(
            matches!(&done.end, End::Spawn(why) if why.contains(part)),
            "{}",
            done.end
        );
        assert!(done.output.is_empty());
    }
}

#[test]
fn input_that_nobody_reads_holds_up_nobody() {
    let job = Job {
        input: vec![b'x'; 4 << 20],
        ..shell("echo no thanks")
    };
    assert_eq!(run(&job).output, b"no thanks\n");
    let deaf = Job {
        input: job.input.clone(),
        ..shell("exec <&-; echo ready; while :; do sleep 1000; done")
    };
    overrun(&deaf);
}

#[test]
fn much_input_and_much_output_do_not_wait_for_each_other() {
    let job = Job {
        input: vec![b'x'; 1 << 20],
        ..shell("cat")
    };
    let done = run(&job);
    assert_eq!(done.end, End::Exit(0));
    assert!(done.output.starts_with(&job.input[..LIMIT]));
    assert!(text(&done).ends_with("\n[cut here: 983040 octets more were not kept]\n"));
}

#[test]
fn what_fits_is_not_cut() {
    let job = Job {
        input: vec![b'x'; LIMIT],
        ..shell("cat")
    };
    assert_eq!(run(&job).output, job.input);
}

#[test]
fn a_flood_ends_at_the_timeout_and_its_beginning_is_kept() {
    let done = overrun(&shell("echo ready; exec yes flood"));
    assert!(text(&done).starts_with("ready\nflood\n"));
    assert!(done.output.len() < LIMIT + 100);
}

#[test]
fn who_ignores_sigterm_is_killed() {
    overrun(&shell("trap '' TERM; echo ready; while :; do sleep 1000; done"));
}

#[test]
fn who_listens_to_sigterm_may_tidy_up() {
    let job = shell("trap 'echo tidy; exit 0' TERM; while :; do sleep 1000 & wait; done");
    overrun_until(&job, "tidy");
}

#[test]
fn the_timeout_ends_the_whole_group() {
    let mut life = Life::new();
    // The child ignores SIGTERM, and its parent is gone by then: it is the group that must be killed.
    let line = r#"(trap '' TERM; echo alive >&9; echo ready; while :; do sleep 1000; done) 9>"$LIFE" & wait"#;
    overrun(&life.job(line));
    life.wait_for_birth();
    life.wait_for_death();
}

#[test]
fn children_that_live_on_hold_up_nobody() {
    let mut life = Life::new();
    let line = r#"(echo $$ >&9; while :; do sleep 1000; done) 9>"$LIFE" & echo started"#;
    let done = run(&life.job(line));
    assert_eq!((done.end.clone(), text(&done).as_str()), (End::Exit(0), "started\n"));
    // They are let be: a hook may start a service.
    let mut group = [0; 64];
    let asked = [Some((life.reader.as_fd(), PollFlags::POLLIN))];
    assert_eq!(ready(asked, LONG), [true]);
    let n = life.reader.read(&mut group).unwrap();
    let group: i32 = std::str::from_utf8(&group[..n]).unwrap().trim().parse().unwrap();
    nix::sys::signal::killpg(nix::unistd::Pid::from_raw(group), nix::sys::signal::SIGKILL).unwrap();
    life.wait_for_death();
}

#[test]
fn closed_output_is_not_the_end() {
    let mut life = Life::new();
    let job = life.job(r#"exec >&- 2>&-; echo alive >"$LIFE"; exit 5"#);
    assert_eq!(run(&job).end, End::Exit(5));
    life.wait_for_birth();
    // Nor does it hide from the timeout.
    let job = Job {
        timeout: Duration::from_millis(50),
        ..shell("exec >&- 2>&-; while :; do sleep 1000; done")
    };
    assert_eq!(run(&job).end, End::Timeout);
}

#[test]
fn a_stop_ends_what_runs_and_lets_nothing_start() {
    let mut life = Life::new();
    let job = life.job(r#"exec 9>"$LIFE"; echo alive >&9; while :; do sleep 1000; done"#);
    let (stop, thread) = beside(System::new, job.clone());
    life.wait_for_birth();
    drop(stop);
    assert_eq!(thread.join().unwrap().end, End::Signal(15));
    life.wait_for_death();
    let (stop, stopped) = pair().unwrap();
    drop(stop);
    assert!(matches!(System::new(stopped).run(&job).end, End::Spawn(_)));
}

#[test]
fn without_grace_a_stop_asks_nobody() {
    let mut life = Life::new();
    let job = life.job(r#"trap '' TERM; exec 9>"$LIFE"; echo alive >&9; while :; do sleep 1000; done"#);
    let (stop, thread) = beside(System::without_grace, job);
    life.wait_for_birth();
    drop(stop);
    assert_eq!(thread.join().unwrap().end, End::Signal(9));
    life.wait_for_death();
}

#[test]
fn nobody_is_left_unreaped() {
    let done = run(&shell("echo $$"));
    let pid: i32 = text(&done).trim().parse().unwrap();
    let gone = nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(pid), None);
    assert_eq!(gone, Err(nix::errno::Errno::ECHILD));
}

#[test]
fn a_path_is_given_where_none_is_inherited() {
    assert_eq!(path(None), Some(PATH));
    assert_eq!(path(Some(OsStr::new(""))), Some(PATH));
    assert_eq!(path(Some(OsStr::new("/bin"))), None);
}

#[test]
fn programs_are_found_where_they_would_be_started() {
    assert!(find("sh").is_some_and(|p| p.ends_with("sh")));
    assert_eq!(find("/bin/sh"), Some(PathBuf::from("/bin/sh")));
    for nothing in ["no-such-program", "/no/such/program", "/etc/passwd", "/bin", ""] {
        assert_eq!(find(nothing), None, "{nothing}");
    }
}
