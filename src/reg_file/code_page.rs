//! Code pages: the meaning of the bytes of 8-bit `.reg` text.
//!
//! A `.reg` file in 8-bit text does not name its code page. regedit uses the ANSI code page of the importing machine.
//! Here a byte has a meaning only if Microsoft's own table also has it. There is no "best fit": no letter becomes a
//! similar one, and no private-use character replaces a byte without a meaning.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::OnceLock;

use encoding_rs::Encoding;
use thiserror::Error;

mod tables;

use super::plain::find;
use tables::{PAGES, Source};

/// The unit for a byte without a meaning in the page.
pub(super) const UNDEFINED: u16 = 0xfffd;
/// Characters whose meaning differs between machines.
const PRIVATE_USE: RangeInclusive<u16> = 0xe000..=0xf8ff;

/// A code page of Windows by its number, such as 1252.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CodePage(usize);

/// This code page is not supported.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected the number of a code page: {}", all())]
pub struct UnknownCodePage;

impl CodePage {
    /// Windows-1252, Western European.
    pub const WINDOWS_1252: Self = Self(13);

    /// Returns every supported code page, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..PAGES.len()).map(Self)
    }

    /// Returns the code page with this number.
    ///
    /// # Errors
    /// Returns an error if the number is not that of one of [`CodePage::all`].
    pub fn new(number: u16) -> Result<Self, UnknownCodePage> {
        Self::all().find(|page| page.number() == number).ok_or(UnknownCodePage)
    }

    /// Returns the number of the code page.
    pub fn number(self) -> u16 {
        PAGES.get(self.0).map_or(0, |(number, _)| *number)
    }

    /// Returns the bytes of a text; `None` if the page lacks one of its characters.
    pub fn encode(self, text: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(text.len());
        for character in text.chars() {
            if character.is_ascii() {
                bytes.extend(u8::try_from(character));
            } else {
                bytes.extend_from_slice(self.table().bytes_of(character)?);
            }
        }
        Some(bytes)
    }

    /// Returns whether the page has exactly this character.
    pub fn has(self, character: char) -> bool {
        character.is_ascii() || self.table().bytes_of(character).is_some()
    }

    /// Returns whether the page has exactly this character, and none of its bytes is an ASCII character. In a
    /// double-byte page the second byte may be that of a backslash or a bracket.
    pub(super) fn has_unlike_ascii(self, character: char) -> bool {
        let plain = |bytes: &[u8]| !bytes.iter().any(u8::is_ascii);
        character.is_ascii() || self.table().bytes_of(character).is_some_and(plain)
    }

    /// Returns whether the character has two bytes, of which the second is that of a backslash.
    pub(super) fn ends_in_backslash(self, character: char) -> bool {
        self.table().bytes_of(character).is_some_and(|bytes| matches!(bytes, [_, b'\\']))
    }

    /// Returns the UTF-16 units of these bytes. A byte without a meaning becomes U+FFFD, which no page has.
    pub fn decode(self, bytes: &[u8]) -> Vec<u16> {
        let mut units = Vec::with_capacity(bytes.len());
        self.decode_into(bytes, true, &mut units);
        units
    }

    /// Adds the UTF-16 units of these bytes, and returns how many bytes were read. All but the last byte are read in
    /// any case; that one waits for the byte after it if it may be half a character and this is not the end.
    pub(super) fn decode_into(self, bytes: &[u8], is_last: bool, units: &mut Vec<u16>) -> usize {
        let table = self.table();
        let mut rest = bytes;
        while !rest.is_empty() {
            let plain = find(rest, |byte: u8| !byte.is_ascii()).unwrap_or(rest.len());
            let (ascii, others) = rest.split_at_checked(plain).unwrap_or_default();
            units.extend(ascii.iter().map(|&byte| u16::from(byte)));
            rest = others;
            let [byte, after @ ..] = rest else { break };
            if after.is_empty() && !is_last && table.may_lead(*byte) {
                break;
            }
            let (unit, length) = table.first(*byte, after.first().copied());
            units.push(unit);
            rest = rest.get(length..).unwrap_or_default();
        }
        bytes.len().saturating_sub(rest.len())
    }

    fn table(self) -> &'static Table {
        static TABLES: [OnceLock<Table>; PAGES.len()] = [const { OnceLock::new() }; PAGES.len()];
        static NONE: OnceLock<Table> = OnceLock::new();
        match (TABLES.get(self.0), PAGES.get(self.0)) {
            (Some(table), Some((_, source))) => table.get_or_init(|| Table::of(source)),
            _ => NONE.get_or_init(Table::default),
        }
    }
}

