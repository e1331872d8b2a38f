//! The part of a baseline that decides on some of its rows.

use std::collections::BTreeSet;

use super::names::NamesOnce;
use super::{Baseline, ExpectedKey};
use crate::registry::{Role, same_text};

impl Baseline {
    /// Returns the keys of SYSTEM that the findings of these rows depend on: the rows themselves, the keys on the same
    /// path above and below them, and the rows that their values must resemble. Names that hide are not among them. `None` if one of the rows is no key of
    /// the baseline, such as a service on a chain of dependencies: then every key may matter.
    pub fn part(&self, rows: &BTreeSet<&str>) -> Option<Self> {
        let named: Vec<&ExpectedKey> = self.keys.iter().filter(|key| rows.contains(key.id.as_str())).collect();
        let known: BTreeSet<&str> = named.iter().map(|key| key.id.as_str()).collect();
        if known.len() < rows.len() {
            return None;
        }
        let models: BTreeSet<&str> = named
            .iter()
            .flat_map(|key| &key.values)
            .filter_map(|row| Some(row.same_as.as_ref()?.key.as_str()))
            .collect();
        let is_on_the_way = |key: &ExpectedKey| {
            let leads_to = |a: &str, b: &str| {
                let head = b.split_at_checked(a.len());
                head.is_some_and(|(head, rest)| same_text(head, a) && (rest.is_empty() || rest.starts_with('\\')))
            };
            named.iter().any(|one| leads_to(&one.path, &key.path) || leads_to(&key.path, &one.path))
        };
        let is_part =
            |key: &&ExpectedKey| key.role == Role::System && (models.contains(key.id.as_str()) || is_on_the_way(key));
        Some(Self {
            id: self.id.clone(),
            name: self.name.clone(),
            applies_to: self.applies_to.clone(),
            sha256: self.sha256.clone(),
            keys: self.keys.iter().filter(is_part).cloned().collect(),
            steps: Vec::new(),
            own_text: None,
            names: NamesOnce::none(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::OsId;

    #[test]
    fn a_part_has_the_keys_that_a_row_depends_on_and_no_others() {
        let baseline = Baseline::of("windows-7".parse::<OsId>().unwrap()).unwrap().unwrap();
        let part = baseline.part(&BTreeSet::from(["service-bits"])).unwrap();
        assert!(part.keys.iter().any(|key| key.id == "service-bits"));
        assert!(part.keys.iter().all(|key| key.role == Role::System && !key.path.ends_with("SENS")));
        assert!(part.keys.len() < baseline.keys.len());
        assert!(baseline.part(&BTreeSet::from(["service-bits", "chain"])).is_none());
    }
}
