//! The web configuration file of Prometheus' exporters (`--web.config.file`), as far as it makes sense here.
//!
//! Read by the gate. A key that is not known is refused: who believes that something is protected must not be wrong.

use axum::http::{HeaderName, HeaderValue};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

/// One sentence. It never shows the file's text, in which there are hashes.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WebConfigError(String);

impl WebConfigError {
    pub(super) fn read(e: &io::Error) -> Self {
        Self(format!("cannot be read: {e}"))
    }
}

/// What it says.
#[derive(Debug, Default)]
pub(super) struct WebConfig {
    pub(super) tls: Option<Tls>,
    pub(super) users: BTreeMap<String, String>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    tls_server_config: Option<Tls>,
    http_server_config: Http,
    basic_auth_users: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Http {
    /// Accepted and of no effect: HTTP/1.1 is spoken.
    #[serde(rename = "http2")]
    _http2: Option<bool>,
    headers: Option<BTreeMap<String, String>>,
}

/// `tls_server_config`. Paths are relative to the file's folder.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Tls {
    pub(super) cert_file: PathBuf,
    pub(super) key_file: PathBuf,
    pub(super) client_ca_file: Option<PathBuf>,
    pub(super) client_auth_type: ClientAuth,
    pub(super) min_version: Version,
    pub(super) max_version: Version,
    pub(super) cipher_suites: Vec<String>,
    pub(super) curve_preferences: Vec<String>,
    pub(super) prefer_server_cipher_suites: Option<bool>,
}

/// Whether a client must show a certificate. What asks for one and looks at nobody's is no protection, and not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum ClientAuth {
    #[default]
    NoClientCert,
    VerifyClientCertIfGiven,
    RequireAndVerifyClientCert,
}

/// Of TLS; those before 1.2 are not spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum Version {
    #[default]
    Unset,
    TLS12,
    TLS13,
}

impl WebConfig {
    /// Reads it.
    pub(super) fn parse(text: &[u8]) -> Result<Self, WebConfigError> {
        let wrong = |text: String| WebConfigError(text);
        let text = std::str::from_utf8(text).map_err(|_| wrong("this is no text in UTF-8".into()))?;
        let file: Option<File> = serde_saphyr::from_str(text).map_err(|e| {
            wrong(format!(
                "{}; see the web configuration of Prometheus' exporters",
                e.without_snippet()
            ))
        })?;
        let file = file.unwrap_or_default();
        let users = file.basic_auth_users.unwrap_or_default();
        for (user, hash) in &users {
            if hash.parse::<bcrypt::HashParts>().is_err() {
                return Err(wrong(format!(
                    "what stands in basic_auth_users for {user} is no bcrypt hash: make one with `htpasswd -nBC 10 {user}`"
                )));
            }
        }
        if let Some(tls) = &file.tls_server_config {
            if tls.cert_file.as_os_str().is_empty() || tls.key_file.as_os_str().is_empty() {
                return Err(wrong("tls_server_config needs both cert_file and key_file".into()));
            }
            if (tls.client_auth_type == ClientAuth::NoClientCert) != tls.client_ca_file.is_none() {
                return Err(wrong(
                    "client_ca_file and a client_auth_type that verifies belong together".into(),
                ));
            }
        }
        let mut headers = Vec::new();
        for (name, value) in file.http_server_config.headers.unwrap_or_default() {
            let pair = (name.parse::<HeaderName>().ok(), HeaderValue::from_str(&value).ok());
            let (Some(parsed), Some(value)) = pair else {
                return Err(wrong(format!(
                    "`{name}` in headers is no header of HTTP, or its value is none"
                )));
            };
            headers.push((parsed, value));
        }
        Ok(Self {
            tls: file.tls_server_config,
            users,
            headers,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        WebConfig::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_exporters_have_is_read() {
        let text = "\
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  min_version: TLS13
  curve_preferences: [X25519, CurveP256]
http_server_config:
  http2: false
  headers:
    Strict-Transport-Security: max-age=63072000
basic_auth_users:
  alice: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi
";
        let config = WebConfig::parse(text.as_bytes()).unwrap();
        let tls = config.tls.unwrap();
        assert_eq!(tls.client_auth_type, ClientAuth::RequireAndVerifyClientCert);
        assert_eq!((tls.min_version, tls.max_version), (Version::TLS13, Version::Unset));
        assert_eq!(tls.curve_preferences, ["X25519", "CurveP256"]);
        assert_eq!(config.users.len(), 1);
        assert_eq!(config.headers.len(), 1);
    }

    #[test]
    fn an_empty_file_is_a_configuration() {
        for text in ["", "# nothing\n", "basic_auth_users:\n", "{}"] {
            let config = WebConfig::parse(text.as_bytes()).unwrap();
            assert!(config.tls.is_none() && config.users.is_empty());
        }
    }

    #[test]
    fn what_protects_nothing_is_refused() {
        let table = [
            ("basic_auth_user:\n  a: b\n", "basic_auth_user"),
            ("basic_auth_users:\n  bob: secret\n", "bob is no bcrypt hash"),
            ("tls_server_config:\n  cert_file: a\n", "both cert_file and key_file"),
            (
                "tls_server_config:\n  cert_file: a\n  key_file: b\n  client_ca_file: c\n",
                "belong together",
            ),
            (
                "tls_server_config:\n  cert_file: a\n  key_file: b\n  min_version: TLS10\n",
                "TLS10",
            ),
            ("http_server_config:\n  headers:\n    \"a b\": c\n", "no header"),
            ("rate_limit:\n  burst: 5\n", "rate_limit"),
            ("tls_server_config:\n  cert: a\n", "`cert`"),
            ("tls_server_config:\n  key: a\n", "`key`"),
            ("tls_server_config:\n  client_ca: a\n", "`client_ca`"),
            (
                "tls_server_config:\n  client_allowed_sans: [a]\n",
                "client_allowed_sans",
            ),
            (
                "tls_server_config:\n  client_auth_type: RequestClientCert\n",
                "RequestClientCert",
            ),
            (
                "tls_server_config:\n  client_auth_type: RequireAnyClientCert\n",
                "RequireAnyClientCert",
            ),
            ("- a\n", "see the web configuration"),
        ];
        for (text, expected) in table {
            assert!(error(text).contains(expected), "{text}: {}", error(text));
        }
        assert!(WebConfig::parse(&[0xff]).is_err());
    }

    #[test]
    fn hashes_are_not_shown() {
        let hash = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";
        let said = error(&format!(
            "basic_auth_users:\n  alice: {hash}\n  alice: {hash}\nfoo: 1\n"
        ));
        assert!(!said.contains("QOauhQ"), "{said}");
    }
}
