//! NTFS, versions 3.0 and 3.1 (Windows 2000 and later): files by their records, folders by their indexes, and all files in
//! one pass over the $MFT.
//!
//! A node is the number of a file's record. Read are plain, sparse and compressed (LZNT1) streams, also where their
//! records go on in others; what EFS encrypts is refused.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::runs::{Runs, Stored};
use super::told::Told;
use crate::evidence::block::{BlockRead, Blocks};
use crate::evidence::content::{BlockContent, head};
use crate::evidence::disk::field::{le16, le32, le64};
use crate::evidence::file_system::{Case, Content, Each, Entry, EntryKind, FileSystem, Head, Node};
use crate::evidence::locator::Name;

mod boot;
mod compressed;
mod index;
mod pairs;
mod parts;
mod record;
mod scan;

use boot::Geometry;
use compressed::{Compressed, MOST_IN_UNIT};
use parts::{FileName, Parts};
use record::{ATTRIBUTE_LIST, BITMAP, DATA, Form, INDEX_ALLOCATION, INDEX_ROOT, Reference, attributes, fix_up, header};

/// The record of the root folder.
const ROOT: u64 = 5;
/// `$I30`, the name of a folder's index, in UTF-16.
const INDEX: &[u8] = b"$\0I\x003\x000\0";
/// Flags of an attribute.
const COMPRESSED: u16 = 0x00ff;
const ENCRYPTED: u16 = 0x4000;
/// Bytes of an attribute list; Windows makes no longer ones.
const MOST_IN_LIST: u64 = 256 << 10;
/// Names of a folder whose records are read together.
const AT_ONCE: usize = 8192;
/// Bytes of the $MFT that are read for one record and its neighbours.
const WINDOW: usize = 64 << 10;

/// An NTFS volume.
pub struct Ntfs {
    volume: Blocks,
    geometry: Geometry,
    mft: Stored,
    /// Records of the $MFT.
    records: u64,
    defects: Vec<String>,
}

impl Ntfs {
    /// Opens a volume: reads its boot sector and the first record of its $MFT.
    ///
    /// # Errors
    /// What of them cannot be read or cannot be right.
    pub fn open(volume: &Blocks) -> Result<Self, String> {
        let mut sector = [0; 512];
        volume.read_exact_at(&mut sector, 0).map_err(|error| error.to_string())?;
        let geometry = boot::read(&sector)?;
        let mut defects = Vec::new();
        let first = |at: u64| {
            let mut bytes = vec![0; geometry.record];
            volume.read_exact_at(&mut bytes, at).map_err(|error| error.to_string())?;
            fix_up(&mut bytes, b"FILE")?;
            Ok::<_, String>(bytes)
        };
        let first = match first(geometry.mft) {
            Ok(bytes) => bytes,
            Err(why) => {
                let bytes = first(geometry.mirror).map_err(|copy| {
                    format!("the first record of its $MFT ({why}), or else of $MFTMirr ({copy}): both are damaged")
                })?;
                defects.push(format!("the first record of the $MFT is damaged ({why}); its copy in $MFTMirr was read"));
                bytes
            }
        };
        let mft = mft(volume, &geometry, &first).map_err(|why| format!("the $MFT cannot be read: {why}"))?;
        let records = mft.size.min(mft.valid).checked_div(geometry.record as u64).unwrap_or_default();
        Ok(Self { volume: Arc::clone(volume), geometry, mft, records, defects })
    }

    fn root_node(&self) -> Node {
        Node(ROOT)
    }

    /// Fills `bytes` with a record as it lies.
    fn read_record(&self, number: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.mft.read_exact_at(bytes, number.saturating_mul(self.geometry.record as u64))
    }

    /// A record with its fixups applied.
    fn record(&self, number: u64) -> io::Result<Vec<u8>> {
        if number >= self.records {
            return Err(bad(format!(
                "there is no file record {number}: the last is {}",
                self.records.saturating_sub(1)
            )));
        }
        let mut bytes = vec![0; self.geometry.record];
        self.read_record(number, &mut bytes)?;
        fix_up(&mut bytes, b"FILE").map_err(|why| bad(format!("file record {number}: {why}")))?;
        Ok(bytes)
    }

    /// Whether a reference is to a folder that exists.
    fn is_folder(&self, reference: Reference) -> bool {
        let found = self.record(reference.number).ok().and_then(|bytes| header(&bytes));
        found.is_some_and(|found| found.in_use && found.is_folder && reference.is_of(found.sequence))
    }

    /// All records of a file, the base record first. `further` counts down the records that may be read for it.
    fn load(&self, number: u64, further: &mut u64) -> io::Result<Vec<Vec<u8>>> {
        self.complete(number, self.record(number)?, further)
    }

