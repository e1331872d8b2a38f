//! A 7z archive as a file system. Members are in blocks. Each block is one stream, which is decompressed up to the
//! wanted member, and each member's CRC-32 is compared. <https://py7zr.readthedocs.io/en/latest/archive_format.html>

use std::io;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use flate2::Crc;
use sevenz_rust2::{Archive, BlockDecoder, Password};

use super::heads::{Beginning, Heads};
use super::index::{Facts, Growing, Index};
use super::limits::Limits;
use super::refused::{Cause, Refused, damaged};
use super::seekable::Seekable;
use super::seven_zip_member::{Empty, Kept, MOST_DIRECTORY_KIB, MOST_MEMORY_KIB, Member, refusal};
use super::source::drain;
use crate::evidence::block::Blocks;
use crate::evidence::file_system::{
    Case, Content, Each, EachContent, Entry, EntryKind, FileSystem, Head, Node, head_of,
};
use crate::evidence::locator::Name;
use crate::registry::FileTime;

/// The most bytes of a member that is read alone, into memory; [`FileSystem::read_each`] has no such limit.
const MOST_ALONE: u64 = 2 << 30;

/// A 7z archive.
pub struct SevenZip {
    blocks: Blocks,
    password: Option<String>,
    archive: Archive,
    index: Index,
    /// The beginnings of members from the last pass.
    window: Mutex<Heads>,
    told: Vec<String>,
}

impl SevenZip {
    /// Reads the directory.
    ///
    /// # Errors
    /// Why the whole archive is unreadable: damaged, or encrypted.
    pub fn open(blocks: Blocks, password: Option<&str>, limits: Limits) -> Result<Self, Refused> {
        let key = password.map_or_else(Password::empty, Password::from);
        let archive = Archive::read_with_memory_limit(&mut Seekable::new(&blocks), &key, MOST_DIRECTORY_KIB)
            .map_err(|error| refusal(&error, password.is_some()))?;
        let mut growing = Growing::new(limits);
        let mut told = super::told::Told::default();
        for (number, file) in (0_u32..).zip(&archive.files) {
            if file.is_anti_item {
                told.tell(format!(
                    "{}: the entry says that a file is to be deleted, as in an update",
                    file.name.escape_debug()
                ));
                continue;
            }
            let facts = Facts {
                kind: kind(file),
                size: if file.has_stream { file.size } else { 0 },
                modified: file.has_last_modified_date.then(|| FileTime(u64::from(file.last_modified_date))),
            };
            if !growing.add(file.name.as_bytes(), b'/', facts, number) {
                break;
            }
        }
        let (index, mut limited) = growing.finish();
        limited.extend(told.sentences());
        let password = password.map(str::to_owned);
        Ok(Self { blocks, password, archive, index, window: Mutex::default(), told: limited })
    }

    fn key(&self) -> Password {
        self.password.as_deref().map_or_else(Password::empty, Password::from)
    }

    fn number(&self, file: Node) -> io::Result<usize> {
        let number = self.index.member(file).ok_or_else(|| damaged("it is not a file"))?;
        if self.archive.files.get(number).is_none_or(|file| file.is_directory) {
            return Err(damaged("it is not a file"));
        }
        Ok(number)
    }

    /// Passes on the members of these ascending numbers. Each block is decompressed once, and no further than needed.
    fn pass(&self, wanted: &[usize], each: EachContent<'_>) {
        let block = |number: &usize| self.archive.stream_map.file_block_index.get(*number).copied().flatten();
        for group in wanted.chunk_by(|one, other| block(one) == block(other)) {
            let Some(number) = group.first().and_then(block) else {
                for number in group {
                    if each(*number, Ok(&mut Empty)).is_break() {
                        return;
                    }
                }
                continue;
            };
            if self.block(number, group, each).is_break() {
                return;
            }
        }
    }

    /// Passes on members of one block.
    fn block(&self, block: usize, wanted: &[usize], each: EachContent<'_>) -> ControlFlow<()> {
        let key = self.key();
        let mut source = Seekable::new(&self.blocks);
        let decoder = BlockDecoder::new_with_memory_limit(1, MOST_MEMORY_KIB, block, &self.archive, &key, &mut source);
        let first = self.archive.stream_map.block_first_file_index.get(block).copied().unwrap_or_default();
        let mut number = first;
        let mut left = wanted.iter().copied().peekable();
        let mut flow = ControlFlow::Continue(());
        let read = decoder.for_each_entries(&mut |file, reader| {
            let this = number;
            number = number.saturating_add(1);
            if left.peek() != Some(&this) {
                // Unwanted members before a wanted one must be decompressed too.
                drain(reader)?;
                return Ok(true);
            }
            left.next();
            let crc = file.has_crc.then_some(file.crc);
            let mut member = Member {
                inner: reader,
                computed: Crc::new(),
                crc,
                left: file.size,
                failed: None,
                password: self.password.is_some(),
            };
            flow = each(this, Ok(&mut member));
            Ok(flow.is_continue() && left.peek().is_some())
        });
        let refused = match read {
            Err(error) => refusal(&error, self.password.is_some()),
            Ok(_) => Refused::damaged("its block does not contain it"),
        };
        for number in left {
            flow?;
            flow = each(number, Err(refused.clone().into()));
        }
        flow
    }
}

