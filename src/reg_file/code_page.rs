//! The code page that 8-bit `.reg` text is read in: windows-1252, the one of Western European Windows.
//!
//! regedit uses whatever code page the importing machine has, which the file does not tell. Text beyond ASCII is
//! therefore always remarked upon; this table only makes it legible.

/// What windows-1252 has for the bytes 80 to 9f, in UTF-16 units. The five bytes it leaves free stand for the control
/// characters of the same number, as in Microsoft's own conversion.
/// Source: the Unicode consortium's table `MAPPINGS/VENDORS/MICSFT/WindowsBestFit/bestfit1252.txt`.
const HIGH_CONTROLS: [u16; 32] = [
    0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008d,
    0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
    0x0153, 0x009d, 0x017e, 0x0178,
];

/// The UTF-16 units that bytes stand for, one for one.
pub(super) fn widen(bytes: &[u8]) -> Vec<u16> {
    let unit = |&byte: &u8| match byte {
        0x80..=0x9f => HIGH_CONTROLS.get(usize::from(byte & 0x1f)).copied().unwrap_or_default(),
        _ => u16::from(byte),
    };
    bytes.iter().map(unit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_above_ascii_and_the_euro_sign() {
        assert_eq!(String::from_utf16_lossy(&widen(b"a\x80\xe9\x9f")), "a€éŸ");
    }
}
