//! Converts UTF-16 text as `iconv -t UTF-8` and `dos2unix` do, piece by piece.

use crate::reg_file::find;

const CARRIAGE_RETURN: u16 = b'\r' as u16;
const LINE_FEED: u16 = b'\n' as u16;

/// A converter, with what waits for the next piece.
#[derive(Debug, Default)]
pub(super) struct Converter {
    /// The first half of a pair, or a CR that may belong to an LF.
    waiting: Option<u16>,
    bytes: Vec<u8>,
}

impl Converter {
    /// Returns the next piece of text in UTF-8. Half pairs are replaced, and CRLF becomes LF.
    pub(super) fn convert(&mut self, units: &[u16], is_last: bool) -> &[u8] {
        self.bytes.clear();
        let mut rest = units;
        while !rest.is_empty() {
            if self.waiting.is_none() {
                // Nearly all text is ASCII.
                let end = find(rest, |unit| unit > 0x7f || unit == CARRIAGE_RETURN).unwrap_or(rest.len());
                let (ascii, others) = rest.split_at_checked(end).unwrap_or_default();
                self.bytes.extend(ascii.iter().map(|&unit| u8::try_from(unit).unwrap_or_default()));
                rest = others;
            }
            let Some((&unit, after)) = rest.split_first() else { break };
            rest = after;
            match self.waiting.take() {
                Some(CARRIAGE_RETURN) if unit != LINE_FEED => self.bytes.push(b'\r'),
                Some(high) if high != CARRIAGE_RETURN => {
                    self.push(&[high, unit]);
                    // A unit that is not the second half of the pair is read by itself.
                    if matches!(unit, 0xdc00..=0xdfff) {
                        continue;
                    }
                }
                _ => {}
            }
            match unit {
                CARRIAGE_RETURN | 0xd800..=0xdbff => self.waiting = Some(unit),
                0..=0x7f => self.bytes.extend(u8::try_from(unit)),
                _ => self.push(&[unit]),
            }
        }
        if is_last && let Some(unit) = self.waiting.take() {
            self.push(&[unit]);
        }
        &self.bytes
    }

    /// Adds the first character of some units.
    fn push(&mut self, units: &[u16]) {
        let character = char::decode_utf16(units.iter().copied()).next();
        let character = character.and_then(Result::ok).unwrap_or(char::REPLACEMENT_CHARACTER);
        self.bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_pieces_is_converted_like_the_whole() {
        let units: Vec<u16> = "a\r\nb\rc\r\r\né😀😀x\r".encode_utf16().chain([0xd800, 0x41, 0xdc00, 0xd83d]).collect();
        let whole = String::from_utf16_lossy(&units).replace("\r\n", "\n").into_bytes();
        for size in 1..units.len() {
            let mut converter = Converter::default();
            let mut bytes = Vec::new();
            for piece in units.chunks(size) {
                bytes.extend_from_slice(converter.convert(piece, false));
            }
            bytes.extend_from_slice(converter.convert(&[], true));
            assert_eq!(bytes, whole, "{size}");
        }
    }
}
