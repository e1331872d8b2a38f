//! A script with a recorded reg: its calls are logged, and its queries are answered from a table.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::prefix::{Wine, as_windows_says};
use crate::fixture::ROLES;

/// The line that a test replaces.
const REG: &str = "set REG=\"%SystemRoot%\\System32\\reg.exe\"";

/// A script with a recorded reg, in a folder of its own.
pub(super) struct Desk<'w> {
    pub(super) wine: &'w Wine,
    pub(super) folder: tempfile::TempDir,
    /// By key and name.
    pub(super) table: BTreeMap<(String, String), usize>,
}

impl<'w> Desk<'w> {
    /// A script, and the `.reg` files beside it; every value that it asks for is as `answers` have it.
    pub(super) fn new(wine: &'w Wine, script: &str, files: &Path, before: &Answers, after: &Answers) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(files).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        fs::create_dir(folder.path().join("stub")).unwrap();
        let stub = include_str!("../../support/recorded_reg.cmd").replace('\n', "\r\n");
        fs::write(folder.path().join("stub/reg.cmd"), stub).unwrap();
        assert_eq!(script.matches(REG).count(), 1);
        let recorded = format!("set REG=call \"{}\"", as_windows_says(&folder.path().join("stub/reg.cmd")));
        fs::write(folder.path().join("winre.cmd"), script.replace(REG, &recorded)).unwrap();
        let mut table = BTreeMap::new();
        let lines: Vec<&str> = script.split("\r\n").collect();
        for pair in lines.windows(2) {
            let text = |line: &str, variable: &str| {
                line.strip_prefix(&format!("set \"{variable}="))
                    .and_then(|rest| rest.strip_suffix('"'))
                    .map(str::to_owned)
            };
            if let (Some(key), Some(name)) = (text(pair[0], "KEY"), text(pair[1], "NAME")) {
                let next = table.len();
                table.entry((key, name)).or_insert(next);
            }
        }
        let desk = Self { wine, folder, table };
        let row = |((key, name), number): (&(String, String), &usize)| format!("{key}|{name}|{number}\r\n");
        let rows = desk.table.iter().map(row).collect::<Vec<_>>().concat();
        fs::write(desk.stub("table.txt"), rows).unwrap();
        for (state, answers) in [("before", before), ("after", after)] {
            for (place, number) in &desk.table {
                if let Some(line) = answers.get(&(place.0.to_uppercase(), place.1.clone())) {
                    desk.answer(state, *number, line);
                }
            }
        }
        desk
    }

    pub(super) fn stub(&self, name: &str) -> PathBuf {
        self.folder.path().join("stub").join(name)
    }

    pub(super) fn answer(&self, state: &str, number: usize, line: &str) {
        let key = &self.table.iter().find(|(_, known)| **known == number).unwrap().0.0;
        fs::write(self.stub(&format!("{state}-{number}.txt")), format!("\r\n{key}\r\n{line}\r\n\r\n")).unwrap();
    }

    /// Another answer to the question for a value of that name.
    pub(super) fn alter(&self, state: &str, name: &str, line: &str) {
        let (_, number) = self.table.iter().find(|((_, known), _)| known == name).unwrap();
        self.answer(state, *number, line);
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Result<String, String> {
        self.wine.script(&self.folder.path().join("winre.cmd"), arguments)
    }

    /// The operations that change something, in order.
    pub(super) fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.stub("log.txt")).unwrap_or_default();
        let words = log.lines().map(|line| line.split([' ', '\\', '/']).collect::<Vec<_>>());
        let last = |words: &[&str]| words.iter().rfind(|word| !word.trim().is_empty()).unwrap().trim().to_owned();
        let told = words.filter(|words| words[0] != "query").map(|words| match words[0] {
            "import" => format!("import {}", last(&words)),
            operation => format!("{operation} {}", words[2].trim()),
        });
        told.collect()
    }
}

/// What reg prints of each value, by key in upper case and name.
pub(super) type Answers = BTreeMap<(String, String), String>;

/// What Wine's reg prints of the loaded hives.
pub(super) fn answers(wine: &Wine, folder: &Path) -> Answers {
    let mut answers = Answers::new();
    for role in ROLES {
        let root = format!(r"HKEY_LOCAL_MACHINE\hivemend-{role}");
        wine.run_in(folder, &format!("reg query {root} /s > printed.txt"));
        let text = fs::read(folder.join("printed.txt")).unwrap();
        let mut key = String::new();
        for line in String::from_utf8_lossy(&text).lines() {
            if let Some(rest) = line.strip_prefix("    ") {
                let name = rest.split("    ").next().unwrap().to_owned();
                answers.insert((key.clone(), name), line.to_owned());
            } else if !line.is_empty() {
                key = line.replace("HKEY_LOCAL_MACHINE", "HKLM").to_uppercase();
            }
        }
    }
    assert!(answers.len() > 80, "{}", answers.len());
    answers
}
