//! The values that a `.reg` file can restore byte for byte.

use thiserror::Error;

use super::text_data::is_text;

/// Why regedit does not store a value as the file states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Alteration {
    /// A text type without a NUL unit at its end.
    #[error("regedit adds a NUL to the end of the text")]
    TerminatorAdded,
    /// A text type with an odd number of bytes. Wine 8.0 stores different bytes or crashes; Windows was not tested.
    #[error("regedit does not store a text of an odd number of bytes as it is")]
    OddLength,
    /// REG_LINK: regedit follows a symbolic link instead of opening it.
    #[error("regedit follows symbolic links and does not restore them")]
    Link,
}

const REG_LINK: u32 = 6;

/// Checks whether regedit stores exactly these bytes if a `.reg` file sets the value. hivexregedit always does.
///
/// No `.reg` file restores a key's class, its permissions, its last-write time, or whether it is volatile. These are
/// not checked here.
///
/// # Errors
/// Returns how regedit would change the value.
pub fn regedit_restores(data_type: u32, bytes: &[u8]) -> Result<(), Alteration> {
    if data_type == REG_LINK {
        return Err(Alteration::Link);
    }
    let (units, rest) = bytes.as_chunks::<2>();
    match (rest, units.last()) {
        _ if !is_text(data_type) => Ok(()),
        ([_, ..], _) => Err(Alteration::OddLength),
        ([], None | Some([0, 0])) => Ok(()),
        ([], Some(_)) => Err(Alteration::TerminatorAdded),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_need_their_end_and_other_types_nothing() {
        for text in [1, 2, 7] {
            assert_eq!(regedit_restores(text, b"A\0\0\0"), Ok(()));
            assert_eq!(regedit_restores(text, b""), Ok(()));
            assert_eq!(regedit_restores(text, b"A\0"), Err(Alteration::TerminatorAdded));
            assert_eq!(regedit_restores(text, b"A\0\0"), Err(Alteration::OddLength));
        }
        for other in [0, 3, 4, 5, 8, 11, u32::MAX] {
            assert_eq!(regedit_restores(other, b"A\0\0"), Ok(()));
        }
        assert_eq!(regedit_restores(6, b"A\0\0\0"), Err(Alteration::Link));
    }
}
