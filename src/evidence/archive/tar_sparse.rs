//! The maps of sparse files as GNU tar writes them: in blocks behind the header (type S), or in lines before the data
//! (pax, 1.0). <https://www.gnu.org/software/tar/manual/html_node/Sparse-Formats.html>

use std::io;

use super::tar_cursor::Cursor;
use super::tar_header::{BLOCK, number};
use super::tar_pax::decimal;
use crate::evidence::content::fill;

/// The most ranges of all sparse members together.
pub(super) const MOST_RANGES: usize = 4_000_000;

/// The ranges of a file that an archive stores.
pub(super) struct Ranges {
    /// Offset and size of each, in bytes of the file.
    pub(super) pairs: Vec<(u64, u64)>,
    /// Bytes of the whole file.
    pub(super) size: u64,
}

/// A value, or the defect of a map in words.
type Read<T> = Result<T, String>;

/// Adds up to `count` pairs of fields of 12 bytes, from `start` on.
fn add(pairs: &mut Vec<(u64, u64)>, block: &[u8; BLOCK], start: usize, count: usize) -> Read<()> {
    let field = |at: usize| number(block.get(at..at.saturating_add(12)).unwrap_or_default());
    for at in (start..).step_by(24).take(count) {
        // An empty field marks the end of the ranges.
        if block.get(at) != Some(&0) {
            pairs.push((field(at)?, field(at.saturating_add(12))?));
        }
    }
    Ok(())
}

/// Reads the map of type S: four ranges in the header, 21 in each block behind it.
pub(super) fn in_blocks(cursor: &mut Cursor, header: &[u8; BLOCK]) -> io::Result<Read<Ranges>> {
    let mut pairs = Vec::new();
    let mut wrong = add(&mut pairs, header, 386, 4).err();
    let size = number(header.get(483..495).unwrap_or_default());
    let mut more = header.get(482) == Some(&1);
    while more {
        let mut block = [0; BLOCK];
        if fill(cursor, &mut block)? < BLOCK {
            return Ok(Err("the archive ends in its map of sparse ranges".to_owned()));
        }
        if pairs.len() <= MOST_RANGES {
            wrong = wrong.or(add(&mut pairs, &block, 0, 21).err());
        }
        more = block.get(504) == Some(&1);
    }
    let size = wrong.map_or(size, Err).map_err(|why| format!("its map of sparse ranges has {why}"));
    Ok(size.map(|size| Ranges { pairs, size }))
}

/// Reads the map of pax, 1.0: lines of numbers, the count first, padded to a block. The archive stores `stored` bytes
/// for the file, including the map.
pub(super) fn before_data(cursor: &mut Cursor, stored: u64) -> io::Result<Read<Vec<(u64, u64)>>> {
    let no_number = || Ok(Err("its map of sparse ranges has a line that is not a number".to_owned()));
    let start = cursor.at();
    let (mut line, mut numbers, mut count) = (Vec::new(), Vec::new(), None);
    loop {
        let mut block = [0; BLOCK];
        let read = cursor.at().saturating_sub(start);
        if read.saturating_add(BLOCK as u64) > stored || fill(cursor, &mut block)? < BLOCK {
            return Ok(Err("its map of sparse ranges does not end".to_owned()));
        }
        for byte in block {
            if byte != b'\n' {
                line.push(byte);
                if line.len() > 20 {
                    return no_number();
                }
                continue;
            }
            let Some(number) = decimal(&line) else { return no_number() };
            line.clear();
            match count {
                None => count = Some(number),
                Some(_) => numbers.push(number),
            }
            if numbers.len() / 2 > MOST_RANGES {
                return Ok(Err(format!("its map has more than {MOST_RANGES} sparse ranges")));
            }
            if numbers.len().is_multiple_of(2) && count == Some((numbers.len() / 2) as u64) {
                let pair = |pair: &[u64]| pair.first().copied().zip(pair.get(1).copied());
                return Ok(Ok(numbers.chunks_exact(2).filter_map(pair).collect()));
            }
        }
    }
}
