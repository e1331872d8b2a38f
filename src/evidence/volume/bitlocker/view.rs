//! The decrypted bytes of a volume, by position.

use std::io;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::cipher::Cipher;
use super::layout::{Layout, Source};
use crate::evidence::block::{BlockRead, Blocks};

/// The most bytes to read and decrypt at once.
const MOST_AT_ONCE: usize = 16 << 20;
/// Bytes per thread from which on more threads decrypt.
const BYTES_FOR_A_THREAD: usize = 256 << 10;
const MOST_THREADS: usize = 4;
/// Bytes of stack for a thread that only decrypts.
const STACK: usize = 128 << 10;

/// A volume with its key.
pub(super) struct View {
    pub(super) volume: Blocks,
    pub(super) layout: Layout,
    /// `None` for an unencrypted volume.
    pub(super) cipher: Option<Cipher>,
    pub(super) sector: u64,
    /// The cluster of the second copy of the $MFT, which Vista stores in its metadata.
    pub(super) mirror: u64,
}

impl View {
    /// Reads sectors from `at` on into all of `buffer`, or a part of the first sector.
    fn encrypted(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let Some(cipher) = &self.cipher else { return Err(unclear(at, "it is encrypted, and there is no key")) };
        let sector = usize::try_from(self.sector).unwrap_or(usize::MAX);
        let within = usize::try_from(at.checked_rem(self.sector).unwrap_or_default()).unwrap_or_default();
        if within == 0 && buffer.len() >= sector {
            let most = buffer.len().min(MOST_AT_ONCE);
            let whole = most.saturating_sub(most.checked_rem(sector).unwrap_or_default());
            let buffer = buffer.get_mut(..whole).unwrap_or_default();
            let read = self.fill(buffer, at, sector)?;
            let sectors = buffer.get_mut(..read).unwrap_or_default();
            decrypt(cipher, sectors, at, sector);
            return Ok(read);
        }
        let mut one = [0; 4096];
        let one = one.get_mut(..sector).unwrap_or_default();
        let start = at.saturating_sub(within as u64);
        self.volume.read_exact_at(one, start)?;
        cipher.decrypt(one, start);
        Ok(copy(one, within, buffer))
    }

    /// Reads whole sectors: as many as are readable, at least one.
    fn fill(&self, buffer: &mut [u8], at: u64, sector: usize) -> io::Result<usize> {
        let mut filled = 0_usize;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.volume.read_at(rest, at.saturating_add(filled as u64)) {
                Ok(0) => break,
                Ok(count) => filled = filled.saturating_add(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) if filled >= sector => break,
                Err(error) => return Err(error),
            }
        }
        if filled < sector {
            let told = format!("{sector} bytes of a sector at {at:#x} expected, but the volume ends there");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, told));
        }
        Ok(filled.saturating_sub(filled.checked_rem(sector).unwrap_or_default()))
    }

    /// Reads the boot sector at `start`, and restores the fields that Vista changed in it.
    fn vista_boot(&self, buffer: &mut [u8], start: u64, within: usize) -> io::Result<usize> {
        let mut boot = [0; 4096];
        let boot = boot.get_mut(..usize::try_from(self.sector).unwrap_or_default()).unwrap_or_default();
        self.volume.read_exact_at(boot, start)?;
        for (at, field) in [(3, *b"NTFS    "), (56, self.mirror.to_le_bytes())] {
            boot.iter_mut().skip(at).zip(field).for_each(|(to, from)| *to = from);
        }
        Ok(copy(boot, within, buffer))
    }
}

/// Copies the bytes of `from`, from `within` on.
fn copy(from: &[u8], within: usize, to: &mut [u8]) -> usize {
    let from = from.get(within..).unwrap_or_default();
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    from.len().min(to.len())
}

/// Decrypts whole sectors; many of them with several threads.
///
/// Not with rayon: a waiting thread there starts other work, and may reach a lock that its own caller holds.
fn decrypt(cipher: &Cipher, sectors: &mut [u8], at: u64, sector: usize) {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = sectors.len().checked_div(BYTES_FOR_A_THREAD).unwrap_or_default().min(cores).min(MOST_THREADS);
    if threads < 2 {
        return cipher.decrypt(sectors, at);
    }
    let share = sectors.len().div_ceil(threads).next_multiple_of(sector);
    let starts = (0_u64..).map(|number| at.saturating_add(number.saturating_mul(share as u64)));
    // This thread also decrypts the shares for which no thread could be started.
    let shares: Mutex<Vec<(&mut [u8], u64)>> = Mutex::new(sectors.chunks_mut(share).zip(starts).collect());
    let next = || shares.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let work = || {
        while let Some((sectors, at)) = next() {
            cipher.decrypt(sectors, at);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            let _ = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        }
        work();
    });
}

fn unclear(at: u64, why: &str) -> io::Error {
    let told = format!("the BitLocker volume's part at {at:#x} cannot be decrypted: {why}");
    io::Error::new(io::ErrorKind::InvalidData, told)
}

impl BlockRead for View {
    fn size(&self) -> u64 {
        self.volume.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.size().saturating_sub(offset);
        if left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let (source, most) = self.layout.source(offset);
        let count = buffer.len().min(usize::try_from(left.min(most)).unwrap_or(usize::MAX));
        let buffer = buffer.get_mut(..count).unwrap_or_default();
        match source {
            Source::Encrypted(at) => self.encrypted(buffer, at),
            Source::Plain(at) => match self.volume.read_at(buffer, at)? {
                0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("the volume ends before {at:#x}"))),
                read => Ok(read),
            },
            Source::VistaBoot(start) => {
                let within = usize::try_from(offset.saturating_sub(start)).unwrap_or(usize::MAX);
                self.vista_boot(buffer, start, within)
            }
            Source::Zeros => {
                buffer.fill(0);
                Ok(count)
            }
            Source::Unclear(why) => Err(unclear(offset, why)),
        }
    }
}
