//! Hashes of the disk that an image stores, and their verification.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::ScopedJoinHandle;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::Disk;
use crate::evidence::block::Blocks;
pub use crate::evidence::hash::Algorithm;
use crate::progress::{self, Task};
use crate::registry::hex;

/// Bytes hashed at a time.
const AT_A_TIME: usize = 1 << 20;
/// Pieces that are read ahead of the slowest hash.
const AHEAD: usize = 4;

/// A hash of the whole disk, as the image's maker stored it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredHash {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The hash, in lower-case hexadecimal digits.
    pub hex: String,
}

/// A stored hash and the computed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The hash in the image.
    pub stored: StoredHash,
    /// The hash of the disk's bytes.
    pub found: String,
}

impl Checked {
    /// Returns whether both hashes are the same.
    pub fn agrees(&self) -> bool {
        self.stored.hex == self.found
    }
}

impl Disk {
    /// Reads the whole disk and compares it with every hash that the image stores; empty if the image stores none.
    ///
    /// # Errors
    /// The disk cannot be read to its end.
    pub fn verify(&self) -> io::Result<Vec<Checked>> {
        if self.stored.is_empty() {
            return Ok(Vec::new());
        }
        let path = self.files.first().map(|path| path.display().to_string()).unwrap_or_default();
        let wanted: BTreeSet<Algorithm> = self.stored.iter().map(|stored| stored.algorithm).collect();
        let found = hashes(&self.blocks, &wanted, &path)?;
        let check = |stored: &StoredHash| {
            let found = found.get(&stored.algorithm).cloned().unwrap_or_default();
            Checked { stored: stored.clone(), found }
        };
        Ok(self.stored.iter().map(check).collect())
    }
}

/// Returns the hashes of all bytes of the image at `path`. Each algorithm has a thread of its own, so that the next bytes
/// are read and decompressed meanwhile.
fn hashes(blocks: &Blocks, wanted: &BTreeSet<Algorithm>, path: &str) -> io::Result<BTreeMap<Algorithm, String>> {
    std::thread::scope(|scope| {
        let mut pieces = Vec::new();
        let mut threads = Vec::new();
        for algorithm in wanted {
            let (send, receive) = sync_channel::<Arc<Piece>>(AHEAD);
            pieces.push(send);
            threads.push((*algorithm, scope.spawn(move || hash(*algorithm, &receive))));
        }
        // Pieces in turn: one that every thread is done with is filled again, because new memory costs as much as hashing.
        let mut used: VecDeque<Arc<Piece>> = VecDeque::new();
        let mut offset = 0_u64;
        while offset < blocks.size() {
            let mut piece = used.pop_front().filter(|piece| Arc::strong_count(piece) == 1).unwrap_or_default();
            let Some(Piece { bytes, length }) = Arc::get_mut(&mut piece) else { continue };
            let count = match blocks.read_at(bytes, offset) {
                Ok(0) => {
                    let found = format!("the disk ends at {offset:#x}");
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, found));
                }
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            *length = count;
            progress::step(Task::Verifying, || path.to_owned(), count as u64);
            // A thread that has ended is met when it is joined.
            for thread in &pieces {
                let _ = thread.send(Arc::clone(&piece));
            }
            used.push_back(piece);
            offset = offset.saturating_add(count as u64);
        }
        drop(pieces);
        let hex = |thread: ScopedJoinHandle<'_, String>| thread.join().map_err(|_| io::Error::other("hashing failed"));
        threads.into_iter().map(|(algorithm, thread)| Ok((algorithm, hex(thread)?))).collect()
    })
}

/// A piece of the disk.
struct Piece {
    bytes: Vec<u8>,
    /// How many of the bytes are the piece.
    length: usize,
}

impl Default for Piece {
    fn default() -> Self {
        Self { bytes: vec![0; AT_A_TIME], length: 0 }
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Returns the hash of all pieces, in lower-case hexadecimal digits.
fn hash(algorithm: Algorithm, pieces: &Receiver<Arc<Piece>>) -> String {
    match algorithm {
        Algorithm::Sha256 => digest::<Sha256>(pieces),
        Algorithm::Md5 => digest::<Md5>(pieces),
        Algorithm::Sha1 => digest::<Sha1>(pieces),
    }
}

fn digest<D: Digest>(pieces: &Receiver<Arc<Piece>>) -> String {
    let mut hasher = D::new();
    for piece in pieces {
        hasher.update(AsRef::<[u8]>::as_ref(&*piece));
    }
    hex(&hasher.finalize())
}
