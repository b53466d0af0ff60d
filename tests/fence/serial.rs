//! A BREAK on a pseudo-terminal. The kernel's pseudo-terminals have no line and drop it, so what is looked at is the order to
//! the kernel, as strace(1) sees it.

use crate::again::{is_inside, run_behind, works};
use crate::{fence, fenced};
use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use pfwatch::act::fence::Outcome;
use pfwatch::config::{Fence, FenceKind};
use std::fs;

const TEST: &str = "serial::a_break_is_sent_on_the_line_and_on_no_other";

#[test]
fn a_break_is_sent_on_the_line_and_on_no_other() {
    if is_inside() {
        return inside();
    }
    if !works(TEST, &["strace", "-qq", "-o", "/dev/null", "true"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let file = trace.to_str().unwrap();
    run_behind(&["strace", "-f", "-qq", "-o", file, "-e", "trace=openat,ioctl"], TEST);
    let trace = fs::read_to_string(&trace).unwrap();
    let line = |what: &str| {
        let found: Vec<&str> = trace.lines().filter(|l| l.contains(what)).collect();
        assert_eq!(found.len(), 1, "{what}: {found:?}");
        found[0]
    };
    let (opened, broke) = (line("\"/dev/pts/"), line("TCSBRK"));
    for flag in ["O_RDWR", "O_NOCTTY", "O_NONBLOCK"] {
        assert!(opened.contains(flag), "{opened}");
    }
    // By the same thread, on the descriptor that it got, and the kernel took it.
    let thread = |l: &str| l.split_whitespace().next().unwrap().to_owned();
    let descriptor = opened.rsplit(" = ").next().unwrap().trim();
    let order = format!("ioctl({descriptor}, TCSBRK, 0)");
    assert!(broke.contains(&order) && broke.ends_with(" = 0"), "{opened}\n{broke}");
    assert_eq!(thread(opened), thread(broke));
}

fn inside() {
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let line = Fence {
        device: Some(ptsname_r(&master).unwrap().into()),
        ..fence(FenceKind::SerialBreak)
    };
    let report = fenced(&line);
    assert_eq!(report.outcome, Outcome::Told, "{report:?}");
    assert!(report.succeeded());
}
