//! Files as they are found after crashes, full disks and other people's editors.

use super::*;
use crate::settings::{Node, Settings};
use std::net::IpAddr;
use tempfile::TempDir;

fn engine() -> Engine {
    let node = |i: u8| Node {
        name: format!("fw{i}"),
        addresses: vec![IpAddr::from([172, 16, 0, i])],
        is_self: i == 1,
        local: Vec::new(),
    };
    let settings = Settings {
        nodes: vec![node(1), node(2)],
        ..Settings::default()
    };
    Engine::new(settings, 1)
}

fn state(path: &Path) -> State {
    State::new(Some(path.to_owned()), Timestamp::from_nanos(0))
}

fn counts(s: &State) -> (u64, u64, u64) {
    (s.saved, s.failed, s.damaged)
}

fn files(folder: &TempDir) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A memory of a node and what the file makes of it.
fn learned() -> Memory {
    let rates = crate::detect::rates::Rates::default();
    Memory {
        nodes: vec![crate::detect::memory::NodeMemory {
            address: IpAddr::from([172, 16, 0, 1]),
            age: Duration::from_secs(3),
            gaps: vec![2.0; crate::detect::silence::BINS],
            frames: 4.5,
            config_sync: Some(Duration::from_secs(86_400)),
            paths: vec![crate::detect::memory::PathMemory {
                name: "any".into(),
                outcomes: rates.remember(),
                round_trips: 1.25,
                clients: vec![crate::detect::memory::HostMemory {
                    address: "2001:db8::7".parse().unwrap(),
                    age: Duration::from_millis(1_500),
                }],
                servers: Vec::new(),
            }],
        }],
        canaries: Vec::new(),
    }
}

#[test]
fn what_is_written_is_read() {
    let text = format::print(&learned(), 1e9);
    assert_eq!(format::parse(&text), Ok((learned(), 1e9)));
    assert_eq!(learned().check(), Ok(()));
}

#[test]
fn it_is_written_whole_and_for_its_owner_only_and_taken_up_again() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("memory.json");
    let mut first = state(&path);
    let mut engine = engine();
    engine.recall(&learned(), Duration::ZERO).unwrap();
    first.recall(&mut engine);
    let later = |s: u64| Timestamp::from_nanos(0) + Duration::from_secs(s);
    first.tick(later(299), &engine);
    assert!(first.writer.is_none(), "too early");
    first.tick(later(300), &engine);
    first.end(&engine);
    assert_eq!(
        (counts(&first), files(&folder)),
        ((2, 0, 0), vec!["memory.json".to_owned()])
    );
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut second = state(&path);
    let mut fresh = super::tests::engine();
    second.recall(&mut fresh);
    assert_eq!(counts(&second), (0, 0, 0));
    let again = fresh.remember();
    assert_eq!(again.nodes.len(), 1);
    assert_eq!(again.nodes[0].paths, learned().nodes[0].paths);
    let old = again.nodes[0].config_sync.unwrap();
    assert!(old >= Duration::from_secs(86_400), "{old:?}");
}

#[test]
fn what_cannot_be_believed_is_put_aside_and_counted() {
    let good = format::print(&learned(), 1e9);
    let table = [
        String::new(),
        "not JSON".into(),
        "{}".into(),
        good.chars().take(good.len() / 2).collect(),
        good.replace("\"schema\":1", "\"schema\":2"),
        good.replace("\"frames\":4.5", "\"frames\":-4.5"),
        good.replace("\"frames\":4.5", "\"frames\":null"),
        good.replace("\"frames\":4.5", "\"frames\":1e308"),
        good.replace("[2.0,", "[1e30,"),
        good.replace("\"age\":3.0", "\"age\":-1"),
        good.replace("\"age\":3.0", "\"age\":1e300"),
        good.replace("\"config_sync\":86400.0", "\"config_sync\":-1"),
        good.replace("172.16.0.1", "fw1"),
        good.replace("\"schema\":1", "\"schema\":1,\"saved\":0"),
    ];
    for text in table {
        assert_ne!(text, good);
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("memory.json");
        fs::write(&path, &text).unwrap();
        let mut state = state(&path);
        let mut engine = engine();
        state.recall(&mut engine);
        assert_eq!(counts(&state), (0, 0, 1), "{text}");
        assert_eq!(files(&folder), ["memory.json.damaged"], "{text}");
        assert!(engine.remember().nodes.is_empty());
        state.end(&engine);
        assert_eq!(counts(&state), (1, 0, 1));
    }
}

#[test]
fn where_nothing_can_be_written_it_goes_on() {
    let folder = TempDir::new().unwrap();
    let mut state = state(&folder.path().join("no/such/folder/memory.json"));
    let mut engine = engine();
    state.recall(&mut engine);
    state.tick(Timestamp::from_nanos(0) + OFTEN, &engine);
    state.end(&engine);
    assert_eq!(counts(&state), (0, 2, 0));
}

#[test]
fn a_device_stays_what_it_is() {
    let mut state = state(Path::new("/dev/null"));
    let mut engine = engine();
    state.recall(&mut engine);
    state.end(&engine);
    assert_eq!(counts(&state), (0, 1, 0));
}

#[test]
fn a_trap_under_the_new_name_is_not_followed() {
    let folder = TempDir::new().unwrap();
    let (path, victim) = (folder.path().join("memory.json"), folder.path().join("victim"));
    fs::write(&victim, "precious").unwrap();
    std::os::unix::fs::symlink(&victim, beside(&path, ".new")).unwrap();
    let mut state = state(&path);
    state.end(&engine());
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert_eq!(counts(&state), (1, 0, 0));
}
