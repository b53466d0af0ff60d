//! `doctor`: what it says of a host that is not the one of its configuration, and its exit codes.

use crate::{pfwatch, ran, run};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

const PAIR: &str = r#"
[sync]
interface = "no-such-2"
[[node]]
name = "fw1"
address = ["198.18.77.1"]
self = true
[[node]]
name = "fw2"
address = ["198.18.77.2"]
[hooks]
promote = [["/no/such/promote.sh"]]
[[probe]]
name = "far"
about = "self"
command = ["false"]
"#;

#[test]
fn a_host_that_is_another() {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("pfwatch.toml");
    let socket = folder.path().join("sock");
    fs::write(&config, format!("{PAIR}[control]\nsocket = \"{}\"\n", socket.display())).unwrap();
    let mut command = pfwatch();
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.args(["doctor", "--seconds", "1", "-c"]).arg(&config);
    let text = ran(&mut command);
    assert_eq!((text.code, text.err.as_str()), (1, ""), "{}", text.out);
    for line in [
        "problem  interfaces     there is no interface no-such-2",
        "problem  addresses      this host does not have 198.18.77.1",
        "problem  probes         far (about self) fails (exit code 1)",
        "problem  hooks          `/no/such/promote.sh` cannot be started",
        "warning  daemon         no pfwatch answers",
    ] {
        assert!(text.out.lines().any(|l| l.starts_with(line)), "{line}\n{}", text.out);
    }

    let json = ran(command.args(["--format", "json"]));
    let report: Value = serde_json::from_str(&json.out).unwrap();
    let checks = report["checks"].as_array().unwrap();
    assert_eq!((json.code, &report["schema"]), (1, &Value::from(1)));
    assert_eq!(checks.len(), text.out.lines().count() - 2);
    let problems = checks.iter().filter(|c| c["outcome"] == "problem").count();
    assert_eq!(report["problems"], problems);
}

#[test]
fn a_broken_configuration_is_78() {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("pfwatch.toml");
    fs::write(&config, PAIR.replace("[sync]", "[snyc]")).unwrap();
    let broken = run(["doctor", "-c", config.to_str().unwrap()]);
    assert_eq!((broken.code, broken.out.as_str()), (78, ""), "{}", broken.err);
    assert!(broken.err.contains("did you mean [sync]?"), "{}", broken.err);
    assert_eq!(run(["doctor", "-c", "/no/such/file"]).code, 78);
    assert_eq!(run(["doctor", "--seconds", "many"]).code, 2);
}
