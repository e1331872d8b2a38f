//! Which SOFTWARE belongs to which SYSTEM, among the hives of one generation in one folder.
//!
//! Names decide: the rest without the hive's own word must be the same. If one of each is left over, these two are also
//! a pair, because no other is possible. If several are left over, the pairs are unknown and reported as such: a
//! verdict on one machine's services with another machine's Windows would be worse than none.

use std::collections::{BTreeMap, BTreeSet};

use super::{FoundHive, Generation, Installation};
use crate::error::{Code, Problem};
use crate::registry::Role;

/// A hive to pair.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) hive: FoundHive,
    pub(super) generation: Generation,
    /// See [`super::name::affixes`].
    pub(super) affixes: Vec<String>,
    pub(super) problems: Vec<Problem>,
}

/// The hives of one generation in one folder.
#[derive(Debug)]
pub(super) struct Group {
    /// The folder's locator.
    pub(super) folder: String,
    pub(super) generation: Generation,
    /// Whether the user named these hives one by one.
    pub(super) named: bool,
    pub(super) candidates: Vec<Candidate>,
}

impl Candidate {
    /// Returns whether the name contains more than the hive's own word.
    fn is_marked(&self) -> bool {
        !self.affixes.is_empty() && self.affixes.iter().all(|affix| affix != "*")
    }
}

/// Sorts the hives of a group into installations. Their ids are still empty.
pub(super) fn pair(group: Group) -> Vec<Installation> {
    let Group { folder, generation, named, mut candidates } = group;
    candidates.sort_by(|a, b| a.hive.locator.cmp(&b.hive.locator));
    let (mut software, rest): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|c| c.hive.role == Role::Software);
    let (mut system, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|c| c.hive.role == Role::System);

    let mut sets: Vec<Vec<Candidate>> = Vec::new();
    let matches = matches(&software, &system);
    let by_name = !matches.is_empty();
    let mut partners: BTreeMap<usize, Candidate> = BTreeMap::new();
    let taken: BTreeMap<usize, usize> =
        matches.iter().map(|(of_software, of_system)| (*of_system, *of_software)).collect();
    let mut rest = Vec::new();
    for (at, candidate) in system.drain(..).enumerate() {
        match taken.get(&at) {
            Some(of_software) => _ = partners.insert(*of_software, candidate),
            None => rest.push(candidate),
        }
    }
    system = rest;
    let mut rest = Vec::new();
    for (at, candidate) in software.drain(..).enumerate() {
        match partners.remove(&at) {
            Some(partner) => sets.push(vec![candidate, partner]),
            None => rest.push(candidate),
        }
    }
    software = rest;
    let contradict = |a: &Candidate, b: &Candidate| a.is_marked() && b.is_marked();
    match (software.as_slice(), system.as_slice()) {
        ([a], [b]) if !(by_name && contradict(a, b)) => {
            let mut pair: Vec<Candidate> = software.into_iter().chain(system).collect();
            if let [a, b] = pair.as_mut_slice()
                && !named
                && contradict(a, b)
            {
                let problem = names_differ(&folder, a, b);
                a.problems.push(problem);
            }
            sets.push(pair);
        }
        ([], _) | (_, []) => sets.extend(software.into_iter().chain(system).map(|alone| vec![alone])),
        (some, more) => {
            let problem = cannot_tell(&folder, some, more);
            sets.extend(software.into_iter().chain(system).map(|mut alone| {
                alone.problems.push(problem.clone());
                vec![alone]
            }));
        }
    }
    join_others(&mut sets, others, named);

    let only = sets.len() == 1;
    let installations = sets.into_iter().map(|set| {
        let bare = set.len() == 1 && (named || !only);
        let first = set.first().map(|candidate| candidate.hive.locator.clone()).filter(|_| bare);
        let (hives, problems): (Vec<_>, Vec<_>) = set.into_iter().map(|c| (c.hive, c.problems)).unzip();
        Installation {
            evidence: first.unwrap_or_else(|| folder.clone()),
            id: String::new(),
            label: None,
            source_gaps: Vec::new(),
            generation,
            lies_in: generation,
            hives,
            hibernation: None,
            problems: problems.into_iter().flatten().collect(),
        }
    });
    installations.collect()
}

/// Returns the pairs of SOFTWARE and SYSTEM, by index, whose names match each other and no third name. Each name is
/// looked up once, so that a folder of a thousand pairs takes twice as long as one of five hundred.
fn matches(software: &[Candidate], system: &[Candidate]) -> Vec<(usize, usize)> {
    let by_affix = |candidates: &[Candidate]| {
        let mut places: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for (at, candidate) in candidates.iter().enumerate() {
            for affix in &candidate.affixes {
                places.entry(affix.clone()).or_default().insert(at);
            }
        }
        places
    };
    let (of_software, of_system) = (by_affix(software), by_affix(system));
    let only = |one: &Candidate, places: &BTreeMap<String, BTreeSet<usize>>| {
        let mut fitting = BTreeSet::new();
        for found in one.affixes.iter().filter_map(|affix| places.get(affix)) {
            fitting.extend(found.iter().take(2));
        }
        fitting.first().copied().filter(|_| fitting.len() == 1)
    };
    let matched = software.iter().enumerate().filter_map(|(at, one)| {
        let partner = only(one, &of_system)?;
        (only(system.get(partner)?, &of_software)? == at).then_some((at, partner))
    });
    matched.collect()
}

