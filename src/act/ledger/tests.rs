//! The ledger's file as it is found after crashes, full disks and other people's editors.

use super::disk::FileDisk;
use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

fn boot() -> Boot {
    Boot::Time(1_790_000_000)
}

fn thing() -> Thing {
    Thing::Advskew {
        interface: "carp0".to_owned(),
        found: 100,
        set: 0,
    }
}

fn open(path: &Path) -> Result<Ledger, LedgerError> {
    Ledger::open(Box::new(FileDisk::open(path)?))
}

fn refused(path: &Path) -> String {
    open(path).err().map(|e| e.to_string()).unwrap_or_default()
}

fn names(folder: &TempDir) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_was_written_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pfwatch/ledger.json");
    let mut ledger = open(&path).unwrap();
    assert_eq!((ledger.role(), ledger.entries().len()), (None, 0));
    let numbers = ledger
        .intend(Made::Promoted, &boot(), 7, [thing(), Thing::Hook])
        .unwrap();
    assert_eq!(numbers, [1, 2]);
    ledger.mark(1, Phase::Done).unwrap();
    let before = ledger.entries().to_vec();
    drop(ledger);
    let mut ledger = open(&path).unwrap();
    assert_eq!(ledger.entries(), before);
    assert_eq!(ledger.role(), Some(Made::Promoted));
    ledger.erase(1).unwrap();
    ledger.erase(2).unwrap();
    drop(ledger);
    // A number is never used twice, so that a line of the log names one entry for ever.
    let mut ledger = open(&path).unwrap();
    assert_eq!(ledger.intend(Made::Demoted, &boot(), 8, [Thing::Service]).unwrap(), [3]);
    let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

#[test]
fn the_file_is_for_people_too_and_keeps_its_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.json");
    let mut ledger = open(&path).unwrap();
    let counter = Thing::Counter {
        counter: super::super::thing::Counter::Group("carp".to_owned()),
        found: 0,
        added: 125,
    };
    ledger.intend(Made::Demoted, &boot(), 1_790_000_100, [counter]).unwrap();
    ledger.mark(1, Phase::Undoing { from: 125 }).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let on_one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(
        on_one_line,
        r#"{ "version": 1, "next": 2, "entries": [ { "seq": 1, "when": 1790000100, "role": "demoted", "boot": { "time": 1790000000 }, "thing": { "counter": { "counter": { "group": "carp" }, "found": 0, "added": 125 } }, "phase": { "undoing": { "from": 125 } } } ] }"#
    );
}

#[test]
fn a_promotion_counts_once_when_all_of_it_was_carried_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder.path().join("ledger.json")).unwrap();
    let two = [thing(), Thing::Hook];
    ledger.intend(Made::Promoted, &boot(), 100, two.clone()).unwrap();
    ledger.mark(1, Phase::Done).unwrap();
    assert!(ledger.book().promotions.is_empty());
    // The second failed.
    ledger.owe();
    ledger.erase(2).unwrap();
    ledger.mark(1, Phase::Done).unwrap();
    assert!(ledger.book().owed && ledger.book().promotions.is_empty());
    ledger.erase(1).unwrap();
    assert!(!ledger.book().owed, "nothing is left of it");
    ledger.intend(Made::Promoted, &boot(), 200, two).unwrap();
    (3..5).for_each(|seq| ledger.mark(seq, Phase::Done).unwrap());
    ledger.mark(4, Phase::Done).unwrap();
    assert_eq!(ledger.book().promotions, [200]);
    // A demotion is none, and after an hour it is forgotten.
    (3..5).for_each(|seq| ledger.erase(seq).unwrap());
    ledger
        .intend(Made::Demoted, &boot(), 200 + HOUR, [Thing::Hook])
        .unwrap();
    ledger.mark(5, Phase::Done).unwrap();
    assert!(ledger.book().promotions.is_empty());
}

#[test]
fn what_another_boot_forgot_does_not_stand() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder.path().join("ledger.json")).unwrap();
    ledger
        .intend(Made::Demoted, &boot(), 7, [thing(), Thing::Hook])
        .unwrap();
    assert_eq!(ledger.standing(&boot()).entries.len(), 2);
    let left = ledger.standing(&Boot::Time(1_790_000_100)).entries;
    assert_eq!((left.len(), &left[0].thing), (1, &Thing::Hook), "hooks have no boot");
}

