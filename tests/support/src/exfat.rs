//! Writes files to a volume that `mkfs.exfat` formatted. `fsck.exfat` checks the result.
//!
//! After "exFAT file system specification" (learn.microsoft.com/windows/win32/fileio/exfat-specification).

use std::fs;
use std::path::Path;

/// The bytes of an entry in a folder.
const ENTRY: usize = 32;

fn number(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(*bytes[at..].first_chunk().unwrap()) as usize
}

/// A whole volume.
pub struct Volume {
    bytes: Vec<u8>,
    /// The bytes of a cluster.
    cluster: usize,
    /// The byte offset of the clusters. The first has number 2.
    heap: usize,
    /// The byte offset of the file allocation table.
    fat: usize,
    /// The cluster of the root folder.
    root: usize,
    /// The allocation bitmap, in bytes from the volume's start.
    bitmap: usize,
}

impl Volume {
    /// Returns an empty formatted volume.
    pub fn formatted(bytes: Vec<u8>) -> Self {
        let sector = 1 << bytes[108];
        let cluster = sector << bytes[109];
        let (heap, fat, root) = (number(&bytes, 88) * sector, number(&bytes, 80) * sector, number(&bytes, 96));
        let mut volume = Self { bytes, cluster, heap, fat, root, bitmap: 0 };
        let entries = volume.place(root);
        let bitmap = (entries..).step_by(ENTRY).find(|at| volume.bytes[*at] == 0x81).unwrap();
        volume.bitmap = volume.place(number(&volume.bytes, bitmap + 20));
        volume
    }

    /// Copies a folder of this machine, with everything below it, to the root.
    pub fn copy(mut self, folder: &Path) -> Vec<u8> {
        let sets = self.sets_of(folder);
        let root = self.place(self.root);
        let free = (root..).step_by(ENTRY).find(|at| self.bytes[*at] == 0).unwrap();
        assert!(free + sets.len() < root + self.cluster, "a root of one cluster");
        self.bytes[free..free + sets.len()].copy_from_slice(&sets);
        self.bytes
    }

    fn place(&self, cluster: usize) -> usize {
        self.heap + (cluster - 2) * self.cluster
    }

    /// Returns the sets of entries for the contents of a folder of this machine.
    fn sets_of(&mut self, folder: &Path) -> Vec<u8> {
        let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        let mut sets = Vec::new();
        for entry in entries {
            let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
            let set = if path.is_dir() {
                let mut below = self.sets_of(&path);
                below.resize(below.len().next_multiple_of(self.cluster).max(self.cluster), 0);
                self.set(&name, &below, true)
            } else {
                self.set(&name, &fs::read(&path).unwrap(), false)
            };
            sets.extend(set);
        }
        sets
    }

    /// Returns the set of entries of one file or folder, and writes its content to new clusters. The clusters of files
    /// are not contiguous; the allocation table has their chain.
    fn set(&mut self, name: &str, content: &[u8], is_folder: bool) -> Vec<u8> {
        let count = content.len().div_ceil(self.cluster);
        let clusters = self.allocate(count, !is_folder);
        for (cluster, bytes) in clusters.iter().zip(content.chunks(self.cluster)) {
            let at = self.place(*cluster);
            self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        }
        if !is_folder {
            for (place, cluster) in clusters.iter().enumerate() {
                let next = clusters.get(place + 1).map_or(u32::MAX, |next| u32::try_from(*next).unwrap());
                let at = self.fat + cluster * 4;
                self.bytes[at..at + 4].copy_from_slice(&next.to_le_bytes());
            }
        }
        let letters: Vec<u16> = name.encode_utf16().collect();
        let names = letters.len().div_ceil(15);
        let mut set = vec![0; ENTRY * (2 + names)];
        set[0] = 0x85;
        set[1] = u8::try_from(1 + names).unwrap();
        set[4] = if is_folder { 0x10 } else { 0x20 };
        // 2010-07-02 00:00:00 for all three times.
        for at in [8, 12, 16] {
            set[at..at + 4].copy_from_slice(&0x3ce2_0000_u32.to_le_bytes());
        }
        let stream = &mut set[ENTRY..2 * ENTRY];
        stream[0] = 0xc0;
        // Allocation is possible. The clusters of folders are contiguous and have no chain.
        stream[1] = if is_folder { 3 } else { 1 };
        stream[3] = u8::try_from(letters.len()).unwrap();
        stream[4..6]
            .copy_from_slice(&sum(name.to_ascii_uppercase().encode_utf16().flat_map(u16::to_le_bytes)).to_le_bytes());
        for at in [8, 24] {
            stream[at..at + 8].copy_from_slice(&(content.len() as u64).to_le_bytes());
        }
        let first = clusters.first().map_or(0, |cluster| u32::try_from(*cluster).unwrap());
        stream[20..24].copy_from_slice(&first.to_le_bytes());
        for (part, letters) in letters.chunks(15).enumerate() {
            let at = ENTRY * (2 + part);
            set[at] = 0xc1;
            for (place, letter) in letters.iter().enumerate() {
                set[at + 2 + place * 2..][..2].copy_from_slice(&letter.to_le_bytes());
            }
        }
        let checksum = sum(set.iter().enumerate().filter(|(at, _)| !matches!(at, 2 | 3)).map(|(_, byte)| *byte));
        set[2..4].copy_from_slice(&checksum.to_le_bytes());
        set
    }

    /// Allocates free clusters. If `apart` is set, every second one.
    fn allocate(&mut self, count: usize, apart: bool) -> Vec<usize> {
        let is_free = |volume: &Self, cluster: usize| {
            volume.bytes[volume.bitmap + (cluster - 2) / 8] & 1 << ((cluster - 2) % 8) == 0
        };
        let mut from = 2;
        let clusters: Vec<usize> = loop {
            let step = if apart { 2 } else { 1 };
            let wanted: Vec<usize> = (from..).step_by(step).take(count).collect();
            match wanted.iter().rfind(|cluster| !is_free(self, **cluster)) {
                Some(taken) => from = taken + 1,
                None => break wanted,
            }
        };
        for cluster in &clusters {
            self.bytes[self.bitmap + (cluster - 2) / 8] |= 1 << ((cluster - 2) % 8);
        }
        clusters
    }
}

/// Returns the checksum of a set of entries, and the hash of a name (sections 6.3.3 and 7.6.4).
fn sum(bytes: impl Iterator<Item = u8>) -> u16 {
    bytes.fold(0, |sum: u16, byte| sum.rotate_right(1).wrapping_add(u16::from(byte)))
}
