//! FAT12, FAT16 and FAT32, with long names.
//!
//! A node is the place of a file's entry on the volume, in units of 32 bytes; the root's node is 0. Times are not used:
//! FAT stores local times, but not their time zone.
//!
//! Microsoft, "FAT: General Overview of On-Disk Format", version 1.03
//! (<https://download.microsoft.com/download/1/6/1/161ba512-40e2-4cc9-843a-923143f3456c/fatgen103.doc>).

use std::io;
use std::sync::Arc;

use super::clusters::{Clusters, Width};
use super::runs::{Run, Runs};
use super::told::Told;
use super::walk::ByFolder;
use super::wrong::bad;
use crate::evidence::block::{BlockRead, Blocks};
use crate::evidence::disk::field::{le16, le32};
use crate::evidence::file_system::{Entry, EntryKind, Node, ROOT};

mod names;

/// Bytes of an entry.
const ENTRY: u64 = 32;
/// The most bytes of a folder; Windows creates none above 2 MiB.
const MOST_IN_FOLDER: u64 = 4 << 20;
/// Bits of the byte of attributes.
const LABEL: u8 = 0x08;
const FOLDER: u8 = 0x10;
const LONG_NAME: u8 = 0x0f;

/// A FAT volume.
pub struct Fat {
    clusters: Clusters,
    /// The runs of the root folder.
    root: Runs,
}

impl Fat {
    /// Opens a volume by its boot sector.
    ///
    /// # Errors
    /// Which field of the sector is wrong.
    pub fn open(volume: &Blocks) -> Result<Self, String> {
        let mut sector = [0; 512];
        volume.read_exact_at(&mut sector, 0).map_err(|error| error.to_string())?;
        let word = |at| u64::from(le16(&sector, at).unwrap_or_default());
        let long = |at| u64::from(le32(&sector, at).unwrap_or_default());
        let byte = |at: usize| u64::from(sector.get(at).copied().unwrap_or_default());
        let wrong = |what: &str, found: u64| format!("a FAT boot sector with {found} {what}, which is impossible");
        let (bytes, per_cluster, reserved, tables) = (word(11), byte(13), word(14), byte(16));
        if !bytes.is_power_of_two() || !(128..=4096).contains(&bytes) {
            return Err(wrong("bytes in a sector", bytes));
        }
        if !per_cluster.is_power_of_two() {
            return Err(wrong("sectors in a cluster", per_cluster));
        }
        if reserved == 0 || tables == 0 {
            return Err(wrong("sectors before its tables, or tables", 0));
        }
        let is_32 = word(22) == 0;
        let in_table = if is_32 { long(36) } else { word(22) };
        let sectors = if word(19) == 0 { long(32) } else { word(19) };
        let in_root = word(17).saturating_mul(ENTRY).div_ceil(bytes);
        let root = reserved.saturating_add(tables.saturating_mul(in_table));
        let heap = root.saturating_add(in_root);
        let count = sectors.checked_sub(heap).and_then(|left| left.checked_div(per_cluster)).unwrap_or_default();
        if in_table == 0 || count == 0 {
            return Err(format!(
                "a FAT boot sector with {sectors} sectors, of which {heap} come before the first file"
            ));
        }
        let (width, bits) = match count {
            _ if is_32 => (Width::TwentyEight, 32),
            ..=4084 => (Width::Twelve, 12),
            _ => (Width::Sixteen, 16),
        };
        // A table may be longer than needed; if it is shorter, the volume has fewer clusters.
        let entries = in_table.saturating_mul(bytes).saturating_mul(8).checked_div(bits).unwrap_or_default();
        if entries < count.saturating_add(2) {
            return Err(format!("a file allocation table of {entries} entries for {count} clusters"));
        }
        // Without mirroring, only one of the tables is active.
        let active = if is_32 && word(40) & 0x80 != 0 { word(40) & 15 } else { 0 };
        if active >= tables {
            return Err(format!("table {active} of {tables} as the active one"));
        }
        let table = reserved.saturating_add(active.saturating_mul(in_table)).saturating_mul(bytes);
        let size = bytes.saturating_mul(per_cluster);
        let clusters = Clusters::new(
            volume,
            (table, in_table.saturating_mul(bytes)),
            width,
            count,
            size,
            heap.saturating_mul(bytes),
        );
        let root = if is_32 {
            clusters.of_folder(long(44), MOST_IN_FOLDER).map_err(|error| format!("its root folder: {error}"))?
        } else {
            let mut runs = Runs::default();
            let at = Some(root.saturating_mul(bytes));
            runs.push(Run { offset: 0, length: word(17).saturating_mul(ENTRY), at });
            runs
        };
        Ok(Self { clusters, root })
    }

