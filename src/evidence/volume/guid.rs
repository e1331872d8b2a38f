//! GUIDs in metadata, of BitLocker and of shadow copies.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::evidence::disk::field::bytes;

/// A GUID; its bytes are in the order of the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// Returns the GUID at `at`; `None` if the bytes end first.
    pub(in crate::evidence) fn at(data: &[u8], at: usize) -> Option<Self> {
        bytes(data, at).map(Self)
    }

    /// Parses `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, with or without braces.
    pub(in crate::evidence) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('{').map_or(Some(text), |rest| rest.strip_suffix('}'))?;
        let groups: Vec<&str> = text.split('-').collect();
        if groups.iter().map(|group| group.len()).ne([8, 4, 4, 4, 12]) {
            return None;
        }
        let digits = groups.concat();
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let pair = pair.iter().all(u8::is_ascii_hexdigit).then(|| str::from_utf8(pair).ok())??;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        let [a0, a1, a2, a3, b0, b1, c0, c1, rest @ ..] = bytes;
        let mut lying = [a3, a2, a1, a0, b1, b0, c1, c0, 0, 0, 0, 0, 0, 0, 0, 0];
        if let Some(end) = lying.last_chunk_mut() {
            *end = rest;
        }
        Some(Self(lying))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a0, a1, a2, a3, b0, b1, c0, c1, rest @ ..] = self.0;
        let (a, b) = (u32::from_le_bytes([a0, a1, a2, a3]), u16::from_le_bytes([b0, b1]));
        write!(f, "{a:08x}-{b:04x}-{:04x}-", u16::from_le_bytes([c0, c1]))?;
        for (place, byte) in rest.iter().enumerate() {
            write!(f, "{}{byte:02x}", if place == 2 { "-" } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_parsed_as_it_is_printed() {
        let text = "4967d63b-2e29-4ad8-8399-f6a339e3d001";
        let guid = Guid::parse(text).unwrap();
        assert_eq!(guid.0[..6], [0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e]);
        assert_eq!(guid.to_string(), text);
        assert_eq!(Guid::parse(&format!("{{{}}}", text.to_uppercase())), Some(guid));
        for wrong in ["", "{", "4967d63b-2e29-4ad8-8399-f6a339e3d00", "+967d63b-2e29-4ad8-8399-f6a339e3d001"] {
            assert_eq!(Guid::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Guid::parse("{4967d63b-2e29-4ad8-8399-f6a339e3d001"), None);
        assert_eq!(Guid::parse("4967d63b-2e29-4ad8-8399-éa339e3d001"), None);
    }
}
