//! Disk images: the volumes of a disk, the file system on each, and its shadow copies.

use std::path::Path;
use std::sync::Arc;

use super::opener::{Item, Opener};
use crate::error::{Code, Problem};
use crate::evidence::block::Blocks;
use crate::evidence::disk::{self, Disk, Failed};
use crate::evidence::file::{Origin, Snapshot};
use crate::evidence::file_system::{FileSystem, Vouched};
use crate::evidence::file_systems;
use crate::evidence::ledger::{Outcome, SourceId};
use crate::evidence::locator::{Locator, Step};
use crate::evidence::volume::bitlocker::{self, Opened};
use crate::evidence::volume::shadow_copies::ShadowCopies;
use crate::evidence::volume::{self, Volume, VolumeKind, VolumeName};

/// A disk whose volumes are being read.
pub(super) struct Volumes<'o, 'w> {
    opener: &'o mut Opener<'w>,
    item: &'o Item,
    /// The image with its hash and its facts, as the origin of its files.
    origin: Origin,
    /// Whether the image's checksums prove its blocks.
    vouched: Vouched,
}

impl Volumes<'_, '_> {
    /// Opens an image and each volume in it.
    pub(super) fn open(opener: &mut Opener<'_>, item: &Item, source: SourceId) {
        let disk = match &item.bytes {
            None => disk::open_listed(opener.path(), opener.original_name.as_deref(), &opener.listed),
            Some(bytes) => disk::open_within(Path::new(&item.at.to_string()), Blocks::clone(bytes)),
        };
        let disk = match disk {
            Ok(disk) => disk,
            Err(Failed { problem, files }) => {
                if item.bytes.is_none() {
                    opener.touched.extend(files.into_iter().skip(1));
                }
                let code = problem.code.unwrap_or(Code::Damaged);
                return opener.ledger.refuse(source, problem.code(code), true);
            }
        };
        opener.ledger.name(source, disk.kind.to_string());
        // A collected MBR, or the $Boot of a volume, is not an image.
        if !item.named && disk.is_fragment() {
            let told = "the first sectors of a disk or a volume, not the whole";
            return opener.ledger.end(source, Outcome::Irrelevant(told.to_owned()), Vouched::Unprotected);
        }
        if item.bytes.is_none() {
            opener.files.extend(disk.files.iter().skip(1).cloned());
        }
        for fact in &disk.facts {
            opener.ledger.note(source, fact.clone());
        }
        let (verified, problems) = verified(&disk, opener.unpacking.verify_image);
        let own = disk.vouched();
        let mut vouched = item.vouched.clone().and(own);
        if verified == Some(true) {
            vouched = vouched.and(Vouched::by("the hash of the whole image"));
        }
        for problem in problems {
            vouched = Vouched::Unverified(problem.found.clone());
            let problem = Problem { path: Some(item.at.to_string()), ..problem };
            opener.ledger.refuse_member(source, "image", problem, true);
        }
        let stored_hash = disk.stored.first().map(|stored| format!("{}:{}", stored.algorithm.word(), stored.hex));
        let verified = stored_hash.as_ref().map(|_| verified.unwrap_or(false));
        if let Some(hash) = &stored_hash {
            let state = if verified == Some(true) { "verified" } else { "not verified" };
            opener.ledger.note(source, format!("the image's own hash {hash}, {state}"));
        }
        let origin = Origin {
            format: disk.kind.to_string(),
            partition: None,
            offset: None,
            stored_hash,
            verified,
            facts: disk.facts.clone(),
            acquisition: disk.acquisition.clone(),
        };
        let table = match volume::volumes(&disk.blocks, &item.at.to_string()) {
            Ok(table) => table,
            Err(problem) => {
                let code = problem.code.unwrap_or(Code::Damaged);
                return opener.ledger.refuse(source, problem.code(code), true);
            }
        };
        for problem in table.problems {
            let path = problem.path.clone().filter(|path| !path.is_empty()).unwrap_or_else(|| item.at.to_string());
            let problem = Problem { path: Some(path), ..problem }.code(Code::PartitionTable);
            opener.ledger.refuse_member(source, "partition table", problem, true);
        }
        for fact in table.facts {
            opener.ledger.note(source, fact);
        }
        opener.ledger.end(source, Outcome::Read, vouched.clone());
        let mut volumes = Volumes { opener, item, origin, vouched };
        for volume in &table.volumes {
            volumes.volume(volume, source);
        }
    }

