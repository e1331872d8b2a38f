//! The facts about a file in the attributes of its records.

use super::record::{
    ATTRIBUTE_LIST, DATA, FILE_NAME, Form, REPARSE_POINT, Reference, STANDARD_INFORMATION, attributes,
};
use crate::evidence::disk::field::{le32, le64};
use crate::evidence::file_system::{Entry, EntryKind, Node};
use crate::evidence::locator::Name;
use crate::registry::FileTime;

/// `FILE_ATTRIBUTE_REPARSE_POINT`.
const IS_REPARSE_POINT: u32 = 0x400;
/// The namespace of names that exist only for DOS.
pub(super) const DOS: u8 = 2;

/// A name of a file, in one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileName {
    /// The folder.
    pub(super) parent: Reference,
    /// The name.
    pub(super) name: Name,
}

/// The facts in one record, or in all records of one file.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    /// Whether it is a folder.
    pub(super) is_folder: bool,
    /// Whether other records continue this one.
    pub(super) has_list: bool,
    /// The file's names, without those for DOS.
    pub(super) names: Vec<FileName>,
    /// Bytes of the unnamed stream; `None` if these records do not contain it.
    pub(super) size: Option<u64>,
    modified: Option<FileTime>,
    /// The time of the last write, as of the last renaming.
    modified_by_name: Option<FileTime>,
    /// Its reparse tag.
    tag: Option<u32>,
    /// The reparse tag as of the last renaming; the file may have lost it since.
    tag_by_name: Option<u32>,
    /// Whether the file has a reparse tag now.
    is_tagged: bool,
}

impl Parts {
    /// Returns a file or a folder without any facts.
    pub(super) fn of(is_folder: bool) -> Self {
        Self { is_folder, ..Self::default() }
    }

    /// Adds the facts in a record with applied fixups.
    ///
    /// # Errors
    /// Which attribute is wrong.
    pub(super) fn take(&mut self, record: &[u8]) -> Result<(), &'static str> {
        for attribute in attributes(record) {
            let attribute = attribute?;
            match (attribute.kind, attribute.form) {
                (STANDARD_INFORMATION, Form::Resident(bytes)) => {
                    self.modified = le64(bytes, 8).map(FileTime);
                    self.is_tagged = le32(bytes, 32).is_some_and(|flags| flags & IS_REPARSE_POINT != 0);
                }
                (ATTRIBUTE_LIST, _) => self.has_list = true,
                (FILE_NAME, Form::Resident(bytes)) => {
                    let (namespace, name) = file_name(bytes).ok_or("a file name reaches past its end")?;
                    self.modified_by_name = self.modified_by_name.or(le64(bytes, 16).map(FileTime));
                    if le32(bytes, 56).is_some_and(|flags| flags & IS_REPARSE_POINT != 0) {
                        self.tag_by_name = self.tag_by_name.or(le32(bytes, 60));
                    }
                    if namespace != DOS {
                        self.names.push(name);
                    }
                }
                (DATA, Form::Resident(bytes)) if attribute.name.is_empty() => self.size = Some(bytes.len() as u64),
                (DATA, Form::Clusters { first: 0, size, .. }) if attribute.name.is_empty() => self.size = Some(size),
                (REPARSE_POINT, Form::Resident(bytes)) => self.tag = le32(bytes, 0),
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns the time of the last write.
    pub(super) fn modified(&self) -> Option<FileTime> {
        self.modified.or(self.modified_by_name).filter(|time| time.0 != 0)
    }

    /// Returns the kind of the file.
    pub(super) fn kind(&self) -> EntryKind {
        match self.tag.or(self.tag_by_name.filter(|_| self.is_tagged)) {
            Some(tag) if is_link(tag) => EntryKind::Link,
            // A cloud folder is listed like any other folder.
            _ if self.is_folder => EntryKind::Folder,
            Some(tag) if is_special(tag) => EntryKind::Other,
            Some(tag) if is_elsewhere(tag) => EntryKind::Elsewhere(tag),
            _ => EntryKind::File,
        }
    }

    /// Returns the file as an entry of a folder.
    pub(super) fn entry(&self, node: Node, parent: Node, name: Name) -> Entry {
        let kind = self.kind();
        let size = if self.is_folder { 0 } else { self.size.unwrap_or_default() };
        Entry { node, parent, name, kind, size, modified: self.modified() }
    }
}

/// Reads a file name: its namespace, its folder, its letters.
pub(super) fn file_name(bytes: &[u8]) -> Option<(u8, FileName)> {
    let length = usize::from(*bytes.get(64)?);
    let units = bytes.get(66..)?.as_chunks::<2>().0.get(..length)?;
    let name = Name::from_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit)));
    Some((*bytes.get(65)?, FileName { parent: Reference::read(bytes, 0)?, name }))
}

/// Returns whether a tag marks a link to another name (the bit of name surrogates): mount points and junctions
/// (0xA0000003), symbolic links of Windows (0xA000000C) and of Linux (0xA000001D).
fn is_link(tag: u32) -> bool {
    tag & 0x2000_0000 != 0
}

/// Returns whether a tag marks a socket, pipe or device of Linux on Windows, or a file of NFS.
fn is_special(tag: u32) -> bool {
    matches!(tag, 0x8000_0014 | 0x8000_0023..=0x8000_0026)
}

/// Returns whether a tag marks a file whose bytes are not in its own clusters: hierarchical storage, single instances,
/// WIM, DFS, deduplication, WCI, WOF, storage sync, projections, clouds.
fn is_elsewhere(tag: u32) -> bool {
    matches!(
        tag,
        0xc000_0004
            | 0x8000_0006..=0x8000_0008
            | 0x8000_0013
            | 0x8000_0016..=0x8000_0018
            | 0x8000_001e
            | 0x8000_0020
            | 0x8000_0021
    ) || tag & 0xf000_0000 == 0x9000_0000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_that_a_file_lost_since_it_was_renamed_does_not_count() {
        let mut parts = Parts { tag_by_name: Some(0x8000_0017), ..Parts::default() };
        assert_eq!(parts.kind(), EntryKind::File);
        parts.is_tagged = true;
        assert_eq!(parts.kind(), EntryKind::Elsewhere(0x8000_0017));
    }

    #[test]
    fn tags_say_whether_a_file_has_bytes_of_its_own() {
        let kind = |tag, is_folder| Parts { tag: Some(tag), is_folder, ..Parts::default() }.kind();
        for link in [0xa000_0003, 0xa000_000c, 0xa000_001d] {
            assert_eq!((kind(link, false), kind(link, true)), (EntryKind::Link, EntryKind::Link));
        }
        for tag in [0x8000_0013, 0x8000_0017, 0x9000_001a, 0x9000_701a, 0x9000_001c] {
            assert_eq!((kind(tag, false), kind(tag, true)), (EntryKind::Elsewhere(tag), EntryKind::Folder));
        }
        // An app's alias has no bytes, and a private tag is no reason to refuse a file.
        assert_eq!((kind(0x8000_001b, false), kind(0x0000_0042, false)), (EntryKind::File, EntryKind::File));
        assert_eq!(kind(0x8000_0024, false), EntryKind::Other);
    }
}