impl Default for CodePage {
    fn default() -> Self {
        Self::WINDOWS_1252
    }
}

impl fmt::Display for CodePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

impl fmt::Debug for CodePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodePage({})", self.number())
    }
}

impl FromStr for CodePage {
    type Err = UnknownCodePage;

    fn from_str(text: &str) -> Result<Self, UnknownCodePage> {
        text.parse().map_err(|_| UnknownCodePage).and_then(Self::new)
    }
}

/// Returns the numbers of all code pages, for messages.
fn all() -> String {
    CodePage::all().map(|page| page.to_string()).collect::<Vec<_>>().join(", ")
}

/// A code page prepared for look-ups.
#[derive(Default)]
struct Table {
    /// The units of the bytes 80 to ff on their own.
    singles: Vec<u16>,
    /// The units of byte pairs whose first byte is at least 80; empty for a single-byte page.
    pairs: Vec<u16>,
    /// The bytes of each character beyond ASCII.
    bytes: BTreeMap<char, Vec<u8>>,
}

impl Table {
    fn of(source: &Source) -> Self {
        let mut table = Self::default();
        match source {
            Source::Table(letters) => table.singles = letters.encode_utf16().collect(),
            Source::Encoding { encoding, others } => {
                let of = |bytes: &[u8]| {
                    let number = bytes.iter().fold(0, |number: u16, byte| number << 8 | u16::from(*byte));
                    let is_other = others.iter().any(|range| range.contains(&number));
                    if is_other { UNDEFINED } else { decoded(encoding, bytes) }
                };
                table.singles = (0x80..=u8::MAX).map(|byte| of(&[byte])).collect();
                if !encoding.is_single_byte() {
                    let pairs = (0x80..=u8::MAX).flat_map(|lead| (0..=u8::MAX).map(move |trail| [lead, trail]));
                    table.pairs = pairs.map(|pair| of(&pair)).collect();
                }
            }
        }
        let singles = table.singles.iter().zip(0x80..=u8::MAX).map(|(unit, byte)| (unit, vec![byte]));
        let pairs = table.pairs.iter().zip(0x8000..=u16::MAX).map(|(unit, pair)| (unit, pair.to_be_bytes().to_vec()));
        for (unit, bytes) in singles.chain(pairs) {
            if let Some(character) = char::from_u32(u32::from(*unit))
                && *unit != UNDEFINED
            {
                // If two bytes have the same meaning, the encoder's choice, which need not be the first in the tables.
                let preferred = match source {
                    Source::Encoding { encoding, .. } => encoding.encode(&character.to_string()).0 == bytes,
                    Source::Table(_) => true,
                };
                if preferred {
                    table.bytes.insert(character, bytes);
                } else {
                    table.bytes.entry(character).or_insert(bytes);
                }
            }
        }
        table
    }

    /// Returns the first unit of a text, and the number of bytes that it uses.
    fn first(&self, byte: u8, next: Option<u8>) -> (u16, usize) {
        let Some(index) = usize::from(byte).checked_sub(0x80) else { return (byte.into(), 1) };
        let single = self.singles.get(index).copied().unwrap_or(UNDEFINED);
        if single != UNDEFINED || self.pairs.is_empty() {
            return (single, 1);
        }
        let Some(next) = next else { return (UNDEFINED, 1) };
        let pair = self.pairs.get(index << 8 | usize::from(next)).copied().unwrap_or(UNDEFINED);
        // An invalid lead byte does not consume a byte that is a character by itself, such as a line end.
        (pair, if pair == UNDEFINED && next.is_ascii() { 1 } else { 2 })
    }

    /// Returns whether a byte may be the first of two.
    fn may_lead(&self, byte: u8) -> bool {
        !self.pairs.is_empty() && self.first(byte, None).0 == UNDEFINED
    }

    fn bytes_of(&self, character: char) -> Option<&[u8]> {
        self.bytes.get(&character).map(Vec::as_slice)
    }
}

