//! The base block: the first 4,096 bytes of a hive, which this module reads before anything else is trusted.
//!
//! Layout and the meaning of "dirty": M. Suhanov, "Windows registry file format specification", section "Base block".
//! <https://github.com/msuhanov/regf/blob/master/Windows%20registry%20file%20format%20specification.md>

use crate::error::{Code, Problem};
use crate::registry::FileTime;

/// Bytes of the base block in a primary file. The hive bins follow, and cell offsets count from there.
pub const SIZE: usize = 4096;
/// The size of a hive bin is a multiple of this many bytes.
const PAGE: u32 = 4096;
/// The offset of the first cell in the first bin, after the bin's header. Windows stores the root key there.
const FIRST_CELL: u32 = 32;
/// The flag of a root key, in the low byte of a key node's flags.
const ROOT: u8 = 4;

/// Returns whether a hive bin begins at the start of `bytes`.
pub(crate) fn begins_bin(bytes: &[u8]) -> bool {
    bytes.starts_with(b"hbin")
}

/// The fields of a base block. Offsets in `root_offset` count from the end of the base block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseBlock {
    /// `regf`, unless the signature is lost.
    pub signature: [u8; 4],
    /// Incremented before a write to the hive.
    pub primary_sequence: u32,
    /// Set to the primary number when the write is complete.
    pub secondary_sequence: u32,
    /// When the hive was last written, 100 ns since 1601.
    pub last_written: FileTime,
    /// Major version of the format, 1.
    pub major: u32,
    /// Minor version of the format: 3 (NT 4, 2000, and `reg save`), 5 (XP and later), 6 (layered keys).
    pub minor: u32,
    /// 0 for a primary file; 1, 2 or 6 for a transaction log.
    pub file_type: u32,
    /// 1: direct memory load.
    pub file_format: u32,
    /// The offset of the root key node, in bytes from the first hive bin.
    pub root_offset: u32,
    /// Bytes of hive bins.
    pub data_size: u32,
    /// Clustering factor, 1.
    pub clustering: u32,
    /// The end of the path of the hive when Windows last loaded it. It comes from the evidence and is not trusted.
    pub file_name: String,
    /// The id of the resource manager, unique for each hive since Windows Vista. Arbitrary in older hives, often zeros.
    pub resource_manager: [u8; 16],
    /// When Windows 8 or later last reorganized the hive. In older hives 0 or arbitrary.
    pub last_reorganized: FileTime,
    /// The checksum as stored.
    pub checksum_stored: u32,
    /// The checksum computed from the bytes.
    pub checksum_computed: u32,
}

