//! One folder: which of its files are hives, their roles and generations, and the problems of the others.

use std::collections::{BTreeMap, BTreeSet};

use super::content::Content;
use super::found::{FoundFile, FoundFolder};
use super::pairing::{self, Candidate, Group};
use super::reading::Reading;
use super::{FoundHive, FoundLog, Generation, Installation, name};
use crate::error::{Code, Problem};
use crate::evidence::file::Origin;
use crate::evidence::ledger::{Ledger, Outcome, SourceId};
use crate::hive::{self, Hive};
use crate::registry::Role;

/// The bytes of small hives in one folder that are held from their recognition to their examination. Beyond this, they
/// are read again.
const MOST_HELD: u64 = 4 << 20;

/// Opens the files of a folder that may be hives, and sorts them into installations. The outcome of each file goes into
/// the ledger, below the source of the folder. Also returns how many files were not read because the run was over.
pub(super) fn examine(
    folder: &FoundFolder,
    origin: Option<&Origin>,
    reading: Reading<'_>,
    of: Option<SourceId>,
    ledger: &mut Ledger,
) -> (Vec<Installation>, usize) {
    let names: Vec<String> = folder.files.keys().map(ToString::to_string).collect();
    let known: BTreeSet<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    let mut candidates = Vec::new();
    let mut empty: Vec<&str> = Vec::new();
    let mut problems: Vec<Problem> = Vec::new();
    let mut unread = 0_usize;
    let mut held = 0_u64;
    for (file, name) in folder.files.values().zip(&names) {
        if reading.deadline.is_over() {
            unread = unread.saturating_add(1);
            continue;
        }
        match open(folder, file, name, reading.map()) {
            Found::Hive { role, is_dirty, told, bytes } => {
                let generation = generation(folder, name, role, &known);
                let mut own = file.file.clone();
                if let Some(bytes) = bytes.filter(|_| held < MOST_HELD) {
                    held = held.saturating_add(bytes.len() as u64);
                    own.hold(bytes);
                }
                let hive = FoundHive {
                    name: name.clone(),
                    locator: file.locator.clone(),
                    file: own,
                    role,
                    size: file.size,
                    is_dirty,
                    container: file.origin.as_ref().or(origin).cloned(),
                    vouched: file.vouched.clone(),
                    logs: Vec::new(),
                };
                let source = ledger.begin(&file.locator, "hive");
                ledger.note(source, format!("{role}, {generation}"));
                ledger.end(source, Outcome::Read, file.vouched.clone());
                if !is_audited(role) || !generation.is_current() {
                    ledger.set_aside(source);
                }
                if let Some(of) = of {
                    ledger.read(of);
                }
                candidates.push(Candidate { hive, generation, affixes: name::affixes(name, role), problems: told });
            }
            Found::EmptyBackup => empty.push(name),
            Found::Refused(problem) => problems.push(problem),
            Found::Nothing => {}
        }
    }
    attach_logs(folder, &names, &mut candidates, of, ledger);
    // If the user named all files of a folder, the logs are among them.
    let logs: BTreeSet<&str> =
        candidates.iter().flat_map(|one| &one.hive.logs).map(|log| log.locator.as_str()).collect();
    problems.retain(|problem| problem.path.as_deref().is_none_or(|path| !logs.contains(path)));
    for problem in problems {
        // Older generations and hives other than SOFTWARE and SYSTEM are reported, but are no gaps.
        let name = problem.path.as_deref().and_then(|path| path.rsplit(['/', '!']).next()).unwrap_or_default();
        let role = name::role(name).unwrap_or(Role::Unknown);
        let generation = generation(folder, name, role, &known);
        let counts = generation.is_current();
        let gap = folder.named || (counts && (is_audited(role) || role == Role::Unknown));
        ledger.refuse_in(of, "hive", problem, gap);
    }
    let mut found = installations(folder, candidates);
    if !empty.is_empty() {
        let generation = folder.place.generation;
        // An installation without hives, which can hold the problem.
        if !folder.named && !found.iter().any(|one| one.generation == generation) {
            found.push(Installation {
                evidence: folder.locator.clone(),
                id: String::new(),
                label: None,
                source_gaps: Vec::new(),
                generation,
                lies_in: generation,
                hives: vec![],
                hibernation: None,
                problems: vec![],
            });
        }
        if let Some(installation) = found.iter_mut().find(|one| one.generation == generation) {
            installation.problems.push(empty_backups(folder, &empty));
        }
    }
    for installation in &mut found {
        installation.hibernation = folder.hibernation;
        installation.lies_in = folder.place.generation;
        installation.problems.sort();
        installation.problems.dedup();
    }
    (found, unread)
}

fn is_audited(role: Role) -> bool {
    matches!(role, Role::Software | Role::System)
}

