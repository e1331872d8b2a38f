//! Disks inside image files: read in place, by position, whatever format the image has.
//!
//! Each format is read by code of our own that refuses what it does not know and checks what the format lets it check: a
//! wrong byte without an error would be the worst that could happen here.

#![allow(dead_code, reason = "for the formats that come next")]

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block::Blocks;
use crate::error::Problem;

mod beside;
mod ewf;
mod ewf_segment;
mod field;
mod kept;
pub mod keramics;
mod kind;
mod map;
mod split;
mod stored;

use beside::Beside;
pub use kind::{Kind, Refusal, refusal};
pub use stored::{Algorithm, Checked, StoredHash};

/// A disk, opened.
pub struct Disk {
    /// What the image is.
    pub kind: Kind,
    /// The disk's bytes.
    pub blocks: Blocks,
    /// Every file that was opened for it, the one that the user named first.
    pub files: Vec<PathBuf>,
    /// Hashes of the disk that the image holds.
    pub stored: Vec<StoredHash>,
    /// What a report should say of the image, in plain words.
    pub facts: Vec<String>,
}

/// Opens the image at `path` and those that it needs.
///
/// # Errors
/// That it cannot be read, is of a kind that is not read, or cannot be read rightly; with the command that helps.
pub fn open(path: &Path) -> Result<Disk, Problem> {
    let (mut beside, file) = Beside::open(path)?;
    let mut stored = Vec::new();
    let (kind, blocks) = image(&mut beside, path, file, &mut stored)?;
    let (files, facts) = beside.into_parts();
    Ok(Disk { kind, blocks, files, stored, facts })
}

/// Opens one image of a chain.
fn image(
    beside: &mut Beside,
    path: &Path,
    file: Blocks,
    stored: &mut Vec<StoredHash>,
) -> Result<(Kind, Blocks), Problem> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (beginning, end) = ends(&file).map_err(|error| beside.unreadable(&error))?;
    if let Some(Refusal { what, advice }) = refusal(&beginning, &end) {
        return Err(beside.problem("a disk image that is read here", what).advise(advice));
    }
    let Some(kind) = Kind::of(&beginning, &end, &name) else {
        return Err(beside.problem("a disk image", "none that is known"));
    };
    let blocks: Blocks = match kind {
        Kind::Raw => file,
        Kind::SplitRaw => Arc::new(split::open(beside, &name, file)?),
        Kind::Ewf => ewf::open(beside, &name, file, stored)?,
        Kind::Vhd | Kind::Vmdk | Kind::Vdi | Kind::Vhdx | Kind::Qcow2 => {
            let problem = beside.problem("a disk image that is read here", format!("{kind}"));
            return Err(problem.advise("convert it: qemu-img convert -O raw IN OUT.raw"));
        }
    };
    Ok((kind, blocks))
}

/// The first KiB of a file and its last 512 bytes, or what there is.
fn ends(file: &Blocks) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let part = |start: u64, most: u64| {
        let length = usize::try_from(file.size().saturating_sub(start).min(most)).unwrap_or_default();
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, start).map(|()| bytes)
    };
    Ok((part(0, 1024)?, part(file.size().saturating_sub(512), 512)?))
}
