//! Wrong input of every kind: one sentence that says what to do, the right exit code, and what was readable.

use crate::{Ran, capture, pcap, pfwatch, ran, run, tcp};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A sentence for each mistake, in the manner of every other command.
fn says(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, code, "{}", ran.err);
    let lines: Vec<&str> = ran.err.lines().collect();
    let [line] = lines.as_slice() else {
        panic!("one sentence, not {lines:?}")
    };
    assert!(line.starts_with("pfwatch: "), "{line}");
    for word in words {
        assert!(line.contains(word), "`{word}` is missing in: {line}");
    }
}

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, octets).unwrap();
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Both commands that read captures.
fn both(path: &Path, code: i32, words: &[&str]) -> [Ran; 2] {
    ["decode", "analyze"].map(|command| {
        let ran = ran(pfwatch().arg(command).arg(path));
        says(&ran, code, words);
        ran
    })
}

#[test]
fn usage() {
    says(&run::<&str>([]), 2, &["no command", "--help"]);
    says(&run(["frobnicate"]), 2, &["frobnicate", "--help"]);
    says(&run(["decode"]), 2, &["<FILE>", "--help"]);
    says(
        &run(["decode", "--fromat", "json", "x"]),
        2,
        &["--fromat", "similar", "--format"],
    );
    says(
        &run(["analyze", "x", "--format", "pdf"]),
        2,
        &["pdf", "[possible values: text, json, html]"],
    );
    says(
        &run(["analyze", "x", "--fail-on", "up"]),
        2,
        &["[possible values: down]"],
    );
    for segment in ["lan", "=lan.pcap", "lan="] {
        says(
            &run(["analyze", "x", "--segment", segment]),
            2,
            &["--segment", "lan=lan.pcap"],
        );
    }
}

#[test]
fn help_and_version_are_answers() {
    for (arguments, word) in [
        (["--help"].as_slice(), "decode"),
        (&["analyze", "--help"], "--segment"),
        (&["-V"], "pfwatch"),
    ] {
        let ran = run(arguments);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        assert!(ran.out.contains(word));
    }
}

#[test]
fn no_such_file() {
    let files = Files::new();
    both(&files.path("missing.pcap"), 66, &["missing.pcap", "no such file"]);
}

#[test]
fn a_directory() {
    let files = Files::new();
    both(files.0.path(), 66, &["is a directory", "name the capture files"]);
}

#[test]
fn an_empty_file() {
    let files = Files::new();
    both(&files.file("empty.pcap", b""), 65, &["empty.pcap is empty"]);
}

#[test]
fn text() {
    let files = Files::new();
    both(
        &files.file("notes.txt", b"no capture\n"),
        65,
        &["notes.txt is not a capture", "pcap and pcapng"],
    );
}

#[test]
fn a_header_without_frames() {
    let files = Files::new();
    both(
        &files.file("quiet.pcap", &pcap(1, &[])),
        65,
        &["quiet.pcap has no frames"],
    );
}

#[test]
fn a_cut_file_gives_what_is_before_the_cut() {
    let files = Files::new();
    let whole = fs::read(capture("golden/openbsd6.eth.pcap")).unwrap();
    let path = files.file("cut.pcap", &whole[..whole.len() - 7]);
    let [decoded, analyzed] = both(&path, 65, &["cut.pcap is cut", "after 15 whole frames"]);
    let all = run(["decode".as_ref(), capture("golden/openbsd6.eth.pcap").as_os_str()]);
    assert_eq!(all.code, 0);
    assert!(all.out.starts_with(&decoded.out));
    assert_eq!(decoded.out.lines().count() + 1, all.out.lines().count());
    assert!(analyzed.out.contains("172.30.0.1"), "{}", analyzed.out);
}

#[test]
fn a_link_type_that_cannot_be_read() {
    let files = Files::new();
    let path = files.file("radio.pcap", &pcap(127, &[&[0; 60]]));
    both(
        &path,
        65,
        &[
            "radio.pcap",
            "127 (802.11 with radiotap header)",
            "capture on the sync interface",
        ],
    );
    let path = files.file("odd.pcap", &pcap(4321, &[&[0; 60]]));
    both(&path, 65, &["odd.pcap", "4321"]);
}

#[test]
fn no_pfsync() {
    let files = Files::new();
    let path = files.file("web.pcap", &pcap(1, &[&tcp(), &tcp()]));
    let [decoded, analyzed] = both(
        &path,
        65,
        &["no pfsync or CARP in", "web.pcap (2 frames, Ethernet)", "protocol 240"],
    );
    assert_eq!((decoded.out.as_str(), analyzed.out.as_str()), ("", ""));
    // Advertisements alone say who was master, and nothing of any flow.
    let carp = capture(&format!("{}.wan.carp.pcap", crate::PORT_DEAD));
    let ran = run(["analyze".as_ref(), carp.as_os_str()]);
    says(&ran, 65, &["no pfsync in", "Ethernet"]);
    assert!(ran.out.contains("198.51.100.2 is master"), "{}", ran.out);
    assert_eq!(run(["decode".as_ref(), carp.as_os_str()]).code, 0);
}

#[test]
fn one_bad_file_does_not_hide_the_others() {
    let files = Files::new();
    let good = capture("golden/openbsd6.eth.pcap");
    let alone = run(["decode".as_ref(), good.as_os_str()]);
    let missing = files.path("missing.pcap");
    let text = files.file("notes.txt", b"no capture\n");
    let ran = run([
        "decode".as_ref(),
        missing.as_os_str(),
        good.as_os_str(),
        text.as_os_str(),
    ]);
    assert_eq!(ran.code, 66, "the first decides");
    assert_eq!(ran.out, alone.out);
    assert_eq!(ran.err.lines().count(), 2);
}

