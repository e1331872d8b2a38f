//! ext2, ext3 and ext4: Linux beside Windows, and disks to which somebody copied evidence.
//!
//! A node is the number of an inode. A file's bytes are in extents, in a map of blocks, or in its inode. A journal with
//! changes is not replayed, and is a defect.
//!
//! "ext4 Data Structures and Algorithms" (<https://docs.kernel.org/filesystems/ext4/>).

use std::io;
use std::sync::Arc;

use super::runs::Stored;
use super::told::Told;
use super::walk::ByFolder;
use super::wrong::bad;
use crate::evidence::block::Blocks;
use crate::evidence::disk::field::{le16, le32};
use crate::evidence::disk::kept::Kept;
use crate::evidence::file_system::{Entry, EntryKind, Node};
use crate::evidence::locator::Name;

mod inode;
mod map;
mod superblock;

use inode::{Inode, Place};
use superblock::Superblock;

/// The inode of the root folder.
const ROOT: u64 = 2;
/// Bytes of a folder to read at a time.
const AT_A_TIME: u64 = 1 << 20;
/// The most bytes of a folder.
const MOST_IN_FOLDER: u64 = 1 << 30;
/// Bytes of the tables of inodes and groups to read at a time.
const PAGE: u64 = 32 << 10;

/// Returns whether a volume begins with a superblock of this kind.
///
/// # Errors
/// The volume is unreadable.
pub fn is_ext(volume: &Blocks) -> io::Result<bool> {
    let mut magic = [0; 2];
    Ok(volume.size() > 2048 && volume.read_exact_at(&mut magic, 1024 + 56).map(|()| magic == [0x53, 0xef])?)
}

/// An ext2, ext3 or ext4 volume.
pub struct Ext {
    volume: Blocks,
    superblock: Superblock,
    pages: Kept,
}

impl Ext {
    /// Opens a volume by its superblock.
    ///
    /// # Errors
    /// Wrong values or unsupported features.
    pub fn open(volume: &Blocks) -> Result<Self, String> {
        let superblock = superblock::read(volume)?;
        Ok(Self { volume: Arc::clone(volume), superblock, pages: Kept::default() })
    }

    /// Reads bytes of a table through the recently read pages.
    fn read(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        let mut done = 0_usize;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let place = at.saturating_add(done as u64);
            let page = self.pages.get(place / PAGE, || {
                let start = (place / PAGE).saturating_mul(PAGE);
                let length = self.volume.size().saturating_sub(start).min(PAGE);
                let mut page = vec![0; usize::try_from(length).unwrap_or_default()];
                self.volume.read_exact_at(&mut page, start)?;
                Ok(page)
            })?;
            let from = page.get(usize::try_from(place % PAGE).unwrap_or_default()..).unwrap_or_default();
            let count = from.len().min(rest.len());
            if count == 0 {
                return Err(bad(format!("{place:#x} lies past the volume's end")));
            }
            if let (Some(to), Some(from)) = (rest.get_mut(..count), from.get(..count)) {
                to.copy_from_slice(from);
            }
            done = done.saturating_add(count);
        }
        Ok(())
    }

    /// Returns an inode.
    fn inode(&self, node: Node) -> io::Result<Inode> {
        let superblock = &self.superblock;
        let number = node.0.checked_sub(1).filter(|_| node.0 <= superblock.inodes);
        let number = number.ok_or_else(|| bad(format!("there is no inode {}", node.0)))?;
        let group = number.checked_div(superblock.inodes_in_group).unwrap_or_default();
        let within = number.checked_rem(superblock.inodes_in_group).unwrap_or_default();
        let mut descriptor = vec![0; superblock.descriptor];
        self.read(&mut descriptor, superblock.place_of_group(group))?;
        let table = superblock.table(&descriptor);
        let at = table
            .checked_mul(superblock.block)
            .and_then(|table| table.checked_add(within.checked_mul(superblock.inode as u64)?));
        let mut bytes = vec![0; superblock.inode];
        self.read(&mut bytes, at.ok_or_else(|| bad("a table of inodes that lies past the end of any volume"))?)?;
        Ok(Inode::read(bytes))
    }

    /// Returns the bytes of an inode.
    fn bytes_of(&self, inode: &Inode) -> io::Result<Blocks> {
        let runs = match inode.place()? {
            Place::Inline(bytes) => return Ok(Arc::new(bytes)),
            Place::Extents => map::extents(&self.volume, &self.superblock, inode.block())?,
            Place::Map => map::blocks(&self.volume, &self.superblock, inode.block(), inode.size())?,
        };
        // A file that ends with a hole has no block at its end.
        let (valid, size) = (runs.end(), inode.size());
        Ok(Arc::new(Stored { volume: Arc::clone(&self.volume), runs, size, valid }))
    }

    /// Passes on the entries in a block of a folder. The blocks of a folder's hash tree look like empty ones.
    fn entries(&self, folder: Node, block: &[u8], told: &mut Told<'_>) {
        let mut at = 0_usize;
        while let Some(rest) = block.get(at..).filter(|rest| rest.len() >= 8 && !told.is_over()) {
            let number = le32(rest, 0).unwrap_or_default();
            // The length of the largest blocks does not fit into sixteen bits.
            let length = match le16(rest, 4).unwrap_or_default() {
                0 | u16::MAX => rest.len(),
                length => usize::from(length),
            };
            let letters = rest.get(6).copied().map_or(0, usize::from);
            let name =
                rest.get(8..8_usize.saturating_add(letters)).filter(|_| 8_usize.saturating_add(letters) <= length);
            if length < 8 || length > rest.len() || name.is_none() {
                told.obstacle(folder, None, "the folder is damaged: an entry reaches past its end");
                return;
            }
            at = at.saturating_add(length);
            let name = name.unwrap_or_default();
            if number == 0 || matches!(name, b"." | b".." | b"") {
                continue;
            }
            let (node, name) = (Node(number.into()), Name::new(name));
            match self.inode(node) {
                Ok(inode) if inode.is_free() => {
                    told.obstacle(folder, Some(name), format!("inode {number} is not in use"));
                }
                Ok(inode) => {
                    let kind = inode.kind();
                    let size = if kind == EntryKind::File { inode.size() } else { 0 };
                    told.entry(Entry { node, parent: folder, name, kind, size, modified: inode.modified() });
                }
                Err(error) => told.obstacle(folder, Some(name), error.to_string()),
            }
        }
    }
}

