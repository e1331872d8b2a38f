//! Rules for unlisted services, and the errors of services that cannot start: `services.toml` and `errors.toml`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::Basis;
use super::rule::Folders;
use super::tables::read;
use crate::finding::{Grade, Severity, Source};

/// Why a service cannot start, as Windows reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// Its key is missing.
    ServiceMissing,
    /// Start is 4.
    Disabled,
    /// The list of its svchost group does not name it.
    NotInGroup,
    /// Its Parameters key is missing.
    ParametersMissing,
    /// The key of a service that it depends on is missing.
    DependencyMissing,
    /// A service that it depends on cannot start.
    DependencyFailed,
}

/// An error that Windows shows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorCode {
    /// The code.
    pub code: String,
    /// What it means.
    pub means: String,
    /// The source.
    pub source: String,
    /// The address of the source.
    pub url: String,
}

/// The rule for every service that a judged service needs.
#[derive(Debug)]
pub struct ChainRule {
    /// The services that updates cannot do without.
    pub from: Vec<String>,
    /// Why, and the source.
    pub basis: Basis,
}

/// The rule for every service that shares a group with a judged service.
#[derive(Debug)]
pub struct GroupRule {
    /// The folders that its library must be in.
    pub under: Folders,
    /// Why, and the source.
    pub basis: Basis,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Services {
    chain: Entry,
    group_members: Entry,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(default)]
    from: Vec<String>,
    under: Option<Folders>,
    severity: Severity,
    attack: Vec<String>,
    why: String,
    source: String,
    url: String,
    grade: Grade,
}

impl Entry {
    fn basis(&self) -> Basis {
        Basis {
            why: self.why.clone(),
            source: Source { title: self.source.clone(), url: Some(self.url.clone()) },
            grade: self.grade,
            kinship: None,
            stated_in: None,
            severity: self.severity,
            attack: self.attack.clone(),
        }
    }
}

fn services() -> Option<&'static (ChainRule, GroupRule)> {
    static RULES: OnceLock<Option<(ChainRule, GroupRule)>> = OnceLock::new();
    let rules = RULES.get_or_init(|| {
        let Services { chain, group_members: members } = read("services").ok()?;
        let group = GroupRule { under: members.under?, basis: members.basis() };
        Some((ChainRule { basis: chain.basis(), from: chain.from }, group))
    });
    rules.as_ref()
}

/// Returns the rule for needed services. A test ensures that it exists.
pub fn chain_rule() -> Option<&'static ChainRule> {
    services().map(|(chain, _)| chain)
}

/// Returns the rule for services that share a group. A test ensures that it exists.
pub fn group_rule() -> Option<&'static GroupRule> {
    services().map(|(_, group)| group)
}

/// Returns the error that Windows shows. A test ensures that every failure has one.
pub fn error_of(failure: Failure) -> Option<&'static ErrorCode> {
    errors().get(&failure)
}

/// Returns every error that Windows shows if a service cannot start.
pub fn known_errors() -> impl Iterator<Item = &'static ErrorCode> {
    errors().values()
}

fn errors() -> &'static BTreeMap<Failure, ErrorCode> {
    static ERRORS: OnceLock<BTreeMap<Failure, ErrorCode>> = OnceLock::new();
    ERRORS.get_or_init(|| read("errors").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_can_be_read_and_every_failure_has_a_code() {
        read::<Services>("services").unwrap();
        assert!(chain_rule().is_some() && group_rule().is_some());
        let errors: BTreeMap<Failure, ErrorCode> = read("errors").unwrap();
        assert_eq!(errors.len(), 6);
        for error in errors.values() {
            assert!(error.code.starts_with("0x8007") && error.code.len() == 10, "{}", error.code);
            assert!(error.source.contains("KB 10132") && error.url.starts_with("https://"));
        }
    }
}
