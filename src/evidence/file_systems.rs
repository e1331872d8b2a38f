//! The file systems of volumes, each read by code of our own, as [`FileSystem`].

use super::block::Blocks;
use super::file_system::FileSystem;

mod clusters;
pub mod exfat;
pub mod ext;
pub mod fat;
pub mod ntfs;
mod runs;
mod told;
mod walk;
mod wrong;

/// Opens the file system of a volume; `None` where it begins as none that is read.
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
    if name == b"EXFAT   " {
        return Ok(Some(Box::new(exfat::ExFat::open(volume)?)));
    }
    if super::volume::is_file_system(&sector) && name != b"-FVE-FS-" {
        return Ok(Some(Box::new(fat::Fat::open(volume)?)));
    }
    if ext::is_ext(volume).map_err(|error| error.to_string())? {
        return Ok(Some(Box::new(ext::Ext::open(volume)?)));
    }
    Ok(None)
}