impl ByFolder for Ext {
    fn root(&self) -> Node {
        Node(ROOT)
    }

    fn size(&self) -> u64 {
        self.volume.size()
    }

    fn list_within(&self, folder: Node, told: &mut Told<'_>, left: &mut u64) -> io::Result<()> {
        let inode = self.inode(folder)?;
        if inode.kind() != EntryKind::Folder {
            return Err(io::Error::other("not a folder"));
        }
        let blocks = self.bytes_of(&inode)?;
        *left = left
            .checked_sub(blocks.size())
            .filter(|_| blocks.size() <= MOST_IN_FOLDER)
            .ok_or_else(|| bad("folders that are together larger than the volume"))?;
        if inode.is_inline() {
            let mut bytes = vec![0; usize::try_from(blocks.size()).unwrap_or_default()];
            blocks.read_exact_at(&mut bytes, 0)?;
            // Four bytes are the parent's number, then entries up to the inode's 60 bytes, then more behind them.
            let (first, more) = bytes.split_at_checked(60).unwrap_or((&bytes, &[]));
            self.entries(folder, first.get(4..).unwrap_or_default(), told);
            self.entries(folder, more, told);
            return Ok(());
        }
        let block = usize::try_from(self.superblock.block).unwrap_or(usize::MAX);
        let mut at = 0;
        while at < blocks.size() && !told.is_over() {
            let length = blocks.size().saturating_sub(at).min(AT_A_TIME);
            let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
            match blocks.read_exact_at(&mut bytes, at) {
                Ok(()) => bytes.chunks(block).for_each(|block| self.entries(folder, block, told)),
                Err(error) => told.obstacle(folder, None, error.to_string()),
            }
            at = at.saturating_add(length);
        }
        Ok(())
    }

    fn data(&self, file: Node) -> io::Result<Blocks> {
        let inode = self.inode(file)?;
        if inode.kind() != EntryKind::File {
            return Err(io::Error::other("not a file"));
        }
        self.bytes_of(&inode)
    }

    fn defects(&self) -> Vec<String> {
        if self.superblock.needs_recovery {
            let why = "its journal holds changes that were not replayed, so files may be in an older state; run \
                       e2fsck on a copy of the volume, and name the copy";
            return vec![why.to_owned()];
        }
        Vec::new()
    }
}
