//! The file systems of volumes, each read by our own code, as [`FileSystem`].

use super::block::Blocks;
use super::file_system::FileSystem;
use super::volume::{VolumeKind, file_system_of};

mod clusters;
pub mod exfat;
pub mod ext;
pub mod fat;
pub mod ntfs;
mod runs;
mod told;
mod walk;
mod wrong;

/// Opens the file system of a volume; `None` if the volume does not begin as a supported file system.
///
/// # Errors
/// Unreadable structures of the file system.
pub fn open(volume: &Blocks) -> Result<Option<Box<dyn FileSystem>>, String> {
    Ok(Some(match file_system_of(volume) {
        VolumeKind::Ntfs => Box::new(ntfs::Ntfs::open(volume)?),
        VolumeKind::ExFat => Box::new(exfat::ExFat::open(volume)?),
        VolumeKind::Fat => Box::new(fat::Fat::open(volume)?),
        VolumeKind::Ext => Box::new(ext::Ext::open(volume)?),
        VolumeKind::BitLocker | VolumeKind::Irrelevant(_) | VolumeKind::Refused { .. } | VolumeKind::Unknown => {
            return Ok(None);
        }
    }))
}
