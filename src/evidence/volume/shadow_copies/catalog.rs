//! The volume header of VSS and the catalog: the list of shadow copies, and the places of their records.

use super::super::guid::Guid;
use super::block::{IDENTIFIER, Record, chain, damaged, entries, u32_at, u64_at};
use crate::error::Problem;
use crate::evidence::block::Blocks;
use crate::registry::FileTime;

/// The place of the volume header of VSS on an NTFS volume: within `$Boot`.
const VOLUME_HEADER: u64 = 0x1e00;
/// The most shadow copies of one volume: Windows keeps no more.
/// <https://learn.microsoft.com/windows-server/storage/file-server/volume-shadow-copy-service#frequently-asked-questions>
const MOST_STORES: usize = 512;
/// The flag of an offline shadow copy: it is deleted, and kept for the older ones (dfir_ntfs names the bit).
const OFFLINE: u64 = 0x100;

/// A shadow copy in the catalog.
#[derive(Debug)]
pub(super) struct Entry {
    /// The place of its entry, in bytes from the start of the volume.
    pub(super) at: u64,
    pub(super) store: Guid,
    pub(super) volume_size: u64,
    /// Its number among the shadow copies, ascending from the oldest; 0 if not set.
    pub(super) sequence: u64,
    pub(super) offline: bool,
    pub(super) created: FileTime,
    /// The places of its records; `None` if they are not on this volume.
    pub(super) places: Option<Places>,
}

/// The places of a shadow copy's records, in bytes from the start of the volume; 0 for a missing record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) block_list: u64,
    pub(super) header: u64,
    pub(super) ranges: u64,
    pub(super) bitmap: u64,
    pub(super) previous_bitmap: u64,
}

/// The content of a volume's catalog.
#[derive(Debug)]
pub(super) struct Catalog {
    /// The shadow copies, oldest first.
    pub(super) entries: Vec<Entry>,
    /// The volume with the shadow storage, if it is another one.
    pub(super) elsewhere: Option<Guid>,
    /// A reason to doubt all of them.
    pub(super) doubt: Option<Problem>,
}

impl Catalog {
    /// Reads the catalog; `None` if the volume has no VSS header.
    ///
    /// # Errors
    /// The header or the catalog is damaged or of an unknown kind.
    pub(super) fn read(volume: &Blocks) -> Result<Option<Self>, Problem> {
        let mut header = [0; 0x200];
        if volume.size() < VOLUME_HEADER.saturating_add(header.len() as u64) {
            return Ok(None);
        }
        if let Err(error) = volume.read_exact_at(&mut header, VOLUME_HEADER) {
            let found = format!("an unreadable block: {error}");
            return Err(damaged(VOLUME_HEADER, Record::Volume.name(), found));
        }
        if Guid::at(&header, 0).unwrap_or_default() != IDENTIFIER {
            return Ok(None);
        }
        Record::Volume.check(&header, VOLUME_HEADER)?;
        let (own, storage) = (Guid::at(&header, 64).unwrap_or_default(), Guid::at(&header, 80).unwrap_or_default());
        let mut read = Reading::default();
        chain(volume, u64_at(&header, 48), Record::Catalog, |offset, block| {
            entries(offset, block).try_for_each(|(at, entry)| read.take(at, entry)).map(|()| true)
        })?;
        let mut catalog = read.finish()?;
        catalog.elsewhere = (own != storage).then_some(storage);
        Ok(Some(catalog))
    }
}

/// The catalog so far. The two entries of a shadow copy may be in any order, and apart.
#[derive(Default)]
struct Reading {
    entries: Vec<Entry>,
    places: Vec<(u64, Guid, Places)>,
}

impl Reading {
    fn take(&mut self, at: u64, entry: &[u8; 0x80]) -> Result<(), Problem> {
        let store = Guid::at(entry, 16).unwrap_or_default();
        match u32_at(entry, 0) {
            // Never used, and no longer used.
            0 | 1 => return Ok(()),
            2 if self.entries.iter().any(|other| other.store == store) => {
                return Err(damaged(at, "a shadow copy that is listed once", format!("{store} twice")));
            }
            2 => self.entries.push(Entry {
                at,
                store,
                volume_size: u64_at(entry, 8),
                sequence: u64_at(entry, 32),
                offline: u64_at(entry, 40) & OFFLINE != 0,
                created: FileTime(u64_at(entry, 48)),
                places: None,
            }),
            3 if self.places.iter().any(|(_, other, _)| *other == store) => {
                return Err(damaged(at, "a store that is listed once", format!("{store} twice")));
            }
            3 => {
                let (block_list, header, ranges) = (u64_at(entry, 8), u64_at(entry, 32), u64_at(entry, 40));
                let (bitmap, previous_bitmap) = (u64_at(entry, 48), u64_at(entry, 72));
                // The number at 80 looks like an index, but Server 2003 leaves it 0, so it is not used.
                self.places.push((at, store, Places { block_list, header, ranges, bitmap, previous_bitmap }));
            }
            other => return Err(damaged(at, "a catalog entry of type 1, 2 or 3", format!("type {other}"))),
        }
        if self.entries.len().max(self.places.len()) > MOST_STORES {
            return Err(damaged(at, format!("at most {MOST_STORES} shadow copies"), "more"));
        }
        Ok(())
    }

    fn finish(self) -> Result<Catalog, Problem> {
        let Self { mut entries, places } = self;
        let mut doubt = None;
        for (at, store, places) in places {
            match entries.iter_mut().find(|entry| entry.store == store) {
                Some(entry) => entry.places = Some(places),
                None => doubt = Some(foreign(at, store)),
            }
        }
        entries.sort_by_key(|entry| (entry.created, entry.sequence));
        let numbered: Vec<&Entry> = entries.iter().filter(|entry| entry.sequence != 0).collect();
        for pair in numbered.windows(2) {
            if let [older, newer] = pair
                && older.sequence >= newer.sequence
            {
                doubt = Some(disordered(older, newer));
            }
        }
        if let Some(empty) = entries.iter().find(|entry| entry.volume_size == 0) {
            return Err(damaged(empty.at, "the volume's size in the entry of a shadow copy", "0"));
        }
        Ok(Catalog { entries, elsewhere: None, doubt })
    }
}

fn foreign(at: u64, store: Guid) -> Problem {
    let found = format!("the store {store}, which belongs to another volume's");
    Problem::at(at, "stores of this volume's own shadow copies", found).advise(
        "no reader is proven correct for a volume that keeps the shadow storage of others; attach the volumes \
                 to a Windows",
    )
}

fn disordered(older: &Entry, newer: &Entry) -> Problem {
    let expected = format!("a shadow copy numbered above {}, since it was made later", older.sequence);
    Problem::at(newer.at, expected, format!("number {}", newer.sequence)).advise(
        "the clock may have been set back; what is read depends on which is older, so none is read; vshadowmount uses \
         the time",
    )
}
