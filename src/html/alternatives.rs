//! Other explanations of a finding: an administrator, a policy, an update, a program. They come from
//! `alternatives.toml`. A hive cannot show which of them is true.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::finding::Finding;
use crate::registry::same_text;

/// One row of the table. An empty list matches everything.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Alternative {
    /// Names of values.
    #[serde(default)]
    values: Vec<String>,
    /// Words of verdicts.
    #[serde(default)]
    verdicts: Vec<String>,
    /// A part of the key's path.
    #[serde(default)]
    key: Option<String>,
    /// The explanations.
    say: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    alternative: Vec<Alternative>,
}

fn table() -> &'static [Alternative] {
    static TABLE: OnceLock<Vec<Alternative>> = OnceLock::new();
    let read = || toml::from_str::<Table>(include_str!("alternatives.toml")).map(|table| table.alternative);
    TABLE.get_or_init(|| read().unwrap_or_default())
}

/// Returns the matching explanations of a deviating finding, without duplicates.
pub(super) fn of(finding: &Finding) -> impl Iterator<Item = String> {
    let mut said: Vec<String> = Vec::new();
    for row in table().iter().filter(|row| finding.is_deviation() && row.fits(finding)) {
        for sentence in &row.say {
            if !said.contains(sentence) {
                said.push(sentence.clone());
            }
        }
    }
    said.into_iter()
}

impl Alternative {
    fn fits(&self, finding: &Finding) -> bool {
        let value = finding.value.as_deref();
        let of_value =
            self.values.is_empty() || value.is_some_and(|value| self.values.iter().any(|v| same_text(v, value)));
        let verdict = finding.verdict.kind().as_str();
        let of_verdict = self.verdicts.is_empty() || self.verdicts.iter().any(|word| word == verdict);
        let path = finding.key.as_deref().unwrap_or_default().to_lowercase();
        let of_key = self.key.as_ref().is_none_or(|part| path.contains(&part.to_lowercase()));
        of_value && of_verdict && of_key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_and_its_verdicts_are_known() {
        let table = toml::from_str::<Table>(include_str!("alternatives.toml")).unwrap().alternative;
        assert!(table.len() > 5);
        for row in table {
            assert!(!row.say.is_empty());
            for word in row.verdicts {
                assert!(["deviates", "absent", "unexpected"].contains(&word.as_str()), "{word}");
            }
        }
    }
}
