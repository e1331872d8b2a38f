//! exFAT: files by their sets of entries, each with a checksum.
//!
//! A node is the place of a set's first entry on the volume, in units of 32 bytes; the root's node is 0.
//!
//! "exFAT file system specification" (<https://learn.microsoft.com/windows/win32/fileio/exfat-specification>).

use std::io;
use std::sync::Arc;

use super::clusters::{Clusters, Width};
use super::runs::Runs;
use super::told::Told;
use super::walk::ByFolder;
use super::wrong::bad;
use crate::evidence::block::{BlockRead, Blocks};
use crate::evidence::file_system::{Entry, EntryKind, Node, ROOT};

mod boot;
mod set;

use set::{FILE, Set};

/// Bytes of an entry.
const ENTRY: usize = 32;
/// The most bytes of a folder (section 7.4: at most 256 MB).
const MOST_IN_FOLDER: u64 = 256 << 20;
/// Bytes of a folder to read at a time.
const AT_A_TIME: u64 = 1 << 20;

/// An exFAT volume.
pub struct ExFat {
    clusters: Clusters,
    /// The first cluster of the root folder.
    root: u64,
    defects: Vec<String>,
}

impl ExFat {
    /// Opens a volume by its boot region, or that region's backup.
    ///
    /// # Errors
    /// Wrong values in both regions.
    pub fn open(volume: &Blocks) -> Result<Self, String> {
        let (boot, defects) = match boot::read(volume, 0) {
            Ok(boot) => (boot, Vec::new()),
            Err(why) => {
                let boot = boot::backup(volume).map_err(|backup| format!("{why}; its backup: {backup}"))?;
                (boot, vec![format!("{why}; its backup was read")])
            }
        };
        let clusters = Clusters::new(volume, boot.table, Width::ThirtyTwo, boot.count, boot.cluster, boot.heap);
        Ok(Self { clusters, root: boot.root, defects })
    }

    /// Returns the set of entries at a place. If it continues in another cluster, only its checksum shows whether that
    /// is the next cluster or its successor in the table.
    fn set(&self, node: Node) -> io::Result<Set> {
        let start = node.0.saturating_mul(ENTRY as u64);
        let volume = &self.clusters.volume;
        let mut bytes = vec![0; ENTRY];
        volume.read_exact_at(&mut bytes, start)?;
        let length = set::length(&bytes).ok_or_else(|| io::Error::other("not a file"))?;
        bytes.resize(length, 0);
        let cluster = self.clusters.containing(start).ok_or_else(|| io::Error::other("not a file"))?;
        let end = self.clusters.place(cluster).unwrap_or_default().saturating_add(self.clusters.size);
        let here = length.min(usize::try_from(end.saturating_sub(start)).unwrap_or_default());
        if let Some(part) = bytes.get_mut(..here) {
            volume.read_exact_at(part, start)?;
        }
        let mut next = cluster.saturating_add(1);
        for attempt in 0..2 {
            if here < length {
                if attempt == 1 {
                    next = self.clusters.after(cluster)?;
                }
                let place = self.clusters.place(next).unwrap_or(u64::MAX);
                let read = volume.read_exact_at(bytes.get_mut(here..).unwrap_or_default(), place);
                if attempt == 1 {
                    read?;
                }
            }
            match Set::read(&bytes) {
                Err(why) if attempt == 1 || here == length => return Err(bad(why)),
                Err(_) => {}
                Ok(set) => return Ok(set),
            }
        }
        Err(io::Error::other("not a file"))
    }

    /// Returns the clusters of a file or folder; bytes of `size` that were never written need no clusters.
    fn runs(&self, set: &Set) -> io::Result<Runs> {
        match set.size {
            0 => Ok(Runs::default()),
            size if set.is_contiguous => self.clusters.contiguous(set.first, size),
            size => self.clusters.of_file(set.first, size),
        }
    }
}

