//! A tar archive as a file system, plain or in a compressed stream: v7, ustar, GNU, pax. Sparse files are expanded,
//! hard links resolved. A stream is read to its end before its entries are listed, so that its checksum covers them.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use super::expanded::{Expanded, ExpandedBlocks};
use super::heads::{Beginning, Heads};
use super::index::{Growing, Index};
use super::limits::Limits;
use super::refused::{Cause, Refused, damaged};
use super::source::{Sequential, Source, drain};
use super::tar_cursor::Cursor;
use super::tar_links::resolve;
use super::tar_walk::{Member, Walk};
use super::told::Told;
use crate::evidence::block::{Blocks, Part};
use crate::evidence::file_system::{Case, Content, Each, EachContent, Entry, FileSystem, Head, Node, Vouched, head_of};
use crate::evidence::locator::Name;

/// The most bytes of a file with several wanted names that are kept in memory while they are passed on.
const MOST_SHARED: u64 = 256 << 20;

/// A tar archive.
pub struct Tar {
    source: Arc<dyn Source>,
    index: Index,
    members: Vec<Member>,
    /// Beginnings from the first pass, and from the last pass for a missing one.
    heads: Heads,
    window: Mutex<Heads>,
    vouched: Vouched,
    told: Vec<String>,
    limits: Limits,
}

impl Tar {
    /// Reads the archive once, to its last byte.
    ///
    /// # Errors
    /// Why the whole archive is unreadable: its stream has no valid start.
    pub fn open(source: Arc<dyn Source>, limits: Limits) -> Result<Self, Refused> {
        let cursor = Cursor::new(source.as_ref(), limits.unpacked).map_err(|error| Refused::from_error(&error))?;
        let mut told = Told::default();
        let mut growing = Growing::new(limits);
        let (mut members, mut heads) = (Vec::new(), Heads::default());
        let (mut full, mut links) = (false, 0_usize);
        let mut walk = Walk::new(cursor, &mut told);
        let mut read = walk.run(&mut |found| {
            let number = members.len();
            // A limit ends the list, not the pass: the stream's checksum is at its end.
            links = links.saturating_add(found.member.link.as_ref().map_or(0, |link| link.len()));
            full = links > limits.names
                || !growing.add(&found.path, b'/', found.facts, u32::try_from(number).unwrap_or(u32::MAX));
            if full {
                return ControlFlow::Break(());
            }
            members.push(found.member);
            heads.keep(number, found.head);
            ControlFlow::Continue(())
        });
        if read.is_ok() {
            read = drain(&mut walk.cursor.by_ref()).map(|_| ());
        }
        let at = walk.cursor.at();
        let vouched_for = walk.cursor.vouched();
        if links > limits.names {
            let number = members.len().saturating_add(1);
            told.tell(format!(
                "the targets of the hard links have more than {} bytes; members from number {number} on are not read",
                limits.names
            ));
        }
        let vouched = match (&read, vouched_for) {
            // Without a checksum of the bytes, an error is a read error.
            (Err(error), _) => Vouched::Unverified(error.to_string()),
            (Ok(()), vouched) => vouched,
        };
        if let Err(error) = read {
            if members.is_empty() {
                return Err(Refused::from_error(&error));
            }
            told.tell(format!("the archive can be read up to {at:#x} only: {error}"));
        } else if let Vouched::Unverified(why) = &vouched {
            told.tell(why.clone());
        }
        let (mut index, mut limited) = growing.finish();
        limited.extend(told.sentences());
        resolve(&mut index, &mut members);
        Ok(Self { source, index, members, heads, window: Mutex::default(), vouched, told: limited, limits })
    }

    /// Returns the member of a node, or the member that it leads to as a hard link.
    fn member(&self, file: Node) -> io::Result<(usize, &Member)> {
        let number = self.index.member(file).ok_or_else(|| damaged("it is not a file"))?;
        let member = self.members.get(number).ok_or_else(|| damaged("it is not a file"))?;
        let (number, member) = match member.target {
            Some(target) => (target, self.members.get(target).unwrap_or(member)),
            None => (number, member),
        };
        match &member.broken {
            Some(why) => Err(damaged(why.as_ref())),
            None => Ok((number, member)),
        }
    }

    /// Returns the bytes of a member by position, if the archive is not a stream.
    fn blocks_of(&self, member: &Member) -> Option<Blocks> {
        let stored: Blocks = Arc::new(Part::new(self.source.blocks()?, member.data, member.stored));
        Some(match &member.map {
            Some(map) => Arc::new(ExpandedBlocks { stored, map: map.as_ref().clone(), size: member.size }),
            None => stored,
        })
    }

    /// Passes on the members of these numbers, which ascend with their place, in one pass over the stream.
    fn pass(&self, wanted: &[usize], each: EachContent<'_>) {
        let mut cursor = match Cursor::new(self.source.as_ref(), self.limits.unpacked) {
            Ok(cursor) => cursor,
            Err(error) => {
                let refused = Refused::from_error(&error);
                for number in wanted {
                    if each(*number, Err(refused.clone().into())).is_break() {
                        return;
                    }
                }
                return;
            }
        };
        for number in wanted {
            let Some(member) = self.members.get(*number) else { continue };
            let flow = match cursor.go_to(member.data) {
                Ok(_) => {
                    let kept = cursor.by_ref().take(member.stored);
                    let inner = Expanded::new(kept, member.map.as_deref(), member.size);
                    let vouched = self.vouched.clone();
                    each(*number, Ok(&mut Extracted { inner, vouched }))
                }
                Err(error) => each(*number, Err(error)),
            };
            if flow.is_break() {
                return;
            }
        }
    }

