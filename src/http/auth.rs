//! Who may ask: users with bcrypt hashes, as the web configuration file names them. Without users everybody may.
//!
//! Asked before every answer. Hashing is slow by intent, so it is done beside the runtime, and a pair that was right is
//! remembered for as long as its hash stands, as a number that nobody can turn back.

use super::gate::Gate;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

/// Pairs that are remembered; few users scrape one host.
const PAIRS: usize = 64;
/// Compared with where there is no such user, so that names cannot be told by the time it takes. Of a random password, cost 10.
const NOBODY: &str = "$2b$10$Z5D//0Ayl87uqBvti/v03eDxN5aIqXH4YHmThuz3WC1srSJWVh762";

/// See the module.
pub(super) struct Known {
    gate: Arc<Gate>,
    /// Of this process, drawn by the system.
    keys: [RandomState; 2],
    right: Mutex<HashSet<[u64; 2]>>,
}

impl Known {
    pub(super) fn new(gate: Arc<Gate>) -> Self {
        Self {
            gate,
            keys: [RandomState::new(), RandomState::new()],
            right: Mutex::default(),
        }
    }

    async fn may(&self, headers: &HeaderMap) -> bool {
        let users = self.gate.users();
        if users.is_empty() {
            return true;
        }
        let Some((user, password)) = credentials(headers) else {
            return false;
        };
        let hash = users.get(&user).cloned();
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.into());
        let mark = self.keys.each_ref().map(|k| k.hash_one((&user, &password, &hash)));
        if known && self.right().contains(&mark) {
            return true;
        }
        let verify = tokio::task::spawn_blocking(move || bcrypt::verify(password, &hash).unwrap_or(false));
        let right = verify.await.unwrap_or(false) && known;
        if right {
            let mut all = self.right();
            if all.len() >= PAIRS {
                all.clear();
            }
            all.insert(mark);
        }
        right
    }

    fn right(&self) -> std::sync::MutexGuard<'_, HashSet<[u64; 2]>> {
        self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (user, password) = pair.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// Lets pass who may ask.
pub(super) async fn ask(State(known): State<Arc<Known>>, request: Request, next: Next) -> Response {
    if known.may(request.headers()).await {
        return next.run(request).await;
    }
    let mut response = (StatusCode::UNAUTHORIZED, "name and password, please\n").into_response();
    let basic = HeaderValue::from_static("Basic realm=\"pfwatch\", charset=\"UTF-8\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
    response
}

#[cfg(test)]
mod tests {
    use super::NOBODY;

    #[test]
    fn a_name_that_does_not_exist_takes_as_long() {
        assert_eq!(bcrypt::verify("guess", NOBODY).ok(), Some(false));
    }
}
