//! The boot sector of a BitLocker volume: its layout, and the places of the metadata.
//!
//! <https://github.com/libyal/libbde/blob/main/documentation/BitLocker%20Drive%20Encryption%20(BDE)%20format.asciidoc>,
//! "Volume header".

use super::bytes::le64s;
use crate::evidence::disk::field::{bytes, le16, le64};

/// The signature of Vista's and Windows 7's boot sectors, and of every metadata block.
pub(super) const SIGNATURE: [u8; 8] = *b"-FVE-FS-";
/// {4967d63b-2e29-4ad8-8399-f6a339e3d001}: three offsets of metadata blocks follow.
const METADATA: [u8; 16] =
    [0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a, 0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0, 0x01];
/// {92a84d3b-dd80-4d0e-9e4e-b1e3284eaed8}: the same, and two offsets of the records of an unfinished conversion.
const CONVERTING: [u8; 16] =
    [0x3b, 0x4d, 0xa8, 0x92, 0x80, 0xdd, 0x0e, 0x4d, 0x9e, 0x4e, 0xb1, 0xe3, 0x28, 0x4e, 0xae, 0xd8];
/// The offset of a GUID: in a boot sector of Windows 7 and later, and in a boot sector of BitLocker To Go.
const PLACES: [usize; 2] = [0xa0, 0x1a8];
/// The possible sizes of a sector, in bytes.
const SECTORS: [u16; 4] = [512, 1024, 2048, 4096];

/// The places of the metadata, in bytes from the volume's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Places {
    /// Windows Vista: the first block, which has the places of the others.
    Vista(u64),
    /// Windows 7 and later.
    Blocks([u64; 3]),
    /// Windows 8 and later, during an encryption or decryption: metadata blocks, and records of the conversion.
    Converting([u64; 3], [u64; 2]),
}

/// The fields of a boot sector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Boot {
    pub(super) places: Places,
    /// Bytes of a sector; `None` if the field is empty, as for exFAT.
    pub(super) sector: Option<u64>,
    /// Bytes of a cluster.
    pub(super) cluster: u64,
    /// The number of sectors by the NTFS field, which does not count the last one; for Vista.
    pub(super) sectors: u64,
    /// Whether this is a removable volume with a FAT file system beside the encrypted one.
    pub(super) to_go: bool,
}

/// Returns whether this is the first sector of a BitLocker volume, locked or not.
pub fn is_bitlocker(first_sector: &[u8]) -> bool {
    read(first_sector).is_some()
}

/// Reads a boot sector; `None` if it is not BitLocker's.
pub(super) fn read(sector: &[u8]) -> Option<Boot> {
    let signed = bytes(sector, 3) == Some(SIGNATURE);
    let to_go = bytes(sector, 3) == Some(*b"MSWIN4.1");
    let places = PLACES.iter().find_map(|place| places(sector, *place));
    let size = le16(sector, 11)?;
    let known = SECTORS.contains(&size).then_some(u64::from(size));
    let cluster = u64::from(size).saturating_mul(u64::from(*sector.get(13)?));
    let places = match places {
        Some(places) if signed || to_go => places,
        // Vista's boot sector has no GUID; the field for the second copy of the $MFT has the place of the metadata.
        None if signed => Places::Vista(le64(sector, 56)?.checked_mul(cluster).filter(|at| *at != 0)?),
        _ => return None,
    };
    Some(Boot { places, sector: known, cluster, sectors: le64(sector, 40)?, to_go })
}

fn places(sector: &[u8], at: usize) -> Option<Places> {
    let blocks = le64s(sector, at.checked_add(16)?)?;
    match bytes(sector, at)? {
        METADATA => Some(Places::Blocks(blocks)),
        CONVERTING => Some(Places::Converting(blocks, le64s(sector, at.checked_add(40)?)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sector(signature: &[u8], guid: Option<(usize, [u8; 16])>) -> Vec<u8> {
        let mut sector = vec![0; 512];
        sector[3..11].copy_from_slice(signature);
        sector[11..14].copy_from_slice(&[0, 2, 8]);
        if let Some((at, guid)) = guid {
            sector[at..at + 16].copy_from_slice(&guid);
            for place in 0..5 {
                sector[at + 16 + 8 * place] = 1 + u8::try_from(place).unwrap();
            }
        }
        sector
    }

    #[test]
    fn every_layout_is_known_by_its_signature_and_guid() {
        let places = |sector: &[u8]| read(sector).map(|boot| boot.places);
        assert_eq!(places(&sector(b"-FVE-FS-", Some((0xa0, METADATA)))), Some(Places::Blocks([1, 2, 3])));
        let converting = Some(Places::Converting([1, 2, 3], [4, 5]));
        assert_eq!(places(&sector(b"-FVE-FS-", Some((0xa0, CONVERTING)))), converting);
        assert_eq!(places(&sector(b"MSWIN4.1", Some((0x1a8, CONVERTING)))), converting);
        let to_go = read(&sector(b"MSWIN4.1", Some((0x1a8, METADATA)))).unwrap();
        assert_eq!((to_go.places, to_go.to_go, to_go.sector), (Places::Blocks([1, 2, 3]), true, Some(512)));
        let mut vista = sector(b"-FVE-FS-", None);
        assert_eq!(places(&vista), None);
        vista[56] = 5;
        assert_eq!(places(&vista), Some(Places::Vista(5 * 4096)));
        vista[60..64].fill(0xff);
        assert_eq!(places(&vista), None);
        assert_eq!(places(&sector(b"MSWIN4.1", None)), None);
        assert_eq!(places(&sector(b"NTFS    ", Some((0xa0, METADATA)))), None);
        assert!(!is_bitlocker(b"-FVE-FS-") && !is_bitlocker(&[]));
    }

    #[test]
    fn an_empty_sector_size_is_not_taken_for_one() {
        let mut exfat = sector(b"-FVE-FS-", Some((0xa0, METADATA)));
        exfat[11..14].fill(0);
        assert_eq!(read(&exfat).unwrap().sector, None);
    }
}
