//! The attribute list of a file: the other records that continue its own.
//!
//! <https://flatcap.github.io/linux-ntfs/ntfs/attributes/attribute_list.html>

use std::io;
use std::sync::Arc;

use super::pairs;
use super::record::{ATTRIBUTE_LIST, Form, Reference, attributes};
use crate::evidence::block::{BlockRead, Blocks};
use crate::evidence::disk::field::{le16, le32, le64};
use crate::evidence::file_systems::runs::{Runs, Stored};
use crate::evidence::file_systems::wrong::bad;

/// The most bytes of an attribute list; Windows creates no longer ones.
const MOST_IN_LIST: u64 = 256 << 10;

/// A part of a file that its attribute list names.
pub(super) struct Listed {
    pub(super) kind: u32,
    /// The first cluster of this part, counted within the attribute.
    pub(super) first: u64,
    /// The record that contains the part.
    pub(super) record: Reference,
}

/// Returns the attribute list of a base record; empty if it has none.
pub(super) fn read(volume: &Blocks, cluster: u64, base: &[u8]) -> io::Result<Vec<Listed>> {
    let mut found = Vec::new();
    for attribute in attributes(base) {
        let attribute = attribute.map_err(bad)?;
        if attribute.kind != ATTRIBUTE_LIST {
            continue;
        }
        let bytes = match attribute.form {
            Form::Resident(bytes) => bytes.to_vec(),
            Form::Clusters { first, last, size, valid, pairs, .. } => {
                let mut runs = Runs::default();
                pairs::add(&mut runs, first, last, pairs, cluster).map_err(bad)?;
                if size > MOST_IN_LIST {
                    return Err(bad(format!("an attribute list of {size} bytes, more than Windows makes")));
                }
                let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
                Stored { volume: Arc::clone(volume), runs, size, valid }.read_exact_at(&mut bytes, 0)?;
                bytes
            }
        };
        let mut rest = bytes.as_slice();
        while let (Some(kind), Some(length)) = (le32(rest, 0), le16(rest, 4)) {
            let (Some(first), Some(record)) = (le64(rest, 8), Reference::read(rest, 16)) else { break };
            if length < 24 {
                return Err(bad("an entry of no length in an attribute list"));
            }
            found.push(Listed { kind, first, record });
            rest = rest.get(usize::from(length)..).unwrap_or_default();
        }
    }
    Ok(found)
}