    /// Returns a beginning that the first pass had no room for; a new pass keeps it and the ones behind it.
    fn head_by_pass(&self, number: usize) -> io::Result<Head> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(window.get(number), Beginning::NotReached) {
            *window = Heads::from(number);
            let is_file = |number: &usize| {
                self.members.get(*number).is_some_and(|member| member.broken.is_none() && member.link.is_none())
            };
            let wanted: Vec<usize> = (number..self.members.len()).filter(is_file).collect();
            self.pass(&wanted, &mut |number, content| {
                let size = self.members.get(number).map_or(0, |member| member.size);
                let head = content.ok().and_then(|mut content| head_of(&mut content, size).ok());
                if window.keep(number, head) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
        }
        match window.get(number) {
            Beginning::Found(head) => Ok(head.clone()),
            _ => Err(self.unreadable()),
        }
    }

    fn unreadable(&self) -> io::Error {
        match &self.vouched {
            Vouched::Unverified(why) => damaged(why.clone()),
            _ => damaged("the archive ends within it"),
        }
    }
}

/// A member's bytes; the checksum of the stream covers them.
struct Extracted<R> {
    inner: R,
    vouched: Vouched,
}

impl<R: Read> Read for Extracted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        if let Err(error) = &read
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.vouched = Vouched::Unverified(error.to_string());
        }
        read
    }
}

impl<R: Read> Content for Extracted<R> {
    fn finish(&mut self) -> Vouched {
        // The member has stored any error.
        let _ = drain(self);
        self.vouched.clone()
    }
}

/// Passes on one file's bytes for several names: the stream has them once, so they are kept meanwhile.
fn share(places: &[(usize, usize)], content: io::Result<&mut dyn Content>, each: EachContent<'_>) -> ControlFlow<()> {
    let mut bytes = Vec::new();
    let read = content.and_then(|content| {
        Read::take(&mut *content, MOST_SHARED.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MOST_SHARED {
            let reason = format!("several hard links lead to it, and it has more than {MOST_SHARED} bytes");
            return Err(Refused::new(Cause::Limit, reason, "unpack it by hand").into());
        }
        Ok(content.finish())
    });
    let read = read.map_err(|error| Refused::from_error(&error));
    for (_, place) in places {
        let flow = match &read {
            Ok(vouched) => each(*place, Ok(&mut Extracted { inner: bytes.as_slice(), vouched: vouched.clone() })),
            Err(refused) => each(*place, Err(refused.clone().into())),
        };
        flow?;
    }
    ControlFlow::Continue(())
}

impl FileSystem for Tar {
    fn list(&self, folder: Node, each: Each<'_>) {
        self.index.list(folder, each);
    }

    fn scan(&self, each: Each<'_>) {
        self.index.scan(each);
    }

    fn look_up(&self, folder: Node, name: &Name, case: Case) -> Result<Vec<Entry>, String> {
        Ok(self.index.look_up(folder, name, case))
    }

    fn head(&self, file: Node) -> io::Result<Head> {
        let (number, member) = self.member(file)?;
        if let Some(blocks) = self.blocks_of(member) {
            return head_of(&mut Expanded::new(Sequential::new(blocks, 0), None, member.size), member.size);
        }
        match self.heads.get(number) {
            Beginning::Found(head) => Ok(head.clone()),
            Beginning::Unreadable => Err(self.unreadable()),
            Beginning::NotReached => self.head_by_pass(number),
        }
    }

    fn open(&self, file: Node) -> io::Result<Box<dyn Content + '_>> {
        let (_, member) = self.member(file)?;
        let vouched = self.vouched.clone();
        if let Some(blocks) = self.blocks_of(member) {
            let inner = Expanded::new(Sequential::new(blocks, 0), None, member.size);
            return Ok(Box::new(Extracted { inner, vouched }));
        }
        let mut cursor = Cursor::new(self.source.as_ref(), self.limits.unpacked)?;
        cursor.go_to(member.data)?;
        let inner = Expanded::new(cursor.take(member.stored), member.map.as_deref(), member.size);
        Ok(Box::new(Extracted { inner, vouched }))
    }

    fn read_each(&self, files: &[Node], each: EachContent<'_>) {
        let mut wanted = Vec::new();
        for (place, file) in files.iter().enumerate() {
            match self.member(*file) {
                Ok((number, _)) => wanted.push((number, place)),
                Err(error) => {
                    if each(place, Err(error)).is_break() {
                        return;
                    }
                }
            }
        }
        wanted.sort_unstable();
        let groups: Vec<&[(usize, usize)]> = wanted.chunk_by(|one, other| one.0 == other.0).collect();
        let numbers: Vec<usize> = groups.iter().filter_map(|group| Some(group.first()?.0)).collect();
        let mut groups = groups.into_iter();
        self.pass(&numbers, &mut |_, content| match groups.next() {
            Some([(_, place)]) => each(*place, content),
            Some(places) => share(places, content, each),
            None => ControlFlow::Break(()),
        });
    }

    fn blocks(&self, file: Node) -> Option<Blocks> {
        self.blocks_of(self.member(file).ok()?.1)
    }

    fn vouched(&self) -> Vouched {
        self.vouched.clone()
    }

    fn defects(&self) -> Vec<String> {
        self.told.clone()
    }
}
