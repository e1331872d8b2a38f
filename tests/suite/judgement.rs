//! The judgement: what conforms in which form, what follows from what, and what severity it has. Each test alters a
//! clean fixture; those named after a row of the field trials keep that row from coming back.

use hivemend::examination::Options;
use hivemend::finding::{Finding, Severity, Verdict};
use hivemend::registry::Role;

use crate::builder::Key;
use crate::cases::{Examined, examined};
use crate::fixture;

mod forms;

const SET: &str = "ControlSet001";

/// A clean fixture, altered below its root keys and examined.
fn altered(case: &str, alter: impl FnOnce(&mut Hives<'_>)) -> Examined {
    altered_with(case, &Options::default(), alter)
}

fn altered_with(case: &str, options: &Options, alter: impl FnOnce(&mut Hives<'_>)) -> Examined {
    let mut case = fixture::compile(case).unwrap();
    let mut roots = case.hives.iter_mut().map(|(role, hive)| (*role == Role::Software.as_str(), &mut hive.root));
    let (first, second) = (roots.next().unwrap(), roots.next().unwrap());
    let (software, system) = if first.0 { (first.1, second.1) } else { (second.1, first.1) };
    alter(&mut Hives { software, system });
    examined(case, options)
}

/// The roots of both hives.
struct Hives<'a> {
    software: &'a mut Key,
    system: &'a mut Key,
}

impl Hives<'_> {
    /// The key of a service in the first control set.
    fn service(&mut self, name: &str) -> &mut Key {
        self.system.create(&format!(r"{SET}\Services\{name}"))
    }
}

fn findings(examined: &Examined) -> &[Finding] {
    &examined.installation().judgement.as_ref().unwrap().findings
}

fn finding<'e>(examined: &'e Examined, id: &str) -> &'e Finding {
    let found: Vec<&Finding> = findings(examined).iter().filter(|finding| finding.id == id).collect();
    let [finding] = found.as_slice() else { panic!("{} findings {id}", found.len()) };
    finding
}

/// What deviates, as ids.
fn deviating(examined: &Examined) -> Vec<&str> {
    findings(examined).iter().filter(|finding| finding.is_deviation()).map(|finding| finding.id.as_str()).collect()
}

fn verdict(finding: &Finding) -> (Verdict, Severity) {
    (finding.verdict, finding.severity)
}
