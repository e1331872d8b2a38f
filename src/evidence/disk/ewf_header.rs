//! The `header` and `header2` sections of an Expert Witness image: the facts of the case as its maker wrote them.
//!
//! libewf's format document (sections 3.6 and 3.7) describes them: text that zlib compressed. A line `main` is followed
//! by a line of identifiers and a line of values, both separated by tabs. `header2` is UTF-16 with a byte order mark
//! and counts seconds since 1970. `header` has one byte per letter and holds the examiner's local time.

use super::map::inflate;
use crate::evidence::file::Acquisition;
use crate::registry::FileTime;

/// Bytes of the longest decompressed header; one with every field of EnCase filled in has about 8 KiB.
const LONGEST: usize = 1 << 20;
/// Letters of a value that are kept.
const LONGEST_VALUE: usize = 10_000;

/// Reads a section's content; `wide` for `header2`. `None` if it cannot be decompressed or is no header.
pub(super) fn read(packed: &[u8], wide: bool) -> Option<Acquisition> {
    let bytes = inflate(packed, LONGEST, true).ok()?;
    let text =
        if wide { utf_16(&bytes) } else { encoding_rs::WINDOWS_1252.decode_without_bom_handling(&bytes).0.into() };
    parse(&text)
}

fn utf_16(bytes: &[u8]) -> String {
    let (encoding, rest) = match bytes {
        [0xfe, 0xff, rest @ ..] => (encoding_rs::UTF_16BE, rest),
        [0xff, 0xfe, rest @ ..] | rest => (encoding_rs::UTF_16LE, rest),
    };
    encoding.decode_without_bom_handling(rest).0.into_owned()
}

fn parse(text: &str) -> Option<Acquisition> {
    let mut lines = text.split('\n').map(|line| line.trim_end_matches('\r')).skip_while(|line| *line != "main").skip(1);
    let (names, values) = (lines.next()?, lines.next()?);
    let mut acquisition = Acquisition::default();
    for (name, value) in names.split('\t').zip(values.split('\t')) {
        let value: String = value.trim().trim_end_matches('\0').chars().take(LONGEST_VALUE).collect();
        if value.is_empty() {
            continue;
        }
        let field = match name {
            "c" => &mut acquisition.case_number,
            "n" => &mut acquisition.evidence_number,
            "a" => &mut acquisition.description,
            "e" => &mut acquisition.examiner,
            "t" => &mut acquisition.notes,
            "av" => &mut acquisition.software,
            "ov" => &mut acquisition.system,
            "m" => {
                acquisition.acquired = Some(time(&value));
                continue;
            }
            _ => continue,
        };
        *field = Some(value);
    }
    (acquisition != Acquisition::default()).then_some(acquisition)
}

/// Returns a time in the form of the report if its form is known; otherwise as it is.
fn time(text: &str) -> String {
    if let Ok(seconds) = text.parse::<u32>() {
        return FileTime::from_unix_seconds(seconds).to_string();
    }
    let parts: Vec<u32> = text.split(' ').map_while(|part| part.parse().ok()).collect();
    match parts.as_slice() {
        [year, month, day, hour, minute, second] => {
            format!(
                "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}, in a time zone that is not stated"
            )
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn both_forms_of_the_header_are_read() {
        let text = "3\nmain\na\tc\tn\te\tt\tav\tov\tm\tu\tp\nA disk\t2026-017\tHD1\tJ. Müller\t\t8.09\tLinux\t1142163845\t1\t0\n\n";
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let read_wide = read(&packed(&wide), true).unwrap();
        assert_eq!(read_wide.case_number.as_deref(), Some("2026-017"));
        assert_eq!(read_wide.examiner.as_deref(), Some("J. Müller"));
        assert_eq!(read_wide.acquired.as_deref(), Some("2006-03-12T11:44:05.0000000Z"));
        assert_eq!(read_wide.notes, None);
        let narrow = b"1\r\nmain\r\nc\tn\te\tm\r\n2026-017\tHD1\tJ. M\xfcller\t2002 3 4 10 19 59\r\n";
        let read_narrow = read(&packed(narrow), false).unwrap();
        assert_eq!(read_narrow.examiner.as_deref(), Some("J. Müller"));
        let acquired = "2002-03-04T10:19:59, in a time zone that is not stated";
        assert_eq!(read_narrow.acquired.as_deref(), Some(acquired));
    }

    #[test]
    fn what_is_no_header_gives_nothing() {
        assert_eq!(read(b"no zlib", true), None);
        assert_eq!(read(&packed(b"1\nother\nc\n2026\n"), false), None);
        assert_eq!(read(&packed(b"1\nmain\nc\tn\n\t\n"), false), None);
        // A decompression bomb is not decompressed to its end.
        assert_eq!(read(&packed(&vec![b'a'; LONGEST + 2]), false), None);
    }
}
