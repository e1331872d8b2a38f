//! The judgement: which forms conform, which finding follows from which, and their severities. Each test alters a clean
//! fixture. Tests that are named after a row of the field trials prevent its regression.

use hivemend::audit::{Context, audit};
use hivemend::baseline::{Baseline, Profile, SystemRoot};
use hivemend::evidence::Bytes;
use hivemend::examination::Options;
use hivemend::facts::{Source, observe_all};
use hivemend::finding::{Finding, Severity, Verdict};
use hivemend::hive::Hive;
use hivemend::os::{Pair, identify};
use hivemend::registry::Role;

use crate::builder::Key;
use crate::cases::{Examined, examined};
use crate::fixture::{self, Case};

mod answers;
mod causes;
mod forms;
mod rules;

const SET: &str = "ControlSet001";

/// A clean fixture, altered below its root keys and examined.
fn altered(case: &str, alter: impl FnOnce(&mut Hives<'_>)) -> Examined {
    altered_with(case, &Options::default(), alter)
}

fn altered_with(case: &str, options: &Options, alter: impl FnOnce(&mut Hives<'_>)) -> Examined {
    let mut case = fixture::compile(case).unwrap();
    let (software, system) = halves(&mut case);
    alter(&mut Hives { software, system });
    examined(case, options)
}

fn halves(case: &mut Case) -> (&mut Key, &mut Key) {
    let mut roots = case.hives.iter_mut().map(|(role, hive)| (*role == Role::Software.as_str(), &mut hive.root));
    let (first, second) = (roots.next().unwrap(), roots.next().unwrap());
    if first.0 { (first.1, second.1) } else { (second.1, first.1) }
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

/// The answer, which stands in front of the findings.
fn answer_of(examined: &Examined) -> &str {
    examined.installation().judgement.as_ref().unwrap().answer.as_deref().unwrap()
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

/// A clean fixture, altered, and judged in its first control set by the keys of a baseline of the test's own.
fn judged_by(keys: &str, case: &str, alter: impl FnOnce(&mut Hives<'_>)) -> Vec<Finding> {
    let mut case = fixture::compile(case).unwrap();
    let (software, system) = halves(&mut case);
    alter(&mut Hives { software, system });
    let mut hives = case
        .hives
        .iter()
        .map(|(role, hive)| (*role, Hive::from_bytes(Bytes::Read(hive.to_bytes())).unwrap().as_it_lies()));
    let (first, second) = (hives.next().unwrap(), hives.next().unwrap());
    let (software, system) = if first.0 == Role::Software.as_str() { (first.1, second.1) } else { (second.1, first.1) };
    let (software, minor, system) = (software.tree(), system.base_block().minor, system.tree());
    let (os, _) = identify(Pair { software: Some(&software), system: Some((&system, minor)) });
    let text = format!("id = 'test'\nname = 'Test'\napplies-to = []\n{keys}");
    let baseline = Baseline::parse("test", &text).unwrap();
    let facts = observe_all(&baseline, Source::Tree(&software), Source::Tree(&system), &[1], false);
    let root = SystemRoot::new(Some(r"C:\Windows"));
    audit(&baseline, &facts, &Context { os: &os, root, setup_phase: false, profiles: &Profile::ALL })
}

/// What findings of those ids came to: verdict, severity, and why or note.
fn of<'f>(findings: &'f [Finding], id: &str) -> &'f Finding {
    let found: Vec<&Finding> = findings.iter().filter(|finding| finding.id == id).collect();
    let [finding] = found.as_slice() else {
        panic!("{} findings {id} among {:?}", found.len(), findings.iter().map(|f| &f.id).collect::<Vec<_>>())
    };
    finding
}