/// The sets of a folder, assembled entry by entry.
struct Sets {
    folder: Node,
    /// The entries of an incomplete set.
    set: Vec<u8>,
    /// The size of the set, in bytes.
    wanted: usize,
    /// The node of the set.
    node: Node,
}

impl Sets {
    /// Adds an entry, and returns whether it is the folder's end.
    fn add(&mut self, entry: &[u8; ENTRY], place: Node, told: &mut Told<'_>) -> bool {
        let [kind, ..] = *entry;
        // Only a secondary entry in use continues a set.
        if !self.set.is_empty() && kind & 0xc0 != 0xc0 {
            self.cut(told);
        }
        match kind {
            0 => return true,
            FILE => {
                self.wanted = set::length(entry).unwrap_or_default();
                self.node = place;
                self.set.extend_from_slice(entry);
            }
            _ if !self.set.is_empty() => self.set.extend_from_slice(entry),
            _ => {}
        }
        if !self.set.is_empty() && self.set.len() >= self.wanted {
            match Set::read(&self.set) {
                Ok(set) => told.entry(Entry {
                    node: self.node,
                    parent: self.folder,
                    name: set.name,
                    kind: if set.is_folder { EntryKind::Folder } else { EntryKind::File },
                    size: if set.is_folder { 0 } else { set.size },
                    modified: set.modified,
                }),
                Err(why) => told.obstacle(self.folder, set::name(&self.set), why),
            }
            self.set.clear();
        }
        false
    }

    /// Reports a set that ends early.
    fn cut(&mut self, told: &mut Told<'_>) {
        if !self.set.is_empty() {
            told.obstacle(self.folder, set::name(&self.set), "an incomplete set of entries");
            self.set.clear();
        }
    }
}

impl ByFolder for ExFat {
    fn size(&self) -> u64 {
        self.clusters.volume.size()
    }

    fn list_within(&self, folder: Node, told: &mut Told<'_>, left: &mut u64) -> io::Result<()> {
        let runs = if folder == ROOT {
            self.clusters.of_folder(self.root, MOST_IN_FOLDER)?
        } else {
            let set = self.set(folder)?;
            if !set.is_folder {
                return Err(io::Error::other("not a folder"));
            }
            if set.size > MOST_IN_FOLDER {
                return Err(bad(format!("a folder of {} bytes, more than exFAT allows", set.size)));
            }
            self.runs(&set)?
        };
        let size = runs.end();
        *left = left.checked_sub(size).ok_or_else(|| bad("folders that are together larger than the volume"))?;
        let stored = self.clusters.stored(runs.clone(), size, size);
        let mut sets = Sets { folder, set: Vec::new(), wanted: 0, node: ROOT };
        let mut offset = 0;
        while let Some(run) = runs.from(offset).filter(|_| !told.is_over()) {
            let length = run.length.min(AT_A_TIME);
            let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
            offset = offset.saturating_add(length);
            if let Err(error) = stored.read_exact_at(&mut bytes, run.offset) {
                told.obstacle(folder, None, error.to_string());
                sets.set.clear();
                continue;
            }
            let first = run.at.unwrap_or_default().checked_div(ENTRY as u64).unwrap_or_default();
            for (entry, place) in bytes.as_chunks::<ENTRY>().0.iter().zip(first..) {
                if sets.add(entry, Node(place), told) {
                    return Ok(());
                }
            }
        }
        sets.cut(told);
        Ok(())
    }

    fn data(&self, file: Node) -> io::Result<Blocks> {
        let folder = || io::Error::other("a folder, which has no bytes");
        if file == ROOT {
            return Err(folder());
        }
        let set = self.set(file)?;
        if set.is_folder {
            return Err(folder());
        }
        Ok(Arc::new(self.clusters.stored(self.runs(&set)?, set.size, set.valid)))
    }

    fn defects(&self) -> Vec<String> {
        self.defects.clone()
    }
}