/// The outcome of a file.
enum Found {
    Hive {
        role: Role,
        is_dirty: bool,
        told: Vec<Problem>,
        /// The bytes of a small file of this machine.
        bytes: Option<Vec<u8>>,
    },
    /// A file of 0 bytes in a place where Windows leaves such files.
    EmptyBackup,
    Refused(Problem),
    /// Not a hive, and not expected to be one.
    Nothing,
}

fn open(folder: &FoundFolder, file: &FoundFile, name: &str, map: bool) -> Found {
    // SAM, DEFAULT and the like are also names of other files: only a place of Windows makes them hives.
    let said = name::role(name).filter(|role| is_audited(*role) || folder.place.known);
    let plain = said.is_some_and(|role| name::is_plain(name, role));
    let said = said.filter(|_| plain || name::fits(name));
    // A hive is expected if the user named the file, or if both the name and the place suggest one.
    let expected = file.named || (plain && folder.any_role);
    let suggested = expected || (said.is_some() && folder.any_role);
    let refused = |found: &str, advice: Option<&'static str>| {
        let problem = Problem::of(&file.locator, "a hive (regf)", found).code(Code::NotAHive);
        Found::Refused(advice.into_iter().fold(problem, Problem::advise))
    };
    if let Some(why) = &file.unreadable {
        let hive = matches!(file.content, Content::Hive | Content::Log);
        return if suggested || hive || folder.any_role {
            Found::Refused(Problem { path: Some(file.locator.clone()), ..why.clone() })
        } else {
            Found::Nothing
        };
    }
    match &file.content {
        Content::Hive => identify(folder, file, name, map),
        Content::Log if name::is_log(name) && !file.named => Found::Nothing,
        Content::Log if expected => refused("a transaction log", Some("name the hive that it belongs to")),
        Content::Empty if plain && folder.place.regback => Found::EmptyBackup,
        Content::Empty if suggested && !name::is_log(name) => refused("an empty file", Some("copy it again")),
        Content::Unclear(found) if suggested && !name::is_log(name) => refused(found, Some("copy it again")),
        Content::Other(found) | Content::Text(found) if expected => refused(found, None),
        Content::Program if expected => refused("a program", None),
        _ => Found::Nothing,
    }
}

/// Opens a hive and returns its role by its root key; otherwise by its base block, then by the file's name.
fn identify(folder: &FoundFolder, file: &FoundFile, name: &str, map: bool) -> Found {
    let hive = match file.file.open(map).map(Hive::from_bytes) {
        // The role does not depend on what the logs change.
        Ok(Ok(file)) => file.as_it_lies(),
        Ok(Err(mut problem)) => {
            problem.path = Some(file.locator.clone());
            return Found::Refused(if problem.code == Some(Code::UnsupportedFormat) {
                problem
            } else {
                problem.code(Code::HiveDamaged).advise("copy the hive again")
            });
        }
        Err(source) => {
            let problem = Problem::of(&file.locator, "a hive (regf)", source.to_string()).code(Code::Unreadable);
            return Found::Refused(problem);
        }
    };
    let plain_default = name::role(name) == Some(Role::Default);
    let read = hive::guarded(|| {
        let tree = hive.tree();
        (hive::role(&tree), !tree.problems().is_empty())
    });
    let (role, told) = match read {
        Ok((Some(Role::Ntuser), _)) if plain_default => (Role::Default, None),
        Ok((Some(Role::Unknown), true) | (None, _)) | Err(_) => by_name(&hive, &file.locator, name),
        // A hive that Setup left may be empty; then the name in its base block decides.
        Ok((Some(Role::Unknown), false)) => match own_name(&hive).filter(|role| !is_audited(*role)) {
            Some(role) => (role, None),
            None => (Role::Unknown, other_than_named(&file.locator, name, Role::Unknown)),
        },
        Ok((Some(role), _)) => (role, other_than_named(&file.locator, name, role)),
    };
    if folder.any_role || is_audited(role) {
        let (is_dirty, told) = (hive.base_block().is_dirty(), told.into_iter().collect());
        Found::Hive { role, is_dirty, told, bytes: hive.into_small() }
    } else {
        Found::Nothing
    }
}

/// Returns the role by the file name in the base block.
fn own_name(hive: &Hive) -> Option<Role> {
    name::role(hive.base_block().file_name.rsplit(['\\', '/']).next().unwrap_or_default())
}

fn by_name(hive: &Hive, locator: &str, name: &str) -> (Role, Option<Problem>) {
    let (role, told) = match (own_name(hive), name::role(name)) {
        (Some(role), _) => (role, format!("damage; recognised as {role} by the name in its base block")),
        (None, Some(role)) => (role, format!("damage; recognised as {role} by its file name")),
        (None, None) => (Role::Unknown, "damage, and no name that identifies the hive".to_owned()),
    };
    (role, Some(Problem::of(locator, "root keys that identify the hive", told)))
}

