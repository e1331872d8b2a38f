//! One folder: which of its files are hives, of which role and generation, and what to say of the others.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::content::{self, Content};
use super::hibernation;
use super::pairing::{self, Candidate, Group};
use super::search::Folder;
use super::{FoundHive, FoundLog, Generation, Installation, name};
use crate::error::Problem;
use crate::evidence::archive::Kind;
use crate::evidence::directory::{self, locator};
use crate::evidence::tree::Tree;
use crate::hive::{self, Hive};
use crate::registry::Role;

/// What one folder holds.
#[derive(Debug, Default)]
pub(super) struct Examined {
    pub(super) installations: Vec<Installation>,
    /// What belongs to none of them.
    pub(super) problems: Vec<Problem>,
    /// Archives and compressed files.
    pub(super) containers: Vec<(PathBuf, Kind)>,
}

/// Opens the files of a folder that may be hives.
pub(super) fn examine(tree: &dyn Tree, folder: &Folder, map: bool) -> Examined {
    let names: Vec<String> = folder.files.iter().map(|name| text_of(name)).collect();
    let mut candidates = Vec::new();
    let mut problems: Vec<(Generation, Problem)> = Vec::new();
    let mut empty: Vec<&str> = Vec::new();
    let mut containers = Vec::new();
    for (file, name) in folder.files.iter().zip(&names) {
        let path = folder.path.join(file);
        match open(tree, folder, &path, name, map) {
            Outcome::Hive { role, size, told } => {
                let generation = generation(folder, name, role, &names);
                let hive = FoundHive {
                    name: name.clone(),
                    locator: tree.locator(&path),
                    file: tree.file(&path),
                    role,
                    size,
                    container: tree.origin(&path),
                    logs: Vec::new(),
                };
                candidates.push(Candidate { hive, generation, affixes: name::affixes(name, role), problems: told });
            }
            Outcome::EmptyBackup => empty.push(name),
            Outcome::Container(kind) => containers.push((path, kind)),
            Outcome::Problem(problem) => {
                let role = name::role(name).unwrap_or(Role::Unknown);
                problems.push((generation(folder, name, role, &names), problem));
            }
            Outcome::Nothing => {}
        }
    }
    attach_logs(tree, &folder.path, &mut candidates);
    // Whoever names all files of a folder names the logs too.
    let logs: BTreeSet<&str> =
        candidates.iter().flat_map(|one| &one.hive.logs).map(|log| log.locator.as_str()).collect();
    problems.retain(|(_, problem)| problem.path.as_deref().is_none_or(|path| !logs.contains(path)));
    let mut examined =
        Examined { installations: installations(tree, folder, candidates), problems: Vec::new(), containers };
    if !empty.is_empty() {
        let generation = folder.place.generation;
        // An installation without hives, so that there is something to say it of.
        if !folder.named && !examined.installations.iter().any(|one| one.generation == generation) {
            let evidence = tree.locator(&folder.path);
            let nothing = Installation {
                evidence,
                id: String::new(),
                generation,
                hives: vec![],
                hibernation: None,
                problems: vec![],
            };
            examined.installations.push(nothing);
        }
        problems.push((generation, empty_backups(tree, folder, &empty)));
    }
    for (generation, problem) in problems {
        match examined.installations.iter_mut().find(|one| one.generation == generation) {
            Some(installation) if !folder.named => installation.problems.push(problem),
            _ => examined.problems.push(problem),
        }
    }
    let hibernation = hibernation::beside(tree, &folder.path);
    for installation in &mut examined.installations {
        installation.hibernation = hibernation;
        installation.problems.sort();
        installation.problems.dedup();
    }
    examined
}

/// A name as text. Names that are no UTF-8 stay apart, which decides what belongs together.
fn text_of(name: &OsStr) -> String {
    locator(Path::new(name))
}

fn is_audited(role: Role) -> bool {
    matches!(role, Role::Software | Role::System)
}

/// What became of a file.
enum Outcome {
    Hive {
        role: Role,
        size: u64,
        told: Vec<Problem>,
    },
    /// A file of no bytes, where Windows leaves such.
    EmptyBackup,
    /// What must be unpacked first.
    Container(Kind),
    Problem(Problem),
    /// Not a hive, and nobody would expect one.
    Nothing,
}

fn open(tree: &dyn Tree, folder: &Folder, path: &Path, name: &str, map: bool) -> Outcome {
    // SAM, DEFAULT and the like are names of other things too: only a place of Windows makes hives of them.
    let said = name::role(name).filter(|role| is_audited(*role) || folder.place.known);
    let plain = said.is_some_and(|role| name::is_plain(name, role));
    let said = said.filter(|_| plain || name::fits(name));
    // Beside the user's own naming, a name and a place have to say together that a hive should be here.
    let expected = folder.named || (plain && folder.any_role);
    let suggested = expected || (said.is_some() && folder.any_role);
    let problem = |found: &str, advice: Option<&'static str>| {
        let problem = Problem::of(tree.locator(path), "a hive (regf)", found);
        Outcome::Problem(advice.into_iter().fold(problem, Problem::advise))
    };
    match content::look(tree, path) {
        Ok(Content::Hive) => identify(tree, folder, path, name, map),
        // Parts of images, told by their names only: the descriptor names them.
        Ok(Content::Container(kind)) if !folder.named && name::is_extent(name) && kind.is_image() => Outcome::Nothing,
        Ok(Content::Container(kind)) => Outcome::Container(kind),
        #[cfg(feature = "images")]
        Ok(Content::Refused { what, advice }) if folder.named || (folder.any_role && !name::is_part(name)) => {
            let problem = Problem::of(tree.locator(path), "a disk image of a kind that is read", what);
            Outcome::Problem(problem.advise(advice))
        }
        Ok(Content::Log) if name::is_log(name) && !folder.named => Outcome::Nothing,
        Ok(Content::Log) if expected => problem("a transaction log", Some("name the hive that it belongs to")),
        Ok(Content::Empty) if plain && folder.place.regback => Outcome::EmptyBackup,
        Ok(Content::Empty) if suggested && !name::is_log(name) => problem("an empty file", Some("copy it again")),
        Ok(Content::Unclear(found)) if suggested && !name::is_log(name) => problem(found, Some("copy it again")),
        Ok(Content::Other(found)) if expected => problem(found, None),
        Err(source) if suggested => Outcome::Problem(directory::unreadable(path, "a hive (regf)", &source)),
        _ => Outcome::Nothing,
    }
}