/// Adds each other hive to the installations that it belongs to by name, or to the only installation. The rest is an
/// installation of its own; for hives that the user named one by one, each hive is.
fn join_others(sets: &mut Vec<Vec<Candidate>>, others: Vec<Candidate>, named: bool) {
    let known = sets.len();
    let mut by_affix: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (at, set) in sets.iter().enumerate() {
        for affix in set.iter().take(2).flat_map(|candidate| &candidate.affixes) {
            by_affix.entry(affix.clone()).or_default().insert(at);
        }
    }
    let mut left = Vec::new();
    for other in others {
        let mut fitting = BTreeSet::new();
        for found in other.affixes.iter().filter_map(|affix| by_affix.get(affix)) {
            fitting.extend(found.iter().take(2));
        }
        let by_name = fitting.first().copied().filter(|_| fitting.len() == 1);
        let at = by_name.or_else(|| (known == 1).then_some(0));
        match at.and_then(|at| sets.get_mut(at)) {
            Some(set) => set.push(other),
            None => left.push(other),
        }
    }
    if named {
        sets.extend(left.into_iter().map(|alone| vec![alone]));
    } else if !left.is_empty() {
        sets.push(left);
    }
}

fn file_name(candidate: &Candidate) -> &str {
    candidate.hive.locator.rsplit('/').next().unwrap_or_default()
}

/// The most names in a message that each hive of a folder gets.
const MOST_NAMED: usize = 8;

fn names_of(candidates: &[Candidate]) -> String {
    let named = candidates.iter().take(MOST_NAMED).map(file_name).collect::<Vec<_>>().join(", ");
    match candidates.len().saturating_sub(MOST_NAMED) {
        0 => named,
        more => format!("{named}, and {more} more"),
    }
}

fn names_differ(folder: &str, software: &Candidate, system: &Candidate) -> Problem {
    Problem::of(
        folder,
        "a SOFTWARE and a SYSTEM hive whose names fit",
        format!(
            "{} and {}, treated as one installation because there are no others",
            file_name(software),
            file_name(system)
        ),
    )
    .advise("if they are of two machines, name each on its own")
}

fn cannot_tell(folder: &str, software: &[Candidate], system: &[Candidate]) -> Problem {
    Problem::of(
        folder,
        "one SOFTWARE and one SYSTEM hive, or names that show which hives belong together",
        format!("SOFTWARE in {}; SYSTEM in {}", names_of(software), names_of(system)),
    )
    .code(Code::HivesUnpaired)
    .advise("name the two hives that belong together, or put each pair in a folder of its own")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::super::name;
    use super::*;
    use crate::evidence::file::File;
    use crate::evidence::file_system::Vouched;

    fn candidate(name: &str, role: Role) -> Candidate {
        let hive = FoundHive {
            name: name.to_owned(),
            file: File::on_disk(name),
            locator: format!("f/{name}"),
            role,
            size: 8192,
            is_dirty: false,
            container: None,
            vouched: Vouched::Unprotected,
            logs: Vec::new(),
        };
        Candidate { hive, generation: Generation::Copy, affixes: name::affixes(name, role), problems: Vec::new() }
    }

    proptest! {
        #[test]
        fn each_hive_is_in_one_installation_and_none_has_two_of_a_kind(
            hives in prop::collection::btree_map("[ab]{0,2}-?(SYSTEM|software|SAM|hive)[.]?[cd]?", 0..4_u8, 0..9),
            named: bool,
        ) {
            let roles = [Role::Software, Role::System, Role::Sam, Role::Unknown];
            let candidates: Vec<_> = hives.iter().map(|(name, role)| candidate(name, roles[usize::from(*role)])).collect();
            let pair = |candidates| pair(Group { folder: "f".into(), generation: Generation::Copy, named, candidates });
            let installations = pair(candidates.clone());
            let mut found: Vec<_> = installations.iter().flat_map(|one| &one.hives).map(|hive| hive.file.path.clone()).collect();
            found.sort();
            prop_assert_eq!(found, hives.keys().map(PathBuf::from).collect::<Vec<_>>());
            for one in &installations {
                for role in [Role::Software, Role::System] {
                    prop_assert!(one.hives.iter().filter(|hive| hive.role == role).count() <= 1);
                }
                let kinds: Vec<_> = one.hives.iter().map(|hive| hive.role.min(Role::Ntuser)).collect();
                prop_assert!(kinds.is_sorted());
            }
            // The order of the files does not matter.
            prop_assert_eq!(installations, pair(candidates.into_iter().rev().collect()));
        }
    }
}
