//! TLS from the files that the web configuration names.

use super::web_config::{ClientAuth, Tls, Version};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::hash::HashAlgorithm;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, NamedGroup, RootCertStore, ServerConfig, SupportedProtocolVersion, version};

/// There is no TLS, so nobody is served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("there is no {what} in {}", path.display())]
    Empty {
        /// Which.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// They do not fit together.
    #[error("these certificates and keys cannot be used: {0}")]
    Unfit(String),
    /// A name of a cipher suite or curve.
    #[error("`{0}` in the web configuration is not offered here: leave it out")]
    Unknown(String),
}

/// What the files hold, in the order in which they are named.
pub(super) struct Files {
    certificates: (PathBuf, Vec<u8>),
    key: (PathBuf, Vec<u8>),
    authorities: Option<(PathBuf, Vec<u8>)>,
}

impl Files {
    pub(super) fn read(tls: &Tls, folder: &Path) -> Result<Self, TlsError> {
        let read = |name: &Path| {
            let path = folder.join(name);
            match fs::read(&path) {
                Ok(text) => Ok((path, text)),
                Err(source) => Err(TlsError::Read { path, source }),
            }
        };
        Ok(Self {
            certificates: read(&tls.cert_file)?,
            key: read(&tls.key_file)?,
            authorities: tls.client_ca_file.as_deref().map(read).transpose()?,
        })
    }

    /// To see whether they change.
    pub(super) fn into_contents(self) -> impl Iterator<Item = Vec<u8>> {
        let all = [Some(self.certificates), Some(self.key), self.authorities];
        all.into_iter().flatten().map(|(_, text)| text)
    }
}

/// Made of them.
pub(super) fn acceptor(tls: &Tls, files: &Files) -> Result<TlsAcceptor, TlsError> {
    let unfit = |e: &dyn std::fmt::Display| TlsError::Unfit(e.to_string());
    let provider = Arc::new(provider(tls)?);
    let chain = certificates(&files.certificates)?;
    let (path, text) = &files.key;
    let key = PrivateKeyDer::from_pem_slice(text).map_err(|_| TlsError::Empty {
        path: path.clone(),
        what: "private key in PEM",
    })?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions(tls))
        .map_err(|e| unfit(&e))?;
    let builder = match &files.authorities {
        None => builder.with_no_client_auth(),
        Some(authorities) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(authorities)? {
                roots.add(authority).map_err(|e| unfit(&e))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = match tls.client_auth_type {
                ClientAuth::VerifyClientCertIfGiven => verifier.allow_unauthenticated(),
                ClientAuth::RequireAndVerifyClientCert | ClientAuth::NoClientCert => verifier,
            };
            builder.with_client_cert_verifier(verifier.build().map_err(|e| unfit(&e))?)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|e| unfit(&e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ignore_client_order = tls.prefer_server_cipher_suites.unwrap_or(false);
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates((path, text): &(PathBuf, Vec<u8>)) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let empty = || TlsError::Empty {
        path: path.clone(),
        what: "certificate in PEM",
    };
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    all.ok().filter(|all| !all.is_empty()).ok_or_else(empty)
}

/// Both, unless one is ruled out. A range without any is told by rustls.
fn versions(tls: &Tls) -> Vec<&'static SupportedProtocolVersion> {
    let all = [(Version::TLS12, &version::TLS12), (Version::TLS13, &version::TLS13)];
    let within = |v: Version| {
        let low = tls.min_version != Version::TLS13 || v == Version::TLS13;
        low && (tls.max_version != Version::TLS12 || v == Version::TLS12)
    };
    all.into_iter().filter(|(v, _)| within(*v)).map(|(_, s)| s).collect()
}

/// All that is sound, or of that what was asked for, in that order.
fn provider(tls: &Tls) -> Result<CryptoProvider, TlsError> {
    let mut provider = ring::default_provider();
    if !tls.cipher_suites.is_empty() {
        let all = std::mem::take(&mut provider.cipher_suites);
        for name in &tls.cipher_suites {
            let called = |s: &&rustls::SupportedCipherSuite| {
                let ours = s.suite().as_str().unwrap_or_default();
                ours == name || ours.replacen("TLS13_", "TLS_", 1) == *name
            };
            let found = all.iter().find(called).ok_or_else(|| TlsError::Unknown(name.clone()))?;
            provider.cipher_suites.push(*found);
        }
    }
    if !tls.curve_preferences.is_empty() {
        let all = std::mem::take(&mut provider.kx_groups);
        for name in &tls.curve_preferences {
            let group = match name.as_str() {
                "X25519" => NamedGroup::X25519,
                "CurveP256" => NamedGroup::secp256r1,
                "CurveP384" => NamedGroup::secp384r1,
                _ => return Err(TlsError::Unknown(name.clone())),
            };
            let found = all.iter().find(|g| g.name() == group);
            provider
                .kx_groups
                .push(*found.ok_or_else(|| TlsError::Unknown(name.clone()))?);
        }
    }
    Ok(provider)
}

/// The hash by which the page names its script. None if this provider had no SHA-256.
pub(super) fn sha256(data: &[u8]) -> Option<Vec<u8>> {
    let suites = ring::default_provider().cipher_suites;
    let hashes = suites.iter().filter_map(|s| s.tls13()).map(|s| s.common.hash_provider);
    let mut fitting = hashes.filter(|h| h.algorithm() == HashAlgorithm::SHA256);
    Some(fitting.next()?.hash(data).as_ref().to_vec())
}