impl BaseBlock {
    /// Reads the base block at the start of `bytes`: a hive, or a transaction log (whose base block is 512 bytes).
    ///
    /// # Errors
    /// Returns an error if there are fewer than 512 bytes or no `regf` signature. Then this is not a hive.
    pub fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let Some(header) = bytes.first_chunk::<512>() else {
            return Err(Problem::at(0, "a base block of 4096 bytes", format!("{} bytes", bytes.len())));
        };
        if !header.starts_with(b"regf") {
            let signature = header.get(..4).unwrap_or_default();
            return Err(Problem::at(
                0,
                "the signature \"regf\" of a hive",
                format!("\"{}\"", signature.escape_ascii()),
            ));
        }
        Ok(Self::fields(header))
    }

    /// Reconstructs the base block of a primary file that has lost its own. This is possible if the first hive bin
    /// follows and begins with the root key, as in every hive that Windows wrote. Remaining fields of the lost base
    /// block are kept if they are plausible.
    pub(super) fn lost(file: &[u8]) -> Option<Self> {
        let bins = file.get(SIZE..)?;
        let is_root = |offset: u32| {
            let cell = usize::try_from(offset).ok().and_then(|offset| bins.get(offset..)?.first_chunk::<8>());
            cell.is_some_and(|cell| cell.get(4..6) == Some(b"nk") && cell.get(6).is_some_and(|flags| flags & ROOT != 0))
        };
        if !begins_bin(bins) || !is_root(FIRST_CELL) {
            return None;
        }
        let left = Self::fields(file.first_chunk()?);
        let whole = u32::try_from(bins.len()).unwrap_or(u32::MAX);
        let whole_pages = whole.saturating_sub(whole % PAGE);
        Some(Self {
            major: 1,
            minor: if left.major == 1 && (3..=6).contains(&left.minor) { left.minor } else { 5 },
            file_type: 0,
            file_format: 1,
            clustering: 1,
            root_offset: if is_root(left.root_offset) { left.root_offset } else { FIRST_CELL },
            data_size: if (PAGE..=whole).contains(&left.data_size) { left.data_size } else { whole_pages },
            ..left
        })
    }

    /// Returns the fields as stored, without checking them.
    pub(super) fn fields(header: &[u8; 512]) -> Self {
        let dword = |offset: usize| -> u32 {
            let end = offset.saturating_add(4);
            header.get(offset..end).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
        };
        let time =
            |offset: usize| FileTime(u64::from(dword(offset)) | u64::from(dword(offset.saturating_add(4))) << 32);
        let name = header.get(48..112).unwrap_or_default().as_chunks::<2>().0;
        let name: Vec<u16> = name.iter().map(|unit| u16::from_le_bytes(*unit)).take_while(|unit| *unit != 0).collect();
        Self {
            signature: header.first_chunk().copied().unwrap_or_default(),
            primary_sequence: dword(4),
            secondary_sequence: dword(8),
            last_written: time(12),
            major: dword(20),
            minor: dword(24),
            file_type: dword(28),
            file_format: dword(32),
            root_offset: dword(36),
            data_size: dword(40),
            clustering: dword(44),
            file_name: String::from_utf16_lossy(&name),
            resource_manager: header.get(112..128).and_then(|id| id.try_into().ok()).unwrap_or_default(),
            last_reorganized: time(168),
            checksum_stored: dword(508),
            checksum_computed: checksum(header),
        }
    }

    /// Returns whether the stored checksum is correct.
    pub fn checksum_valid(&self) -> bool {
        self.checksum_stored == self.checksum_computed
    }

    fn has_signature(&self) -> bool {
        self.signature == *b"regf"
    }

    /// Returns whether the hive is dirty as the specification defines it: a wrong checksum, or unequal sequence
    /// numbers. Then changes that Windows made may be only in the transaction logs.
    pub fn is_dirty(&self) -> bool {
        !self.checksum_valid() || self.primary_sequence != self.secondary_sequence || !self.has_signature()
    }

    /// Returns why a hive of a Windows before NT 4 cannot be read: its cells have a different layout. Versions:
    /// msuhanov, "Windows registry file format specification".
    pub(super) fn unsupported(&self) -> Option<Problem> {
        let before = (self.major, self.minor) < (1, 3) && self.checksum_valid() && self.has_signature();
        let windows = match (self.major, self.minor) {
            (1, 0 | 1) => "Windows NT 3.1",
            (1, 2) => "Windows NT 3.5",
            _ => return None,
        };
        before.then(|| {
            let found = format!("format {}.{} ({windows})", self.major, self.minor);
            Problem::at(20, "a hive format of version 1.3 to 1.6 (Windows NT 4.0 and later)", found)
                .code(Code::UnsupportedFormat)
                .advise("this format is not supported")
        })
    }

    /// Returns all problems of this base block in a primary file of `file_size` bytes, except that it is dirty.
    pub fn problems(&self, file_size: u64) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut expect = |offset: u64, holds: bool, expected: &str, found: String| {
            if !holds {
                problems.push(Problem::at(offset, expected, found));
            }
        };
        let signature = format!("\"{}\"", self.signature.escape_ascii());
        expect(0, self.has_signature(), "the signature \"regf\" of a hive", signature);
        let version = format!("version {}.{}", self.major, self.minor);
        expect(20, self.major == 1 && (3..=6).contains(&self.minor), "a hive format of version 1.3 to 1.6", version);
        expect(28, self.file_type == 0, "file type 0 (a primary file)", format!("file type {}", self.file_type));
        expect(32, self.file_format == 1, "file format 1", format!("file format {}", self.file_format));
        expect(36, self.root_offset != u32::MAX, "the offset of the root key", "no root key (0xffffffff)".to_owned());
        let pages = self.data_size > 0 && self.data_size.is_multiple_of(PAGE);
        expect(40, pages, "hive bins of a multiple of 4096 bytes", format!("{} bytes", self.data_size));
        expect(44, self.clustering == 1, "clustering factor 1", self.clustering.to_string());
        expect(
            508,
            self.checksum_valid(),
            &format!("checksum {:#010x}", self.checksum_computed),
            format!("{:#010x}", self.checksum_stored),
        );
        let declared = u64::from(self.data_size).saturating_add(SIZE as u64);
        expect(
            file_size.min(declared),
            file_size >= declared,
            &format!("a file of at least {declared} bytes, as its base block declares"),
            format!("{file_size} bytes: the file is truncated"),
        );
        problems
    }
}

