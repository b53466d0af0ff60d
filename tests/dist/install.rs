//! `make install` puts everything where the pages say it is, with either make, and `make uninstall` leaves nothing.

use crate::{BUILT, Stage, here, ran};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

fn install_with(make: &str) {
    let stage = Stage::new(&[]);
    let root = stage.path("root");
    let run = |target: &str, more: &[&str]| {
        let mut command = Command::new(make);
        command.current_dir(env!("CARGO_MANIFEST_DIR")).arg(target).args(more);
        // Not those of a make that runs this test.
        command
            .env_remove("MAKEFLAGS")
            .env_remove("MFLAGS")
            .env_remove("MAKELEVEL");
        ran(command.arg(format!("DESTDIR={}", root.display())))
    };
    let binary = format!("BIN={BUILT}");
    let (code, out, err) = run("install", &[&binary]);
    assert_eq!(code, Some(0), "{make}: {out}{err}");
    let mode = |name: &str| {
        let path = root.join("usr/local").join(name);
        let data = fs::metadata(&path).unwrap_or_else(|e| panic!("{make}: {}: {e}", path.display()));
        data.permissions().mode() & 0o777
    };
    assert_eq!(mode("bin/pfwatch"), 0o755);
    assert_eq!(mode("man/man8/pfwatch.8"), 0o644);
    assert_eq!(mode("man/man5/pfwatch.toml.5"), 0o644);
    assert_eq!(mode("share/examples/pfwatch/pfwatch.toml"), 0o644);
    assert_eq!(mode("share/examples/pfwatch/freebsd/pfwatch.rc"), 0o755);
    let (code, _, _) = ran(Command::new(root.join("usr/local/bin/pfwatch")).arg("--version"));
    assert_eq!(code, Some(0));
    assert_eq!(run("uninstall", &[]).0, Some(0));
    let left = files(&root);
    assert!(left.is_empty(), "{make}: {left:?}");
    // Without a binary it says what to do first, and installs nothing.
    let (code, out, err) = run("install", &["BIN=/no/such/binary"]);
    assert!(
        code != Some(0) && format!("{out}{err}").contains("run make first"),
        "{make}: {out}{err}"
    );
    assert!(files(&root).is_empty());
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let of = |path: &Path| match path.is_dir() {
        true => files(path),
        false => vec![path.display().to_string()],
    };
    entries.flat_map(|e| of(&e.unwrap().path())).collect()
}

#[test]
fn gnu_make_installs() {
    if here("make", "gnu_make_installs") {
        install_with("make");
    }
}

#[test]
fn bsd_make_installs() {
    if here("bmake", "bsd_make_installs") {
        install_with("bmake");
    }
}
