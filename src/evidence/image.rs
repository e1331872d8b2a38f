//! Disk images: of each volume that is in one, the files that can be hives, or what lies at the place that was named.
//!
//! On a volume with a Windows the places where Windows keeps hives are looked into; on any other all folders are, as in a
//! folder of copied hives.

use std::path::Path;
use std::sync::Arc;

use super::block::Blocks;
use super::directory::locator;
use super::disk::{self, Algorithm, Disk};
use super::filesystem::{self, Entry, FileSystem};
use super::tree::{Origin, Snapshot, Unpacked};
use super::unpacker::{HIBERNATION, Open, Unpacker};
use super::volume::shadow_copies::ShadowCopies;
use super::volume::{self, VolumeKind, VolumeName};
use crate::error::Problem;

/// Where Windows keeps hives, from the root of its volume: `*` is any folder, a `*` at the end any rest of the name.
const PLACES: [&[&str]; 11] = [
    &["*", "system32", "config"],
    &["*", "system32", "config", "regback"],
    &["*", "repair"],
    &["*", "repair", "regback"],
    &["*", "erdnt", "*"],
    &["*", "erdnt", "*", "*"],
    &["system volume information", "_restore*", "rp*", "snapshot"],
    &["windows.old*", "*", "system32", "config"],
    &["windows.old*", "*", "system32", "config", "regback"],
    &["windows.old*", "*", "repair"],
    &["$windows.~bt", "newos", "windows", "system32", "config"],
];
/// Folders and files that are looked at on a volume without a Windows, or below a folder that was named.
const MOST_ENTRIES: usize = 200_000;
/// Folders within folders there.
const DEEPEST: usize = 64;
/// Obstacles on one volume, told one by one.
const MOST_TOLD: usize = 20;

/// Reads what can be hives from the image at the unpacker's path, or from one that was unpacked; `wanted` is the rest of a
/// locator behind the image's name, without its first `!`.
pub(super) fn read(unpacker: &mut Unpacker, within: Option<Unpacked>, name: &str, wanted: Option<&str>, depth: usize) {
    let opened = match within {
        None => disk::open(&unpacker.path),
        Some(bytes) => disk::open_within(Path::new(name), Arc::new(bytes)),
    };
    let disk = match opened {
        Ok(disk) => disk,
        Err(problem) => return unpacker.tell(Problem { path: Some(name.to_owned()), ..problem }),
    };
    if depth == 0 {
        unpacker.contents.files.extend(disk.files.iter().skip(1).cloned());
    }
    if unpacker.unpacking.verify_image {
        for problem in verified(&disk, name) {
            unpacker.tell(problem);
        }
    }
    let blocks = &disk.blocks;
    let stored_hash = disk.stored.first().map(|stored| {
        let algorithm = if stored.algorithm == Algorithm::Md5 { "md5" } else { "sha1" };
        format!("{algorithm}:{}", stored.hex)
    });
    let table = match volume::volumes(blocks, name) {
        Ok(table) => table,
        Err(problem) => return unpacker.tell(problem),
    };
    for problem in table.problems {
        unpacker.tell(problem);
    }
    let mut facts = disk.facts.clone();
    facts.extend(table.facts);
    for volume in table.volumes {
        let (locator, wanted) = match (volume.name, wanted) {
            (VolumeName::Whole, wanted) => (name.to_owned(), wanted),
            (volume, None) => (format!("{name}!{volume}"), None),
            (volume, Some(wanted)) => {
                let (first, rest) = wanted.split_once('!').map_or((wanted, None), |(first, rest)| (first, Some(rest)));
                if first != volume.to_string() {
                    continue;
                }
                (format!("{name}!{volume}"), rest)
            }
        };
        match volume.kind {
            VolumeKind::Irrelevant(what) => {
                unpacker.contents.looked.push(format!("{locator}: {what}"));
                continue;
            }
            VolumeKind::Refused { what, advice } => {
                unpacker.tell(Problem::of(locator, "a volume whose files can be read", what).advise(advice));
                continue;
            }
            VolumeKind::Unknown => {
                let problem = Problem::of(locator, "a known file system", "data of no known kind");
                unpacker.tell(problem.advise("check with file -s or blkid what it is, mount it, and name its folder"));
                continue;
            }
            VolumeKind::Ntfs | VolumeKind::Fat | VolumeKind::ExFat | VolumeKind::Ext | VolumeKind::BitLocker => {}
        }
        match filesystem::open(&volume.blocks) {
            Ok(Some(system)) => {
                let partition = match volume.name {
                    VolumeName::Partition(number) => Some(u64::from(number)),
                    VolumeName::Whole | VolumeName::Offset(_) => None,
                };
                let (format, offset) = (disk.kind.to_string(), Some(volume.start));
                let origin =
                    Origin { format, partition, offset, stored_hash: stored_hash.clone(), facts: facts.clone() };
                let copy = wanted.filter(|wanted| is_copy(wanted));
                if copy.is_none() {
                    files(unpacker, system.as_ref(), Open::new(locator.clone(), origin.clone()), wanted, depth);
                }
                if copy.is_some() || wanted.is_none() {
                    shadow_copies(unpacker, &volume.blocks, &locator, &origin, copy, depth);
                }
            }
            // A volume of another system, or of none.
            Ok(None) => unpacker.contents.looked.push(format!("{locator}: no NTFS, FAT or exFAT")),
            Err(why) => {
                let problem = Problem::of(locator, "a file system that can be read", why);
                unpacker.tell(problem.advise("mount the volume read-only, and name its folder"));
            }
        }
    }
}