/// Returns the kind of a member; programs for Unix store a file's mode in the upper half of the attributes.
fn kind(file: &sevenz_rust2::ArchiveEntry) -> EntryKind {
    let mode = if file.windows_attributes & 0x8000 != 0 { file.windows_attributes >> 16 & 0o170_000 } else { 0 };
    match mode {
        _ if file.is_directory => EntryKind::Folder,
        0o120_000 => EntryKind::Link,
        0o020_000 | 0o060_000 | 0o010_000 | 0o140_000 => EntryKind::Other,
        // For a reparse point, the archive stores the target.
        _ if file.windows_attributes & 0x400 != 0 => EntryKind::Link,
        _ => EntryKind::File,
    }
}

impl FileSystem for SevenZip {
    fn list(&self, folder: Node, each: Each<'_>) {
        self.index.list(folder, each);
    }

    fn scan(&self, each: Each<'_>) {
        self.index.scan(each);
    }

    fn look_up(&self, folder: Node, name: &Name, case: Case) -> Result<Vec<Entry>, String> {
        Ok(self.index.look_up(folder, name, case))
    }

    /// Returns a file's beginning. The first call decompresses everything once, and keeps the beginnings.
    fn head(&self, file: Node) -> io::Result<Head> {
        let number = self.number(file)?;
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(window.get(number), Beginning::NotReached) {
            let first = if window.is_empty() { 0 } else { number };
            for first in [first, number] {
                *window = Heads::from(first);
                let is_file = |number: &usize| self.archive.files.get(*number).is_some_and(|file| !file.is_directory);
                let wanted: Vec<usize> = (first..self.archive.files.len()).filter(is_file).collect();
                self.pass(&wanted, &mut |number, content| {
                    let size = self.archive.files.get(number).map_or(0, |file| file.size);
                    let head = content.ok().and_then(|mut content| head_of(&mut content, size).ok());
                    if window.keep(number, head) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                });
                if !matches!(window.get(number), Beginning::NotReached) {
                    break;
                }
            }
        }
        if let Beginning::Found(head) = window.get(number) {
            return Ok(head.clone());
        }
        drop(window);
        // The beginning is unreadable: this attempt returns the reason.
        let size = self.archive.files.get(number).map_or(0, |file| file.size);
        let mut found = Err(damaged("it cannot be decompressed"));
        self.pass(&[number], &mut |_, content| {
            found = content.and_then(|mut content| head_of(&mut content, size));
            ControlFlow::Break(())
        });
        found
    }

    fn open(&self, file: Node) -> io::Result<Box<dyn Content + '_>> {
        let number = self.number(file)?;
        if self.archive.files.get(number).is_some_and(|file| file.size > MOST_ALONE) {
            let reason = format!("it has more than {MOST_ALONE} bytes");
            return Err(Refused::new(Cause::Limit, reason, "unpack it by hand: 7z x").into());
        }
        let mut found = Err(damaged("it cannot be decompressed"));
        self.pass(&[number], &mut |_, content| {
            found = content.and_then(|content| {
                let mut bytes = Vec::new();
                content.read_to_end(&mut bytes)?;
                Ok((bytes, content.finish()))
            });
            ControlFlow::Break(())
        });
        let (bytes, vouched) = found?;
        Ok(Box::new(Kept { bytes: io::Cursor::new(bytes), vouched }))
    }

    fn read_each(&self, files: &[Node], each: EachContent<'_>) {
        let mut wanted = Vec::new();
        for (place, file) in files.iter().enumerate() {
            match self.number(*file) {
                Ok(number) => wanted.push((number, place)),
                Err(error) => {
                    if each(place, Err(error)).is_break() {
                        return;
                    }
                }
            }
        }
        wanted.sort_unstable();
        let numbers: Vec<usize> = wanted.iter().map(|(number, _)| *number).collect();
        let mut places = wanted.into_iter();
        self.pass(&numbers, &mut |_, content| match places.next() {
            Some((_, place)) => each(place, content),
            None => ControlFlow::Break(()),
        });
    }

    fn defects(&self) -> Vec<String> {
        self.told.clone()
    }
}
