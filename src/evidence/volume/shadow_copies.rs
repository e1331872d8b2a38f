//! Volume shadow copies (VSS): an NTFS volume as it was at earlier points in time.
//!
//! Windows saves a block of 16 KiB to a store, a file on the same volume, before the block is written to for the first
//! time after a shadow copy was made. So a shadow copy's bytes are those that its own store has, else those that the next
//! newer store has, and so on, else those of the volume. `docs/shadow-copies.md` says what is read, what is refused and
//! what proves it.
//!
//! The format is described by Joachim Metz ("Volume Shadow Snapshot (VSS) format", libvshadow) and Maxim Suhanov
//! (dfir_ntfs).

use std::sync::{Arc, Mutex, PoisonError};

use self::block::damaged;
use self::catalog::{Catalog, Entry};
use self::descriptors::{MOST_DESCRIPTORS, Table};
use self::view::View;
use crate::error::Problem;
use crate::evidence::block::Blocks;
use crate::registry::FileTime;

mod block;
mod catalog;
mod descriptors;
mod store;
mod view;

pub use self::store::Identity;
pub use super::guid::Guid;

/// The shadow copies that a volume's catalog lists.
pub struct ShadowCopies {
    volume: Blocks,
    catalog: Catalog,
    list: Vec<ShadowCopy>,
    /// What each store has saved, read when first asked for.
    tables: Mutex<Vec<Option<Loaded>>>,
}

/// What a store has saved, or why that cannot be known.
type Loaded = Result<Arc<Table>, Problem>;

/// One shadow copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowCopy {
    /// Its number: 1 is the oldest that is listed. `vshadowmount` names it `vssN`.
    pub index: usize,
    /// The GUID of its store, which is part of the store's file name.
    pub store: Guid,
    /// When it was made.
    pub created: FileTime,
    /// Bytes of the volume at that time.
    pub volume_size: u64,
    /// Whether Windows has deleted it and keeps it only for the older ones.
    pub offline: bool,
    /// What its own header says.
    pub identity: Result<Identity, Problem>,
}

impl ShadowCopies {
    /// Reads the catalog of an NTFS volume; none where the volume has no VSS volume header.
    ///
    /// # Errors
    /// Where the VSS volume header or the catalog is damaged or of an unknown kind. A shadow copy whose own books are
    /// damaged is listed all the same; opening it says what is wrong.
    pub fn of(volume: &Blocks) -> Result<Option<Self>, Problem> {
        let Some(catalog) = Catalog::read(volume)? else { return Ok(None) };
        let entries = (1..).zip(&catalog.entries);
        let list: Vec<_> = entries.map(|(index, entry)| listed(volume, &catalog, index, entry)).collect();
        let tables = Mutex::new(vec![None; list.len()]);
        Ok(Some(Self { volume: Arc::clone(volume), catalog, list, tables }))
    }

    /// All of them, oldest first.
    pub fn list(&self) -> &[ShadowCopy] {
        &self.list
    }

    /// The volume's bytes as of the shadow copy `index`, counted from 1, the oldest.
    ///
    /// # Errors
    /// Where there is no such shadow copy; where it, or a newer one that it builds upon, is damaged, is kept on another
    /// volume or is not understood.
    pub fn open(&self, index: usize) -> Result<Blocks, Problem> {
        let place = index.checked_sub(1).filter(|place| *place < self.list.len());
        let Some((place, entry)) = place.and_then(|place| Some((place, self.catalog.entries.get(place)?))) else {
            let expected = format!("a shadow copy from 1 to {}", self.list.len());
            return Err(Problem::new(expected, index.to_string()));
        };
        if let Some(doubt) = &self.catalog.doubt {
            return Err(doubt.clone());
        }
        let mut tables = self.tables(place)?.into_iter();
        let own = tables.next().unwrap_or_default();
        let newer: Vec<_> = tables.collect();
        let unused = match entry.places {
            // Only the newest goes by its bitmap: an older one's unused blocks are as the newer ones have them.
            Some(places) if newer.is_empty() => store::unused(&self.volume, &places, entry.volume_size)?,
            _ => Vec::new(),
        };
        let (volume, size) = (Arc::clone(&self.volume), entry.volume_size);
        Ok(Arc::new(View { volume, size, own, newer, unused: Arc::new(unused) }))
    }

    /// What the store at `place` and those after it have saved.
    fn tables(&self, place: usize) -> Result<Vec<Arc<Table>>, Problem> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut found, mut left) = (Vec::new(), MOST_DESCRIPTORS);
        // From the newest on, so that what is in memory is the same whichever was asked for first.
        for (slot, entry) in tables.iter_mut().zip(&self.catalog.entries).skip(place).rev() {
            let table = slot.get_or_insert_with(|| {
                let places = entry.places.ok_or_else(|| elsewhere(&self.catalog, entry))?;
                store::table(&self.volume, &places, entry.volume_size, left).map(Arc::new)
            });
            let table = table.as_ref().map_err(Clone::clone)?;
            left = left.saturating_sub(table.len());
            found.push(Arc::clone(table));
        }
        found.reverse();
        Ok(found)
    }
}

fn listed(volume: &Blocks, catalog: &Catalog, index: usize, entry: &Entry) -> ShadowCopy {
    let identity = match &entry.places {
        Some(places) => store::identity(volume, places),
        None => Err(elsewhere(catalog, entry)),
    };
    let &Entry { store, created, volume_size, offline, .. } = entry;
    ShadowCopy { index, store, created, volume_size, offline, identity }
}

/// A shadow copy whose store is not on this volume.
fn elsewhere(catalog: &Catalog, entry: &Entry) -> Problem {
    let expected = format!("the store {} of the shadow copy of {} on this volume", entry.store, entry.created);
    match catalog.elsewhere {
        Some(storage) => Problem::at(entry.at, expected, format!("shadow storage on another volume, {storage}"))
            .advise("attach both volumes to a Windows and name what it shows; vshadowmount does not read such copies"),
        None => damaged(entry.at, expected, "no entry for it in the catalog"),
    }
}