/// Changes the base block at the start of `bytes` to that of a clean primary file, as recovery does: both sequence
/// numbers, the size of the hive bins, the flags from logs of the new format, and then the checksum.
pub(super) fn settle(bytes: &mut [u8], sequence: u32, data_size: u32, flags: Option<u32>) {
    let Some(header) = bytes.first_chunk_mut::<512>() else { return };
    let fields = [(4, sequence), (8, sequence), (28, 0), (40, data_size)];
    for (offset, word) in fields.into_iter().chain(flags.map(|flags| (144, flags))) {
        put(header, offset, word);
    }
    let sum = checksum(header);
    put(header, 508, sum);
}

fn put(header: &mut [u8; 512], offset: usize, word: u32) {
    if let Some(place) = header.get_mut(offset..).and_then(|rest| rest.first_chunk_mut()) {
        *place = word.to_le_bytes();
    }
}

/// Returns the checksum over the first 508 bytes: the 32-bit words XORed, with 0 and 0xffffffff replaced.
fn checksum(header: &[u8; 512]) -> u32 {
    let words = header.as_chunks::<4>().0.iter().take(127);
    match words.fold(0, |sum, word| sum ^ u32::from_le_bytes(*word)) {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Vec<u8> {
        let mut bytes = vec![0; 512];
        bytes[..4].copy_from_slice(b"regf");
        for (offset, word) in [(4, 7_u32), (8, 7), (20, 1), (24, 5), (32, 1), (36, 32), (40, 4096), (44, 1)] {
            bytes[offset..offset + 4].copy_from_slice(&word.to_le_bytes());
        }
        let sum = checksum(bytes.first_chunk().unwrap());
        bytes[508..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    #[test]
    fn a_sound_base_block_has_no_problems() {
        let base_block = BaseBlock::read(&header()).unwrap();
        assert!(!base_block.is_dirty());
        assert_eq!(base_block.problems(8192), []);
    }

    #[test]
    fn what_is_wrong_is_named_all_at_once_with_its_offset() {
        let mut bytes = header();
        bytes[24] = 9;
        bytes[8] = 6;
        let base_block = BaseBlock::read(&bytes).unwrap();
        assert!(base_block.is_dirty());
        let problems: Vec<String> = base_block.problems(5000).iter().map(ToString::to_string).collect();
        insta::assert_debug_snapshot!(problems, @r#"
        [
            "at 0x14: expected a hive format of version 1.3 to 1.6, found version 1.9",
            "at 0x1fc: expected checksum 0x6667755b, found 0x66677556",
            "at 0x1388: expected a file of at least 8192 bytes, as its base block declares, found 5000 bytes: the file is truncated",
        ]
        "#);
    }

    #[test]
    fn a_hive_without_its_base_block_is_read_by_its_bins() {
        let mut file = vec![0; 4096 + 8192];
        assert_eq!(BaseBlock::lost(&file), None);
        file[4096..4100].copy_from_slice(b"hbin");
        file[4096 + 36..4096 + 39].copy_from_slice(b"nk\x2c");
        let base_block = BaseBlock::lost(&file).unwrap();
        assert!(base_block.is_dirty());
        assert_eq!((base_block.root_offset, base_block.data_size, base_block.minor), (32, 8192, 5));
        let first = base_block.problems(file.len() as u64).first().unwrap().to_string();
        insta::assert_snapshot!(first, @r#"at 0x0: expected the signature "regf" of a hive, found "\x00\x00\x00\x00""#);
        // Remaining fields are used if they are plausible.
        file[..512].copy_from_slice(&header());
        file[..4].copy_from_slice(b"gone");
        let base_block = BaseBlock::lost(&file).unwrap();
        assert_eq!((base_block.primary_sequence, base_block.data_size), (7, 4096));
        assert!(base_block.is_dirty());
    }

    #[test]
    fn a_text_file_is_not_a_hive() {
        let problem = BaseBlock::read(&[b'A'; 4096]).unwrap_err();
        insta::assert_snapshot!(problem, @r#"at 0x0: expected the signature "regf" of a hive, found "AAAA""#);
    }

    #[test]
    fn the_two_checksums_that_cannot_be_are_replaced() {
        assert_eq!(checksum(&[0; 512]), 1);
        let mut ones = [0; 512];
        ones[..4].fill(0xff);
        assert_eq!(checksum(&ones), u32::MAX - 1);
    }
}
