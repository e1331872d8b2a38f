//! A folder's index: its names, in the order on the volume.
//!
//! All blocks that the index's own bitmap marks as used are read one after another, with all their names. So neither
//! the order of the names nor the tree of the blocks matters, and a loop in the tree has no effect.
//!
//! <https://flatcap.github.io/linux-ntfs/ntfs/concepts/index_record.html>

use std::io;
use std::ops::ControlFlow;

use super::parts::{DOS, FileName, file_name};
use super::record::{Reference, fix_up};
use crate::evidence::block::BlockRead;
use crate::evidence::disk::field::{le16, le32};

/// The offset of the header of entries in a block, and in the attribute $INDEX_ROOT.
const IN_BLOCK: usize = 24;
const IN_ROOT: usize = 16;
/// The most bytes of the bitmap: for four million blocks.
const MOST_IN_BITMAP: u64 = 512 << 10;
/// Bytes to read at a time.
const AT_A_TIME: usize = 1 << 20;

/// Receives the file and the name of each entry, or the problem of an unreadable one.
pub(super) type EachName<'e> = &'e mut dyn FnMut(Result<(Reference, FileName), String>) -> ControlFlow<()>;

/// Passes on the names in the attribute $INDEX_ROOT.
pub(super) fn root(bytes: &[u8], each: EachName<'_>) -> ControlFlow<()> {
    entries(bytes.get(IN_ROOT..).unwrap_or_default(), each)
}

/// Passes on the names in the used blocks. `size` is the size of a block in bytes.
pub(super) fn blocks(
    allocation: &dyn BlockRead,
    bitmap: &dyn BlockRead,
    size: usize,
    each: EachName<'_>,
) -> ControlFlow<()> {
    let length = usize::try_from(bitmap.size().min(MOST_IN_BITMAP)).unwrap_or_default();
    let mut used = vec![0; length];
    if bitmap.size() > MOST_IN_BITMAP {
        let why =
            format!("the folder's index has a bitmap of {} bytes, of which {MOST_IN_BITMAP} are read", bitmap.size());
        each(Err(why))?;
    }
    if let Err(error) = bitmap.read_exact_at(&mut used, 0) {
        each(Err(format!("the bitmap of the folder's index: {error}")))?;
        used.fill(0xff);
    }
    let is_used = |number: usize| used.get(number / 8).is_some_and(|byte| byte >> (number % 8) & 1 != 0);
    let count = usize::try_from(allocation.size()).unwrap_or(usize::MAX).checked_div(size).unwrap_or_default();
    let count = count.min(length.saturating_mul(8));
    let at_once = AT_A_TIME.checked_div(size).unwrap_or_default().max(1);
    let mut number = 0_usize;
    while number < count {
        if !is_used(number) {
            number = number.saturating_add(1);
            continue;
        }
        let end = count.min(number.saturating_add(at_once));
        let end = (number..end).find(|number| !is_used(*number)).unwrap_or(end);
        let mut bytes = vec![0; end.saturating_sub(number).saturating_mul(size)];
        let place = |number: usize| (number as u64).saturating_mul(size as u64);
        let whole = allocation.read_exact_at(&mut bytes, place(number)).is_ok();
        for (block, number) in bytes.chunks_mut(size).zip(number..end) {
            let read = if whole { Ok(()) } else { allocation.read_exact_at(block, place(number)) };
            let sound = read.and_then(|()| fix_up(block, *b"INDX").map_err(io::Error::other));
            match sound {
                Ok(()) => entries(block.get(IN_BLOCK..).unwrap_or_default(), &mut *each)?,
                Err(error) => each(Err(format!("block {number} of the folder's index: {error}")))?,
            }
        }
        number = end;
    }
    ControlFlow::Continue(())
}

/// Passes on the entries behind a header.
fn entries(bytes: &[u8], each: EachName<'_>) -> ControlFlow<()> {
    let size = |at: usize| le32(bytes, at).and_then(|number| usize::try_from(number).ok()).unwrap_or(usize::MAX);
    let (mut at, end) = (size(0), size(4).min(bytes.len()));
    loop {
        let rest = bytes.get(at..end).unwrap_or_default();
        let (Some(length), Some(flags)) = (le16(rest, 8), le16(rest, 12)) else {
            return each(Err("the folder's index is damaged: its entries do not end".to_owned()));
        };
        // The last entry has no name.
        if flags & 2 != 0 {
            return ControlFlow::Continue(());
        }
        let length = usize::from(length);
        let key = le16(rest, 10).and_then(|key| rest.get(16..length.min(usize::from(key).saturating_add(16))));
        let named = key.and_then(file_name).zip(Reference::read(rest, 0));
        match named {
            Some(((DOS, _), _)) => {}
            Some(((_, name), reference)) => each(Ok((reference, name)))?,
            None => each(Err("the folder's index is damaged: an entry reaches past its end".to_owned()))?,
        }
        if length < 16 {
            return each(Err("the folder's index is damaged: an entry of no length".to_owned()));
        }
        at = at.saturating_add(length);
    }
}
