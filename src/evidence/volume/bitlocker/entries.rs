//! Entries of metadata: each has a size, a role and a type, and some contain further entries.
//!
//! libbde's format document, "FVE metadata entry"; the numbers of protectors are those of `bdeinfo` and `cryptsetup`.

use super::super::guid::Guid;
use crate::evidence::disk::field::{bytes, le16};

/// The most entries of a block, including nested ones: a block has 64 KiB, and an entry at least 8 bytes.
const MOST: usize = 1024;

/// The types of entries.
pub(super) mod kind {
    pub(in super::super) const KEY: u16 = 1;
    pub(in super::super) const TEXT: u16 = 2;
    pub(in super::super) const STRETCH: u16 = 3;
    pub(in super::super) const SEALED: u16 = 5;
    pub(in super::super) const PROTECTOR: u16 = 8;
    pub(in super::super) const EXTERNAL: u16 = 9;
    pub(in super::super) const RELOCATED: u16 = 15;
}

/// The roles of entries.
pub(super) mod role {
    pub(in super::super) const PROTECTOR: u16 = 2;
    pub(in super::super) const VOLUME_KEY: u16 = 3;
    pub(in super::super) const EXTERNAL_KEY: u16 = 6;
    pub(in super::super) const DESCRIPTION: u16 = 7;
    pub(in super::super) const RELOCATED: u16 = 15;
}

/// An entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) role: u16,
    pub(super) kind: u16,
    /// The bytes after its header.
    pub(super) data: &'a [u8],
}

/// Reads consecutive entries; `None` if one does not end within `data`.
pub(super) fn entries(mut data: &[u8]) -> Option<Vec<Entry<'_>>> {
    let mut entries = Vec::new();
    while data.len() >= 8 && entries.len() < MOST {
        let size = usize::from(le16(data, 0)?);
        if size == 0 {
            break;
        }
        let entry = data.get(..size)?;
        entries.push(Entry { role: le16(entry, 2)?, kind: le16(entry, 4)?, data: entry.get(8..)? });
        data = data.get(size..)?;
    }
    Some(entries)
}

/// A key that another key encrypts and authenticates: AES-CCM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) nonce: [u8; 12],
    pub(super) mac: [u8; 16],
    pub(super) data: Vec<u8>,
}

impl Sealed {
    pub(super) fn of(entry: &Entry<'_>) -> Option<Self> {
        let data = entry.data.get(28..).filter(|_| entry.kind == kind::SEALED)?;
        Some(Self { nonce: bytes(entry.data, 0)?, mac: bytes(entry.data, 12)?, data: data.to_vec() })
    }
}

/// Returns an unencrypted key: its method and its bytes.
pub(super) fn open_key<'a>(entry: &Entry<'a>) -> Option<(u16, &'a [u8])> {
    (entry.kind == kind::KEY).then_some(())?;
    Some((le16(entry.data, 0)?, entry.data.get(4..)?))
}

/// A protector of a volume's key: it contains a copy of the key, encrypted in its own way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Protector {
    pub(super) id: Guid,
    /// The number of its kind.
    pub(super) number: u16,
    /// The salts for stretching a password.
    pub(super) salts: Vec<[u8; 16]>,
    /// Whether a password is stretched in an unknown way.
    pub(super) other_stretch: bool,
    /// The clear key of a suspended volume.
    pub(super) clear: Option<[u8; 32]>,
    /// The volume's master key, encrypted.
    pub(super) master: Vec<Sealed>,
}

/// A flag of a stretched key: PBKDF2, which FIPS mode uses.
const PBKDF2: u16 = 0x40;

impl Protector {
    pub(super) fn of(entry: &Entry<'_>) -> Option<Self> {
        let data = entry.data;
        let (id, number) = (Guid::at(data, 0)?, le16(data, 26)?);
        let (mut salts, mut other_stretch, mut clear, mut master) = (Vec::new(), false, None, Vec::new());
        for property in entries(data.get(28..)?)? {
            match property.kind {
                kind::STRETCH => {
                    other_stretch |= le16(property.data, 2)? & PBKDF2 != 0;
                    salts.push(bytes(property.data, 4)?);
                }
                kind::KEY => clear = open_key(&property).and_then(|(_, key)| key.try_into().ok()),
                kind::SEALED => master.extend(Sealed::of(&property)),
                _ => {}
            }
        }
        Some(Self { id, number, salts, other_stretch, clear, master })
    }

    pub(super) fn kind(&self) -> Kind {
        match self.number & 0xff00 {
            0 => Kind::Clear,
            0x0200 => Kind::External,
            0x0800 => Kind::RecoveryPassword,
            0x2000 => Kind::Password,
            _ => Kind::Other,
        }
    }

    /// Returns Windows' words for its kind.
    pub(super) fn words(&self) -> String {
        let words = match self.number & 0xff00 {
            0x0000 => "clear key",
            0x0100 => "TPM",
            0x0200 => "startup key or recovery key (.BEK)",
            0x0300 => "TPM and startup key",
            0x0400 | 0x0500 => "TPM and PIN",
            0x0600 | 0x0700 => "TPM, startup key and PIN",
            0x0800 => "recovery password",
            0x1000 => "public key (smart card or certificate)",
            0x2000 => "password",
            _ => return format!("unknown kind {:#06x}", self.number),
        };
        words.to_owned()
    }
}

/// The means to open a protector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing: its key is not encrypted.
    Clear,
    /// A .BEK file.
    External,
    RecoveryPassword,
    Password,
    /// The machine, a card or a network: none of these can be given here.
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_end_where_their_bytes_do() {
        let data = [8, 0, 2, 0, 8, 0, 1, 0, 10, 0, 3, 0, 5, 0, 1, 0, 7, 7, 0, 0];
        let read = entries(&data).unwrap();
        assert_eq!((read.len(), read[0].data, read[1].data), (2, &[][..], &[7, 7][..]));
        assert_eq!((read[1].role, read[1].kind), (3, 5));
        assert_eq!(entries(&data[..17]), None);
        assert_eq!(entries(&[7, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(entries(&[0; 64]), Some(vec![]));
        assert_eq!(entries(&[8_u8, 0, 0, 0, 0, 0, 0, 0].repeat(5000)).unwrap().len(), MOST);
    }

    #[test]
    fn every_kind_of_protector_has_its_words() {
        let words = |number| {
            let (salts, master) = (vec![], vec![]);
            Protector { id: Guid::default(), number, salts, other_stretch: false, clear: None, master }.words()
        };
        let kinds = [0x0000, 0x0100, 0x0200, 0x0300, 0x0500, 0x0700, 0x0800, 0x1000, 0x2000];
        let mut all: Vec<_> = kinds.map(words).into();
        all.dedup();
        assert_eq!((all.len(), words(0x4000)), (9, "unknown kind 0x4000".to_owned()));
    }
}