/// Reports a file that Windows would load as SOFTWARE or SYSTEM, but whose keys are not those of that hive.
fn other_than_named(locator: &str, name: &str, role: Role) -> Option<Problem> {
    let said = [Role::Software, Role::System].into_iter().find(|said| name::is_plain(name, *said))?;
    (said != role).then(|| {
        let found = match role {
            Role::Unknown => "the keys of an unknown hive".to_owned(),
            role => format!("the keys of {role}"),
        };
        Problem::of(locator, format!("the keys of a {said} hive, as its name says"), found)
    })
}

/// Returns the generation of a file: its folder's, unless its name marks a copy beside the hive in use. `known` has the
/// names of all files of the folder in lower case (ASCII).
fn generation(folder: &FoundFolder, name: &str, role: Role, known: &BTreeSet<String>) -> Generation {
    let place = folder.place;
    if name::has_extension(name, "sav") {
        // Users give this extension to `reg save` files too: it is Setup's only if the hive itself is beside the file.
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        if (place.of_windows && !folder.named) || known.contains(&stem.to_ascii_lowercase()) {
            return Generation::Setup;
        }
    }
    if folder.named {
        return Generation::Copy;
    }
    if place.generation == Generation::Live {
        if name::has_extension(name, "alt") {
            // Windows 2000's own second SYSTEM.
            return Generation::Regback;
        }
        if (is_audited(role) && !name::is_plain(name, role)) || name.contains('.') {
            return Generation::Copy;
        }
    }
    place.generation
}

fn empty_backups(folder: &FoundFolder, names: &[&str]) -> Problem {
    Problem::of(&folder.locator, "backups of the hives", format!("files of zero bytes: {}", names.join(", ")))
        .advise("Windows 10 version 1803 and later leaves these files empty; this is normal")
}

/// Attaches to each hive the transaction logs beside it.
fn attach_logs(
    folder: &FoundFolder,
    names: &[String],
    candidates: &mut [Candidate],
    of: Option<SourceId>,
    ledger: &mut Ledger,
) {
    // All names in lower case, and the logs by the hive that they belong to.
    let all: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let mut logs: BTreeMap<String, Vec<&FoundFile>> = BTreeMap::new();
    for (file, name) in folder.files.values().zip(names) {
        if let Some(hive) = name::hive_of(name) {
            logs.entry(hive).or_default().push(file);
        }
    }
    for candidate in candidates {
        let name = &candidate.hive.name;
        let stem = name::without_hive_extension(name).filter(|stem| !all.contains(&stem.to_lowercase()));
        let keys = std::iter::once(name.as_str()).chain(stem).map(name::log_key);
        let mut found: Vec<&FoundFile> = keys.filter_map(|key| logs.get(&key)).flatten().copied().collect();
        found.sort_by(|a, b| a.locator.cmp(&b.locator));
        candidate.hive.logs = found
            .into_iter()
            .map(|file| {
                let source = ledger.begin(&file.locator, "log");
                ledger.end(source, Outcome::Read, file.vouched.clone());
                if !is_audited(candidate.hive.role) {
                    ledger.set_aside(source);
                }
                if let Some(of) = of.filter(|_| !file.is_lent) {
                    ledger.read(of);
                }
                FoundLog {
                    locator: file.locator.clone(),
                    size: file.size,
                    file: file.file.clone(),
                    vouched: file.vouched.clone(),
                    unreadable: file.unreadable.as_ref().map(|problem| problem.found.clone()),
                }
            })
            .collect();
    }
}

fn installations(folder: &FoundFolder, candidates: Vec<Candidate>) -> Vec<Installation> {
    let mut groups: BTreeMap<Generation, Vec<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        groups.entry(candidate.generation).or_default().push(candidate);
    }
    let groups = groups.into_iter().map(|(generation, candidates)| Group {
        folder: folder.locator.clone(),
        generation,
        named: folder.named,
        candidates,
    });
    groups.flat_map(pairing::pair).collect()
}

#[cfg(test)]
mod tests {
    use super::super::arguments::{self, Evidence};
    use super::*;
    use crate::evidence::archive::Unpacking;
    use crate::evidence::budget::Limits;

    #[test]
    fn files_after_the_end_of_the_run_are_counted_and_not_read() {
        let place = tempfile::tempdir().unwrap();
        let files = ["SOFTWARE", "SYSTEM"].map(|name| place.path().join(name));
        for path in &files {
            std::fs::write(path, b"regf").unwrap();
        }
        let evidence = files.each_ref().map(Evidence::from);
        let folder = arguments::named(&evidence, arguments::folder_of(&evidence[0]));
        for (seconds, read, late) in [(None, 2, 0), (Some(0), 0, 2)] {
            let unpacking = Unpacking { limits: Limits { seconds, ..Limits::default() }, ..Unpacking::default() };
            let mut ledger = Ledger::default();
            let (found, unread) = examine(&folder, None, Reading::new(true, &unpacking), None, &mut ledger);
            assert_eq!((found.len(), unread, ledger.len()), (0, late, read), "{seconds:?}");
        }
    }
}
