//! The boot sector of a volume that BitLocker encrypts: as Windows Vista and as Windows 7 and later write it, and that
//! of BitLocker To Go, which looks like FAT32
//! (<https://github.com/libyal/libbde/blob/main/documentation/BitLocker%20Drive%20Encryption%20(BDE)%20format.asciidoc>).

use super::super::field::{byte, has, qword, word};
use super::super::reading::head;
use crate::evidence::block::Blocks;

/// The signature of the boot sector and of each metadata block.
const SIGNATURE: &[u8] = b"-FVE-FS-";
/// 4967d63b-2e29-4ad8-8399-f6a339e3d001: three places of metadata follow.
const IDENTIFIER: &[u8] =
    &[0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a, 0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0, 1];
/// 92a84d3b-dd80-4d0e-9e4e-b1e3284eaed8, of a volume with only the used space encrypted: the same places follow.
const USED_SPACE: &[u8] =
    &[0x3b, 0x4d, 0xa8, 0x92, 0x80, 0xdd, 0x0e, 0x4d, 0x9e, 0x4e, 0xb1, 0xe3, 0x28, 0x4e, 0xae, 0xd8];
/// The offset of the identifier: in a volume of a disk, and in a volume of BitLocker To Go.
const PLACES: [usize; 2] = [0xa0, 0x1a8];
/// The fewest bytes of a metadata block.
const METADATA: u64 = 0x1_0000;

/// Returns whether the boot sector is BitLocker's.
pub(in super::super) fn looks_like(bytes: &[u8]) -> bool {
    has(bytes, 3, SIGNATURE) || identifier(bytes).is_some()
}

/// Returns the offset of the identifier. A To Go volume has the name of FAT32, and a jump like every boot sector.
fn identifier(bytes: &[u8]) -> Option<usize> {
    let place = PLACES.into_iter().find(|at| has(bytes, *at, IDENTIFIER) || has(bytes, *at, USED_SPACE));
    place.filter(|_| matches!(byte(bytes, 0), 0xeb | 0xe9))
}

/// Returns the size in bytes of the volume that begins at `start` with this boot sector, from its metadata; `None` if
/// no metadata block is in its place.
pub(in super::super) fn size_at(bytes: &[u8], disk: &Blocks, start: u64) -> Option<u64> {
    let places: Vec<u64> = match identifier(bytes) {
        Some(at) => [16, 24, 32].into_iter().map(|behind: usize| qword(bytes, at.saturating_add(behind))).collect(),
        // Windows Vista stores the cluster.
        None if has(bytes, 3, SIGNATURE) => {
            let cluster = u64::from(word(bytes, 11)).saturating_mul(u64::from(byte(bytes, 13)));
            vec![qword(bytes, 56).saturating_mul(cluster)]
        }
        None => return None,
    };
    let last = places.iter().copied().max()?.saturating_add(METADATA);
    let metadata = places.iter().map(|place| head(disk, start.saturating_add(*place), 64));
    metadata.into_iter().find(|block| block.starts_with(SIGNATURE)).map(|block| qword(&block, 16).max(last))
}