/// Asks an opened hive which one it is; where its root does not tell, its base block, and then the file's name.
fn identify(tree: &dyn Tree, folder: &Folder, path: &Path, name: &str, map: bool) -> Outcome {
    let hive = match tree.file(path).open(map).map(Hive::from_bytes) {
        Ok(Ok(hive)) => hive,
        Ok(Err(mut problem)) => {
            problem.path = Some(tree.locator(path));
            return Outcome::Problem(problem.advise("copy the hive again"));
        }
        Err(source) => return Outcome::Problem(directory::unreadable(path, "a hive (regf)", &source)),
    };
    let plain_default = name::role(name) == Some(Role::Default);
    let read = hive::guarded(|| {
        let tree = hive.tree();
        (hive::role(&tree), !tree.problems().is_empty())
    });
    let (role, told) = match read {
        Ok((Some(Role::Ntuser), _)) if plain_default => (Role::Default, None),
        Ok((Some(Role::Unknown), true) | (None, _)) | Err(_) => by_name(&hive, tree.locator(path), name),
        Ok((Some(role), _)) => (role, other_than_named(tree.locator(path), name, role)),
    };
    if folder.any_role || is_audited(role) {
        Outcome::Hive { role, size: hive.size(), told: told.into_iter().collect() }
    } else {
        Outcome::Nothing
    }
}

fn by_name(hive: &Hive, locator: String, name: &str) -> (Role, Option<Problem>) {
    let last = hive.base_block().file_name.rsplit(['\\', '/']).next().unwrap_or_default();
    let (role, told) = match (name::role(last), name::role(name)) {
        (Some(role), _) => (role, format!("damage; taken for {role} by the name in its base block")),
        (None, Some(role)) => (role, format!("damage; taken for {role} by its file name")),
        (None, None) => (Role::Unknown, "damage, and no name that would tell".to_owned()),
    };
    (role, Some(Problem::of(locator, "root keys that tell which hive this is", told)))
}

/// Where Windows would take a hive for SOFTWARE or SYSTEM, and its keys are not such a one's.
fn other_than_named(locator: String, name: &str, role: Role) -> Option<Problem> {
    let said = [Role::Software, Role::System].into_iter().find(|said| name::is_plain(name, *said))?;
    (said != role).then(|| {
        let found = match role {
            Role::Unknown => "those of no hive that is known".to_owned(),
            role => format!("those of {role}"),
        };
        Problem::of(locator, format!("the keys of a {said} hive, as its name says"), found)
    })
}

/// The generation of one file: its folder's, unless its name says that it is kept beside the one in use.
fn generation(folder: &Folder, name: &str, role: Role, names: &[String]) -> Generation {
    let place = folder.place;
    if name::has_extension(name, "sav") {
        // Elsewhere people give `reg save` this extension: it is Setup's only where the hive itself is beside it.
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        if (place.of_windows && !folder.named) || names.iter().any(|other| other.eq_ignore_ascii_case(stem)) {
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

fn empty_backups(tree: &dyn Tree, folder: &Folder, names: &[&str]) -> Problem {
    Problem::of(
        tree.locator(&folder.path),
        "backups of the hives",
        format!("files of zero bytes: {}", names.join(", ")),
    )
    .advise("Windows leaves them empty since Windows 10 version 1803; nothing is wrong with this evidence")
}

/// Puts the transaction logs beside each hive to it.
fn attach_logs(tree: &dyn Tree, folder: &Path, candidates: &mut [Candidate]) {
    if candidates.is_empty() {
        return;
    }
    let files = tree.files_in(folder).unwrap_or_default();
    let files: Vec<(PathBuf, String)> = files.iter().map(|name| (folder.join(name), text_of(name))).collect();
    for candidate in candidates {
        let name = candidate.hive.name.clone();
        let stem = name::without_hive_extension(&name)
            .filter(|stem| !files.iter().any(|(_, other)| other.eq_ignore_ascii_case(stem)));
        let logs = files
            .iter()
            .filter(|(_, log)| name::is_log_of(log, &name) || stem.is_some_and(|stem| name::is_log_of(log, stem)));
        candidate.hive.logs = logs
            .map(|(path, _)| {
                let file = tree.file(path);
                FoundLog { locator: tree.locator(path), size: file.size(), file }
            })
            .collect();
    }
}

fn installations(tree: &dyn Tree, folder: &Folder, candidates: Vec<Candidate>) -> Vec<Installation> {
    let mut groups: BTreeMap<Generation, Vec<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        groups.entry(candidate.generation).or_default().push(candidate);
    }
    let groups = groups.into_iter().map(|(generation, candidates)| Group {
        folder: tree.locator(&folder.path),
        generation,
        named: folder.named,
        candidates,
    });
    groups.flat_map(pairing::pair).collect()
}
