//! The description of the whole disk in the segments of an Expert Witness image, and whether the segments agree.

use std::io;

use super::field::{bytes, le32, le64};
use super::map::bad;
use crate::registry::hex;

/// The most bytes of a chunk. EnCase writes 32 KiB; ewfacquire up to 16 MiB.
const LARGEST_CHUNK: u64 = 64 << 20;
/// Bytes of a `volume`, `disk` or `data` section; the last 4 are its checksum.
const LENGTH: usize = 1052;

/// The disk, as a `volume`, `disk` or `data` section describes it ("Expert Witness Compression Format", libewf: the
/// volume section).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Volume {
    /// Bytes of a chunk.
    pub(super) chunk: u64,
    /// Bytes of the disk.
    pub(super) size: u64,
    /// The number of chunks by the writer; 0 if the writer did not state it.
    count: u32,
    sectors_in_chunk: u32,
    sector: u32,
    sectors: u64,
    /// The identifier that all segments of one acquisition share; zeros if the writer made none, as ewfacquire does.
    pub(super) identifier: [u8; 16],
}

impl Volume {
    /// Reads the body of a section of this kind.
    ///
    /// # Errors
    /// The body is too short, its checksum is wrong, or it describes no disk.
    pub(super) fn read(kind: &[u8], body: &[u8]) -> io::Result<Self> {
        let name = String::from_utf8_lossy(kind);
        if body.len() < LENGTH {
            return Err(bad(format!("a {name} section of the kind that SMART writes (S01)")));
        }
        sum_of(body, LENGTH.saturating_sub(4)).ok_or_else(|| bad(format!("{name} section: wrong checksum")))?;
        let number = |at| le32(body, at).unwrap_or_default();
        let (count, sectors_in_chunk, sector) = (number(4), number(8), number(12));
        let sectors = le64(body, 16).unwrap_or_default();
        let identifier = bytes::<16>(body, 64).unwrap_or_default();
        let chunk = u64::from(sectors_in_chunk).saturating_mul(u64::from(sector));
        let size = sectors.checked_mul(u64::from(sector)).filter(|_| (1..=LARGEST_CHUNK).contains(&chunk));
        let wrong = || bad(format!("{sectors} sectors of {sector} bytes, {sectors_in_chunk} a chunk"));
        Ok(Self { chunk, size: size.ok_or_else(wrong)?, count, sectors_in_chunk, sector, sectors, identifier })
    }

    /// Returns the number of the disk's chunks.
    ///
    /// # Errors
    /// The writer stated another number: the number that the size requires, and the stated one.
    pub(super) fn chunks(&self) -> Result<u64, (u64, u32)> {
        let needed = self.size.div_ceil(self.chunk.max(1));
        if self.count == 0 || u64::from(self.count) == needed { Ok(needed) } else { Err((needed, self.count)) }
    }

    /// Merges the description in another section of the same disk. A number or an identifier of zeros was unknown to
    /// the writer and contradicts nothing.
    ///
    /// # Errors
    /// The first field that differs: its value here, and its value there.
    pub(super) fn with(self, other: Self) -> Result<Self, (String, String)> {
        let fields = [
            ("chunks", u64::from(self.count), u64::from(other.count)),
            ("sectors in a chunk", self.sectors_in_chunk.into(), other.sectors_in_chunk.into()),
            ("bytes in a sector", self.sector.into(), other.sector.into()),
            ("sectors", self.sectors, other.sectors),
        ];
        if self.identified() && other.identified() && self.identifier != other.identifier {
            let words = |identifier: &[u8]| format!("set identifier {}", hex(identifier));
            return Err((words(&self.identifier), words(&other.identifier)));
        }
        for (name, one, another) in fields {
            if one != 0 && another != 0 && one != another {
                return Err((format!("{one} {name}"), format!("{another} {name}")));
            }
        }
        let identifier = if self.identified() { self.identifier } else { other.identifier };
        let count = if self.count == 0 { other.count } else { self.count };
        // The first section may not know the disk's size yet; then a later section has it.
        let (sectors, size) = if self.sectors == 0 { (other.sectors, other.size) } else { (self.sectors, self.size) };
        Ok(Self { size, count, sectors, identifier, ..self })
    }