/// Whether the rest of a locator names a shadow copy: `vss1`, and what may follow.
fn is_copy(wanted: &str) -> bool {
    let first = wanted.split('!').next().unwrap_or_default();
    first
        .strip_prefix("vss")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Lists the shadow copies of a volume, or the one that is wanted, and takes their files where they are wanted, too.
fn shadow_copies(
    unpacker: &mut Unpacker,
    volume: &Blocks,
    locator: &str,
    origin: &Origin,
    wanted: Option<&str>,
    depth: usize,
) {
    let reading = wanted.is_some() || !unpacker.unpacking.live_only;
    let listed = |path: String| Snapshot { path, ..Snapshot::default() };
    let told = |path: &str, problem: &Problem| Problem { path: Some(path.to_owned()), ..problem.clone() };
    let copies = match ShadowCopies::of(volume) {
        Ok(Some(copies)) => copies,
        Ok(None) => return,
        Err(problem) => {
            if reading {
                unpacker.tell(told(locator, &problem));
            }
            let problem = Some(problem);
            return unpacker.contents.shadow_copies.push(Snapshot { problem, ..listed(locator.to_owned()) });
        }
    };
    let (one, rest) = match wanted.map(|wanted| wanted.split_once('!').unwrap_or((wanted, ""))) {
        Some((one, rest)) => (Some(one), Some(rest).filter(|rest| !rest.is_empty())),
        None => (None, None),
    };
    for copy in copies.list() {
        let name = format!("vss{}", copy.index);
        if one.is_some_and(|one| one != name) {
            continue;
        }
        let path = format!("{locator}!{name}");
        let mut snapshot = Snapshot {
            created: Some(copy.created),
            id: copy.identity.as_ref().ok().map(|identity| identity.id.to_string()),
            deleted: copy.offline,
            problem: copy.identity.as_ref().err().cloned(),
            ..listed(path.clone())
        };
        if reading {
            match file_system(&copies, copy.index) {
                Ok(system) => {
                    snapshot.read = true;
                    let mut open = Open::new(path, origin.clone());
                    open.shadow_copy = true;
                    files(unpacker, system.as_ref(), open, rest, depth);
                }
                Err(problem) => {
                    unpacker.tell(told(&path, &problem));
                    snapshot.problem = Some(problem);
                }
            }
        }
        unpacker.contents.shadow_copies.push(snapshot);
    }
}

/// What is on the volume as a shadow copy has it.
fn file_system(copies: &ShadowCopies, index: usize) -> Result<Box<dyn FileSystem>, Problem> {
    let blocks = copies.open(index)?;
    let found = match filesystem::open(&blocks) {
        Ok(Some(system)) => return Ok(system),
        Ok(None) => "another file system, or none".to_owned(),
        Err(why) => why,
    };
    Err(Problem::at(0, "the NTFS of a shadow copy", found))
}

/// What the image's own hashes say.
fn verified(disk: &Disk, name: &str) -> Vec<Problem> {
    let expected = "the hash that the image holds";
    match disk.verify() {
        Ok(checked) if checked.is_empty() => {
            vec![Problem::of(name, expected, "none: it cannot be verified by itself")]
        }
        Ok(checked) => {
            let wrong = checked.into_iter().filter(|one| !one.agrees());
            wrong
                .map(|one| {
                    let stored = &one.stored;
                    Problem::of(name, format!("the {} {}", stored.algorithm, stored.hex), one.found.clone())
                        .advise("the image is not what was acquired: copy it again")
                })
                .collect()
        }
        Err(error) => vec![Problem::of(name, "an image that can be read to its end", error.to_string())],
    }
}

/// The files of one volume.
fn files(unpacker: &mut Unpacker, system: &dyn FileSystem, open: Open, wanted: Option<&str>, depth: usize) {
    let mut search = Search { unpacker, open, left: MOST_ENTRIES, told: 0 };
    match system.root() {
        Ok(mut root) => {
            // Whether the Windows of these hives sleeps.
            match root.child(HIBERNATION) {
                Ok(Some(file)) if !file.is_folder() && !file.is_link() => search.file(&file, &file.name()),
                Ok(_) => {}
                Err(why) => search.obstacle(HIBERNATION, &why),
            }
            match wanted {
                Some(path) => search.wanted(root, path),
                None => search.volume(root),
            }
        }
        Err(why) => search.obstacle("", &why),
    }
    let Search { unpacker, open, .. } = search;
    unpacker.finish(open, depth);
}

struct Search<'u> {
    unpacker: &'u mut Unpacker,
    open: Open,
    left: usize,
    told: usize,
}

