//! Lines of many machines: records of audited fixtures, varied in the types of the report.

use std::collections::BTreeMap;
use std::fs;

use hivemend::error::Gap;
use hivemend::evidence::sha256_of;
use hivemend::finding::{Finding, ObservedDatum};
use hivemend::registry::{DataType, FileTime, RegistryValue};
use hivemend::report::jsonl::Lines;
use hivemend::report::{InstallationReport, Report, Summary};

use crate::command_line::Desk;

/// Audited fixtures, and a desk for the lines that are made of them.
pub(crate) struct Shelf {
    pub(crate) desk: Desk,
    report: Report,
    machines: BTreeMap<String, InstallationReport>,
}

impl Shelf {
    /// Audits these fixtures.
    pub(crate) fn with(cases: &[&str]) -> Self {
        let desk = Desk::with(cases);
        let output = desk.run(&["audit", "evidence", "--format", "json"]);
        let mut report: Report = serde_json::from_slice(&output.stdout).unwrap();
        let mut machines = BTreeMap::new();
        for installation in std::mem::take(&mut report.installations) {
            let case = installation.evidence.split('/').nth(1).unwrap().to_owned();
            machines.insert(case, installation);
        }
        (report.sources, report.problems) = (Vec::new(), Vec::new());
        Self { desk, report, machines }
    }

    /// A machine of this name, which is like that of a fixture, but for its hives.
    pub(crate) fn machine(&self, case: &str, name: &str) -> InstallationReport {
        let mut machine = self.machines[case].clone();
        machine.id = name.to_lowercase();
        machine.evidence = format!("case/{name}/Windows/System32/config");
        machine.machine.computer_name = Some(name.to_owned());
        for hive in &mut machine.hives {
            hive.path = format!("{}/{}", machine.evidence, hive.role);
            hive.sha256 = Some(sha256_of(format!("{case} {}", hive.path).as_bytes()));
        }
        for gap in &mut machine.gaps {
            gap.at.clone_from(&machine.evidence);
        }
        machine
    }

    /// The lines of one run.
    pub(crate) fn lines(&self, machines: &[InstallationReport]) -> Vec<u8> {
        self.lines_with(machines, &[])
    }

    /// The lines of one run, and gaps of no machine.
    pub(crate) fn lines_with(&self, machines: &[InstallationReport], apart: &[Gap]) -> Vec<u8> {
        let mut report = self.report.clone();
        report.installations = machines.to_vec();
        let mut summary = Summary { installations: machines.len(), ..Summary::default() };
        for judgement in machines.iter().filter_map(|machine| machine.judgement.as_ref()) {
            summary.counts.add(&judgement.counts);
        }
        summary.close(machines.iter().flat_map(|machine| &machine.gaps).chain(apart).cloned().collect());
        report.summary = summary;
        let mut lines = Vec::new();
        report.render(&mut Lines::new(&mut lines)).unwrap();
        lines
    }

    /// Writes the lines of one run into a file.
    pub(crate) fn write(&self, file: &str, machines: &[InstallationReport]) {
        fs::write(self.desk.path(file), self.lines(machines)).unwrap();
    }

    /// Runs `report --fleet` on these files. Returns the exit code, the page, and what was said.
    pub(crate) fn report(&self, files: &[&str]) -> (i32, String, String) {
        let output = self.desk.run(&[&["report", "--fleet"], files].concat());
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

/// The finding of a machine with this id.
pub(crate) fn finding<'m>(machine: &'m mut InstallationReport, id: &str) -> &'m mut Finding {
    let findings = &mut machine.judgement.as_mut().unwrap().findings;
    findings.iter_mut().find(|finding| finding.id == id).unwrap_or_else(|| panic!("no {id}"))
}

pub(crate) fn observed(text: &str) -> ObservedDatum {
    (&RegistryValue::text(DataType::SZ, text)).into()
}

pub(crate) fn time(text: &str) -> FileTime {
    text.parse().unwrap()
}