    /// The records that go on from a base record, behind it.
    fn complete(&self, number: u64, base: Vec<u8>, further: &mut u64) -> io::Result<Vec<Vec<u8>>> {
        let found = header(&base).filter(|found| found.in_use && found.base.is_none());
        let found = found.ok_or_else(|| bad(format!("file record {number} is not in use")))?;
        let mut numbers = list(&self.volume, &self.geometry, &base)?;
        numbers.sort_unstable_by_key(|part| part.record.number);
        numbers.dedup_by_key(|part| part.record.number);
        let mut records = vec![base];
        for part in numbers.iter().filter(|part| part.record.number != number) {
            *further =
                further.checked_sub(1).ok_or_else(|| bad("more records than the volume has go on from others"))?;
            let record = self.record(part.record.number)?;
            let belongs = header(&record).is_some_and(|header| {
                header.in_use
                    && part.record.is_of(header.sequence)
                    && header.base.is_some_and(|base| base.number == number && base.is_of(found.sequence))
            });
            if !belongs {
                return Err(bad(format!(
                    "file record {} should go on from {number}, and does not",
                    part.record.number
                )));
            }
            records.push(record);
        }
        Ok(records)
    }

    /// What all records of a file say.
    fn parts(&self, records: &[Vec<u8>]) -> io::Result<Parts> {
        let is_folder = records.first().and_then(|base| header(base)).is_some_and(|header| header.is_folder);
        let mut parts = Parts::of(is_folder);
        records.iter().try_for_each(|record| parts.take(record)).map_err(bad)?;
        Ok(parts)
    }

    /// The records of a file by its node.
    fn file(&self, node: Node) -> io::Result<Vec<Vec<u8>>> {
        self.load(node.0, &mut { self.records })
    }

    /// The bytes of an attribute; `None` where the file has none of that type and name.
    fn attribute(&self, records: &[Vec<u8>], kind: u32, name: &[u8]) -> io::Result<Option<Blocks>> {
        let mut clusters = Vec::new();
        for attribute in records.iter().flat_map(|record| attributes(record)) {
            let attribute = attribute.map_err(bad)?;
            if attribute.kind != kind || attribute.name != name {
                continue;
            }
            if attribute.flags & ENCRYPTED != 0 {
                return Err(io::Error::other("a file that EFS encrypts; only its owner's key opens it"));
            }
            match attribute.form {
                Form::Resident(bytes) => return Ok(Some(Arc::new(bytes.to_vec()))),
                Form::Clusters { first, last, size, valid, unit, pairs } => {
                    clusters.push((first, last, size, valid, unit, attribute.flags, pairs));
                }
            }
        }
        clusters.sort_by_key(|(first, ..)| *first);
        let Some((_, _, size, valid, unit, flags, _)) = clusters.first().copied() else { return Ok(None) };
        let mut runs = Runs::default();
        for (first, last, .., pairs) in clusters {
            pairs::add(&mut runs, first, last, pairs, self.geometry.cluster).map_err(bad)?;
        }
        if runs.end() < size.min(valid) {
            return Err(bad(format!("a size of {size} bytes, and clusters for {}", runs.end())));
        }
        let stored = Stored { volume: Arc::clone(&self.volume), runs, size, valid };
        if flags & COMPRESSED == 0 {
            return Ok(Some(Arc::new(stored)));
        }
        let unit = 1_u64.checked_shl(unit.into()).and_then(|clusters| clusters.checked_mul(self.geometry.cluster));
        match unit.filter(|unit| flags & COMPRESSED == 1 && *unit <= MOST_IN_UNIT) {
            Some(unit) => Ok(Some(Arc::new(Compressed::new(stored, unit)))),
            None => Err(bad("a compression that is not known")),
        }
    }

    /// The unnamed stream of a file.
    fn data(&self, node: Node) -> io::Result<Blocks> {
        let records = self.file(node)?;
        match self.parts(&records)?.kind() {
            EntryKind::File => Ok(self.attribute(&records, DATA, &[])?.unwrap_or_else(|| Arc::new(Vec::new()))),
            // Its stream is zeros.
            EntryKind::Elsewhere(tag) => {
                let why = format!("Windows keeps the bytes of this file elsewhere (reparse tag {tag:#x})");
                Err(io::Error::other(why))
            }
            _ => Err(io::Error::other("a folder, a link or a device, which has no bytes")),
        }
    }