#[test]
fn a_bad_configuration_names_every_line() {
    let files = Files::new();
    let good = capture("golden/openbsd6.eth.pcap");
    let with = |config: &Path| ran(pfwatch().arg("analyze").arg(&good).arg("-c").arg(config));
    let one = files.file("one.toml", b"[detect]\nriks = \"1 per 10y\"\n");
    let ran = with(&one);
    says(&ran, 78, &["one.toml:2:", "did you mean `risk`?"]);
    assert_eq!(ran.out, "");
    let two = files.file("two.toml", b"[detect]\nriks = \"1 per 10y\"\nmin = 1\n");
    let ran = with(&two);
    assert_eq!(ran.code, 78);
    let lines: Vec<&str> = ran.err.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines.iter().all(|l| l.starts_with("pfwatch: ")) && lines[1].contains("two.toml:3:"),
        "{lines:?}"
    );
    says(
        &with(&files.path("missing.toml")),
        78,
        &["cannot read the configuration", "missing.toml", "no such file"],
    );
    says(
        &with(files.0.path()),
        78,
        &["cannot read the configuration", "is a directory"],
    );
}

#[test]
fn an_unknown_self() {
    let (good, config) = (capture("golden/openbsd6.eth.pcap"), capture("openbsd-pair/pair.toml"));
    let mut command = pfwatch();
    command
        .arg("analyze")
        .arg(&good)
        .arg("-c")
        .arg(&config)
        .args(["--self", "192.0.2.7"]);
    says(
        &ran(&mut command),
        2,
        &["192.0.2.7", "172.16.0.1 (fw1), 172.16.0.2 (fw2)"],
    );
    let mut command = pfwatch();
    command.arg("analyze").arg(&good).args(["--self", "fw1"]);
    says(&ran(&mut command), 2, &["fw1 is not an address", "-c"]);
}

#[test]
fn a_result_that_cannot_be_written() {
    let files = Files::new();
    let good = capture("golden/openbsd6.eth.pcap");
    let to = |out: &Path| ran(pfwatch().arg("analyze").arg(&good).arg("-o").arg(out));
    says(
        &to(&files.path("missing/report")),
        69,
        &["cannot write", "missing/report", "no such file"],
    );
    let copy = files.file("copy.pcap", &fs::read(&good).unwrap());
    let ran = ran(pfwatch().arg("analyze").arg(&copy).arg("-o").arg(&copy));
    says(&ran, 2, &["would write over an input"]);
    assert_eq!(fs::read(&copy).unwrap(), fs::read(&good).unwrap());
}

#[test]
fn sentences_for_programs() {
    let ran = run(["--log-format", "json", "decode", "missing.pcap"]);
    assert_eq!(ran.code, 66);
    let line: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(line["message"], "missing.pcap: no such file");
    assert_eq!(line["level"], "ERROR");
}

#[test]
fn a_down_that_the_good_part_proves_wins_over_the_end_of_a_file_that_is_missing() {
    let files = Files::new();
    let whole = fs::read(capture("openbsd-pair/awan_port_dead.sync.pcap.zst")).unwrap();
    let path = files.file("cut.pcap.zst", &whole[..whole.len() - 50_000]);
    let analyze = |more: &[&str]| {
        let mut command = crate::pfwatch();
        command.arg("analyze").arg(&path);
        ran(command.arg("-c").arg(capture("openbsd-pair/pair.toml")).args(more))
    };
    let json = analyze(&["--fail-on", "down", "--format", "json"]);
    assert_eq!(json.code, 1, "{}", json.err);
    assert!(json.out.contains("\"truncated\""), "{}", json.out);
    let text = analyze(&[]);
    assert_eq!(text.code, 65);
    assert!(text.out.contains("\nCAPTURE\n") && text.out.contains("cut.pcap.zst is cut"));
}

#[test]
fn where_no_pfsync_comes_from_the_nodes_that_are_configured_nothing_can_be_judged() {
    let files = Files::new();
    let pair = fs::read_to_string(capture("openbsd-pair/pair.toml")).unwrap();
    let wrong = files.file("pair.toml", pair.replace("172.16.0.", "172.17.0.").as_bytes());
    let sync = capture("openbsd-pair/awan_port_dead.sync.pcap.zst");
    let ran = run(["analyze".as_ref(), sync.as_os_str(), "-c".as_ref(), wrong.as_ref()]);
    assert_eq!(ran.code, 65, "{}", ran.err);
    let headline = ran.out.split("\n\n").next().unwrap().replace('\n', " ");
    assert!(
        headline.starts_with("Nothing can be judged: no pfsync of a configured node counts: 172.16.0.1 and"),
        "{headline}"
    );
    assert!(!ran.out.contains("idle"), "no health of strangers: {}", ran.out);
}

#[test]
fn one_capture_for_two_segments_is_refused_unless_something_tells_them_apart() {
    let lan = capture("openbsd-pair/awan_port_dead.lan.carp.pcap")
        .display()
        .to_string();
    let sync = capture("openbsd-pair/awan_port_dead.sync.pcap.zst")
        .display()
        .to_string();
    let both = |at: [&str; 2]| {
        let segments = [format!("lan={lan}{}", at[0]), format!("wan={lan}{}", at[1])];
        run(["analyze", &sync, "--segment", &segments[0], "--segment", &segments[1]])
    };
    let same = both(["", ""]);
    assert_eq!(same.code, 2);
    assert!(same.err.contains("is given for lan and for wan"), "{}", same.err);
    assert_ne!(both(["@em0", "@em1"]).code, 2);
}
