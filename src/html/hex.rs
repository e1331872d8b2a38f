//! Raw bytes as a hex view: offset, sixteen bytes, and their ASCII characters.

use std::fmt::Write as _;

use crate::finding::{Finding, ObservedDatum};
use crate::report::table::count;

/// The bytes in a row.
const ROW: usize = 16;
/// The most bytes that are shown. The command beside the view prints all of them.
const MOST: usize = 1024;

/// The view of a value's bytes.
pub(super) struct Hex {
    pub(super) caption: String,
    /// The rows, each in ASCII only.
    pub(super) rows: Vec<String>,
    pub(super) more: String,
}

impl Hex {
    /// Returns the observed bytes, with their offsets in the file if these are known.
    pub(super) fn of(finding: &Finding) -> Option<Self> {
        let observed = finding.observed.as_ref()?;
        let start = finding.location.as_ref().and_then(|location| location.data);
        let whole = finding.location.as_ref().is_some_and(|location| location.segments.is_none());
        let bytes = count(observed.raw.len(), "byte");
        // After the first segment, other bytes follow in the file.
        let (start, counted) = match start.filter(|_| whole) {
            Some(start) => (start, "offsets in the hive file"),
            None => (0, "offsets in the value's data; --locations gives those in the file"),
        };
        let caption = format!("Raw bytes: {}, {bytes}; {counted}", observed.datum.data_type);
        Some(Self { caption, rows: rows(observed, start), more: more(observed) })
    }
}

fn rows(observed: &ObservedDatum, start: u64) -> Vec<String> {
    let shown = observed.raw.get(..MOST).unwrap_or(&observed.raw);
    // A row need not begin at a multiple of 16 in the file. Its offset is that of its first byte.
    let row = |(at, bytes): (usize, &[u8])| {
        let offset = start.saturating_add(at.saturating_mul(ROW) as u64);
        let mut line = format!("{offset:08x}  ");
        for index in 0..ROW {
            match bytes.get(index) {
                Some(byte) => _ = write!(line, "{byte:02x} "),
                None => line.push_str("   "),
            }
            if index == 7 {
                line.push(' ');
            }
        }
        line.push_str(" |");
        line.extend(bytes.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }));
        line.push('|');
        line
    };
    shown.chunks(ROW).enumerate().map(row).collect()
}

fn more(observed: &ObservedDatum) -> String {
    match observed.raw.len().checked_sub(MOST) {
        Some(more @ 1..) => format!("{} more", count(more, "byte")),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{DataType, RegistryValue};

    #[test]
    fn rows_have_offsets_bytes_and_letters() {
        let bytes: Vec<u8> = b"<script>alert(1)".iter().copied().chain([0, 0xff]).collect();
        let observed = ObservedDatum::from(&RegistryValue { data_type: DataType::SZ, bytes });
        let view = rows(&observed, 0x1020);
        assert_eq!(view[0], "00001020  3c 73 63 72 69 70 74 3e  61 6c 65 72 74 28 31 29  |<script>alert(1)|");
        assert!(view[1].starts_with("00001030  00 ff  ") && view[1].ends_with("  |..|"), "{}", view[1]);
        assert_eq!(view[0].find('|'), view[1].find('|'), "letters stand below each other");
        let long = ObservedDatum::from(&RegistryValue { data_type: DataType(3), bytes: vec![0; 1030] });
        assert_eq!((rows(&long, 0).len(), more(&long).as_str()), (64, "6 bytes more"));
    }
}
