//! Users' baselines: composed, checked, learned, and used instead of the built-in ones or beside them.

use std::fs;

use crate::builder::Hive;
use crate::command_line::Desk;

mod checking;
mod learning;
mod packs;
mod reading;

/// Writes a file on the desk, and the folders above it.
fn write(desk: &Desk, name: &str, bytes: impl AsRef<[u8]>) {
    let path = desk.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// What an audit by a file finds that is not as it should be: `id verdict`, with its cause where it has one.
fn found(desk: &Desk, options: &[&str], evidence: &str) -> Vec<String> {
    let mut arguments = vec!["audit", "--format", "json"];
    arguments.extend(options);
    arguments.extend(["--", evidence]);
    let report = desk.json(&arguments);
    let mut lines = Vec::new();
    for finding in report["installations"][0]["findings"].as_array().unwrap() {
        let verdict = finding["verdict"].as_str().unwrap();
        if verdict != "conforms" && verdict != "not-assessed" {
            let cause = finding["cause"].as_str().map(|cause| format!(", of {cause}")).unwrap_or_default();
            lines.push(format!("{} {verdict}{cause}", finding["id"].as_str().unwrap()));
        }
    }
    lines
}

/// Writes a hive on the desk.
fn hive(desk: &Desk, name: &str, hive: &Hive) {
    write(desk, name, hive.to_bytes());
}
