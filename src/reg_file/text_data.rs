//! Hex data of the three text types, REG_SZ, REG_EXPAND_SZ, and REG_MULTI_SZ, which regedit converts.

use super::code_page::{CodePage, UNDEFINED};
use super::diagnostic::Code;

/// The meaning of the bytes of a text in hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TextForm {
    /// Whether they are bytes of the code page, which regedit widens (REGEDIT4), or UTF-16LE (version 5.00).
    pub(super) eight_bit: bool,
    /// Whether the header and the file's encoding disagree. The header is used, but the real behaviour is unknown.
    pub(super) disputed: bool,
    /// The code page of the importing machine, if it is known.
    pub(super) code_page: Option<CodePage>,
}

/// The data of a value: as written, as regedit stores it, and its diagnostics.
pub(super) struct TextData {
    pub(super) written: Vec<u8>,
    /// `None` if regedit stores the data as written.
    pub(super) stored: Option<Vec<u8>>,
    pub(super) remarks: Vec<Code>,
}

/// Returns whether regedit treats hex data of this type as text.
pub(super) fn is_text(data_type: u32) -> bool {
    matches!(data_type, 1 | 2 | 7)
}

/// Returns what regedit stores for the bytes in hex of a value of any type.
pub(super) fn interpret(data_type: u32, bytes: Vec<u8>, form: TextForm) -> TextData {
    let mut data = TextData { written: bytes, stored: None, remarks: Vec::new() };
    if !is_text(data_type) || data.written.is_empty() {
        return data;
    }
    if form.disputed {
        data.remarks.push(Code::AmbiguousHexText);
    }
    if form.eight_bit {
        let units = form.code_page.unwrap_or_default().decode(&data.written);
        if form.code_page.is_none() && !data.written.is_ascii() {
            data.remarks.push(Code::CodePageDependent);
        } else if units.contains(&UNDEFINED) {
            data.remarks.push(Code::NotInCodePage);
        }
        data.written = units.into_iter().flat_map(u16::to_le_bytes).collect();
    }
    match data.written.as_chunks().0.last() {
        _ if data.written.len() % 2 == 1 => data.remarks.push(Code::OddText),
        Some([0, 0]) => {}
        _ => {
            data.remarks.push(Code::TerminatorAdded);
            data.stored = Some([&data.written[..], &[0, 0]].concat());
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    const UTF16: TextForm = TextForm { eight_bit: false, disputed: false, code_page: None };
    const EIGHT_BIT: TextForm = TextForm { eight_bit: true, ..UTF16 };

    fn interpreted(data_type: u32, bytes: &[u8], form: TextForm) -> (Vec<u8>, Option<Vec<u8>>, Vec<Code>) {
        let data = interpret(data_type, bytes.to_vec(), form);
        (data.written, data.stored, data.remarks)
    }

    #[test]
    fn only_texts_are_touched() {
        assert_eq!(interpreted(3, b"A\0", UTF16), (b"A\0".to_vec(), None, vec![]));
        assert_eq!(interpreted(6, b"A", EIGHT_BIT), (b"A".to_vec(), None, vec![]));
        assert_eq!(interpreted(2, b"", UTF16), (vec![], None, vec![]));
    }

    #[test]
    fn regedit_ends_a_text_that_has_no_end() {
        let ended = (b"A\0".to_vec(), Some(b"A\0\0\0".to_vec()), vec![Code::TerminatorAdded]);
        assert_eq!(interpreted(1, b"A\0", UTF16), ended);
        assert_eq!(interpreted(1, b"A", EIGHT_BIT), ended);
        assert_eq!(interpreted(7, b"A\0\0", UTF16), (b"A\0\0".to_vec(), None, vec![Code::OddText]));
    }

    #[test]
    fn where_header_and_encoding_disagree_the_header_is_taken() {
        let disputed = interpreted(2, b"A\0\0\0", TextForm { disputed: true, ..UTF16 });
        assert_eq!(disputed, (b"A\0\0\0".to_vec(), None, vec![Code::AmbiguousHexText]));
    }

    #[test]
    fn eight_bit_text_is_widened_by_the_code_page_that_is_known() {
        let of = |page| interpreted(2, b"\xe9\0", TextForm { code_page: page, ..EIGHT_BIT });
        assert_eq!(of(None), (vec![0xe9, 0, 0, 0], None, vec![Code::CodePageDependent]));
        assert_eq!(of(CodePage::new(1251).ok()), (vec![0x39, 4, 0, 0], None, vec![]));
        assert_eq!(of(CodePage::new(932).ok()), (vec![0xfd, 0xff, 0, 0], None, vec![Code::NotInCodePage]));
    }
}
