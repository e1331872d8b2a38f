//! The columns of a history: generations ordered by time, with identical ones merged.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Column, View};
use crate::control_set::ControlSets;
use crate::discovery::Generation;
use crate::hive::State;
use crate::registry::Role;
use crate::report::{HiveReport, InstallationReport};

/// A hive in one view, as it was examined.
pub(super) struct Source<'a> {
    pub(super) installation: &'a InstallationReport,
    pub(super) hive: &'a HiveReport,
    view: View,
}

impl<'a> Source<'a> {
    /// Returns the hive with this role in an installation. For a recovered hive, also the primary file alone.
    pub(super) fn of(
        installation: &'a InstallationReport,
        lying: Option<&'a InstallationReport>,
        role: Role,
    ) -> Vec<Self> {
        let hive = |installation: &'a InstallationReport| installation.hives.iter().find(|hive| hive.role == role);
        let mut sources = Vec::new();
        let Some(found) = hive(installation) else { return sources };
        let recovered = found.integrity.state == State::Recovered;
        if let Some((lying, primary)) = lying.filter(|_| recovered).and_then(|lying| Some((lying, hive(lying)?))) {
            sources.push(Self { installation: lying, hive: primary, view: View::Primary });
        }
        let view = if recovered { View::Replayed } else { View::Primary };
        sources.push(Self { installation, hive: found, view });
        sources
    }

    /// Returns what identifies its content: the hashes of the hive and of the logs that were replayed over it.
    fn content(&self) -> Option<Content<'a>> {
        let logs = self.hive.integrity.logs.iter().map(|log| log.sha256.as_deref());
        let logs = if self.view == View::Replayed { logs.collect() } else { Vec::new() };
        Some((self.hive.sha256.as_deref()?, self.view, logs))
    }
}

/// What identifies the content of a hive in a view.
type Content<'a> = (&'a str, View, Vec<Option<&'a str>>);

/// A column, and the installation that it belongs to.
pub(super) type Placed<'a> = (Column, &'a InstallationReport);

/// Returns the columns of the sources, oldest first.
pub(super) fn columns(mut sources: Vec<Source<'_>>) -> Vec<Placed<'_>> {
    // Of files with the same content, the one nearest to the running Windows names the column.
    sources.sort_by_cached_key(|source| (source.installation.generation, source.hive.path.clone(), source.view));
    let mut folded: Vec<(Source<'_>, Vec<String>)> = Vec::new();
    let mut places: BTreeMap<Content<'_>, usize> = BTreeMap::new();
    for source in sources {
        let next = folded.len();
        let place = source.content().map_or(next, |content| *places.entry(content).or_insert(next));
        match folded.get_mut(place) {
            Some((_, same)) => same.push(source.hive.path.clone()),
            None => folded.push((source, Vec::new())),
        }
    }
    // At the same time the older kind of copy comes first, and a hive comes before its recovered view.
    folded.sort_by_cached_key(|(source, _)| {
        let generation = Reverse(source.installation.generation);
        (source.hive.last_written, generation, source.hive.path.clone(), source.view)
    });
    let mut columns = Vec::new();
    for (source, same) in folded {
        let sets = source.installation.control_sets.as_ref().filter(|_| source.hive.role == Role::System);
        let numbers: Vec<Option<u32>> = match sets {
            Some(sets) if !sets.present.is_empty() => sets.present.iter().copied().map(Some).collect(),
            _ => vec![None],
        };
        for control_set in numbers {
            let marks = control_set.zip(sets).map_or(Vec::new(), |(number, sets)| marks(number, sets));
            let letter = letter(columns.len());
            columns.push((
                Column {
                    letter,
                    label: label(source.installation, &source.hive.path),
                    generation: source.installation.generation,
                    path: source.hive.path.clone(),
                    same: same.clone(),
                    view: source.view,
                    control_set,
                    followed: control_set.is_none() || marks.iter().any(|mark| mark == "current"),
                    marks,
                    last_written: source.hive.last_written,
                    sha256: source.hive.sha256.clone(),
                    md5: source.hive.md5.clone(),
                    sha1: source.hive.sha1.clone(),
                    state: source.hive.integrity.state,
                    os: source.installation.os.id,
                    judged: source.installation.os.baseline().is_some(),
                },
                source.installation,
            ));
        }
    }
    columns
}

/// Returns the roles of a control set in `Select`.
fn marks(number: u32, sets: &ControlSets) -> Vec<Cow<'static, str>> {
    let names = [
        ("current", sets.current),
        ("default", sets.default),
        ("last-known-good", sets.last_known_good),
        ("failed", sets.failed),
    ];
    names.into_iter().filter(|(_, set)| *set == Some(number)).map(|(name, _)| name.into()).collect()
}

/// Returns the name of a generation for people.
fn label(installation: &InstallationReport, path: &str) -> String {
    match installation.generation {
        Generation::RestorePoint => {
            let is_point = |part: &&str| {
                let digits = part.get(2..).unwrap_or_default();
                part.get(..2).is_some_and(|rp| rp.eq_ignore_ascii_case("RP"))
                    && !digits.is_empty()
                    && digits.bytes().all(|byte| byte.is_ascii_digit())
            };
            path.split('/').find(is_point).map_or("restore point".to_owned(), |point| format!("restore point {point}"))
        }
        Generation::Live => "the live hive".to_owned(),
        Generation::Regback => "RegBack".to_owned(),
        Generation::Repair => "repair".to_owned(),
        Generation::ShadowCopy => "shadow copy".to_owned(),
        Generation::WindowsOld => "Windows.old".to_owned(),
        Generation::Setup => "setup".to_owned(),
        Generation::Copy => format!("the copy {path}"),
    }
}

/// Returns the letter of a column: `A` to `Z`, then `AA`.
fn letter(index: usize) -> String {
    let digit = |number: usize| char::from(b'A'.saturating_add(u8::try_from(number % 26).unwrap_or(0)));
    match (index / 26).checked_sub(1) {
        None => digit(index).to_string(),
        Some(first) => [digit(first), digit(index)].iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::letter;

    #[test]
    fn columns_have_letters_as_in_spreadsheets() {
        assert_eq!([0, 25, 26, 51, 52, 701].map(letter), ["A", "Z", "AA", "AZ", "BA", "ZZ"]);
    }
}
