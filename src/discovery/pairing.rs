//! Which SOFTWARE belongs to which SYSTEM, of the hives of one generation in one folder.
//!
//! Names decide: what is left of them without the hive's own word must be the same. One of each that is left over is
//! a pair too, because nothing else could be. Where several are left over nobody knows, and it is said so: a verdict
//! on one machine's services by another machine's Windows would be worse than none.

use super::{FoundHive, Generation, Installation};
use crate::error::Problem;
use crate::registry::Role;

/// A hive that is to be paired.
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
    /// Whether the names differ only in the hive's own word.
    fn fits(&self, other: &Self) -> bool {
        self.affixes.iter().any(|affix| other.affixes.contains(affix))
    }

    /// Whether the name says more than which hive it is.
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
    while let Some((of_software, of_system)) = next_match(&software, &system) {
        sets.push(vec![software.remove(of_software), system.remove(of_system)]);
    }
    let by_name = !sets.is_empty();
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
            generation,
            hives,
            hibernation: None,
            problems: problems.into_iter().flatten().collect(),
        }
    });
    installations.collect()
}

/// The first SOFTWARE and SYSTEM whose names fit each other's and no third one's.
fn next_match(software: &[Candidate], system: &[Candidate]) -> Option<(usize, usize)> {
    software.iter().enumerate().find_map(|(at, one)| {
        let (partner, other) = single(system, one)?;
        single(software, other)?;
        Some((at, partner))
    })
}

/// The one of `among` that fits.
fn single<'c>(among: &'c [Candidate], one: &Candidate) -> Option<(usize, &'c Candidate)> {
    let mut fitting = among.iter().enumerate().filter(|(_, other)| other.fits(one));
    fitting.next().filter(|_| fitting.next().is_none())
}

/// Puts each other hive to those that it belongs to by name, or, where there is but one installation, to that.
/// What is left over is an installation of its own; of hives named one by one, each.
fn join_others(sets: &mut Vec<Vec<Candidate>>, others: Vec<Candidate>, named: bool) {
    let known = sets.len();
    let mut left = Vec::new();
    for other in others {
        let mut by_name = sets.iter_mut().take(known).filter(|set| set.iter().take(2).any(|one| one.fits(&other)));
        match (by_name.next(), by_name.next()) {
            (Some(set), None) => set.push(other),
            _ => match sets.as_mut_slice() {
                [set] if known == 1 => set.push(other),
                _ => left.push(other),
            },
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

fn names_of(candidates: &[Candidate]) -> String {
    candidates.iter().map(file_name).collect::<Vec<_>>().join(", ")
}

fn names_differ(folder: &str, software: &Candidate, system: &Candidate) -> Problem {
    Problem::of(
        folder,
        "a SOFTWARE and a SYSTEM hive whose names fit",
        format!(
            "{} and {}, taken for one installation because there is no other",
            file_name(software),
            file_name(system)
        ),
    )
    .advise("if they are of two machines, name each on its own")
}

fn cannot_tell(folder: &str, software: &[Candidate], system: &[Candidate]) -> Problem {
    Problem::of(
        folder,
        "one SOFTWARE and one SYSTEM hive, or names that tell which belong together",
        format!("SOFTWARE in {}; SYSTEM in {}", names_of(software), names_of(system)),
    )
    .advise("name the two hives that belong together, or put each pair in a folder of its own")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::super::name;
    use super::*;
    use crate::evidence::tree::File;

    fn candidate(name: &str, role: Role) -> Candidate {
        let hive = FoundHive {
            name: name.to_owned(),
            file: File::on_disk(name),
            locator: format!("f/{name}"),
            role,
            size: 8192,
            container: None,
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
