//! A shelf: values that are needed again at the end of a run. They are kept compressed, in memory as long as they are
//! few, then in a temporary file without a name (in `TMPDIR`). So the memory of a run does not grow with its machines.

use std::fmt;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::marker::PhantomData;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::SpooledTempFile;

use crate::error::Error;

/// The most compressed bytes of a shelf that are kept in memory.
const IN_MEMORY: usize = 4 << 20;

/// Values that were put aside, in their order.
pub struct Shelf<T> {
    bytes: SpooledTempFile,
    /// The places behind the values: the end of each, in bytes from the start.
    ends: Vec<u64>,
    kind: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Shelf<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Shelf of {}", self.ends.len())
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { bytes: SpooledTempFile::new(IN_MEMORY), ends: Vec::new(), kind: PhantomData }
    }
}

impl<T: Serialize + DeserializeOwned> Shelf<T> {
    /// Puts a value aside. Returns its number, which counts from 0.
    ///
    /// # Errors
    /// Returns an error if the temporary file cannot be made or written.
    pub fn put(&mut self, value: &T) -> io::Result<usize> {
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&serde_json::to_vec(value)?)?;
        let packed = packed.finish()?;
        let start = self.ends.last().copied().unwrap_or_default();
        self.bytes
            .seek(SeekFrom::Start(start))
            .and_then(|_| self.bytes.write_all(&packed))
            .map_err(|error| in_folder(&error))?;
        self.ends.push(start.saturating_add(packed.len() as u64));
        Ok(self.ends.len().saturating_sub(1))
    }

    /// Returns the value with this number; `None` if there is none.
    ///
    /// # Errors
    /// Returns an error if the temporary file cannot be read.
    pub fn get(&mut self, number: usize) -> io::Result<Option<T>> {
        let Some(end) = self.ends.get(number) else { return Ok(None) };
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        let mut packed = vec![0; usize::try_from(end.saturating_sub(start)).map_err(io::Error::other)?];
        self.bytes
            .seek(SeekFrom::Start(start))
            .and_then(|_| self.bytes.read_exact(&mut packed))
            .map_err(|error| in_folder(&error))?;
        let mut text = Vec::new();
        DeflateDecoder::new(packed.as_slice()).read_to_end(&mut text)?;
        Ok(Some(serde_json::from_slice(&text)?))
    }
}

/// Returns the error of a run that cannot put something aside, or get it back.
pub fn failed(source: io::Error) -> Error {
    Error::Write { path: "a temporary file".to_owned(), source }
}

/// Names the folder in an error, because no output is there.
fn in_folder(error: &io::Error) -> io::Error {
    let folder = std::env::temp_dir();
    io::Error::new(error.kind(), format!("a temporary file in {} (TMPDIR): {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_aside_is_found_again_in_any_order() {
        let mut shelf = Shelf::default();
        // Random text does not become smaller, so this leaves memory.
        let text = |number: u64| {
            let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            let mut next = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                char::from_u32(u32::try_from(state >> 44).unwrap()).unwrap_or('x')
            };
            (0..10_000).map(|_| next()).collect::<String>()
        };
        for number in 0..200 {
            assert_eq!(shelf.put(&text(number)).unwrap(), usize::try_from(number).unwrap());
        }
        assert!(shelf.bytes.is_rolled());
        for number in [199, 0, 100, 7, 199] {
            assert_eq!(shelf.get(number).unwrap().unwrap(), text(number as u64));
        }
        assert_eq!(shelf.get(200).unwrap(), None);
    }
}
