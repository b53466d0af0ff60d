//! `analyze --format html`: one well-formed page that says the same as the text, holds nothing foreign and stays small.

use crate::{capture, pcap, pfwatch, port_dead, ran};
use roxmltree::{Document, Node, ParsingOptions};
use std::fs;
use std::path::Path;

/// Parsed as strictly as XML, which HTML need not be and this is.
fn parse(page: &str) -> Document<'_> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(page, options).unwrap()
}

/// All text below, with plain blanks.
fn text(node: Node<'_, '_>) -> String {
    let parts: String = node
        .descendants()
        .filter(Node::is_text)
        .filter_map(|n| n.text())
        .collect();
    parts.replace('\u{a0}', " ")
}

fn all<'a>(page: &'a Document<'_>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    page.descendants().filter(move |n| n.has_tag_name(name))
}

fn page() -> String {
    let ran = ran(port_dead().args(["--format", "html"]));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    ran.out
}

#[test]
fn it_says_what_the_text_says_in_the_order_in_which_it_matters() {
    let said = ran(&mut port_dead()).out;
    let (page, sentence) = (page(), said.split("\n\n").next().unwrap().replace('\n', " "));
    let page = parse(&page);
    let verdict = text(all(&page, "h1").next().unwrap());
    assert!(sentence.starts_with(verdict.trim_end()), "{verdict}\n{sentence}");
    assert!(
        verdict.starts_with("fw1 (172.16.0.1) went DOWN at 01:58:10."),
        "{verdict}"
    );
    let headings: Vec<String> = all(&page, "h2").map(text).collect();
    let expected = [
        "What pfwatch would have done beside fw2",
        "What to do next",
        "The firewalls over time",
        "Who was CARP master",
        "What happened (UTC)",
        "How close to a false alarm",
        "Messages",
        "Errors",
        "What was read",
    ];
    assert_eq!(headings, expected);
    let whole = text(page.root_element());
    for words in [
        "fw1's port on wan",
        "promote fw2 in place of fw1",
        "down 1 min 30 s",
        "wan vhid 12",
        "UPD_C",
    ] {
        assert!(whole.contains(words), "{words}");
    }
}

/// Four drawings for each node, the fault behind them, the decision before those of the node that it is about.
#[test]
fn the_charts_show_evidence_fault_and_decision() {
    let page = page();
    let page = parse(&page);
    let charts: Vec<_> = all(&page, "svg").collect();
    let titles: Vec<&str> = charts.iter().filter_map(|c| c.attribute("aria-label")).collect();
    assert_eq!(titles.len(), 8, "{titles:?}");
    assert!(
        titles[0].starts_with("fw1, inside -> outside: end-to-end, "),
        "{titles:?}"
    );
    let drawn = |chart: usize, fill: &str| {
        let shapes = charts[chart].descendants();
        shapes.filter(|s| s.attribute("fill") == Some(fill)).count()
    };
    for (kind, colour) in ["#1F7A5C", "#2F6DB5", "#7A55B0", "#A86512"].into_iter().enumerate() {
        assert!(drawn(kind, colour) > 0, "kind {kind} of fw1");
        assert_eq!(drawn(kind, "#F6CFCB"), 1, "fw1 was down once");
        assert_eq!(drawn(kind + 4, "#F6CFCB"), 0, "fw2 never");
    }
    let decisions = |chart: usize| {
        let shapes = charts[chart].descendants();
        shapes.filter(|s| s.attribute("stroke-width") == Some("2")).count()
    };
    // The promotion is about fw1, its end about fw2.
    assert_eq!((decisions(0), decisions(4)), (1, 1));
    // Every colour that is drawn can be another in the dark.
    let sheet = text(all(&page, "style").next().unwrap());
    for shape in charts.iter().flat_map(|c| c.descendants()).filter(Node::is_element) {
        for paint in ["fill", "stroke"].into_iter().filter_map(|a| shape.attribute(a)) {
            assert!(paint == "none" || sheet.contains(&format!("=\"{paint}\"]")), "{paint}");
        }
    }
}

#[test]
fn it_needs_nothing_else_and_runs_nothing() {
    let page = page();
    for word in [
        "<script",
        "<link",
        "<img",
        "<iframe",
        "javascript:",
        "url(",
        "@import",
        "http://",
        "https://",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("default-src 'none'"));
    let page = parse(&page);
    for element in page.descendants().filter(Node::is_element) {
        for a in element.attributes() {
            assert!(
                !a.name().starts_with("on") && !["src", "href"].contains(&a.name()),
                "{}",
                a.name()
            );
        }
    }
}

