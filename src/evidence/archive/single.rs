//! A compressed file with one file in it, as a file system with that one file.

use std::io::{self, Read};
use std::sync::Arc;

use super::expanded::Expanded;
use super::index::{Facts, Growing, Index};
use super::limits::Limits;
use super::refused::{Cause, Refused};
use super::source::{Checked, Source, drain};
use super::stream::{Codec, Compressed};
use crate::evidence::block::Blocks;
use crate::evidence::file_system::{Case, Content, Each, Entry, EntryKind, FileSystem, Head, Node, Vouched, head_of};
use crate::evidence::locator::Name;

/// A compressed file.
pub struct Single {
    source: Arc<dyn Source>,
    index: Index,
    head: Head,
    vouched: Vouched,
}

impl Single {
    /// Reads the stream once to its end, for its size and its checksum.
    ///
    /// # Errors
    /// Why the whole file is unreadable.
    pub fn open(blocks: Blocks, codec: Codec, name: &str, limits: Limits) -> Result<Self, Refused> {
        let source: Arc<dyn Source> = Arc::new(Compressed { blocks, codec });
        let read = |error: io::Error| Refused::from_error(&error);
        let mut stream = source.open().map_err(read)?;
        let mut limited = stream.by_ref().take(limits.unpacked);
        let mut counted = Counted { inner: &mut limited, end: Vec::new(), size: 0 };
        let mut head = head_of(&mut counted, u64::MAX).map_err(read)?;
        let rest = drain(&mut counted);
        let (size, end) = (counted.size, std::mem::take(&mut counted.end));
        let rest = rest.and_then(|_| match stream.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => {
                let reason = format!("it decompresses to more than {} bytes", limits.unpacked);
                Err(Refused::new(Cause::Limit, reason, "decompress it by hand").into())
            }
            Err(error) => Err(error),
        });
        let vouched = match rest {
            Ok(()) => stream.vouched(),
            Err(error) => Vouched::Unverified(error.to_string()),
        };
        (head.size, head.end) = (size, end);
        let mut growing = Growing::new(limits);
        let facts = Facts { kind: EntryKind::File, size, modified: None };
        // No name contains a NUL.
        growing.add(stem(name, codec).as_bytes(), 0, facts, 0);
        Ok(Self { source, index: growing.finish().0, head, vouched })
    }
}

/// Returns the name of a compressed file's content: its own name without the extension.
pub fn stem(name: &str, codec: Codec) -> String {
    let found = codec.extensions().iter().find_map(|(extension, instead)| {
        let (stem, found) = name.rsplit_once('.')?;
        (found.eq_ignore_ascii_case(extension) && !stem.is_empty()).then(|| format!("{stem}{instead}"))
    });
    found.unwrap_or_else(|| name.to_owned())
}

/// Counts the bytes read, and keeps the last 512.
struct Counted<R> {
    inner: R,
    end: Vec<u8>,
    size: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.size = self.size.saturating_add(count as u64);
        let new = buffer.get(count.saturating_sub(512)..count).unwrap_or_default();
        let surplus = self.end.len().saturating_add(new.len()).saturating_sub(512);
        self.end.drain(..surplus.min(self.end.len()));
        self.end.extend_from_slice(new);
        Ok(count)
    }
}

/// The file's bytes, decompressed again.
struct Decompressed {
    inner: Expanded<'static, Box<dyn Checked>>,
    /// The result of the first pass.
    first: Vouched,
    failed: Option<String>,
}

impl Read for Decompressed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        if let Err(error) = &read
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.failed.get_or_insert(error.to_string());
        }
        read
    }
}

impl Content for Decompressed {
    fn finish(&mut self) -> Vouched {
        // The reader has stored any error.
        let _ = drain(self);
        match self.failed.take() {
            Some(failed) => Vouched::Unverified(failed),
            None => self.first.clone(),
        }
    }
}

impl FileSystem for Single {
    fn is_single(&self) -> bool {
        true
    }

    fn list(&self, folder: Node, each: Each<'_>) {
        self.index.list(folder, each);
    }

    fn look_up(&self, folder: Node, name: &Name, case: Case) -> Result<Vec<Entry>, String> {
        Ok(self.index.look_up(folder, name, case))
    }

    fn head(&self, _file: Node) -> io::Result<Head> {
        Ok(self.head.clone())
    }

    fn open(&self, _file: Node) -> io::Result<Box<dyn Content + '_>> {
        let inner = Expanded::new(self.source.open()?, None, self.head.size);
        Ok(Box::new(Decompressed { inner, first: self.vouched.clone(), failed: None }))
    }

    fn vouched(&self) -> Vouched {
        self.vouched.clone()
    }

    fn defects(&self) -> Vec<String> {
        match &self.vouched {
            Vouched::Unverified(why) => vec![why.clone()],
            _ => Vec::new(),
        }
    }
}
