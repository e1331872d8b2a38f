//! Volume shadow copies (VSS): an NTFS volume in its states at earlier points in time.
//!
//! A shadow copy has a store, a file on the same volume. Before Windows writes to a block of 16 KiB for the first time
//! after a shadow copy was made, it saves the block to the store. So a shadow copy's bytes are those in its own store,
//! otherwise those in the next newer store, and so on, otherwise those of the volume. `docs/shadow-copies.md` states
//! what is read, what is refused and what proves it.
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
    /// The saved blocks of each store, read on first use.
    tables: Mutex<Vec<Option<Loaded>>>,
}

/// The saved blocks of a store, or why they are unknown.
type Loaded = Result<Arc<Table>, Problem>;

/// One shadow copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowCopy {
    /// Its number: 1 is the oldest listed one. `vshadowmount` names it `vssN`.
    pub index: usize,
    /// The GUID of its store, which is part of the store's file name.
    pub store: Guid,
    /// When the shadow copy was made.
    pub created: FileTime,
    /// Bytes of the volume at that time.
    pub volume_size: u64,
    /// Whether Windows has deleted it and keeps it only for the older ones.
    pub offline: bool,
    /// The identity in its own header.
    pub identity: Result<Identity, Problem>,
}

impl ShadowCopies {
    /// Reads the catalog of an NTFS volume; `None` if the volume has no VSS volume header.
    ///
    /// # Errors
    /// The VSS volume header or the catalog is damaged or of an unknown kind. A shadow copy with damaged records is
    /// still listed; opening it reports the damage.
    pub fn of(volume: &Blocks) -> Result<Option<Self>, Problem> {
        let Some(catalog) = Catalog::read(volume)? else { return Ok(None) };
        let entries = (1..).zip(&catalog.entries);
        let list: Vec<_> = entries.map(|(index, entry)| listed(volume, &catalog, index, entry)).collect();
        let tables = Mutex::new(vec![None; list.len()]);
        Ok(Some(Self { volume: Arc::clone(volume), catalog, list, tables }))
    }

    /// Returns all shadow copies, oldest first.
    pub fn list(&self) -> &[ShadowCopy] {
        &self.list
    }

    /// Returns the volume's bytes in the state of the shadow copy `index`; 1 is the oldest.
    ///
    /// # Errors
    /// The shadow copy does not exist; or it, or a newer one that it needs, is damaged, is kept on another volume or is
    /// of an unknown kind.
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
            // The bitmap counts only for the newest: an older one's unused blocks have the content in the newer ones.
            Some(places) if newer.is_empty() => store::unused(&self.volume, &places, entry.volume_size)?,
            _ => Vec::new(),
        };
        let (volume, size) = (Arc::clone(&self.volume), entry.volume_size);
        Ok(Arc::new(View { volume, size, own, newer, unused: Arc::new(unused) }))
    }

    /// Returns the saved blocks of the store at `place` and of those after it.
    fn tables(&self, place: usize) -> Result<Vec<Arc<Table>>, Problem> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut found, mut left) = (Vec::new(), MOST_DESCRIPTORS);
        // From the newest on, so that the same tables are in memory whichever was requested first.
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

/// Returns the problem of a shadow copy whose store is not on this volume.
fn elsewhere(catalog: &Catalog, entry: &Entry) -> Problem {
    let expected = format!("the store {} of the shadow copy of {} on this volume", entry.store, entry.created);
    match catalog.elsewhere {
        Some(storage) => Problem::at(entry.at, expected, format!("shadow storage on another volume, {storage}"))
            .advise("attach both volumes to a Windows and name what it shows; vshadowmount does not read such copies"),
        None => damaged(entry.at, expected, "no entry for it in the catalog"),
    }
}