/// Names come from files that may be anybody's.
#[test]
fn hostile_names_stay_names() {
    let dir = tempfile::tempdir().unwrap();
    let evil = "</h1><script>alert(1)</script>\"'&";
    let conf = fs::read_to_string(capture("openbsd-pair/pair.toml")).unwrap();
    let conf = conf.replace("\"fw1\"", "'''</h1><script>alert(1)</script>\"'&'''");
    let (config, sync) = (
        dir.path().join("pair.toml"),
        dir.path().join("<b onload=x>\u{202e}.pcap.zst"),
    );
    fs::write(&config, conf).unwrap();
    fs::copy(capture(&format!("{}.sync.pcap.zst", crate::PORT_DEAD)), &sync).unwrap();
    let mut command = pfwatch();
    command
        .args(["analyze", "--format", "html", "-c"])
        .arg(&config)
        .arg(&sync);
    let lan = capture(&format!("{}.lan.carp.pcap", crate::PORT_DEAD));
    command.arg("--segment").arg(format!("<i>lan</i>={}", lan.display()));
    let ran = ran(&mut command);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let page = parse(&ran.out);
    assert_eq!(
        all(&page, "script").count() + all(&page, "b").filter(|b| b.has_attribute("onload")).count(),
        0
    );
    assert!(text(all(&page, "h1").next().unwrap()).contains(evil));
    let whole = text(page.root_element());
    for words in ["<i>lan</i> vhid 11", "<b onload=x>\\u{202e}.pcap.zst"] {
        assert!(whole.contains(words), "{words}");
    }
    assert!(!ran.out.contains('\u{202e}'));
}

/// A year with a frame a day, and a capture of one frame: the page's size depends on neither.
#[test]
fn however_long_it_took_the_page_stays_small() {
    let dir = tempfile::tempdir().unwrap();
    let golden = fs::read(capture("golden/life_openbsd6.raw.pcap")).unwrap();
    let word = |at: usize| u32::from_le_bytes(golden[at..at + 4].try_into().unwrap());
    let mut frames: Vec<&[u8]> = Vec::new();
    let mut at = 24;
    while at < golden.len() {
        let length = usize::try_from(word(at + 8)).unwrap();
        frames.push(&golden[at + 16..at + 16 + length]);
        at += 16 + length;
    }
    let sized = |name: &str, frames: &[&[u8]], apart: u32| {
        let path = dir.path().join(name);
        let mut file = pcap(word(20), frames);
        let mut at = 24;
        for i in 0..u32::try_from(frames.len()).unwrap() {
            file[at..at + 4].copy_from_slice(&(1_700_000_000 + i * apart).to_le_bytes());
            at += 16 + frames[i as usize].len();
        }
        fs::write(&path, file).unwrap();
        let ran = ran(pfwatch().args(["analyze", "--format", "html"]).arg(&path));
        // What is played again for hours may not be fit to judge by; the page is one all the same.
        assert!([0, 65].contains(&ran.code), "{}", ran.err);
        parse(&ran.out);
        ran.out.len()
    };
    let many: Vec<&[u8]> = frames.iter().copied().cycle().take(20_000).collect();
    let (one, hours, years) = (
        sized("one", &frames[..1], 1),
        sized("hours", &many, 1),
        sized("years", &many, 7_777),
    );
    assert!((5_000..60_000).contains(&one), "{one}");
    assert!(hours < 250_000 && years < 250_000, "{hours} {years}");
}

/// Whole or not at all: what was there stays there until there is something to put in its place.
#[test]
fn a_page_is_there_as_a_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let report = dir.path().join("report.html");
    let names = || {
        let mut names: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    let to = |input: &Path| {
        let mut command = pfwatch();
        command
            .args(["analyze", "--format", "html"])
            .arg(input)
            .arg("-o")
            .arg(&report);
        ran(&mut command).code
    };
    let none = dir.path().join("none.pcap");
    fs::write(&none, pcap(1, &[&crate::tcp()])).unwrap();
    assert_eq!(to(&none), 65);
    assert_eq!(names(), ["none.pcap"], "nothing to tell, nothing written");
    fs::write(&report, "before").unwrap();
    assert_eq!(to(&none), 65);
    assert_eq!(fs::read_to_string(&report).unwrap(), "before");
    let mut readers = fs::metadata(&report).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut readers, 0o640);
    fs::set_permissions(&report, readers).unwrap();
    let readers = fs::metadata(&report).unwrap().permissions();
    let link = dir.path().join("link.html");
    std::os::unix::fs::symlink(&report, &link).unwrap();
    let written = ran(port_dead().args(["--format", "html", "-o"]).arg(&link));
    assert_eq!((written.code, written.out.as_str()), (0, ""));
    assert_eq!(fs::read_to_string(&report).unwrap(), page());
    assert_eq!(fs::metadata(&report).unwrap().permissions(), readers);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(names(), ["link.html", "none.pcap", "report.html"]);
    let piped = ran(port_dead().args(["--format", "html", "-o", "/dev/stdout"]));
    assert_eq!(piped.out, page());
}
