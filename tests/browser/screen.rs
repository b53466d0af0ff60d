//! The live view (`status --watch`) of a shipped capture at some moment, as the daemon's snapshots would have shown it, and what a
//! terminal makes of it as a page for the browser.
//!
//! Used by the pictures and by the test that looks at the live view. No daemon and no waiting: the capture's own clock.

use pfwatch::capture::Net;
use pfwatch::capture::file::{FileInput, FileSource};
use pfwatch::config::Config;
use pfwatch::drive;
use pfwatch::engine::Engine;
use pfwatch::event::Event;
use pfwatch::http::{Options, Source, Web};
use pfwatch::report::text::Look;
use pfwatch::report::watch::Watch;
use pfwatch::settings::Live;
use pfwatch::status::board::Board;
use pfwatch::status::history::History;
use pfwatch::status::{Facts, Interface, Status};
use pfwatch::time::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Watches beside fw2, a snapshot a second, until so long after the first event that `is_it`; all the way if there is none. The
/// last snapshot comes with it.
pub(crate) fn watched(name: &str, is_it: fn(&Event) -> bool, longer: Duration) -> (Watch, Status) {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let nets = [
        ("sync.pcap.zst", Net::Sync),
        ("lan.carp.pcap", Net::Segment(0)),
        ("wan.carp.pcap", Net::Segment(1)),
    ];
    let input = |(end, net): (&str, Net)| FileInput::new(captures.join(format!("{name}.{end}")), net);
    let mut source = FileSource::open(&nets.map(input));
    let config = Config::load(&captures.join("openbsd-pair/pair.toml")).unwrap();
    let mut settings = config.settings(&["lan".into(), "wan".into()]);
    settings.nodes[1].is_self = true;
    settings.policy.live = Live::daemon(false);
    let (mut engine, mut history, mut watch) = (Engine::new(settings, 1), History::default(), Watch::default());
    let unix = |t: Timestamp| t.as_secs_f64();
    let mut last = Status::default();
    let (mut until, mut due, mut started) = (Timestamp::MAX, Timestamp::MIN, None);
    while engine.now() < until && drive::step(&mut source, &mut engine).unwrap() {
        while let Some(event) = engine.poll() {
            if until == Timestamp::MAX && is_it(&event) {
                until = engine.now() + longer;
            }
            history.note(&event, &engine, unix);
        }
        let now = engine.now();
        if now >= due {
            due = now + Duration::from_secs(1);
            history.tick(now, &engine, unix);
            let facts = Facts {
                version: env!("CARGO_PKG_VERSION").into(),
                started: unix(*started.get_or_insert(now)),
                interfaces: vec![Interface {
                    interface: "em2".into(),
                    net: "sync".into(),
                    up: true,
                    frames: engine.counters().pfsync,
                    ..Interface::default()
                }],
                ..Facts::default()
            };
            last = Status::of(&engine, &history, facts, now, unix);
            watch.take(last.clone());
        }
    }
    (watch, last)
}

/// The live page of this snapshot, for as long as it is held.
pub(crate) fn served(status: Status) -> Web {
    let source = Source {
        board: Arc::new(Board::new(status, Timestamp::default())),
        now: Arc::new(Timestamp::default),
        zone: jiff::tz::TimeZone::UTC,
    };
    let options = Options {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        ..Options::default()
    };
    Web::start(&options, source).unwrap()
}

/// What stands on a screen of that size.
pub(crate) fn screen(watch: &Watch, width: u16, height: u16) -> Buffer {
    let look = Look {
        width: width.into(),
        colour: true,
        unicode: true,
        zone: jiff::tz::TimeZone::UTC,
    };
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| watch.draw(frame, &look)).unwrap();
    terminal.backend().buffer().clone()
}

/// Without colours.
pub(crate) fn text(screen: &Buffer) -> String {
    let row = |cells: &[Cell]| cells.iter().map(Cell::symbol).collect::<String>().trim_end().to_owned();
    let rows: Vec<String> = screen.content().chunks(screen.area.width.into()).map(row).collect();
    rows.join("\n")
}

/// As a terminal with a dark background shows it.
pub(crate) fn page(screen: &Buffer) -> String {
    let mut out = String::from(
        "<!DOCTYPE html><meta charset=\"utf-8\"/><style>body{margin:0;background:#15181c}pre{margin:0;padding:14px 18px;\
         display:inline-block;color:#dfe3e8;font:15px/1.25 'DejaVu Sans Mono',monospace}</style><pre>",
    );
    for row in screen.content().chunks(screen.area.width.into()) {
        for cell in row {
            let colour = match cell.fg {
                Color::Red => "#ff6b61",
                Color::Yellow => "#f0c060",
                Color::Green => "#6fd49b",
                _ if cell.modifier.contains(Modifier::DIM) => "#8b949f",
                _ => "inherit",
            };
            let weight = if cell.modifier.contains(Modifier::BOLD) {
                "bold"
            } else {
                "normal"
            };
            let symbol = cell.symbol().replace('&', "&amp;").replace('<', "&lt;");
            if colour == "inherit" && weight == "normal" {
                out.push_str(&symbol);
            } else {
                let _ = write!(
                    out,
                    "<span style=\"color:{colour};font-weight:{weight}\">{symbol}</span>"
                );
            }
        }
        out.push('\n');
    }
    out + "</pre>"
}
