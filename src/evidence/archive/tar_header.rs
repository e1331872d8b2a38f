//! One block of a tar archive: the header of a member. POSIX.1-2017, pax, "ustar Interchange Format", and GNU tar's own
//! <https://www.gnu.org/software/tar/manual/html_node/Standard.html>.

use crate::registry::FileTime;

/// Bytes of a block.
pub(super) const BLOCK: usize = 512;

/// A member as its header block describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The type flag, the byte at 156.
    pub(super) kind: u8,
    /// The path, in the archive's bytes.
    pub(super) path: Vec<u8>,
    /// The target of a link.
    pub(super) link: Vec<u8>,
    /// Bytes in the archive; an error describes a wrong field.
    pub(super) size: Result<u64, String>,
    /// The time of the last write.
    pub(super) modified: Option<FileTime>,
    /// Whether GNU tar's own fields follow those of POSIX.
    pub(super) gnu: bool,
}

/// Returns whether the block is a header: a name, and a checksum that matches the sum of signed or unsigned bytes.
pub(super) fn is_header(block: &[u8]) -> bool {
    let Some(block) = block.get(..BLOCK) else { return false };
    let told = number(block.get(148..156).unwrap_or_default());
    let (mut plain, mut signed) = (0_i64, 0_i64);
    for (at, byte) in block.iter().enumerate() {
        // The field itself counts as spaces.
        let byte = if (148..156).contains(&at) { b' ' } else { *byte };
        plain = plain.saturating_add(byte.into());
        signed = signed.saturating_add(i8::from_ne_bytes([byte]).into());
    }
    let holds = told.is_ok_and(|told| i64::try_from(told).is_ok_and(|told| told == plain || told == signed));
    // Without a name, a block of zeros with a checksum of its own would match too.
    holds && block.iter().take(100).any(|byte| *byte != 0)
}

impl Header {
    /// Reads a block that [`is_header`].
    pub(super) fn read(block: &[u8; BLOCK]) -> Self {
        let field = |start: usize, size: usize| block.get(start..start.saturating_add(size)).unwrap_or_default();
        let gnu = field(257, 8) == b"ustar  \0";
        let posix = field(257, 6) == b"ustar\0";
        let mut path = text(field(0, 100)).to_vec();
        if posix {
            // Joerg Schilling's star ends its prefix earlier, because two times follow it.
            let prefix = text(field(345, if field(508, 4) == b"tar\0" { 131 } else { 155 }));
            if !prefix.is_empty() {
                path = [prefix, b"/", &path].concat();
            }
        }
        Self {
            kind: field(156, 1).first().copied().unwrap_or_default(),
            path,
            link: text(field(157, 100)).to_vec(),
            size: number(field(124, 12)),
            modified: number(field(136, 12)).ok().filter(|seconds| *seconds > 0).and_then(from_unix),
            gnu,
        }
    }
}

/// Returns the time of a number of seconds since 1970.
pub(super) fn from_unix(seconds: u64) -> Option<FileTime> {
    u32::try_from(seconds).ok().map(FileTime::from_unix_seconds)
}

/// Returns a field's bytes up to its first NUL.
pub(super) fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Returns the number in a field: octal digits with spaces before and NULs or spaces behind, or GNU's base 256, marked
/// by the highest bit of the first byte. An empty field is 0.
pub(super) fn number(field: &[u8]) -> Result<u64, String> {
    let wrong = || format!("{:?} is not a number", String::from_utf8_lossy(text(field)));
    match field {
        [0x80, rest @ ..] => {
            let mut value = 0_u64;
            for byte in rest {
                let shifted = value.checked_mul(256).ok_or_else(|| "a number above 64 bits".to_owned())?;
                value = shifted | u64::from(*byte);
            }
            Ok(value)
        }
        [0x80..=0xff, ..] => Err("a negative number".to_owned()),
        _ => {
            let digits = text(field).trim_ascii();
            let mut value = 0_u64;
            for digit in digits {
                let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8).ok_or_else(wrong)?;
                value = value.checked_mul(8).ok_or_else(wrong)? | u64::from(digit);
            }
            Ok(value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(set: &[(usize, &[u8])], signed: bool) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        for (at, bytes) in set {
            block[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        block[148..156].fill(b' ');
        let sum: i64 =
            block.iter().map(|byte| if signed { i64::from(byte.cast_signed()) } else { i64::from(*byte) }).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }

    #[test]
    fn headers_hold_with_either_checksum_and_no_other_block_does() {
        for signed in [false, true] {
            let block = header(&[(0, b"Gr\xc3\xbc\xc3\xbc"), (124, b"00000000017\0"), (156, b"0")], signed);
            assert!(is_header(&block));
            assert_eq!(Header::read(&block).size, Ok(15));
            for at in [0, 124, 300, 511] {
                let mut other = block;
                other[at] ^= 4;
                assert!(!is_header(&other), "{at}");
            }
        }
        assert!(!is_header(&[0; BLOCK]) && !is_header(&[b' '; BLOCK]) && !is_header(b"short"));
    }

    #[test]
    fn names_are_joined_as_their_format_says() {
        let path = |magic: &[u8], end: &[u8]| {
            Header::read(&header(&[(0, b"name"), (257, magic), (345, b"prefix"), (508, end)], false)).path
        };
        assert_eq!(path(b"ustar\x0000", b""), b"prefix/name");
        assert_eq!(path(b"ustar\x0000", b"tar\0"), b"prefix/name");
        assert_eq!(path(b"ustar  \0", b""), b"name");
        assert_eq!(path(b"", b""), b"name");
    }

    #[test]
    fn numbers_are_octal_or_base_256() {
        assert_eq!(number(b"0000644\0"), Ok(0o644));
        assert_eq!(number(b"   644 \0"), Ok(0o644));
        assert_eq!((number(b"\0\0"), number(b"")), (Ok(0), Ok(0)));
        assert_eq!(number(b"\x80\0\0\0\0\0\0\x02\0\0\0\x01"), Ok(0x2_0000_0001));
        assert!(number(b"\x80\x01\0\0\0\0\0\0\0\0\0\0").is_err());
        assert!(number(b"\xff\xff").is_err() && number(b"12a").is_err() && number(b"8").is_err());
    }
}