    /// Returns whether the writer made an identifier for the set.
    pub(super) fn identified(&self) -> bool {
        self.identifier != [0; 16]
    }
}

/// Checks that the number at `at` is the checksum of the bytes before it.
pub(super) fn sum_of(data: &[u8], at: usize) -> Option<()> {
    (le32(data, at)? == adler32(data.get(..at)?)).then_some(())
}

/// Returns the Adler-32 checksum (RFC 1950).
pub(super) fn adler32(data: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    // This many bytes cannot overflow the 32-bit sums.
    for part in data.chunks(5552) {
        for byte in part {
            low = low.wrapping_add(u32::from(*byte));
            high = high.wrapping_add(low);
        }
        low %= 65521;
        high %= 65521;
    }
    (high << 16) | low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(count: u32, sectors_in_chunk: u32, sectors: u64, identifier: u8) -> Vec<u8> {
        let mut body = vec![0; LENGTH];
        body[4..8].copy_from_slice(&count.to_le_bytes());
        body[8..12].copy_from_slice(&sectors_in_chunk.to_le_bytes());
        body[12..16].copy_from_slice(&512_u32.to_le_bytes());
        body[16..24].copy_from_slice(&sectors.to_le_bytes());
        body[64..80].fill(identifier);
        let sum = adler32(&body[..1048]);
        body[1048..].copy_from_slice(&sum.to_le_bytes());
        body
    }

    fn volume(count: u32, sectors_in_chunk: u32, sectors: u64, identifier: u8) -> Volume {
        Volume::read(b"data", &section(count, sectors_in_chunk, sectors, identifier)).unwrap()
    }

    #[test]
    fn sections_of_one_disk_agree_and_those_of_two_do_not() {
        let first = volume(4, 64, 200, 0xaa);
        assert_eq!(first.with(first), Ok(first));
        // An unknown field contradicts nothing, and takes the value of the other section.
        assert_eq!(first.with(volume(4, 64, 200, 0)), Ok(first));
        assert_eq!(volume(0, 64, 200, 0).with(first), Ok(first));
        assert_eq!(volume(0, 64, 0, 0).with(first), Ok(first));
        for (other, said) in [
            (volume(4, 64, 200, 0xbb), format!("set identifier {}", "bb".repeat(16))),
            (volume(5, 64, 200, 0xaa), "5 chunks".to_owned()),
            (volume(4, 32, 200, 0xaa), "32 sectors in a chunk".to_owned()),
            (volume(4, 64, 201, 0), "201 sectors".to_owned()),
        ] {
            assert_eq!(first.with(other).unwrap_err().1, said);
        }
    }

    #[test]
    fn a_count_of_chunks_is_that_of_the_size_or_unknown() {
        assert_eq!((volume(4, 64, 200, 0).chunks(), volume(0, 64, 200, 0).chunks()), (Ok(4), Ok(4)));
        assert_eq!((volume(5, 64, 200, 0).chunks(), volume(3, 64, 200, 0).chunks()), (Err((4, 5)), Err((4, 3))));
    }

    #[test]
    fn a_damaged_or_short_section_is_refused() {
        let whole = section(4, 64, 200, 1);
        let mut damaged = whole.clone();
        damaged[70] ^= 1;
        assert!(Volume::read(b"data", &damaged).unwrap_err().to_string().contains("data section: wrong checksum"));
        assert!(Volume::read(b"data", &whole[..94]).is_err() && Volume::read(b"data", &section(4, 0, 200, 1)).is_err());
    }

    #[test]
    fn adler32_is_that_of_the_rfc() {
        assert_eq!((adler32(b""), adler32(b"Wikipedia")), (1, 0x11e6_0398));
        assert_eq!(adler32(&vec![0xff; 1 << 20]), {
            let low = (1_u64 + 255 * (1 << 20)) % 65521;
            let high = (0..1_u64 << 20).fold(0, |sum, at| (sum + 1 + 255 * (at + 1)) % 65521);
            u32::try_from(high << 16 | low).unwrap()
        });
    }
}
