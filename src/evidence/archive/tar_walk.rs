//! One pass over a tar archive, from its first byte to its last: its members, and the places of their bytes.

use std::io::{self, Read};
use std::ops::ControlFlow;

use super::expanded::{Expanded, Map};
use super::index::Facts;
use super::refused::Refused;
use super::tar_cursor::Cursor;
use super::tar_header::{BLOCK, Header, from_unix, is_header, text};
use super::tar_pax::{Extended, Sparse};
use super::tar_sparse::{MOST_RANGES, Ranges, before_data, in_blocks};
use super::told::Told;
use crate::evidence::content::fill;
use crate::evidence::file_system::{EntryKind, Head, head_of};

/// The most bytes of an extended header, or of a name in its own header.
const MOST_HEADER: u64 = 16 << 20;
/// The most bytes of a global header, which applies to each member behind it.
const MOST_GLOBAL: u64 = 8 << 10;

/// The place of a member's bytes.
#[derive(Debug, Default)]
pub(super) struct Member {
    /// The first stored byte, from the archive's start.
    pub(super) data: u64,
    /// The number of stored bytes.
    pub(super) stored: u64,
    /// The size of the file in bytes.
    pub(super) size: u64,
    /// The ranges of a sparse file.
    pub(super) map: Option<Box<Map>>,
    /// The target of a hard link.
    pub(super) link: Option<Box<[u8]>>,
    /// The number of a hard link's target, once it is resolved.
    pub(super) target: Option<usize>,
    /// Why its bytes are unreadable.
    pub(super) broken: Option<Box<str>>,
}

/// A member, passed on during the pass.
pub(super) struct Found {
    pub(super) path: Vec<u8>,
    pub(super) facts: Facts,
    pub(super) member: Member,
    /// Its beginning, if the member is a file and the archive is a stream.
    pub(super) head: Option<Head>,
}

/// Receives each member during the pass.
pub(super) type EachFound<'f> = &'f mut dyn FnMut(Found) -> ControlFlow<()>;

/// The headers before a member's own header.
#[derive(Default)]
struct Before {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    extended: Option<Extended>,
    /// Why these headers are unusable.
    broken: Option<String>,
}

/// A pass over an archive.
pub(super) struct Walk<'t> {
    pub(super) cursor: Cursor,
    told: &'t mut Told,
    global: Extended,
    before: Before,
    ranges: usize,
}

impl<'t> Walk<'t> {
    pub(super) fn new(cursor: Cursor, told: &'t mut Told) -> Self {
        Self { cursor, told, global: Extended::default(), before: Before::default(), ranges: 0 }
    }

