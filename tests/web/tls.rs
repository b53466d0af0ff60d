//! TLS and passwords, as curl meets them; the certificate is renewed meanwhile.

use super::{have, until};
use pfwatch::http::{Options, Source, Web};
use pfwatch::status::Status;
use pfwatch::status::board::Board;
use pfwatch::time::Timestamp;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

fn certificate(folder: &Path, name: &str) {
    let mut command = Command::new("openssl");
    command.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]);
    command.args([
        "-subj",
        &format!("/CN={name}"),
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    ]);
    command
        .arg("-keyout")
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("cert.pem"));
    assert!(command.output().unwrap().status.success());
}

/// HTTP status, or curl's own exit code below zero.
fn curl(web: &Web, arguments: &[&str]) -> i32 {
    let mut command = Command::new("curl");
    command.args([
        "--silent",
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_code}",
        "--noproxy",
        "*",
    ]);
    command
        .args(arguments)
        .arg(format!("https://{}/metrics", web.addresses()[0]));
    let output = command.output().unwrap();
    if output.status.success() {
        String::from_utf8_lossy(&output.stdout).parse().unwrap()
    } else {
        -output.status.code().unwrap()
    }
}

#[test]
fn tls_and_passwords_are_those_of_the_web_configuration() {
    let name = "tls::tls_and_passwords_are_those_of_the_web_configuration";
    if !have(name, "curl") || !have(name, "openssl") {
        return;
    }
    let folder = tempfile::TempDir::new().unwrap();
    let at = |file: &str| folder.path().join(file);
    certificate(folder.path(), "first");
    // Of `fakepassword`.
    let users = "basic_auth_users:\n  scraper: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi\n";
    let tls = "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n";
    fs::write(at("web.yml"), format!("{tls}{users}")).unwrap();
    let source = Source {
        board: Arc::new(Board::new(Status::default(), Timestamp::default())),
        now: Arc::new(Timestamp::default),
        zone: jiff::tz::TimeZone::UTC,
    };
    let options = Options {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        config_file: Some(at("web.yml")),
        ..Options::default()
    };
    let web = Web::start(&options, source.clone()).unwrap();
    fs::copy(at("cert.pem"), at("first.pem")).unwrap();
    let first = at("first.pem");
    let trust = ["--cacert", first.to_str().unwrap()];
    let with = |more: &[&'static str]| [&trust[..], more].concat();
    let password = ["--user", "scraper:fakepassword"];
    assert_eq!(curl(&web, &with(&password)), 200);
    assert_eq!(curl(&web, &with(&[&password[..], &["--tls-max", "1.2"]].concat())), 200);
    assert_eq!(curl(&web, &with(&["--user", "scraper:wrong"])), 401);
    assert_eq!(curl(&web, &trust), 401);
    // 60: nobody vouches for it; 35: no TLS that both would speak.
    assert_eq!(curl(&web, &password), -60);

    certificate(folder.path(), "second");
    let second = at("cert.pem");
    let trust = ["--cacert", second.to_str().unwrap()];
    let renewed = [&trust[..], &password[..]].concat();
    until("the new certificate is taken", || {
        (curl(&web, &renewed) == 200).then_some(())
    });
    fs::write(at("cert.pem"), "broken").unwrap();
    // Nobody starts unprotected.
    fs::write(at("web.yml"), "tls_server_config: [").unwrap();
    assert!(Web::start(&options, source).is_err());
    drop(web);
}