    /// Returns the entry at a place.
    fn entry(&self, node: Node) -> io::Result<[u8; 32]> {
        let mut entry = [0; 32];
        self.clusters.volume.read_exact_at(&mut entry, node.0.saturating_mul(ENTRY))?;
        Ok(entry)
    }

    /// Returns the first cluster of an entry.
    fn first(&self, entry: &[u8]) -> u64 {
        let high = if self.clusters.is_wide() { u64::from(le16(entry, 20).unwrap_or_default()) << 16 } else { 0 };
        high | u64::from(le16(entry, 26).unwrap_or_default())
    }

    /// Passes on one entry.
    fn tell(entry: &[u8; 32], long: &mut names::Long, at: (Node, Node), told: &mut Told<'_>) {
        let (Some(short), Some(attributes), Some(flags)) = (entry.first_chunk::<11>(), entry.get(11), entry.get(12))
        else {
            return;
        };
        let long = long.take(short);
        if attributes & LABEL != 0 || short == b".          " || short == b"..         " {
            return;
        }
        let (node, parent) = at;
        let is_folder = attributes & FOLDER != 0;
        told.entry(Entry {
            node,
            parent,
            name: long.unwrap_or_else(|| names::short(short, *flags)),
            kind: if is_folder { EntryKind::Folder } else { EntryKind::File },
            size: if is_folder { 0 } else { u64::from(le32(entry, 28).unwrap_or_default()) },
            modified: None,
        });
    }
}

impl ByFolder for Fat {
    fn size(&self) -> u64 {
        self.clusters.volume.size()
    }

    fn list_within(&self, folder: Node, told: &mut Told<'_>, left: &mut u64) -> io::Result<()> {
        let runs = if folder == ROOT {
            self.root.clone()
        } else {
            let entry = self.entry(folder)?;
            if entry.get(11).is_none_or(|attributes| attributes & FOLDER == 0) {
                return Err(io::Error::other("not a folder"));
            }
            self.clusters.of_folder(self.first(&entry), MOST_IN_FOLDER)?
        };
        let size = runs.end();
        *left = left.checked_sub(size).ok_or_else(|| bad("folders that are together larger than the volume"))?;
        let stored = self.clusters.stored(runs.clone(), size, size);
        let mut long = names::Long::default();
        let mut offset = 0;
        while let Some(run) = runs.from(offset).filter(|_| !told.is_over()) {
            let mut bytes = vec![0; usize::try_from(run.length).unwrap_or_default()];
            offset = offset.saturating_add(run.length);
            if let Err(error) = stored.read_exact_at(&mut bytes, run.offset) {
                told.obstacle(folder, None, error.to_string());
                continue;
            }
            let first = run.at.unwrap_or_default().checked_div(ENTRY).unwrap_or_default();
            for (entry, place) in bytes.as_chunks::<32>().0.iter().zip(first..) {
                let [state, ..] = *entry;
                let attributes = entry.get(11).copied().unwrap_or_default();
                match state {
                    0 => return Ok(()),
                    0xe5 => long = names::Long::default(),
                    _ if attributes & 0x3f == LONG_NAME => long.add(entry),
                    _ => Self::tell(entry, &mut long, (Node(place), folder), told),
                }
            }
        }
        Ok(())
    }

    fn data(&self, file: Node) -> io::Result<Blocks> {
        let entry = if file == ROOT { [FOLDER; 32] } else { self.entry(file)? };
        if entry.get(11).is_some_and(|attributes| attributes & (FOLDER | LABEL) != 0) {
            return Err(io::Error::other("a folder or a label, which has no bytes"));
        }
        let size = u64::from(le32(&entry, 28).unwrap_or_default());
        if size == 0 {
            return Ok(Arc::new(Vec::new()));
        }
        let runs = self.clusters.of_file(self.first(&entry), size)?;
        Ok(Arc::new(self.clusters.stored(runs, size, size)))
    }
}
