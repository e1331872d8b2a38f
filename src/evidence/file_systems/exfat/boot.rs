//! The boot region of an exFAT volume: eleven sectors, and one with their checksum (section 3).

use crate::evidence::block::Blocks;
use crate::evidence::disk::field::{le32, le64};

/// Sectors of the region; its backup follows.
const SECTORS: u64 = 12;
/// The most bytes of a cluster (section 3.1.15).
const MOST_IN_CLUSTER: u64 = 32 << 20;

/// The places of a volume's parts, in bytes from the volume's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Boot {
    /// The start of the active file allocation table, and its length.
    pub(super) table: (u64, u64),
    /// The start of the clusters.
    pub(super) heap: u64,
    /// The number of clusters.
    pub(super) count: u64,
    /// Bytes of a cluster.
    pub(super) cluster: u64,
    /// The first cluster of the root folder.
    pub(super) root: u64,
}

/// Reads the backup, whose place depends on the sector size.
pub(super) fn backup(volume: &Blocks) -> Result<Boot, String> {
    let mut found = Err("none was found".to_owned());
    for shift in 9..=12 {
        let at = SECTORS << shift;
        let mut name = [0; 8];
        if volume.read_exact_at(&mut name, at.saturating_add(3)).is_ok() && &name == b"EXFAT   " {
            found = read(volume, at);
            if found.is_ok() {
                break;
            }
        }
    }
    found
}

/// Reads the region at a place.
///
/// # Errors
/// Wrong values in the region.
pub(super) fn read(volume: &Blocks, at: u64) -> Result<Boot, String> {
    let mut first = [0; 512];
    volume.read_exact_at(&mut first, at).map_err(|error| error.to_string())?;
    let byte = |at: usize| first.get(at).copied().unwrap_or_default();
    let (sector_shift, cluster_shift) = (u32::from(byte(108)), u32::from(byte(109)));
    if !(9..=12).contains(&sector_shift) {
        return Err(format!("an exFAT boot sector with sectors of 2^{sector_shift} bytes, which is impossible"));
    }
    let sector = 1_u64 << sector_shift;
    let cluster = sector.checked_shl(cluster_shift).filter(|cluster| *cluster <= MOST_IN_CLUSTER && *cluster >= sector);
    let cluster = cluster.ok_or_else(|| {
        format!("an exFAT boot sector with 2^{cluster_shift} sectors in a cluster, which is impossible")
    })?;
    let mut region = vec![0; usize::try_from(sector.saturating_mul(SECTORS)).unwrap_or_default()];
    volume.read_exact_at(&mut region, at).map_err(|error| error.to_string())?;
    let summed = sector.saturating_mul(SECTORS.saturating_sub(1));
    let (summed, sums) = region.split_at_checked(usize::try_from(summed).unwrap_or_default()).unwrap_or_default();
    let sum = summed
        .iter()
        .enumerate()
        // The checksum excludes the flags and the percentage in use, which change while the volume is in use.
        .filter(|(at, _)| !matches!(at, 106 | 107 | 112))
        .fold(0_u32, |sum, (_, byte)| sum.rotate_right(1).wrapping_add(u32::from(*byte)));
    if le32(sums, 0) != Some(sum) {
        let stored = le32(sums, 0).unwrap_or_default();
        return Err(format!("its boot region's checksum is {stored:#x}, and that of its bytes {sum:#x}"));
    }
    let number = |at| u64::from(le32(&first, at).unwrap_or_default());
    let place = |at| number(at).saturating_mul(sector);
    let length = place(84);
    // The second table is active if it exists and the flag is set.
    let second = byte(110) == 2 && byte(106) & 1 != 0;
    let table = place(80).saturating_add(if second { length } else { 0 });
    let (heap, count, root) = (place(88), number(92), number(96));
    let size = le64(&first, 72).unwrap_or_default().saturating_mul(sector);
    if count == 0 || heap.saturating_add(count.saturating_mul(cluster)) > size || length / 4 < count.saturating_add(2) {
        return Err(format!("an exFAT boot sector with {count} clusters from {heap:#x} on, which is impossible"));
    }
    Ok(Boot { table: (table, length), heap, count, cluster, root })
}
