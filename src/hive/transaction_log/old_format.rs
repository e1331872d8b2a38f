//! The old format, before Windows 8.1: a bitmap of dirty sectors, then those sectors. It has no hashes; it can only be
//! checked that the result consists of whole bins.
//!
//! M. Suhanov, "Windows registry file format specification", sections "Dirty vector" and "Dirty pages". At the second
//! sector `DIRT`, then one bit for each 512 bytes of hive bins, the lowest bit of each byte first; from the next
//! sector on the dirty 512-byte pages in the bitmap's order.

use super::{MAX_DATA_SIZE, Page, dword};
use crate::error::Problem;
use crate::hive::base_block;

/// Bytes that one bit represents.
pub(in crate::hive) const PAGE: usize = 512;
/// The smallest size of a hive bin.
const BIN: usize = 4096;

/// Returns the dirty pages of a log whose vector is at offset `at`, by offset, with adjacent pages joined.
///
/// # Errors
/// Returns an error if the vector or a page that it marks is missing.
pub(in crate::hive) fn dirty_pages(log: &[u8], at: usize, data_size: u32) -> Result<Vec<Page<'_>>, Problem> {
    let vector = log.get(at..).unwrap_or_default();
    let fail =
        |offset: usize, what: &str, found: String| Err(Problem::at(at.saturating_add(offset) as u64, what, found));
    let Some(bits) = vector.strip_prefix(b"DIRT") else {
        let found = vector.get(..4).unwrap_or(vector);
        return fail(0, "a dirty vector (DIRT)", format!("\"{}\"", found.escape_ascii()));
    };
    if data_size == 0 || !data_size.is_multiple_of(4096) || data_size > MAX_DATA_SIZE {
        let what = format!("hive bins of a multiple of 4096 bytes, {MAX_DATA_SIZE} at most");
        return Err(Problem::at(40, what, format!("{data_size} bytes")));
    }
    // Eight bits a byte and 512 bytes a bit: a byte for each 4,096 bytes of hive bins.
    let length = usize::try_from(data_size).unwrap_or(usize::MAX) / BIN;
    let Some(bits) = bits.get(..length) else {
        return fail(4, "a dirty vector for all hive bins", format!("{} of {length} bytes", bits.len()));
    };
    let start = at.saturating_add(4).saturating_add(length).next_multiple_of(PAGE);
    let content = log.get(start..).unwrap_or_default();

    let mut runs: Vec<(usize, usize)> = Vec::new();
    let bit = |index: usize| bits.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1);
    for index in (0..length.saturating_mul(8)).filter(|index| bit(*index)) {
        match runs.last_mut() {
            Some((first, count)) if first.saturating_add(*count) == index => *count = count.saturating_add(1),
            _ => runs.push((index, 1)),
        }
    }
    let mut pages = Vec::with_capacity(runs.len());
    let mut taken = 0_usize;
    for (first, count) in runs {
        let end = taken.saturating_add(count.saturating_mul(PAGE));
        let offset = u32::try_from(first.saturating_mul(PAGE)).unwrap_or(u32::MAX);
        let Some(bytes) = content.get(taken..end) else {
            let found = format!("{} bytes: the log is truncated", content.len());
            return Err(Problem::at(start as u64, format!("dirty pages of at least {end} bytes"), found));
        };
        pages.push(Page { offset, bytes });
        taken = end;
    }
    if pages.is_empty() {
        return fail(4, "a dirty page", "none".to_owned());
    }
    Ok(pages)
}

/// Checks that every bin that begins in a dirty page is valid after the pages are written. Windows checks the same: the
/// signature, the bin's own offset, and its size.
///
/// # Errors
/// Returns the first bin that would be invalid.
pub(in crate::hive) fn check_bins(primary: &[u8], data_size: u32, pages: &[Page<'_>]) -> Result<(), Problem> {
    let data_size = usize::try_from(data_size).unwrap_or(usize::MAX);
    let mut at = 0_usize;
    // Whether a bin must begin at `at`. False after an invalid bin in the primary file.
    let mut in_step = true;
    while at < data_size {
        let place = at.saturating_add(base_block::SIZE);
        let dirty = in_pages(pages, at);
        match bin_size(dirty.or_else(|| primary.get(place..)).unwrap_or_default(), at) {
            Some(size) => {
                in_step = true;
                at = at.saturating_add(size);
            }
            None if dirty.is_some() && in_step => {
                let found = "none in the dirty page that the log has for it".to_owned();
                return Err(Problem::at(at as u64, format!("a hive bin (hbin) for {place:#x} in the hive"), found));
            }
            None => {
                in_step = false;
                at = at.saturating_add(BIN);
            }
        }
    }
    Ok(())
}

/// Returns the bytes in the pages from `at` on, counted from the first hive bin.
fn in_pages<'l>(pages: &[Page<'l>], at: usize) -> Option<&'l [u8]> {
    let start = |page: &Page<'_>| usize::try_from(page.offset).unwrap_or(usize::MAX);
    let index = pages.partition_point(|page| start(page) <= at).checked_sub(1)?;
    let page = pages.get(index)?;
    page.bytes.get(at.checked_sub(start(page))?..).filter(|bytes| !bytes.is_empty())
}

fn bin_size(bin: &[u8], at: usize) -> Option<usize> {
    let offset = usize::try_from(dword(bin, 4)?).ok()?;
    let size = usize::try_from(dword(bin, 8)?).ok()?;
    (bin.starts_with(b"hbin") && offset == at && size >= BIN && size.is_multiple_of(BIN)).then_some(size)
}