/// Returns the UTF-16 unit of these bytes, if they represent exactly one.
fn decoded(encoding: &'static Encoding, bytes: &[u8]) -> u16 {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    let mut units = text.iter().flat_map(|text| text.encode_utf16());
    match (units.next(), units.next()) {
        (Some(unit), None) if !PRIVATE_USE.contains(&unit) => unit,
        _ => UNDEFINED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: u16) -> CodePage {
        CodePage::new(number).unwrap()
    }

    fn text(number: u16, bytes: &[u8]) -> String {
        String::from_utf16(&page(number).decode(bytes)).unwrap()
    }

    #[test]
    fn each_page_has_its_letters() {
        for (number, bytes, letters) in [
            (437, &b"\x81\xe1"[..], "üß"),
            (850, b"\x81\xb5", "üÁ"),
            (852, b"\x88\x9f", "łč"),
            (866, b"\x80\xf0", "АЁ"),
            (874, b"\xa1\xfb", "ก๛"),
            (932, b"\x95\x5c\xb1\x82\xa0", "表ｱあ"),
            (936, b"\x80\xc4\xe3", "€你"),
            (949, b"\xb0\xa1\x81\x41", "가갂"),
            (950, b"\xa4\x40\xa3\xe1", "一€"),
            (1250, b"\x9a\xb3", "šł"),
            (1251, b"\xc0\xff", "Ая"),
            (1252, b"a\x80\xe9\x9f", "a€éŸ"),
            (1253, b"\xe1", "α"),
            (1254, b"\xdd\xfd", "İı"),
            (1255, b"\xe0", "א"),
            (1256, b"\xc7", "ا"),
            (1257, b"\xe0", "ą"),
            (1258, b"\xfe", "₫"),
        ] {
            assert_eq!(text(number, bytes), letters, "{number}");
            assert_eq!(page(number).encode(letters).unwrap(), bytes, "{number}");
        }
    }

    /// Windows converts a character that a page lacks to a similar one, which would be another name.
    #[test]
    fn nothing_is_best_fit() {
        for (number, letters) in [(1252, "ā∞"), (932, "\u{a5}\u{203e}\u{2212}"), (936, "\u{1f9}\u{e000}"), (437, "À")]
        {
            for letter in letters.chars() {
                assert_eq!(page(number).encode(&letter.to_string()), None, "{number}: {letter:?}");
                assert!(!page(number).has(letter));
            }
        }
    }

    #[test]
    fn bytes_that_mean_nothing_take_nothing_along() {
        assert_eq!(text(932, b"\x81\n\xfc\xfc\x81"), "\u{fffd}\n\u{fffd}\u{fffd}");
        assert_eq!(text(936, b"\x81\x30\x81\x30"), "\u{fffd}0\u{fffd}0");
        assert_eq!(text(1253, b"\xaa"), "\u{fffd}");
    }

    #[test]
    fn what_is_encoded_is_decoded_in_every_page() {
        for page in CodePage::all() {
            for character in ('\u{80}'..='\u{1ffff}').filter(|&character| page.has(character)) {
                let bytes = page.encode(&character.to_string()).unwrap();
                assert_eq!(
                    page.decode(&bytes),
                    [u16::try_from(u32::from(character)).unwrap()],
                    "{page}: {character:?}"
                );
                assert!(bytes.len() == 1 || !page.table().pairs.is_empty());
            }
            let ascii: Vec<u8> = (0..0x80).collect();
            assert!(page.decode(&ascii).into_iter().eq(0..0x80));
        }
        assert!(page(932).has('表') && !page(932).has_unlike_ascii('表') && page(932).has_unlike_ascii('あ'));
    }

    #[test]
    fn pages_go_by_their_numbers() {
        assert_eq!(CodePage::default().number(), 1252);
        assert!(CodePage::all().map(CodePage::number).is_sorted());
        assert_eq!("437".parse(), CodePage::new(437));
        assert_eq!(
            "65001".parse::<CodePage>().unwrap_err().to_string(),
            "expected the number of a code page: 437, 850, 852, 855, 857, 866, 874, 932, 936, 949, 950, 1250, 1251, \
             1252, 1253, 1254, 1255, 1256, 1257, 1258"
        );
    }
}
