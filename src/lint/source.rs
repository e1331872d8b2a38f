//! The input of a check, which may have to be read twice.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The bytes that are read at once.
pub(super) const PIECE: usize = 256 << 10;

/// Where the bytes of a file can be read again.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Bytes(Arc<[u8]>),
    /// A regular file, and its state.
    File(PathBuf, State),
    /// A copy without a name.
    Copy(Arc<File>),
    /// Nowhere.
    Gone,
}

/// What changes if a file is written or replaced.
type State = (u64, u64, u64, i64, i64);

impl Source {
    /// Returns the source of an opened file: itself if it is a regular one, or nowhere.
    pub(super) fn of(path: &Path, file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(if metadata.is_file() { Self::File(path.to_owned(), state(&metadata)) } else { Self::Gone })
    }

    /// Opens the source again.
    pub(super) fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        match self {
            Self::Bytes(bytes) => Ok(Box::new(&**bytes)),
            Self::File(path, before) => {
                let file = File::open(path)?;
                if state(&file.metadata()?) != *before {
                    return Err(io::Error::other(format!("{} was changed while it was read", path.display())));
                }
                Ok(Box::new(file))
            }
            Self::Copy(file) => {
                (&**file).rewind()?;
                Ok(Box::new(&**file))
            }
            Self::Gone => Err(io::Error::other("the input cannot be read twice, and no copy was kept")),
        }
    }
}

fn state(metadata: &Metadata) -> State {
    (metadata.dev(), metadata.ino(), metadata.size(), metadata.mtime(), metadata.mtime_nsec())
}

/// Reads a source piece by piece.
pub(super) struct Input<'s> {
    source: Box<dyn Read + 's>,
    piece: Vec<u8>,
    /// Where the pieces are copied to.
    copy: Option<File>,
    is_over: bool,
}

impl<'s> Input<'s> {
    pub(super) fn new(source: Box<dyn Read + 's>, copy: Option<File>) -> Self {
        Self { source, piece: Vec::with_capacity(PIECE), copy, is_over: false }
    }

    /// Reads the next piece. All but the last one have the same size.
    pub(super) fn next(&mut self) -> io::Result<()> {
        self.piece.clear();
        let read = self.source.by_ref().take(PIECE as u64).read_to_end(&mut self.piece)?;
        self.is_over = read < PIECE;
        match &mut self.copy {
            Some(copy) => copy.write_all(&self.piece),
            None => Ok(()),
        }
    }

    /// Returns the piece that was read last.
    pub(super) fn piece(&self) -> &[u8] {
        &self.piece
    }

    /// Returns whether that piece ends the source.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Returns the copy.
    pub(super) fn into_copy(self) -> Option<File> {
        self.copy
    }
}