    /// Reads one volume, if it is wanted.
    fn volume(&mut self, volume: &Volume, disk: SourceId) {
        let step = match volume.name {
            VolumeName::Whole => None,
            VolumeName::Partition(number) => Some(Step::Partition(number)),
            VolumeName::Offset(offset) => Some(Step::Offset(offset)),
        };
        let (at, wanted) = match (step, self.item.wanted.split_first()) {
            (None, _) => (self.item.at.clone(), self.item.wanted.clone()),
            (Some(step), None) => (self.item.at.step(step), Vec::new()),
            (Some(step), Some((first, rest))) if *first == step => (self.item.at.step(step), rest.to_vec()),
            (Some(_), Some(_)) => return,
        };
        self.opener.found |= wanted.is_empty();
        let whole = volume.name == VolumeName::Whole;
        // If the disk is one volume, the disk's own entry is the volume's.
        if whole {
            self.opener.ledger.note(disk, format!("one volume: {}", volume.kind.words()));
        }
        let failed = if whole { None } else { self.opener.watch.begin(&at.to_string()) };
        let source = if whole { disk } else { self.opener.ledger.begin(at.to_string(), volume.kind.words()) };
        if let Some(problem) = failed {
            return self.opener.ledger.refuse(source, problem, true);
        }
        if volume.recovered {
            self.opener.ledger.note(source, "recovered: no valid table leads to it");
        }
        if !volume.label.is_empty() {
            self.opener.ledger.note(source, volume.label.clone());
        }
        let partition = match volume.name {
            VolumeName::Partition(number) => Some(u64::from(number)),
            VolumeName::Whole | VolumeName::Offset(_) => None,
        };
        let origin = Origin { partition, offset: Some(volume.start), ..self.origin.clone() };
        let refuse = |code, what: &str, advice: &str| {
            Problem::new("a supported file system (NTFS, FAT, exFAT, ext)", what.to_owned()).code(code).advise(advice)
        };
        match volume.kind {
            VolumeKind::Irrelevant(why) => {
                self.opener.ledger.end(source, Outcome::Irrelevant(why.to_owned()), Vouched::Unprotected);
            }
            VolumeKind::Refused { what, advice } => {
                self.opener.ledger.refuse(source, refuse(Code::UnsupportedFormat, what, advice), true);
            }
            VolumeKind::Unknown => {
                let advice = "check that the image is whole; if you know its file system, mount it read-only and name its folder";
                let problem = refuse(Code::UnsupportedFormat, "data of no known kind", advice);
                self.opener.ledger.refuse(source, problem, true);
            }
            VolumeKind::BitLocker => self.bitlocker(volume, &at, &wanted, source, origin),
            VolumeKind::Ntfs | VolumeKind::Fat | VolumeKind::ExFat | VolumeKind::Ext => {
                self.files(&volume.blocks, volume.kind, at, wanted, source, &origin);
            }
        }
    }

    fn bitlocker(&mut self, volume: &Volume, at: &Locator, wanted: &[Step], source: SourceId, origin: Origin) {
        self.opener.ledger.name(source, "BitLocker");
        match bitlocker::open(&volume.blocks, volume.start, &self.opener.unpacking.keys) {
            Ok(Opened::Unlocked { blocks, with, facts }) => {
                let told = format!("{}, opened with {with}", told(&facts));
                self.decrypted(&blocks, told, &facts, at, wanted, source, origin);
            }
            Ok(Opened::Decrypted { blocks, facts }) => {
                self.decrypted(&blocks, told(&facts), &facts, at, wanted, source, origin);
            }
            Ok(Opened::Locked(locked)) => {
                self.opener.ledger.note(source, told(&locked.facts));
                let problem = Problem::new("a key that opens this volume", locked.why).code(Code::Encrypted);
                self.opener.ledger.refuse(source, problem.advise(locked.advice), true);
            }
            Err(problem) => {
                let code = problem.code.unwrap_or(Code::Damaged);
                self.opener.ledger.refuse(source, problem.code(code), true);
            }
        }
    }

    /// Reads the files of a volume that BitLocker encrypted, and notes its facts.
    #[allow(clippy::too_many_arguments, reason = "the volume, and what was said of it")]
    fn decrypted(
        &mut self,
        blocks: &Blocks,
        told: String,
        facts: &bitlocker::Facts,
        at: &Locator,
        wanted: &[Step],
        source: SourceId,
        mut origin: Origin,
    ) {
        for problem in &facts.problems {
            self.opener.ledger.note(source, problem.to_string());
        }
        self.opener.ledger.note(source, told.clone());
        origin.facts.push(told);
        let kind = volume::file_system_of(blocks);
        self.files(blocks, kind, at.clone(), wanted.to_vec(), source, &origin);
    }

    /// Searches the files of a volume, and its shadow copies.
    fn files(
        &mut self,
        blocks: &Blocks,
        kind: VolumeKind,
        at: Locator,
        wanted: Vec<Step>,
        source: SourceId,
        origin: &Origin,
    ) {
        let system = match system(blocks) {
            Ok(system) => system,
            Err(why) => {
                let problem = Problem::new(format!("a sound file system ({})", kind.words()), why);
                let problem = problem.code(Code::Damaged).advise("mount the volume read-only, and name its folder");
                return self.opener.ledger.refuse(source, problem, true);
            }
        };
        let copy =
            wanted.first().and_then(|step| if let Step::ShadowCopy(number) = step { Some(*number) } else { None });
        let item = Item {
            at,
            kind: self.item.kind,
            bytes: None,
            depth: self.item.depth,
            wanted,
            vouched: self.vouched.clone(),
            named: self.item.named,
            beside: None,
        };
        if copy.is_none() {
            self.opener.file_system(system.as_ref(), &item, source, origin, false, false);
        } else {
            self.opener.ledger.end(source, Outcome::Read, self.vouched.clone());
        }
        if kind == VolumeKind::Ntfs && (copy.is_some() || item.wanted.is_empty()) {
            self.shadow_copies(blocks, &item, copy, source, origin);
        }
    }

