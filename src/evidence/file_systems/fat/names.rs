//! Names on FAT volumes: short names of eight and three bytes in code page 437, and long names in UTF-16 before them.
//!
//! Microsoft, "FAT: General Overview of On-Disk Format", version 1.03, "FAT Long Directory Entries".

use crate::evidence::locator::Name;

/// The letters from byte 0x80 on.
const CODE_PAGE_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// UTF-16 units of a name in one entry.
const UNITS: usize = 13;

/// Returns a short name; `flags` are Windows NT's: 8 for a lower-case base, 16 for a lower-case extension.
pub(super) fn short(bytes: &[u8; 11], flags: u8) -> Name {
    let mut bytes = *bytes;
    // 0xE5 as the first byte would mark a deleted file.
    if let Some(first) = bytes.first_mut().filter(|first| **first == 0x05) {
        *first = 0xe5;
    }
    let (base, extension) = bytes.split_at(8);
    let (base, extension) = (letters(base, flags & 8 != 0), letters(extension, flags & 16 != 0));
    Name::from(if extension.is_empty() { base } else { format!("{base}.{extension}") }.as_str())
}

/// Returns the letters of a part, without the padding spaces.
fn letters(part: &[u8], lower: bool) -> String {
    let end = part.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last.saturating_add(1));
    let mut text = String::new();
    for byte in part.iter().take(end) {
        let letter = match usize::from(*byte).checked_sub(0x80) {
            Some(place) => CODE_PAGE_437.chars().nth(place).unwrap_or(char::REPLACEMENT_CHARACTER),
            None => char::from(*byte),
        };
        if lower { text.extend(letter.to_lowercase()) } else { text.push(letter) }
    }
    text
}

/// The collected parts of a long name, until the short name that they belong to.
#[derive(Default)]
pub(super) struct Long {
    /// The units of the parts, the last part first.
    parts: Vec<[u16; UNITS]>,
    /// The expected number of the next part.
    next: u8,
    checksum: u8,
}

impl Long {
    /// Adds an entry of 32 bytes; an entry that does not continue the name discards it.
    pub(super) fn add(&mut self, entry: &[u8; 32]) {
        let [order, ..] = *entry;
        let checksum = entry.get(13).copied().unwrap_or_default();
        let number = order & 0x3f;
        if order & 0x40 != 0 {
            *self = Self { parts: Vec::new(), next: number, checksum };
        }
        // Twenty parts are 260 units; a name has 255.
        if number == 0 || number > 20 || number != self.next || checksum != self.checksum {
            *self = Self::default();
            return;
        }
        let bytes = [entry.get(1..11), entry.get(14..26), entry.get(28..32)].into_iter().flatten().flatten();
        let bytes: Vec<u8> = bytes.copied().collect();
        let mut units = [0; UNITS];
        for (unit, pair) in units.iter_mut().zip(bytes.as_chunks::<2>().0) {
            *unit = u16::from_le_bytes(*pair);
        }
        self.parts.push(units);
        self.next = number.saturating_sub(1);
    }

    /// Returns the long name of the file with this short name; `None` if it has none, or the name is another file's.
    pub(super) fn take(&mut self, short: &[u8; 11]) -> Option<Name> {
        let long = std::mem::take(self);
        let sum = short.iter().fold(0_u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte));
        if long.parts.is_empty() || long.next != 0 || long.checksum != sum {
            return None;
        }
        let units = long.parts.iter().rev().flatten().copied().take_while(|unit| *unit != 0);
        let name = Name::from_utf16(units);
        (!name.as_bytes().is_empty()).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_in_code_page_437_and_lower_where_nt_says_so() {
        for (bytes, flags, name) in [
            (b"CONFIG  SYS", 0, "CONFIG.SYS"),
            (b"CONFIG  SYS", 0x18, "config.sys"),
            (b"CONFIG  SYS", 0x10, "CONFIG.sys"),
            (b"NO NAME    ", 0, "NO NAME"),
            (b"GR\x81N    \x9aE ", 0, "GRüN.ÜE"),
            (b"\x05A      X  ", 0, "σA.X"),
            (b"\xff\x80      X  ", 8, "\u{a0}ç.X"),
        ] {
            assert_eq!(short(bytes, flags), Name::from(name));
        }
        assert_eq!(CODE_PAGE_437.chars().count(), 128);
        let raw = encoding_rs::IBM866.decode(&[0xb0, 0xdf, 0xfe]).0;
        assert!(raw.chars().all(|letter| CODE_PAGE_437.contains(letter)), "the frames are the same in 866");
    }

    /// Returns a part of a long name.
    fn part(order: u8, checksum: u8, text: &str) -> [u8; 32] {
        let mut units: Vec<u16> = text.encode_utf16().collect();
        if units.len() < UNITS {
            units.push(0);
        }
        units.resize(UNITS, 0xffff);
        let mut entry = [0; 32];
        (entry[0], entry[11], entry[13]) = (order, 15, checksum);
        for (unit, at) in units.iter().zip([1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30]) {
            entry[at..at + 2].copy_from_slice(&unit.to_le_bytes());
        }
        entry
    }

    #[test]
    fn a_long_name_counts_where_all_its_parts_are_of_that_file() {
        let file = b"ALONGN~1TXT";
        let sum = file.iter().fold(0_u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte));
        let name = |parts: &[[u8; 32]]| {
            let mut long = Long::default();
            for part in parts {
                long.add(part);
            }
            long.take(file).map(|name| name.to_text())
        };
        let (last, first) = (part(0x42, sum, "e.txt"), part(1, sum, "A long nam\u{e9} 1"));
        assert_eq!(name(&[last, first]).as_deref(), Some("A long nam\u{e9} 1e.txt"));
        assert_eq!(name(&[last]), None, "a part is missing");
        assert_eq!(name(&[first]), None, "the last is missing");
        assert_eq!(name(&[part(0x42, 7, "e.txt"), first]), None, "another's checksum");
        assert_eq!(name(&[part(0x7f, sum, "x")]), None);
        assert_eq!(name(&[last, part(0x41, sum, "B")]).as_deref(), Some("B"), "an orphan before it");
    }
}