    /// Finds all members up to the archive's last byte.
    ///
    /// # Errors
    /// Why the rest is unreadable, such as a damaged stream. The members before it have been passed on.
    pub(super) fn run(&mut self, each: EachFound<'_>) -> io::Result<()> {
        // Consecutive blocks of zeros; two are the end marker.
        let mut zeros = 0_usize;
        // The start of bytes that are no header.
        let mut lost: Option<u64> = None;
        let mut behind = false;
        loop {
            let at = self.cursor.at();
            let mut block = [0; BLOCK];
            match fill(&mut self.cursor, &mut block)? {
                BLOCK if block == [0; BLOCK] => {
                    if lost.is_none() {
                        zeros = zeros.saturating_add(1);
                    }
                }
                BLOCK if is_header(&block) => {
                    self.lost(lost.take(), zeros, Some(at));
                    if zeros >= 2 && !behind {
                        behind = true;
                        self.told.tell(format!("members follow the end marker, from {at:#x} on; they are read too"));
                    } else if zeros == 1 {
                        self.told
                            .tell(format!("a single block of zeros stands before {at:#x}; two would mark the end"));
                    }
                    zeros = 0;
                    if self.header(&block, each)?.is_break() {
                        return Ok(());
                    }
                }
                BLOCK => {
                    lost.get_or_insert(at);
                }
                left => {
                    self.lost(lost, zeros, None);
                    if left > 0 {
                        self.told.tell(format!("the archive ends within a block, at {at:#x}"));
                    } else if zeros < 2 {
                        self.told.tell("the archive has no end marker: it may be truncated");
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Reports bytes that are no header, from `lost` to the next header.
    fn lost(&mut self, lost: Option<u64>, zeros: usize, next: Option<u64>) {
        let Some(lost) = lost else { return };
        // The headers before a lost header belong to it.
        self.before = Before::default();
        let what = if zeros >= 2 { "bytes after the end marker" } else { "a damaged header" };
        self.told.tell(match next {
            Some(next) => format!("{what} at {lost:#x}; the next header is at {next:#x}"),
            None => format!("{what} at {lost:#x}, and no header after it"),
        });
    }

    fn header(&mut self, block: &[u8; BLOCK], each: EachFound<'_>) -> io::Result<ControlFlow<()>> {
        let header = Header::read(block);
        match header.kind {
            b'L' | b'K' | b'x' | b'X' | b'g' => {
                let at = self.cursor.at();
                match self.small(&header)? {
                    Ok(bytes) => self.ahead(header.kind, &bytes),
                    Err(why) => {
                        self.told.tell(format!("the extended header at {at:#x} cannot be read: {why}"));
                        self.before.broken.get_or_insert(why);
                    }
                }
                Ok(ControlFlow::Continue(()))
            }
            // A volume label is not a member.
            b'V' => {
                self.before = Before::default();
                Ok(ControlFlow::Continue(()))
            }
            _ => {
                let before = std::mem::take(&mut self.before);
                self.member(&header, block, before, each)
            }
        }
    }

    /// Reads the data of a header that precedes another one.
    fn small(&mut self, header: &Header) -> io::Result<Result<Vec<u8>, String>> {
        let size = match &header.size {
            Ok(size) => *size,
            Err(why) => return Ok(Err(format!("its size: {why}"))),
        };
        let start = self.cursor.at();
        let mut bytes = Vec::new();
        let most = if header.kind == b'g' { MOST_GLOBAL } else { MOST_HEADER };
        if size <= most {
            self.cursor.by_ref().take(size).read_to_end(&mut bytes)?;
        }
        self.go_behind(start, size)?;
        Ok(if size > most {
            Err(format!("it has {size} bytes; {most} are allowed"))
        } else if (bytes.len() as u64) < size {
            Err("the archive ends in it".to_owned())
        } else {
            Ok(bytes)
        })
    }

    fn ahead(&mut self, kind: u8, bytes: &[u8]) {
        match kind {
            b'L' => self.before.path = Some(text(bytes).to_vec()),
            b'K' => self.before.link = Some(text(bytes).to_vec()),
            b'g' => {
                if let Err(why) = self.global.read(bytes) {
                    self.told.tell(format!("the global header before {:#x}: {why}", self.cursor.at()));
                }
            }
            _ => {
                let mut extended = self.before.extended.take().unwrap_or_else(|| self.global.clone());
                if let Err(why) = extended.read(bytes) {
                    self.told.tell(format!("the extended header before {:#x}: {why}", self.cursor.at()));
                    self.before.broken.get_or_insert(why);
                }
                self.before.extended = Some(extended);
            }
        }
    }

    /// Moves to the block behind the data that begins at `start`.
    fn go_behind(&mut self, start: u64, size: u64) -> io::Result<bool> {
        let padded = size.checked_next_multiple_of(BLOCK as u64).unwrap_or(u64::MAX);
        self.cursor.go_to(start.saturating_add(padded))
    }

    /// Returns the kind of a member, by its type flag.
    fn kind(&mut self, flag: u8, path: &[u8], shown: &str) -> EntryKind {
        match flag {
            b'0' | b'7' | 0 if path.ends_with(b"/") => EntryKind::Folder,
            b'0' | b'7' | 0 | b'1' | b'S' => EntryKind::File,
            b'5' | b'D' => EntryKind::Folder,
            b'2' => EntryKind::Link,
            b'3' | b'4' | b'6' => EntryKind::Other,
            b'M' => {
                let volume = "it is the rest of a file that began in another volume of the archive";
                self.told.tell(format!("{shown}: {volume}"));
                EntryKind::Other
            }
            // POSIX: a member of an unknown type is read as a file.
            other => {
                let flag = char::from(other).escape_debug();
                self.told.tell(format!("{shown}: its type '{flag}' is not known; it is read as a file"));
                EntryKind::File
            }
        }
    }

    /// Reads a member: its header, the headers before it, and its beginning.
    fn member(
        &mut self,
        header: &Header,
        block: &[u8; BLOCK],
        before: Before,
        each: EachFound<'_>,
    ) -> io::Result<ControlFlow<()>> {
        let Before { path, link, extended, mut broken } = before;
        let extended = extended.unwrap_or_else(|| self.global.clone());
        let path = extended.real_name.clone().or(extended.path.clone()).or(path).unwrap_or_else(|| header.path.clone());
        let shown = String::from_utf8_lossy(&path).escape_debug().to_string();
        let mut stored = match extended.size.map_or_else(|| header.size.clone(), Ok) {
            Ok(size) => size,
            Err(why) => {
                let why = format!("the size in its header is {why}");
                self.told.tell(format!("{shown}: {why}"));
                broken.get_or_insert(why);
                0
            }
        };
        let kind = self.kind(header.kind, &path, &shown);
        let modified = extended.modified.and_then(from_unix).or(header.modified);
        let mut ranges = Ranges { pairs: extended.ranges, size: extended.real_size.unwrap_or(stored) };
        let is_sparse = header.kind == b'S' || extended.sparse.is_some();
        let read = match extended.sparse {
            Some(Sparse::BeforeData) => {
                let start = self.cursor.at();
                let read = before_data(&mut self.cursor, stored)?;
                stored = stored.saturating_sub(self.cursor.at().saturating_sub(start));
                read.map(|pairs| Some(Ranges { pairs, size: ranges.size }))
            }
            Some(Sparse::Unknown) => Err("its sparse format is not supported".to_owned()),
            None if header.kind == b'S' => in_blocks(&mut self.cursor, block)?.map(Some),
            Some(Sparse::InHeader) | None => Ok(None),
        };
        match read {
            Ok(Some(read)) => ranges = read,
            Ok(None) => {}
            Err(why) => broken = broken.or(Some(why)),
        }
        if matches!(header.kind, b'1' | b'2') && stored > 0 && !(header.kind == b'1' && self.has_data()?) {
            stored = 0;
        }
        let data = self.cursor.at();
        let mut member = Member { data, stored, size: ranges.size, ..Member::default() };
        if kind == EntryKind::File && header.kind == b'1' && stored == 0 {
            member.link = Some(extended.link.or(link).unwrap_or_else(|| header.link.clone()).into());
            member.size = 0;
        } else if is_sparse && broken.is_none() {
            match self.map(&ranges, stored) {
                Ok(map) => member.map = Some(Box::new(map)),
                Err(why) => broken = Some(why),
            }
        }
        if kind != EntryKind::File {
            member.size = 0;
        }
        member.broken = broken.map(Into::into);
        let (head, failed) = self.head(kind, &member);
        let facts = Facts { kind, size: member.size, modified };
        let flow = each(Found { path, facts, member, head });
        if let Some(error) = failed {
            return Err(error);
        }
        if !self.go_behind(data, stored)? {
            self.told.tell(format!("{shown}: the archive ends within it"));
        }
        Ok(flow)
    }

    /// Returns the beginning of a member of a stream, and the error of a stream that is unreadable from there on.
    fn head(&mut self, kind: EntryKind, member: &Member) -> (Option<Head>, Option<io::Error>) {
        let has_bytes = kind == EntryKind::File && member.link.is_none() && member.broken.is_none();
        if !has_bytes || !self.cursor.is_stream() {
            return (None, None);
        }
        let kept = self.cursor.by_ref().take(member.stored);
        match head_of(&mut Expanded::new(kept, member.map.as_deref(), member.size), member.size) {
            Ok(head) => (Some(head), None),
            // The end of the archive is reported where the pass reaches it; a failed stream has its own reason.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && Refused::of(&error).is_none() => (None, None),
            Err(error) => (None, Some(error)),
        }
    }

    /// Returns the map of a sparse member, if the archive's limit allows its ranges.
    fn map(&mut self, ranges: &Ranges, stored: u64) -> Result<Map, String> {
        let map = Map::new(&ranges.pairs, ranges.size, stored)?;
        self.ranges = self.ranges.saturating_add(map.len());
        if self.ranges > MOST_RANGES {
            return Err(format!("the sparse files of the archive have more than {MOST_RANGES} ranges"));
        }
        Ok(map)
    }

    /// Returns whether a hard link has data of its own, as pax allows: the next block is no header then.
    fn has_data(&mut self) -> io::Result<bool> {
        self.cursor.peek_block().map(|block| block.is_some_and(|block| !is_header(&block) && block != [0; BLOCK]))
    }
}
