//! Hex data of the three text types, REG_SZ, REG_EXPAND_SZ and REG_MULTI_SZ, which regedit does not take as it is.

use super::code_page;
use super::diagnostic::Code;

/// What the bytes of a text in hex are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextForm {
    /// UTF-16LE: version 5.00.
    Utf16,
    /// Bytes of the code page, which regedit widens: REGEDIT4.
    EightBit,
    /// The header says the one, the file's encoding the other; the header is believed, but nobody knows.
    Disputed(&'static TextForm),
}

/// The data of a value: as written, as regedit stores it, and what to say about it.
pub(super) struct TextData {
    pub(super) written: Vec<u8>,
    /// `None` if regedit stores what is written.
    pub(super) stored: Option<Vec<u8>>,
    pub(super) remarks: Vec<Code>,
}

/// Whether regedit treats data of this type as text when it comes in hex.
pub(super) fn is_text(data_type: u32) -> bool {
    matches!(data_type, 1 | 2 | 7)
}

/// What regedit makes of the bytes in hex of a value of any type.
pub(super) fn interpret(data_type: u32, bytes: Vec<u8>, form: TextForm) -> TextData {
    let mut data = TextData { written: bytes, stored: None, remarks: Vec::new() };
    if !is_text(data_type) || data.written.is_empty() {
        return data;
    }
    let form = match form {
        TextForm::Disputed(&header) => {
            data.remarks.push(Code::AmbiguousHexText);
            header
        }
        settled => settled,
    };
    if form == TextForm::EightBit {
        if !data.written.is_ascii() {
            data.remarks.push(Code::CodePageDependent);
        }
        data.written = code_page::widen(&data.written).into_iter().flat_map(u16::to_le_bytes).collect();
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

    fn interpreted(data_type: u32, bytes: &[u8], form: TextForm) -> (Vec<u8>, Option<Vec<u8>>, Vec<Code>) {
        let data = interpret(data_type, bytes.to_vec(), form);
        (data.written, data.stored, data.remarks)
    }

    #[test]
    fn only_texts_are_touched() {
        assert_eq!(interpreted(3, b"A\0", TextForm::Utf16), (b"A\0".to_vec(), None, vec![]));
        assert_eq!(interpreted(6, b"A", TextForm::EightBit), (b"A".to_vec(), None, vec![]));
        assert_eq!(interpreted(2, b"", TextForm::Utf16), (vec![], None, vec![]));
    }

    #[test]
    fn regedit_ends_a_text_that_has_no_end() {
        let ended = (b"A\0".to_vec(), Some(b"A\0\0\0".to_vec()), vec![Code::TerminatorAdded]);
        assert_eq!(interpreted(1, b"A\0", TextForm::Utf16), ended);
        assert_eq!(interpreted(1, b"A", TextForm::EightBit), ended);
        assert_eq!(interpreted(7, b"A\0\0", TextForm::Utf16), (b"A\0\0".to_vec(), None, vec![Code::OddText]));
    }

    #[test]
    fn where_header_and_encoding_disagree_the_header_is_taken() {
        let disputed = interpreted(2, b"A\0\0\0", TextForm::Disputed(&TextForm::Utf16));
        assert_eq!(disputed, (b"A\0\0\0".to_vec(), None, vec![Code::AmbiguousHexText]));
    }
}
