//! The file systems of volumes, each read by code of our own, as [`FileSystem`].

use super::block::Blocks;
use super::file_system::FileSystem;

pub mod content;
pub mod ntfs;
mod told;

/// Opens the file system of a volume; `None` where its first sector is that of none that is read.
///
/// # Errors
/// What of it cannot be read.
pub fn open(volume: &Blocks) -> Result<Option<Box<dyn FileSystem>>, String> {
    let mut sector = [0; 512];
    volume.read_exact_at(&mut sector, 0).map_err(|error| error.to_string())?;
    let name = sector.get(3..11).unwrap_or_default();
    if name == b"NTFS    " {
        return Ok(Some(Box::new(ntfs::Ntfs::open(volume)?)));
    }
    Ok(None)
}