    /// Passes on the names in a folder, as its index has them.
    fn names(&self, folder: Node, each: index::EachName<'_>) -> Result<(), String> {
        let records = self.file(folder).map_err(|error| error.to_string())?;
        if !self.parts(&records).map_err(|error| error.to_string())?.is_folder {
            return Err("no folder".to_owned());
        }
        let part = |kind| self.attribute(&records, kind, INDEX).map_err(|error| error.to_string());
        let root = part(INDEX_ROOT)?.ok_or("a folder without an index")?;
        let mut bytes = vec![0; usize::try_from(root.size()).unwrap_or_default().min(self.geometry.record)];
        root.read_exact_at(&mut bytes, 0).map_err(|error| error.to_string())?;
        if index::root(&bytes, &mut *each).is_break() {
            return Ok(());
        }
        if let Some(allocation) = part(INDEX_ALLOCATION)? {
            let bitmap = part(BITMAP)?.ok_or("a folder's index without a bitmap")?;
            // Nobody waits for what comes behind a break.
            let _ = index::blocks(&*allocation, &*bitmap, self.geometry.index, each);
        }
        Ok(())
    }

    /// The entry that a name in a folder stands for.
    fn entry(
        &self,
        record: io::Result<Vec<u8>>,
        file: Reference,
        folder: Node,
        name: &FileName,
    ) -> Result<Entry, String> {
        let record = record.map_err(|error| error.to_string())?;
        let is_meant = header(&record).is_some_and(|header| file.is_of(header.sequence));
        if !is_meant {
            return Err(format!("file record {} is another file's by now", file.number));
        }
        let records = self.complete(file.number, record, &mut { self.records }).map_err(|error| error.to_string())?;
        let parts = self.parts(&records).map_err(|error| error.to_string())?;
        Ok(parts.entry(Node(file.number), folder, name.name.clone()))
    }
}

impl Parts {
    /// The file as an entry of a folder.
    fn entry(&self, node: Node, parent: Node, name: Name) -> Entry {
        let kind = self.kind();
        let size = if self.is_folder { 0 } else { self.size.unwrap_or_default() };
        Entry { node, parent, name, kind, size, modified: self.modified() }
    }
}

impl FileSystem for Ntfs {
    fn root(&self) -> Node {
        self.root_node()
    }

    fn list(&self, folder: Node, each: Each<'_>) {
        let mut told = Told::new(each);
        let mut window = Window { system: self, first: 0, bytes: Vec::new() };
        let mut batch = Vec::new();
        let mut flush = |batch: &mut Vec<(Reference, FileName)>, told: &mut Told<'_>| {
            batch.sort_by_key(|(file, _)| file.number);
            for (file, name) in batch.drain(..) {
                if told.is_over() {
                    return;
                }
                match self.entry(window.record(file.number), file, folder, &name) {
                    Ok(entry) => told.entry(entry),
                    Err(why) => told.obstacle(folder, Some(name.name), why),
                }
            }
        };
        let listed = self.names(folder, &mut |found| {
            match found {
                // The root folder is an entry of itself.
                Ok((file, _)) if file.number == folder.0 => {}
                Ok(found) => batch.push(found),
                Err(why) => told.obstacle(folder, None, why),
            }
            if batch.len() >= AT_ONCE {
                flush(&mut batch, &mut told);
            }
            if told.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        flush(&mut batch, &mut told);
        if let Err(why) = listed {
            told.obstacle(folder, None, why);
        }
        told.finish(folder);
    }

    fn scan(&self, each: Each<'_>) {
        scan::scan(self, Told::new(each));
    }

    fn look_up(&self, folder: Node, name: &Name, case: Case) -> Result<Vec<Entry>, String> {
        let (mut found, mut obstacle) = (Vec::new(), None);
        self.names(folder, &mut |entry| {
            match entry {
                Ok((file, _)) if file.number == folder.0 => {}
                Ok((file, other)) if case.is_same(name, &other.name) => {
                    match self.entry(self.record(file.number), file, folder, &other) {
                        Ok(entry) => found.push(entry),
                        Err(why) => obstacle = Some(why),
                    }
                }
                Ok(_) => {}
                Err(why) => obstacle = Some(why),
            }
            ControlFlow::Continue(())
        })?;
        match obstacle {
            Some(why) if found.is_empty() => Err(why),
            _ => Ok(found),
        }
    }

    fn head(&self, file: Node) -> io::Result<Head> {
        head(&*self.data(file)?)
    }

    fn open(&self, file: Node) -> io::Result<Box<dyn Content + '_>> {
        Ok(Box::new(BlockContent::new(self.data(file)?)))
    }

    fn blocks(&self, file: Node) -> Option<Blocks> {
        self.data(file).ok()
    }

    fn defects(&self) -> Vec<String> {
        self.defects.clone()
    }
}

