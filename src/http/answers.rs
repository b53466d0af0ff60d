//! What is answered to what is asked.
//!
//! Each answer is made once per snapshot, however often it is asked for: a thousand scrapes a second cost what five cost.

use super::auth;
use super::gate::Gate;
use super::page::{self, View};
use super::{Source, auth::Known};
use crate::metrics;
use crate::status::board::STUCK;
use crate::status::{Interface, Status};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A page that is older than this says how old it is, so it is made anew.
const FRESH: Duration = Duration::from_secs(1);
const OURS: [&str; 5] = ["/", "/live", "/status", "/-/healthy", "/-/ready"];

/// Where the metrics are: `/metrics`, unless somebody wants them elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelemetryPath(String);

/// It cannot be that.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` can be no telemetry path: write one such as /metrics that is not taken by the page")]
pub struct TelemetryPathError(String);

impl Default for TelemetryPath {
    fn default() -> Self {
        Self("/metrics".into())
    }
}

impl std::str::FromStr for TelemetryPath {
    type Err = TelemetryPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
        let good = text.starts_with('/') && text.chars().all(plain) && !OURS.contains(&text);
        good.then(|| Self(text.to_owned()))
            .ok_or_else(|| TelemetryPathError(text.to_owned()))
    }
}

/// What an answer is made from, and those of the last snapshot.
pub(super) struct Desk {
    source: Source,
    gate: Arc<Gate>,
    telemetry: TelemetryPath,
    policy: Option<HeaderValue>,
    made: Mutex<Made>,
}

/// Made of one snapshot, as far as it was asked for.
#[derive(Default)]
struct Made {
    of: Option<Arc<Status>>,
    metrics: Option<Arc<str>>,
    page: Option<Arc<str>>,
    live: Option<Arc<str>>,
}

/// All that can be asked.
pub(super) fn router(source: Source, telemetry: &TelemetryPath, gate: &Arc<Gate>) -> Router {
    let desk = Arc::new(Desk {
        source,
        gate: Arc::clone(gate),
        telemetry: telemetry.clone(),
        policy: HeaderValue::from_str(&page::policy()).ok(),
        made: Mutex::default(),
    });
    let known = Known::new(Arc::clone(gate));
    Router::new()
        .route("/", get(whole))
        .route("/live", get(live))
        .route("/status", get(status))
        .route(&telemetry.0, get(scrape))
        .route("/-/healthy", get(healthy))
        .route("/-/ready", get(ready))
        .fallback(nothing)
        .layer(middleware::from_fn_with_state(Arc::new(known), auth::ask))
        .layer(middleware::map_response_with_state(Arc::clone(&desk), guard))
        .with_state(desk)
}

