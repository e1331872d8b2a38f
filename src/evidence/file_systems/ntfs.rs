//! NTFS, versions 3.0 and 3.1 (Windows 2000 and later): files by their records, folders by their indexes, and all files
//! in one pass over the $MFT.
//!
//! A node is the number of a file's record. Supported are plain, sparse and compressed (LZNT1) streams, also with
//! records that continue in others. Files that EFS encrypts are refused.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::told::Told;
use crate::evidence::block::Blocks;
use crate::evidence::content::{BlockContent, head};
use crate::evidence::file_system::{Case, Content, Each, Entry, EntryKind, FileSystem, Head, Node};
use crate::evidence::locator::Name;

mod boot;
mod compressed;
mod index;
mod list;
mod mft;
mod pairs;
mod parts;
mod record;
mod records;
mod scan;

use parts::FileName;
use record::{BITMAP, DATA, INDEX_ALLOCATION, INDEX_ROOT, Reference, header};
use records::{Records, Window, parts};

/// The record of the root folder.
const ROOT: Node = Node(5);
/// `$I30`, the name of a folder's index, in UTF-16.
const INDEX: &[u8] = b"$\0I\x003\x000\0";
/// The most names of a folder whose records are read together.
const AT_ONCE: usize = 8192;

/// An NTFS volume.
pub struct Ntfs {
    records: Records,
    defects: Vec<String>,
}

impl Ntfs {
    /// Opens a volume: reads its boot sector and the first record of its $MFT.
    ///
    /// # Errors
    /// Unreadable or wrong parts of both.
    pub fn open(volume: &Blocks) -> Result<Self, String> {
        let mut sector = [0; 512];
        volume.read_exact_at(&mut sector, 0).map_err(|error| error.to_string())?;
        let geometry = boot::read(&sector)?;
        let (first, defect) = mft::first(volume, &geometry)?;
        let mft = mft::read(volume, &geometry, &first).map_err(|why| format!("the $MFT cannot be read: {why}"))?;
        let count = mft.size.min(mft.valid).checked_div(geometry.record as u64).unwrap_or_default();
        let records = Records { volume: Arc::clone(volume), geometry, mft, count };
        Ok(Self { records, defects: defect.into_iter().collect() })
    }

    /// Returns the records of a file.
    fn file(&self, node: Node) -> io::Result<Vec<Vec<u8>>> {
        self.records.load(node.0, &mut { self.records.count })
    }

    /// Returns the unnamed stream of a file.
    fn data(&self, node: Node) -> io::Result<Blocks> {
        let records = self.file(node)?;
        match parts(&records)?.kind() {
            EntryKind::File => Ok(self.records.attribute(&records, DATA, &[])?.unwrap_or_else(|| Arc::new(Vec::new()))),
            // Its stream contains only zeros.
            EntryKind::Elsewhere(tag) => {
                let why = format!("Windows keeps the bytes of this file elsewhere (reparse tag {tag:#x})");
                Err(io::Error::other(why))
            }
            _ => Err(io::Error::other("a folder, a link or a device, which has no bytes")),
        }
    }

    /// Passes on the names in a folder, from its index.
    fn names(&self, folder: Node, each: index::EachName<'_>) -> Result<(), String> {
        let records = self.file(folder).map_err(|error| error.to_string())?;
        if !parts(&records).map_err(|error| error.to_string())?.is_folder {
            return Err("not a folder".to_owned());
        }
        let part = |kind| self.records.attribute(&records, kind, INDEX).map_err(|error| error.to_string());
        let root = part(INDEX_ROOT)?.ok_or("a folder without an index")?;
        let mut bytes = vec![0; usize::try_from(root.size()).unwrap_or_default().min(self.records.geometry.record)];
        root.read_exact_at(&mut bytes, 0).map_err(|error| error.to_string())?;
        if index::root(&bytes, &mut *each).is_break() {
            return Ok(());
        }
        if let Some(allocation) = part(INDEX_ALLOCATION)? {
            let bitmap = part(BITMAP)?.ok_or("a folder's index without a bitmap")?;
            // After a break, nobody receives the rest.
            let _ = index::blocks(&*allocation, &*bitmap, self.records.geometry.index, each);
        }
        Ok(())
    }

    /// Returns the entry of a name in a folder.
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
            return Err(format!("file record {} belongs to another file now", file.number));
        }
        let records = self
            .records
            .complete(file.number, record, &mut { self.records.count })
            .map_err(|error| error.to_string())?;
        let parts = parts(&records).map_err(|error| error.to_string())?;
        Ok(parts.entry(Node(file.number), folder, name.name.clone()))
    }
}

impl FileSystem for Ntfs {
    fn root(&self) -> Node {
        ROOT
    }

    fn list(&self, folder: Node, each: Each<'_>) {
        let mut told = Told::new(each);
        let mut window = Window::new(&self.records);
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
                // The root folder contains an entry for itself.
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
        scan::scan(&self.records, ROOT, Told::new(each));
    }

    fn look_up(&self, folder: Node, name: &Name, case: Case) -> Result<Vec<Entry>, String> {
        let (mut found, mut obstacle) = (Vec::new(), None);
        self.names(folder, &mut |entry| {
            match entry {
                Ok((file, _)) if file.number == folder.0 => {}
                Ok((file, other)) if case.is_same(name, &other.name) => {
                    match self.entry(self.records.record(file.number), file, folder, &other) {
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
