//! All files of a volume in one pass over its $MFT.

use std::io;

use rayon::prelude::*;

use super::parts::Parts;
use super::record::{fix_up, header};
use super::records::{Records, parts};
use crate::evidence::block::BlockRead;
use crate::evidence::file_system::{EntryKind, Node};
use crate::evidence::file_systems::told::Told;

/// Bytes of the $MFT to read at a time.
const AT_A_TIME: usize = 8 << 20;
/// The most records to read: 128 GiB of an $MFT; their sequence numbers need 256 MiB.
const MOST_RECORDS: u64 = 1 << 27;
/// The most files to hold back because their folder comes later; for more files, the folder's record is read.
const MOST_HELD: usize = 1 << 18;

/// The content of a record.
enum Met {
    /// Not in use, or a part of another.
    Nothing,
    File(u16, Parts),
    Bad(String),
}

/// The state of the pass.
struct Pass<'s, 'e> {
    records: &'s Records,
    root: Node,
    /// The sequence number of each folder so far; 0 for other records.
    folders: Vec<u16>,
    /// Records of other files that may still be read: each record continues only one file.
    further: u64,
    /// Files without a folder.
    lost: u64,
    told: Told<'e>,
}

/// Passes on every file and folder of the volume.
pub(super) fn scan(all: &Records, root: Node, told: Told<'_>) {
    let record = all.geometry.record;
    let records = all.count.min(MOST_RECORDS);
    let mut pass = Pass { records: all, root, folders: Vec::new(), further: records, lost: 0, told };
    let mut held = Vec::new();
    let mut first = 0_u64;
    let at_once = (AT_A_TIME.checked_div(record).unwrap_or_default() as u64).max(1);
    let mut bytes = Vec::new();
    while first < records && !pass.told.is_over() {
        let count = records.saturating_sub(first).min(at_once);
        bytes.resize(usize::try_from(count).unwrap_or_default().saturating_mul(record), 0);
        let whole = all.mft.read_exact_at(&mut bytes, first.saturating_mul(record as u64)).is_ok();
        let met: Vec<Met> = bytes
            .par_chunks_mut(record)
            .enumerate()
            .map(|(place, bytes)| {
                let number = first.saturating_add(place as u64);
                // If a sector is unreadable, only the record in it is lost.
                let read = if whole { Ok(()) } else { all.read_record(number, bytes) };
                read.map_or_else(|error| Met::Bad(error.to_string()), |()| meet(bytes))
            })
            .collect();
        pass.folders.extend(met.iter().map(|met| match met {
            Met::File(sequence, parts) if parts.is_folder => *sequence,
            _ => 0,
        }));
        for (met, number) in met.into_iter().zip(first..) {
            match met {
                Met::Nothing => {}
                Met::Bad(why) => pass.told.obstacle(root, None, format!("file record {number}: {why}")),
                Met::File(_, parts) => pass.file(number, parts, &mut held),
            }
        }
        first = first.saturating_add(count);
        if held.len() > MOST_HELD {
            pass.release(&mut held, false);
        }
    }
    pass.release(&mut held, true);
    let Pass { mut told, lost, .. } = pass;
    if records < all.count {
        let why = format!("its $MFT has {} file records, of which the first {records} were read", all.count);
        told.obstacle(root, None, why);
    }
    if lost > 0 {
        let why = format!("{lost} files are in folders that do not exist; `fls -r -p` lists them as orphans");
        told.obstacle(root, None, why);
    }
    told.finish(root);
}

/// Decodes a record.
fn meet(bytes: &mut [u8]) -> Met {
    let signature = bytes.first_chunk::<4>().copied().unwrap_or_default();
    let Some(header) = header(bytes) else { return Met::Nothing };
    // A record that was never used contains zeros; a record that is not in use may contain anything.
    if signature == [0; 4] || (&signature == b"FILE" && !header.in_use) {
        return Met::Nothing;
    }
    if let Err(why) = fix_up(bytes, *b"FILE") {
        return Met::Bad(why.to_owned());
    }
    if header.base.is_some() {
        return Met::Nothing;
    }
    let mut parts = Parts::of(header.is_folder);
    match parts.take(bytes) {
        Ok(()) => Met::File(header.sequence, parts),
        Err(why) => Met::Bad(why.to_owned()),
    }
}

impl Pass<'_, '_> {
    /// Passes a file on, or holds it back until its folders are known.
    fn file(&mut self, number: u64, mut parts: Parts, held: &mut Vec<(u64, Parts)>) {
        if parts.has_list {
            match self.all_parts(number) {
                Ok(all) => parts = all,
                Err(error) => {
                    let named = parts.names.first().map(|name| (Node(name.parent.number), name.name.clone()));
                    let (folder, name) = named.map_or((self.root, None), |(node, name)| (node, Some(name)));
                    self.told.obstacle(folder, name, format!("file record {number}: {error}"));
                    return;
                }
            }
        }
        if parts.names.iter().all(|name| name.parent.number < self.folders.len() as u64) {
            self.pass_on(number, &parts, true);
        } else {
            held.push((number, parts));
        }
    }

    /// Returns the facts in all records of a file.
    fn all_parts(&mut self, number: u64) -> io::Result<Parts> {
        let records = self.records.load(number, &mut self.further)?;
        let parts = parts(&records)?;
        if parts.size.is_none() && parts.kind() == EntryKind::File {
            return Err(io::Error::other("the record that has its data cannot be found"));
        }
        Ok(parts)
    }

    /// Passes on the files that were held back.
    fn release(&mut self, held: &mut Vec<(u64, Parts)>, all_met: bool) {
        for (number, parts) in held.drain(..) {
            if self.told.is_over() {
                return;
            }
            self.pass_on(number, &parts, all_met);
        }
    }

    fn pass_on(&mut self, number: u64, parts: &Parts, all_met: bool) {
        let at = Node(number);
        for name in parts.names.iter().filter(|name| name.parent.number != number) {
            let known = usize::try_from(name.parent.number).ok().and_then(|parent| self.folders.get(parent));
            let holds = match known {
                Some(0) => false,
                Some(sequence) => name.parent.is_of(*sequence),
                None if all_met => false,
                None => self.records.is_folder(name.parent),
            };
            if holds {
                self.told.entry(parts.entry(at, Node(name.parent.number), name.name.clone()));
            } else {
                self.lost = self.lost.saturating_add(1);
            }
        }
    }
}
