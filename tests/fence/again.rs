//! Running a test again, inside of something: a tracer, a network namespace.

use std::io::Write;
use std::process::{Command, Stdio};

const MARK: &str = "PFWATCH_TEST_INSIDE";

pub(crate) fn say(what: std::fmt::Arguments<'_>) {
    // Not captured, so that a test that is left out says so.
    let _ = writeln!(std::io::stderr(), "{what}");
}

/// We are inside already.
pub(crate) fn is_inside() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Runs the test once more, behind these words.
pub(crate) fn run_behind(words: &[&str], test: &str) {
    let (program, arguments) = words.split_first().unwrap();
    let mut command = Command::new(program);
    command.args(arguments).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", test]).env(MARK, "1");
    let status = command.status().unwrap();
    assert!(status.success(), "{words:?} {test}: {status}");
}

/// The command can be run and ends well; if not, says that the test is left out.
pub(crate) fn works(test: &str, words: &[&str]) -> bool {
    let (program, arguments) = words.split_first().unwrap();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let works = command.status().is_ok_and(|s| s.success());
    if !works {
        say(format_args!(
            "{test} is left out: `{}` does not work here",
            words.join(" ")
        ));
    }
    works
}