impl Desk {
    /// One answer of this snapshot, made if nobody asked for it before; `ages` if it tells how old it is.
    fn answer(
        &self,
        ages: bool,
        slot: fn(&mut Made) -> &mut Option<Arc<str>>,
        make: impl FnOnce(&Status, Duration) -> String,
    ) -> Arc<str> {
        let (status, age) = self.source.board.read((self.source.now)());
        if ages && age >= FRESH {
            return make(&status, age).into();
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.of.as_ref().is_none_or(|of| !Arc::ptr_eq(of, &status)) {
            *made = Made {
                of: Some(Arc::clone(&status)),
                ..Made::default()
            };
        }
        Arc::clone(slot(&mut made).get_or_insert_with(|| make(&status, age).into()))
    }

    /// As it looks now.
    fn aged(&self, status: &Status, age: Duration) -> View {
        let status = Status {
            age: age.as_secs_f64(),
            stuck: age >= STUCK,
            ..status.clone()
        };
        View::new(status, self.source.zone.clone(), &self.telemetry.0)
    }

    /// Why the daemon is not well, if it is not.
    fn trouble(&self) -> Option<String> {
        let (status, age) = self.source.board.read((self.source.now)());
        if age >= STUCK {
            return Some(format!(
                "the daemon's loop has not moved for {:.0} s",
                age.as_secs_f64()
            ));
        }
        let hangs = |i: &&Interface| i.behind >= STUCK.as_secs_f64();
        let hanging = status.interfaces.iter().find(hangs)?;
        let (name, behind) = (&hanging.interface, hanging.behind);
        Some(format!(
            "the capture thread of {name} hangs: it has not come round for {behind:.0} s"
        ))
    }

    /// Why nothing can be relied on yet, if it cannot.
    fn waiting(&self) -> Option<String> {
        let (status, _) = self.source.board.read((self.source.now)());
        if status.interfaces.is_empty() {
            return Some("it listens to no interface yet".into());
        }
        let deaf = status.interfaces.iter().find(|i| !i.up)?;
        let (name, net) = (&deaf.interface, &deaf.net);
        Some(format!("nothing can be heard on {name} ({net})"))
    }
}

async fn whole(State(desk): State<Arc<Desk>>) -> Response {
    let html = desk.answer(
        true,
        |m| &mut m.page,
        |status, age| page::whole(&desk.aged(status, age)),
    );
    text("text/html; charset=utf-8", &html)
}

async fn live(State(desk): State<Arc<Desk>>) -> Response {
    let html = desk.answer(true, |m| &mut m.live, |status, age| page::live(&desk.aged(status, age)));
    text("text/html; charset=utf-8", &html)
}

async fn status(State(desk): State<Arc<Desk>>) -> Response {
    match serde_json::to_string(&desk.source.board.status((desk.source.now)())) {
        Ok(json) => text("application/json", &json),
        Err(e) => said(StatusCode::INTERNAL_SERVER_ERROR, &e.to_string()),
    }
}

async fn scrape(State(desk): State<Arc<Desk>>) -> Response {
    let mut wrong = None;
    let make = |status: &Status, _| {
        metrics::render(status).unwrap_or_else(|e| {
            wrong = Some(e.to_string());
            String::new()
        })
    };
    // Of a snapshot that is old, too: it says itself when it was true.
    let body = desk.answer(false, |m| &mut m.metrics, make);
    match wrong {
        None => text(metrics::CONTENT_TYPE, &body),
        Some(e) => said(StatusCode::INTERNAL_SERVER_ERROR, &e),
    }
}

async fn healthy(State(desk): State<Arc<Desk>>) -> Response {
    match desk.trouble() {
        None => said(StatusCode::OK, "pfwatch is healthy"),
        Some(why) => said(
            StatusCode::SERVICE_UNAVAILABLE,
            &format!("pfwatch is not healthy: {why}"),
        ),
    }
}

async fn ready(State(desk): State<Arc<Desk>>) -> Response {
    match desk.trouble().or_else(|| desk.waiting()) {
        None => said(StatusCode::OK, "pfwatch is ready"),
        Some(why) => said(StatusCode::SERVICE_UNAVAILABLE, &format!("pfwatch is not ready: {why}")),
    }
}

async fn nothing(State(desk): State<Arc<Desk>>) -> Response {
    let metrics = &desk.telemetry.0;
    let text = format!("there is nothing here; there are /, {metrics}, /status, /-/healthy and /-/ready");
    said(StatusCode::NOT_FOUND, &text)
}

/// A browser runs and loads nothing but what the page itself brings, nobody frames it, and nobody keeps it.
async fn guard(State(desk): State<Arc<Desk>>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut add = |name, value| headers.insert(name, HeaderValue::from_static(value));
    add(header::CACHE_CONTROL, "no-store");
    add(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(header::X_FRAME_OPTIONS, "DENY");
    add(header::REFERRER_POLICY, "no-referrer");
    if let Some(policy) = &desk.policy {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    }
    for (name, value) in desk.gate.headers() {
        headers.insert(name, value);
    }
    response
}

fn text(kind: &'static str, body: &str) -> Response {
    ([(header::CONTENT_TYPE, kind)], body.to_owned()).into_response()
}

fn said(status: StatusCode, sentence: &str) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (status, kind, format!("{sentence}\n")).into_response()
}