#[test]
fn a_damaged_ledger_is_put_aside_and_nothing_is_done_until_somebody_has_looked() {
    let entry = |seq: u32| {
        format!(r#"{{"seq":{seq},"when":1,"role":"demoted","boot":{{"time":5}},"thing":"hook","phase":"done"}}"#)
    };
    let book =
        |next: u32, entries: &[String]| format!(r#"{{"version":1,"next":{next},"entries":[{}]}}"#, entries.join(","));
    let whole = book(3, &[entry(1), entry(2)]);
    let damaged = [
        String::new(),
        "{".to_owned(),
        whole[..whole.len() / 2].to_owned(),
        whole.replace("demoted", "retired"),
        whole.replace("\"when\":1", "\"when\":1,\"what\":2"),
        book(2, &[entry(1), entry(2)]),
        book(9, &[entry(2), entry(2)]),
    ];
    for text in damaged {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.json");
        fs::write(&path, &text).unwrap();
        for _ in 0..2 {
            let why = refused(&path);
            assert!(
                why.starts_with("the ledger was damaged and is put aside as"),
                "{text}: {why}"
            );
        }
        assert_eq!(names(&folder), ["ledger.json.damaged", "ledger.json.lock"]);
        fs::remove_file(folder.path().join("ledger.json.damaged")).unwrap();
        assert!(open(&path).unwrap().entries().is_empty());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.json");
    fs::write(&path, &whole).unwrap();
    assert_eq!(open(&path).unwrap().entries().len(), 2);
    // What a later version wrote is not damaged: it stays where it is.
    fs::write(&path, r#"{"version":2,"pages":[]}"#).unwrap();
    assert!(refused(&path).contains("written by a newer pfwatch"));
    assert_eq!(names(&folder), ["ledger.json", "ledger.json.lock"]);
}

#[test]
fn only_one_pfwatch_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.json");
    let first = open(&path).unwrap();
    assert!(refused(&path).starts_with("another pfwatch holds the ledger"));
    drop(first);
    open(&path).unwrap();
}

#[test]
fn a_write_that_fails_is_said_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.json");
    let mut ledger = open(&path).unwrap();
    ledger.intend(Made::Promoted, &boot(), 7, [thing()]).unwrap();
    let before = (ledger.entries().to_vec(), fs::read(&path).unwrap());
    // A folder in the place of the new file: not even root can write there.
    fs::create_dir(folder.path().join("ledger.json.new")).unwrap();
    let why = ledger.mark(1, Phase::Done).unwrap_err().to_string();
    assert!(why.contains("so nothing is done; make room"), "{why}");
    assert!(ledger.intend(Made::Promoted, &boot(), 7, [thing()]).is_err());
    assert_eq!((ledger.entries().to_vec(), fs::read(&path).unwrap()), before);
    fs::remove_dir(folder.path().join("ledger.json.new")).unwrap();
    // What a crash left half written is in nobody's way.
    fs::write(folder.path().join("ledger.json.new"), "{\"vers").unwrap();
    ledger.mark(1, Phase::Done).unwrap();
    assert_eq!(names(&folder), ["ledger.json", "ledger.json.lock"]);
}

#[test]
fn a_folder_that_cannot_be_made_is_said() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let why = refused(&folder.path().join("file/ledger.json"));
    assert!(why.starts_with("cannot make the folder of the ledger"), "{why}");
    let why = refused(&folder.path().join("a/b/ledger.json"));
    assert!(why.starts_with("cannot make the folder of the ledger"), "{why}");
}

#[test]
fn a_link_in_the_way_is_not_written_through() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.json");
    let victim = folder.path().join("victim");
    fs::write(&victim, "dear").unwrap();
    std::os::unix::fs::symlink(&victim, folder.path().join("ledger.json.new")).unwrap();
    let mut ledger = open(&path).unwrap();
    ledger.intend(Made::Promoted, &boot(), 7, [thing()]).unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "dear");
}
