//! The boot sector of an NTFS volume: the sizes of its clusters, records and blocks, and the start of its $MFT.
//!
//! After "NTFS documentation" of the Linux-NTFS project, "Boot sector"
//! (<https://flatcap.github.io/linux-ntfs/ntfs/files/boot.html>).

use crate::evidence::disk::field::{le16, le64};

/// The most bytes of a record or an index block; the fewest are a sector.
const MOST_IN_BLOCK: u64 = 64 << 10;
/// The most bytes of a cluster; Windows creates no larger ones.
const MOST_IN_CLUSTER: u64 = 2 << 20;

/// The sizes of a volume's parts, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    /// Bytes of a cluster.
    pub(super) cluster: u64,
    /// Bytes of a record of the $MFT.
    pub(super) record: usize,
    /// Bytes of a block of a folder's index.
    pub(super) index: usize,
    /// The start of the $MFT, in bytes from the volume's start.
    pub(super) mft: u64,
    /// The start of the copy of its first records, in bytes from the volume's start.
    pub(super) mirror: u64,
}

/// Reads the boot sector.
///
/// # Errors
/// Which field is wrong.
pub(super) fn read(sector: &[u8]) -> Result<Geometry, String> {
    let byte = |at: usize| sector.get(at).copied().unwrap_or_default();
    let wrong = |what: &str, found: u64| format!("an NTFS boot sector with {found} {what}, which is impossible");
    let bytes = u64::from(le16(sector, 11).unwrap_or_default());
    if !bytes.is_power_of_two() || !(256..=4096).contains(&bytes) {
        return Err(wrong("bytes in a sector", bytes));
    }
    let sectors = match byte(13) {
        count @ 0..=0x80 => u64::from(count),
        // From 256 sectors on, the field is the negative exponent of a power of two.
        power => 1_u64.checked_shl(256_u32.saturating_sub(power.into())).unwrap_or_default(),
    };
    let cluster = bytes.saturating_mul(sectors);
    if !cluster.is_power_of_two() || cluster > MOST_IN_CLUSTER {
        return Err(wrong("bytes in a cluster", cluster));
    }
    let block = |at: usize, what: &str| {
        let size = match i8::from_le_bytes([byte(at)]) {
            count @ 1.. => cluster.saturating_mul(u64::from(count.unsigned_abs())),
            power => 1_u64.checked_shl(power.unsigned_abs().into()).unwrap_or_default(),
        };
        if size.is_power_of_two() && (512..=MOST_IN_BLOCK).contains(&size) {
            Ok(usize::try_from(size).unwrap_or_default())
        } else {
            Err(wrong(what, size))
        }
    };
    let place = |at: usize| le64(sector, at).and_then(|number| number.checked_mul(cluster)).unwrap_or(u64::MAX);
    Ok(Geometry {
        cluster,
        record: block(64, "bytes in a file record")?,
        index: block(68, "bytes in an index block")?,
        mft: place(48),
        mirror: place(56),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sector(bytes: u16, sectors: u8, record: u8, index: u8) -> Vec<u8> {
        let mut sector = vec![0; 512];
        sector[11..13].copy_from_slice(&bytes.to_le_bytes());
        (sector[13], sector[48], sector[56], sector[64], sector[68]) = (sectors, 4, 2, record, index);
        sector
    }

    #[test]
    fn sizes_are_counts_of_clusters_or_powers_of_two() {
        let read = |bytes, sectors, record, index| {
            read(&sector(bytes, sectors, record, index)).map(|read| (read.cluster, read.record, read.index, read.mft))
        };
        assert_eq!(read(512, 8, 0xf6, 1), Ok((4096, 1024, 4096, 16384)));
        assert_eq!(read(512, 0x80, 0xf6, 0xf4), Ok((65536, 1024, 4096, 4 * 65536)));
        assert_eq!(read(512, 0xf4, 0xf6, 0xf4), Ok((2 << 20, 1024, 4096, 8 << 20)));
        assert_eq!(read(4096, 1, 1, 1), Ok((4096, 4096, 4096, 16384)));
        for wrong in [(0, 8, 0xf6, 1), (512, 3, 0xf6, 1), (512, 0x90, 0xf6, 1), (512, 8, 0x7f, 1), (512, 8, 0xf6, 0)] {
            assert!(read(wrong.0, wrong.1, wrong.2, wrong.3).is_err(), "{wrong:?}");
        }
        assert!(super::read(&[]).is_err());
    }
}
