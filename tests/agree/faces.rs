//! One analysis, rendered in every form and taken apart again.

use crate::cases::Case;
use jiff::tz::TimeZone;
use pfwatch::engine::Engine;
use pfwatch::report::text::Look;
use pfwatch::report::{Report, html, json, text};
use serde_json::Value;

/// A line of the timeline.
pub(crate) struct Line {
    /// `14:20:06.452`.
    pub(crate) time: String,
    pub(crate) sign: char,
    pub(crate) subject: String,
    pub(crate) text: String,
}

/// A line below WHAT PFWATCH WOULD HAVE DONE.
pub(crate) struct Deed {
    pub(crate) time: String,
    pub(crate) text: String,
}

/// See the module.
pub(crate) struct Faces {
    pub(crate) engine: Engine,
    pub(crate) report: Report,
    pub(crate) json: Value,
    /// The whole page for a terminal, whose lines are long enough for every sentence.
    pub(crate) text: String,
    /// The words of the page for a browser, without blanks.
    html: String,
    pub(crate) headline: String,
    pub(crate) timeline: Vec<Line>,
    /// Lines were left out.
    pub(crate) shortened: bool,
    pub(crate) deeds: Vec<Deed>,
    pub(crate) next: Vec<String>,
}

impl Faces {
    pub(crate) fn of(case: &Case) -> Self {
        Self::showing(case.analyze())
    }

    pub(crate) fn showing((report, engine): (Report, Engine)) -> Self {
        let look = Look {
            width: 4_000,
            colour: false,
            unicode: true,
            zone: TimeZone::UTC,
        };
        let text = text::render(&report, &engine, &look);
        let html = html::render(&report, &engine, TimeZone::UTC);
        let json = json::render(&report, &engine);
        let section = |name: &str| -> Vec<String> {
            let lines = text.lines().skip_while(|l| !l.starts_with(name)).skip(1);
            lines.take_while(|l| !l.is_empty()).map(str::to_owned).collect()
        };
        let timed = |l: &&String| l.get(2..3) == Some(":") && l.get(8..9) == Some(".");
        let timeline = section("TIMELINE");
        let deeds = section("WHAT PFWATCH WOULD HAVE DONE");
        Self {
            headline: text.lines().next().unwrap_or_default().to_owned(),
            shortened: timeline.iter().any(|l| l.starts_with("... ")),
            timeline: timeline.iter().filter(timed).map(|l| line(l)).collect(),
            deeds: deeds.iter().filter(timed).map(|l| deed(l)).collect(),
            next: section("NEXT")
                .iter()
                .map(|l| l.trim_start_matches("- ").to_owned())
                .collect(),
            html: words(&html),
            engine,
            report,
            json,
            text,
        }
    }

    /// Whether the page for a browser says so, too.
    pub(crate) fn page_says(&self, text: &str) -> bool {
        self.html.contains(&squeezed(text))
    }

    /// The rows of a table, by their cells; a cell that is empty is not there.
    pub(crate) fn table(&self, name: &str) -> Vec<Vec<String>> {
        let lines = self.text.lines().skip_while(|l| *l != name).skip(2);
        let cells = |l: &str| -> Vec<String> {
            let cells = l.split("  ").map(str::trim).filter(|c| !c.is_empty());
            cells.map(str::to_owned).collect()
        };
        lines.take_while(|l| !l.is_empty()).map(cells).collect()
    }

    /// A list of the JSON.
    pub(crate) fn list(&self, key: &str) -> &[Value] {
        self.json[key].as_array().unwrap()
    }
}

fn line(text: &str) -> Line {
    let (time, rest) = text.split_at(12);
    let mut rest = rest.chars().skip(1);
    let sign = rest.next().unwrap();
    let rest: String = rest.skip(1).collect();
    let (subject, text) = rest.split_once("  ").unwrap();
    Line {
        time: time.into(),
        sign,
        subject: subject.into(),
        text: text.trim_start().into(),
    }
}

fn deed(text: &str) -> Deed {
    let (time, text) = text.split_at(12);
    Deed {
        time: time.into(),
        text: text.trim_start().into(),
    }
}

/// What a browser would show, without blanks: where tags stand is nobody's business.
fn words(html: &str) -> String {
    let body = html.split_once("<body").unwrap().1;
    let mut shown = String::new();
    let mut tag = true;
    for c in body.chars() {
        match c {
            '<' => tag = true,
            '>' if tag => tag = false,
            c if !tag => shown.push(c),
            _ => {}
        }
    }
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    let plain = entities.iter().fold(shown, |text, (entity, c)| text.replace(entity, c));
    squeezed(&plain)
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// `HH:MM:SS.mmm` of a time in the JSON.
pub(crate) fn clock(at: &Value) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970")]
    let millis = (at.as_f64().unwrap() * 1000.0 + 0.001).floor() as i64;
    let at = jiff::Timestamp::from_millisecond(millis).unwrap();
    at.to_zoned(TimeZone::UTC).strftime("%H:%M:%S%.3f").to_string()
}

/// A number in which digits stand in groups.
pub(crate) fn number(text: &str) -> u64 {
    text.chars()
        .filter(char::is_ascii_digit)
        .collect::<String>()
        .parse()
        .unwrap()
}
