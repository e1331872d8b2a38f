//! The $MFT as a file: it contains all records.

use std::io;
use std::sync::Arc;

use super::boot::Geometry;
use super::record::{DATA, Form, attributes, fix_up};
use super::{list, pairs};
use crate::evidence::block::{BlockRead, Blocks};
use crate::evidence::file_systems::runs::{Runs, Stored};
use crate::evidence::file_systems::wrong::bad;

/// Returns the first record, or its copy and the reason for using it.
///
/// # Errors
/// Both are damaged.
pub(super) fn first(volume: &Blocks, geometry: &Geometry) -> Result<(Vec<u8>, Option<String>), String> {
    let read = |at: u64| {
        let mut bytes = vec![0; geometry.record];
        volume.read_exact_at(&mut bytes, at).map_err(|error| error.to_string())?;
        fix_up(&mut bytes, *b"FILE")?;
        Ok::<_, String>(bytes)
    };
    let why = match read(geometry.mft) {
        Ok(bytes) => return Ok((bytes, None)),
        Err(why) => why,
    };
    let copy = read(geometry.mirror).map_err(|copy| {
        format!("the first record of its $MFT is damaged ({why}), and so is its copy in $MFTMirr ({copy})")
    })?;
    Ok((copy, Some(format!("the first record of the $MFT is damaged ({why}); its copy in $MFTMirr was read"))))
}

/// Returns the bytes of the $MFT, by its first record and those that continue it, which are in the part already known.
pub(super) fn read(volume: &Blocks, geometry: &Geometry, base: &[u8]) -> io::Result<Stored> {
    let mut mft = Stored { volume: Arc::clone(volume), runs: Runs::default(), size: 0, valid: 0 };
    let add = |mft: &mut Stored, record: &[u8]| {
        for attribute in attributes(record) {
            let attribute = attribute.map_err(bad)?;
            if let (DATA, true, Form::Clusters { first, last, size, valid, pairs, .. }) =
                (attribute.kind, attribute.name.is_empty(), attribute.form)
            {
                pairs::add(&mut mft.runs, first, last, pairs, geometry.cluster).map_err(bad)?;
                if first == 0 {
                    (mft.size, mft.valid) = (size, valid);
                }
            }
        }
        Ok::<_, io::Error>(())
    };
    add(&mut mft, base)?;
    let mut parts = list::read(volume, geometry.cluster, base)?;
    parts.retain(|part| part.kind == DATA && part.first > 0);
    parts.sort_by_key(|part| part.first);
    for part in parts {
        // One record may contain several parts.
        if part.first.saturating_mul(geometry.cluster) < mft.runs.end() {
            continue;
        }
        let mut bytes = vec![0; geometry.record];
        mft.read_exact_at(&mut bytes, part.record.number.saturating_mul(geometry.record as u64))?;
        fix_up(&mut bytes, *b"FILE").map_err(bad)?;
        add(&mut mft, &bytes)?;
    }
    if mft.size == 0 || mft.runs.end() < mft.size.min(mft.valid) {
        return Err(bad(format!("a size of {} bytes, but clusters for {}", mft.size, mft.runs.end())));
    }
    if mft.runs.stored() > volume.size() {
        return Err(bad(format!("{} bytes on a volume of {}", mft.runs.stored(), volume.size())));
    }
    Ok(mft)
}