/// A part of the $MFT, read for several of its records.
struct Window<'s> {
    system: &'s Ntfs,
    /// Its first record.
    first: u64,
    bytes: Vec<u8>,
}

impl Window<'_> {
    /// A record with its fixups applied.
    fn record(&mut self, number: u64) -> io::Result<Vec<u8>> {
        let size = self.system.geometry.record;
        for _ in 0..2 {
            let at = usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX).saturating_mul(size);
            if number >= self.first
                && let Some(bytes) = self.bytes.get(at..at.saturating_add(size))
            {
                let mut bytes = bytes.to_vec();
                fix_up(&mut bytes, b"FILE").map_err(|why| bad(format!("file record {number}: {why}")))?;
                return Ok(bytes);
            }
            let start = number.saturating_mul(size as u64);
            let end = self.system.records.saturating_mul(size as u64);
            let length = usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX).min(WINDOW.max(size));
            self.bytes.resize(length, 0);
            self.first = number;
            if self.system.mft.read_exact_at(&mut self.bytes, start).is_err() {
                self.bytes.clear();
                break;
            }
        }
        self.system.record(number)
    }
}

/// A part of a file that its attribute list names.
struct Listed {
    kind: u32,
    /// The first of the attribute's clusters in it.
    first: u64,
    record: Reference,
}

/// The attribute list of a base record; nothing where it has none.
fn list(volume: &Blocks, geometry: &Geometry, base: &[u8]) -> io::Result<Vec<Listed>> {
    let mut found = Vec::new();
    for attribute in attributes(base) {
        let attribute = attribute.map_err(bad)?;
        if attribute.kind != ATTRIBUTE_LIST {
            continue;
        }
        let bytes = match attribute.form {
            Form::Resident(bytes) => bytes.to_vec(),
            Form::Clusters { first, last, size, valid, pairs, .. } => {
                let mut runs = Runs::default();
                pairs::add(&mut runs, first, last, pairs, geometry.cluster).map_err(bad)?;
                if size > MOST_IN_LIST {
                    return Err(bad(format!("an attribute list of {size} bytes, more than Windows makes")));
                }
                let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
                Stored { volume: Arc::clone(volume), runs, size, valid }.read_exact_at(&mut bytes, 0)?;
                bytes
            }
        };
        let mut rest = bytes.as_slice();
        while let (Some(kind), Some(length)) = (le32(rest, 0), le16(rest, 4)) {
            let (Some(first), Some(record)) = (le64(rest, 8), Reference::read(rest, 16)) else { break };
            if length < 24 {
                return Err(bad("an entry of no length in an attribute list"));
            }
            found.push(Listed { kind, first, record });
            rest = rest.get(usize::from(length)..).unwrap_or_default();
        }
    }
    Ok(found)
}

/// The $MFT's own bytes, by its first record and those that go on from it, which lie in what is known before them.
fn mft(volume: &Blocks, geometry: &Geometry, base: &[u8]) -> io::Result<Stored> {
    let mut mft = Stored { volume: Arc::clone(volume), runs: Runs::default(), size: 0, valid: 0 };
    let add = |mft: &mut Stored, record: &[u8]| {
        for attribute in attributes(record) {
            let attribute = attribute.map_err(bad)?;
            if let (DATA, true, Form::Clusters { first, last, size, valid, pairs, .. }) =
                (attribute.kind, attribute.name.is_empty(), attribute.form)
            {
                pairs::add(&mut mft.runs, first, last, pairs, geometry.cluster).map_err(bad)?;
                if first == 0 {
                    (mft.size, mft.valid) = (size, valid);
                }
            }
        }
        Ok::<_, io::Error>(())
    };
    add(&mut mft, base)?;
    let mut parts = list(volume, geometry, base)?;
    parts.retain(|part| part.kind == DATA && part.first > 0);
    parts.sort_by_key(|part| part.first);
    for part in parts {
        // Several parts can be in one record.
        if part.first.saturating_mul(geometry.cluster) < mft.runs.end() {
            continue;
        }
        let mut bytes = vec![0; geometry.record];
        mft.read_exact_at(&mut bytes, part.record.number.saturating_mul(geometry.record as u64))?;
        fix_up(&mut bytes, b"FILE").map_err(bad)?;
        add(&mut mft, &bytes)?;
    }
    if mft.size == 0 || mft.runs.end() < mft.size.min(mft.valid) {
        return Err(bad(format!("a size of {} bytes, and clusters for {}", mft.size, mft.runs.end())));
    }
    if mft.runs.stored() > volume.size() {
        return Err(bad(format!("{} bytes on a volume of {}", mft.runs.stored(), volume.size())));
    }
    Ok(mft)
}

/// An error for bytes of a volume that cannot be right.
fn bad(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}
