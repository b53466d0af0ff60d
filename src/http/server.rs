//! Connections: let in, given their time, and sent away.
//!
//! A few dozen at a time; when another comes, the oldest goes, so that silent ones keep nobody out. HTTP/1.1 only.

use super::gate::Gate;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::VecDeque;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// Connections at a time.
const GUESTS: usize = 64;
/// For the handshake, and for what is asked.
const PATIENCE: Duration = Duration::from_secs(10);
/// Nobody stays longer; who asks again later comes in again.
const STAY: Duration = Duration::from_secs(120);
/// Where no more files can be opened, somebody must close one first.
const BREATH: Duration = Duration::from_millis(100);

type Guests = Mutex<VecDeque<AbortHandle>>;

/// Serves until `stopped`.
pub(super) async fn serve(
    listeners: Vec<TcpListener>,
    gate: Arc<Gate>,
    router: Router,
    stopped: oneshot::Receiver<()>,
) {
    let guests = Arc::new(Guests::default());
    for listener in listeners {
        // Known to the runtime only inside of it.
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => drop(tokio::spawn(accept(
                listener,
                Arc::clone(&gate),
                router.clone(),
                Arc::clone(&guests),
            ))),
            Err(e) => tracing::error!("cannot listen: {e}"),
        }
    }
    let _ = stopped.await;
}

async fn accept(listener: tokio::net::TcpListener, gate: Arc<Gate>, router: Router, guests: Arc<Guests>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (gate, router) = (Arc::clone(&gate), router.clone());
        let guest = tokio::spawn(async move {
            let _ = timeout(STAY, entertain(stream, &gate, router)).await;
        });
        let mut guests = guests.lock().unwrap_or_else(PoisonError::into_inner);
        guests.retain(|g| !g.is_finished());
        if guests.len() >= GUESTS
            && let Some(oldest) = guests.pop_front()
        {
            oldest.abort();
        }
        guests.push_back(guest.abort_handle());
    }
}

async fn entertain(stream: tokio::net::TcpStream, gate: &Gate, router: Router) {
    gate.look();
    match gate.tls() {
        None => talk(stream, router).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(PATIENCE, tls.accept(stream)).await {
                talk(stream, router).await;
            }
        }
    }
}

async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, router: Router) {
    let service = TowerToHyperService::new(router);
    // A guest who leaves in the middle is no news.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
