//! The destination of bytes that are extracted from containers: memory, until the budget ends.

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::unreadable::unreadable;
use crate::error::{Code, Problem};
use crate::evidence::block::{Blocks, FileBlocks};
use crate::evidence::budget::{Budget, Cost};
use crate::evidence::content::fill;
use crate::evidence::file::Unpacked;
use crate::evidence::file_system::{Content, FileSystem, Node, Vouched};

/// The most bytes of one extracted file: a hive has up to 2 GiB.
const MOST_READ: u64 = 4 << 30;
/// Bytes to read and store at a time: as many pieces of an image as can be decompressed in parallel.
const AT_ONCE: usize = 2 << 20;
/// Containers of up to this many bytes are kept in memory of this process, larger ones in a memory file.
const SMALL: u64 = 1 << 20;

/// The destination of extracted bytes: memory.
pub(super) struct Store {
    pub(super) budget: Budget,
}

impl Store {
    /// Returns how many bytes of a compressed stream may be decompressed to learn its content; none of them are kept.
    pub(super) fn unpacked_limit(&self) -> u64 {
        self.budget.left(Cost::Bytes).saturating_mul(64).max(1 << 30)
    }

    /// Extracts a file of `size` bytes, or of as many as it really has.
    pub(super) fn take(&mut self, content: &mut (impl Read + ?Sized), size: u64) -> Result<Unpacked, Problem> {
        let most = MOST_READ.min(self.budget.left(Cost::Bytes));
        if size > most {
            return Err(self.too_much(size));
        }
        let mut bytes = Vec::new();
        let count =
            content.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| unreadable(&error))? as u64;
        if count > most {
            return Err(self.too_much(count));
        }
        self.budget.spend(Cost::Bytes, count)?;
        Ok(Unpacked::from(bytes))
    }

    fn too_much(&mut self, size: u64) -> Problem {
        if size > MOST_READ {
            return Problem::new("a file of up to 4 GiB", format!("{size} bytes, too large for a hive"))
                .code(Code::Limit);
        }
        self.budget.exceeded(Cost::Bytes)
    }

    /// Extracts whole containers from a file system, so that they can be read by position. All of them are extracted in
    /// one pass; each comes with the size that the file system states.
    pub(super) fn spool(&mut self, system: &dyn FileSystem, files: &[(Node, u64)]) -> Vec<Spooled> {
        let none = || Err(Problem::new("a file that can be read", "no bytes").code(Code::Unreadable));
        let mut spooled: Vec<Spooled> = files.iter().map(|_| none()).collect();
        let nodes: Vec<Node> = files.iter().map(|(node, _)| *node).collect();
        system.read_each(&nodes, &mut |at, content| {
            let size = files.get(at).map_or(0, |(_, size)| *size);
            let taken = match content {
                Ok(content) => self.spool_one(content, size),
                Err(error) => Err(unreadable(&error)),
            };
            if let Some(place) = spooled.get_mut(at) {
                *place = taken;
            }
            ControlFlow::Continue(())
        });
        spooled
    }

    fn spool_one(&mut self, content: &mut dyn Content, size: u64) -> Spooled {
        let most = MOST_READ.min(self.budget.left(Cost::Bytes));
        if size > MOST_READ {
            let problem = Problem::new("a container of up to 4 GiB in another one", format!("{size} bytes"));
            return Err(problem.code(Code::Limit).advise("unpack it by hand, and name it"));
        }
        if size > most {
            return Err(self.budget.exceeded(Cost::Bytes));
        }
        // A small container needs no file of its own: there may be ten thousand.
        let (blocks, count): (Blocks, u64) = if size <= SMALL {
            let mut bytes = Vec::new();
            let read = (&mut *content).take(most.saturating_add(1)).read_to_end(&mut bytes);
            let count = read.map_err(|error| unreadable(&error))? as u64;
            (Arc::new(bytes), count)
        } else {
            let memory = rustix::fs::memfd_create("hivemend", rustix::fs::MemfdFlags::CLOEXEC);
            let memory = File::from(memory.map_err(|error| unreadable(&error.into()))?);
            let count = copy(content, &memory, 0, most).map_err(|error| unreadable(&error))?;
            (Arc::new(FileBlocks::of(memory).map_err(|error| unreadable(&error))?), count)
        };
        self.budget.spend(Cost::Bytes, count)?;
        Ok((blocks, content.finish()))
    }
}

/// An extracted container, and whether a checksum proves its bytes.
pub(super) type Spooled = Result<(Blocks, Vouched), Problem>;

/// Copies up to `most` bytes, and one piece more, to a place in a file, and returns the number of bytes.
fn copy(reader: &mut (impl Read + ?Sized), to: &File, at: u64, most: u64) -> io::Result<u64> {
    let mut buffer = vec![0; AT_ONCE];
    let mut size = 0_u64;
    loop {
        let filled = fill(reader, &mut buffer)?;
        to.write_all_at(buffer.get(..filled).unwrap_or_default(), at.saturating_add(size))?;
        size = size.saturating_add(filled as u64);
        if filled < buffer.len() || size > most {
            return Ok(size);
        }
    }
}