impl Search<'_> {
    fn volume(&mut self, mut root: Entry) {
        let before = self.open.files.len();
        let all: Vec<&[&str]> = PLACES.to_vec();
        let is_windows = self.places(&mut root, "", &all);
        if !is_windows && self.open.files.len() == before {
            self.all(root, "", 0);
        }
    }

    /// Goes down the ways to the places; whether a folder of one of them is there.
    fn places(&mut self, folder: &mut Entry, path: &str, ways: &[&[&str]]) -> bool {
        let mut found = false;
        let mut names: Vec<&str> = ways.iter().filter_map(|way| way.first().copied()).collect();
        names.sort_unstable();
        names.dedup();
        let listed = names.iter().any(|name| name.ends_with('*'));
        // Names are looked up where that will do: System32 has ten thousand.
        let children: Vec<Entry> = if listed {
            let (children, problems) = folder.children();
            for why in &problems {
                self.obstacle(path, why);
            }
            children
        } else {
            let mut children = Vec::new();
            for name in names {
                match folder.child(name) {
                    Ok(child) => children.extend(child),
                    Err(why) => self.obstacle(&below(path, name), &why),
                }
            }
            children
        };
        for mut child in children {
            if !child.is_folder() {
                continue;
            }
            let name = child.name();
            let ways: Vec<&[&str]> = ways
                .iter()
                .filter_map(|way| way.split_first())
                .filter(|(first, _)| fits(&name, first))
                .map(|(_, rest)| rest)
                .collect();
            let inside = below(path, &name);
            if ways.iter().any(|way| way.is_empty()) {
                found = true;
                self.open.places.push(inside.clone());
                self.files_of(&mut child, &inside);
            }
            let on: Vec<&[&str]> = ways.into_iter().filter(|way| !way.is_empty()).collect();
            if !on.is_empty() {
                found |= self.places(&mut child, &inside, &on);
            }
        }
        found
    }

    /// The files in a folder, by name.
    fn files_of(&mut self, folder: &mut Entry, path: &str) {
        let (mut children, problems) = folder.children();
        for why in &problems {
            self.obstacle(path, why);
        }
        children.sort_by_cached_key(Entry::name);
        for child in children.iter().filter(|child| !child.is_folder() && !child.is_link()) {
            self.file(child, &below(path, &child.name()));
        }
    }

    fn file(&mut self, file: &Entry, path: &str) {
        if !self.unpacker.counts(&mut self.open) {
            return;
        }
        match file.stream() {
            Ok(mut stream) => self.unpacker.member(&mut self.open, path, &mut stream, file.size()),
            Err(error) => self.unpacker.failed(&mut self.open, path, &error.to_string()),
        }
    }

    /// Everything below a folder.
    fn all(&mut self, mut folder: Entry, path: &str, depth: usize) {
        let (mut children, problems) = folder.children();
        for why in &problems {
            self.obstacle(path, why);
        }
        children.sort_by_cached_key(Entry::name);
        for child in children {
            if self.left == 0 {
                return;
            }
            self.left = self.left.saturating_sub(1);
            if self.left == 0 {
                self.obstacle(path, &format!("more than {MOST_ENTRIES} folders and files: the rest was not looked at"));
            }
            let inside = below(path, &child.name());
            if !child.is_folder() {
                if !child.is_link() {
                    self.file(&child, &inside);
                }
            } else if depth < DEEPEST {
                self.all(child, &inside, depth.saturating_add(1));
            } else {
                self.obstacle(&inside, &format!("folders within folders, {DEEPEST} deep"));
            }
        }
    }

    /// A file or a folder that was named, and what belongs to it.
    fn wanted(&mut self, root: Entry, path: &str) {
        let mut entry = root;
        let mut inside = String::new();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            match entry.child(name) {
                Ok(Some(child)) if child.is_folder() => {
                    inside = below(&inside, &child.name());
                    entry = child;
                }
                // A hive: its logs are in the same folder.
                Ok(Some(child)) if !child.is_link() => {
                    let stem = child.name().to_lowercase();
                    let (mut children, problems) = entry.children();
                    for why in &problems {
                        self.obstacle(&inside, why);
                    }
                    children.retain(|other| !other.is_folder() && !other.is_link());
                    children.retain(|other| other.name().to_lowercase().starts_with(&stem));
                    children.sort_by_cached_key(Entry::name);
                    for child in &children {
                        self.file(child, &below(&inside, &child.name()));
                    }
                    return;
                }
                Ok(_) => return,
                Err(why) => return self.obstacle(&below(&inside, name), &why),
            }
        }
        if inside.is_empty() { self.volume(entry) } else { self.all(entry, &inside, 0) }
    }

    fn obstacle(&mut self, path: &str, why: &str) {
        self.told = self.told.saturating_add(1);
        if self.told <= MOST_TOLD {
            let name = &self.open.locator;
            let place = if path.is_empty() { name.clone() } else { format!("{name}!{}", locator(path.as_ref())) };
            let problem = Problem::of(place, "a folder that can be read", why.to_owned());
            self.unpacker.tell(problem.advise("mount the volume read-only, and name its folder"));
        }
    }
}

fn below(path: &str, name: &str) -> String {
    // A name is one part of a path, whatever is in it.
    let name = name.replace(['/', '\\'], "\u{fffd}");
    if path.is_empty() { name } else { format!("{path}/{name}") }
}

fn fits(name: &str, pattern: &str) -> bool {
    let name = name.to_lowercase();
    pattern.strip_suffix('*').map_or(name == pattern, |start| name.starts_with(start))
}
