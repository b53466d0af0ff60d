//! A Prometheus of the test's own, with the rules of this repository, and what it says.

use super::ask::{get, quoted};
use super::namespace::Owned;
use super::{ours, until};
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) struct Prometheus {
    address: SocketAddr,
    _process: Owned,
}

impl Prometheus {
    /// Scrapes `target` each second as the job `pfwatch`.
    pub(crate) fn start(folder: &Path, target: &str) -> Self {
        let rules = ours("grafana/rules");
        let config = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\n\
             rule_files: ['{0}/pfwatch.recording.yml', '{0}/pfwatch.alerts.yml']\n\
             scrape_configs:\n  - job_name: pfwatch\n    static_configs: [{{ targets: ['{target}'] }}]\n",
            rules.display()
        );
        let file = folder.join("prometheus.yml");
        fs::write(&file, config).unwrap();
        let address: SocketAddr = "127.0.0.1:9090".parse().unwrap();
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
        command.arg(format!("--web.listen-address={address}"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = Owned(command.spawn().unwrap());
        until("Prometheus is ready", || {
            get(address, "/-/ready").filter(|(code, _)| *code == 200)
        });
        Self {
            address,
            _process: process,
        }
    }

    fn api(&self, path: &str) -> Value {
        let (_, body) = get(self.address, path).unwrap();
        let answer: Value = serde_json::from_str(&body).unwrap_or_else(|e| panic!("{path}: {e}: {body}"));
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        answer["data"].clone()
    }

    /// The samples that a query finds now.
    pub(crate) fn query(&self, expr: &str) -> Vec<Value> {
        let data = self.api(&format!("/api/v1/query?query={}", quoted(expr)));
        data["result"].as_array().unwrap().clone()
    }

    /// `pending` or `firing`, if that alert is one of both.
    pub(crate) fn alert(&self, name: &str) -> Option<String> {
        let data = self.api("/api/v1/alerts");
        let alerts = data["alerts"].as_array().unwrap();
        let alert = alerts.iter().find(|a| a["labels"]["alertname"] == name)?;
        Some(alert["state"].as_str().unwrap().to_owned())
    }

    /// Every rule, evaluated without an error.
    pub(crate) fn rules(&self) -> usize {
        let data = self.api("/api/v1/rules");
        let groups = data["groups"].as_array().unwrap().clone();
        let rules: Vec<Value> = groups
            .iter()
            .flat_map(|g| g["rules"].as_array().unwrap().clone())
            .collect();
        for rule in &rules {
            assert_eq!(rule["health"], "ok", "{rule}");
        }
        rules.len()
    }
}