    /// Lists the shadow copies of a volume, or the wanted one, and searches their files if the user asked for it.
    fn shadow_copies(&mut self, blocks: &Blocks, item: &Item, wanted: Option<u32>, source: SourceId, origin: &Origin) {
        let reading = wanted.is_some() || !self.opener.unpacking.live_only;
        let path = item.at.to_string();
        let copies = match ShadowCopies::of(blocks) {
            Ok(Some(copies)) => copies,
            Ok(None) => return,
            Err(problem) => {
                let problem = Problem { path: Some(path.clone()), ..problem }.code(Code::Damaged);
                if reading {
                    self.opener.ledger.refuse_member(source, "shadow copies", problem.clone(), wanted.is_some());
                }
                return self.opener.shadow_copies.push(Snapshot {
                    path,
                    problem: Some(problem),
                    ..Snapshot::default()
                });
            }
        };
        for copy in copies.list() {
            let Ok(number) = u32::try_from(copy.index) else { continue };
            if wanted.is_some_and(|wanted| wanted != number) {
                continue;
            }
            let at = item.at.step(Step::ShadowCopy(number));
            let mut snapshot = Snapshot {
                path: at.to_string(),
                created: Some(copy.created),
                id: copy.identity.as_ref().ok().map(|identity| identity.id.to_string()),
                deleted: copy.offline,
                read: false,
                problem: copy.identity.as_ref().err().cloned(),
            };
            if reading {
                let failed = self.opener.watch.begin(&at.to_string());
                let source = self.opener.ledger.begin(at.to_string(), "shadow copy");
                let opened = failed.map_or(Ok(()), Err).and_then(|()| {
                    copies.open(copy.index).and_then(|blocks| {
                        system(&blocks).map_err(|why| Problem::new("the NTFS of a shadow copy", why))
                    })
                });
                match opened {
                    Ok(system) => {
                        snapshot.read = true;
                        let rest = item.wanted.get(1..).unwrap_or_default().to_vec();
                        let item = Item {
                            at,
                            wanted: rest,
                            kind: item.kind,
                            bytes: None,
                            depth: item.depth,
                            vouched: item.vouched.clone(),
                            named: item.named,
                            beside: None,
                        };
                        self.opener.file_system(system.as_ref(), &item, source, origin, true, false);
                    }
                    Err(problem) => {
                        let code = problem.code.unwrap_or(Code::Damaged);
                        let problem = Problem { path: Some(at.to_string()), ..problem }.code(code);
                        // Older generations are no gaps, except one that the user named.
                        self.opener.ledger.refuse(source, problem.clone(), wanted.is_some());
                        snapshot.problem = Some(problem);
                    }
                }
            }
            self.opener.shadow_copies.push(snapshot);
        }
    }
}

/// Describes a BitLocker volume: its identifier, its state, its encryption method, its key protectors.
fn told(facts: &bitlocker::Facts) -> String {
    let protectors: Vec<String> =
        facts.protectors.iter().map(|one| format!("{} ({})", one.kind, one.identifier)).collect();
    let protectors = if protectors.is_empty() { "none".to_owned() } else { protectors.join(", ") };
    let method = facts.method.as_deref().map_or_else(String::new, |method| format!(", {method}"));
    format!("BitLocker volume {}, {}{method}; protectors: {protectors}", facts.identifier, facts.state)
}

/// Opens the file system of a volume.
fn system(blocks: &Blocks) -> Result<Box<dyn FileSystem>, String> {
    match file_systems::open(&Arc::clone(blocks)) {
        Ok(Some(system)) => Ok(system),
        Ok(None) => Err("another file system, or none".to_owned()),
        Err(why) => Err(why),
    }
}

/// Compares the image with its stored hashes, if the user asked for it: whether they match, and the problems.
fn verified(disk: &Disk, wanted: bool) -> (Option<bool>, Vec<Problem>) {
    if !wanted {
        return (None, Vec::new());
    }
    let expected = "the hash that the image holds";
    match disk.verify() {
        Ok(checked) if checked.is_empty() => {
            let problem = Problem::new(expected, "none: the image cannot be verified by itself").code(Code::Unverified);
            (None, vec![problem.advise("compare its hash with the one in the acquisition log")])
        }
        Ok(checked) => {
            let wrong: Vec<Problem> = checked
                .into_iter()
                .filter(|one| !one.agrees())
                .map(|one| {
                    let stored = &one.stored;
                    let expected = format!("the {} {}", stored.algorithm, stored.hex);
                    Problem::new(expected, one.found.clone())
                        .code(Code::Unverified)
                        .advise("the image is not what was acquired: copy it again")
                })
                .collect();
            (Some(wrong.is_empty()), wrong)
        }
        Err(error) => {
            let problem =
                Problem::new("an image that can be read to its end", error.to_string()).code(Code::Unverified);
            (Some(false), vec![problem])
        }
    }
}
