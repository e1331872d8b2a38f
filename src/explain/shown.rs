//! What Windows shows if an expectation is not met.

use super::row::{Id, Stated};
use crate::baseline::{Failure, error_of};
use crate::registry::{Role, same_text};

/// Returns the errors, one line each.
pub(super) fn errors(found: &Id, stated: Stated<'_>) -> Vec<String> {
    let Some(key) = stated.key() else { return Vec::new() };
    let parameters = key.path.strip_suffix(r"\Parameters").filter(|path| path.contains(r"\Services\"));
    let failures: &[Failure] = match stated {
        _ if key.role == Role::Software && key.id.starts_with("svchost-") => &[Failure::NotInGroup],
        _ if parameters.is_some() && matches!(found, Id::Key(..)) => &[Failure::ParametersMissing],
        Stated::Value(_, value) if key.service().is_some() && same_text(&value.name, "Start") => {
            &[Failure::Disabled, Failure::DependencyFailed]
        }
        Stated::Key(_) if key.service().is_some() => &[Failure::ServiceMissing, Failure::DependencyMissing],
        _ => &[],
    };
    let line = |failure: &Failure| {
        let error = error_of(*failure)?;
        let whose = match failure {
            Failure::DependencyMissing | Failure::DependencyFailed => "services that depend on it: ",
            _ => "",
        };
        Some(format!("{whose}{}: {} ({}, {})", error.code, error.means, error.source, error.url))
    };
    failures.iter().filter_map(line).collect()
}
