//! The records in cells: `nk`, `vk`, `sk`, `db`.

use super::NIL;
use super::names::stored_name;
use super::tree::{Key, Value};

/// The flags of the root: it is the root of the hive and cannot be deleted.
const ROOT_FLAGS: u16 = 0x0C;
/// The key is a symbolic link.
const KEY_SYM_LINK: u16 = 0x10;
const REG_LINK: u32 = 6;
/// In a key's flags: the name is Latin-1, one byte per character.
const KEY_COMPRESSED_NAME: u16 = 0x20;
/// In a value's flags: the name is Latin-1, one byte per character.
const VALUE_COMPRESSED_NAME: u16 = 1;
/// Set in the size of data that are stored in the value's record.
const INLINE: u32 = 0x8000_0000;

/// The references from a key's record to other cells.
pub(super) struct KeyLinks {
    /// The parent's record; `None` for the root.
    pub(super) parent: Option<u32>,
    pub(super) subkey_list: Option<u32>,
    pub(super) value_list: Option<u32>,
    pub(super) class: Option<u32>,
    pub(super) security: u32,
}

/// Returns the size of a key's record.
pub(super) fn nk_size(key: &Key) -> usize {
    76 + stored_name(&key.name).0.len()
}

/// Returns a key's record.
pub(super) fn nk(key: &Key, links: &KeyLinks) -> Vec<u8> {
    let (name, compressed) = stored_name(&key.name);
    let mut flags = key.flags;
    if key
        .values
        .iter()
        .any(|value| value.data_type == REG_LINK && value.name.iter().copied().eq("SymbolicLinkValue".encode_utf16()))
    {
        flags |= KEY_SYM_LINK;
    }
    if links.parent.is_none() {
        flags |= ROOT_FLAGS;
    }
    if compressed {
        flags |= KEY_COMPRESSED_NAME;
    }
    let class = |key: &Key| key.class.as_ref().map_or(0, |class| class.len() * 2);

    let mut record = Record::new(*b"nk");
    record.u16(flags);
    record.u64(key.last_written);
    record.u32(0); // spare
    record.u32(links.parent.unwrap_or(NIL));
    record.length(key.subkeys.len());
    record.u32(0); // volatile subkeys
    record.u32(links.subkey_list.unwrap_or(NIL));
    record.u32(NIL); // list of volatile subkeys
    record.length(key.values.len());
    record.u32(links.value_list.unwrap_or(NIL));
    record.u32(if key.lacks_security { NIL } else { links.security });
    record.u32(links.class.unwrap_or(NIL));
    // The largest names and data below, in bytes of UTF-16, however they are stored.
    record.length(largest(&key.subkeys, |subkey| subkey.name.len() * 2));
    record.length(largest(&key.subkeys, class));
    record.length(largest(&key.values, |value| value.name.len() * 2));
    record.length(largest(&key.values, |value| value.data.len()));
    record.u32(0); // work variable
    record.short_length(name.len());
    record.short_length(class(key));
    record.bytes(&name);
    record.0
}

/// Returns a value's record. Its data are in the cell at `data`, or in the record if `data` is `None`.
pub(super) fn vk(value: &Value, data: Option<u32>) -> Vec<u8> {
    let (name, compressed) = stored_name(&value.name);
    let mut record = Record::new(*b"vk");
    record.short_length(name.len());
    let length = u32::try_from(value.data.len()).expect("data are smaller than 2 GiB");
    if let Some(offset) = data {
        record.u32(length);
        record.u32(offset);
    } else {
        let mut inline = [0; 4];
        inline[..value.data.len()].copy_from_slice(&value.data);
        record.u32(length | INLINE);
        record.bytes(&inline);
    }
    record.u32(value.data_type);
    record.u16(if compressed { VALUE_COMPRESSED_NAME } else { 0 });
    record.u16(0); // spare
    record.bytes(&name);
    record.0
}

/// The offset of inline data in a value's record.
pub(super) const VK_INLINE_DATA: usize = 8;

/// Returns the record of data in segments.
pub(super) fn db(segments: usize, list: u32) -> Vec<u8> {
    let mut record = Record::new(*b"db");
    record.short_length(segments);
    record.u32(list);
    record.bytes(&[0; 4]); // unknown; Windows makes the record 12 bytes long
    record.0
}

/// Returns the size of a security record.
pub(super) fn sk_size(descriptor: &[u8]) -> usize {
    sk(0, 0, descriptor).len()
}

/// Returns a security record. Both links point to the record itself, which is correct for a single record.
pub(super) fn sk(own_offset: u32, references: usize, descriptor: &[u8]) -> Vec<u8> {
    let mut record = Record::new(*b"sk");
    record.u16(0); // reserved
    record.u32(own_offset); // next
    record.u32(own_offset); // previous
    record.length(references);
    record.length(descriptor.len());
    record.bytes(descriptor);
    record.0
}

fn largest<T>(items: &[T], size: impl Fn(&T) -> usize) -> usize {
    items.iter().map(size).max().unwrap_or(0)
}

/// The bytes of a record, one field after another.
struct Record(Vec<u8>);

impl Record {
    fn new(signature: [u8; 2]) -> Self {
        Self(signature.to_vec())
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn u16(&mut self, number: u16) {
        self.bytes(&number.to_le_bytes());
    }

    fn u32(&mut self, number: u32) {
        self.bytes(&number.to_le_bytes());
    }

    fn u64(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    fn length(&mut self, length: usize) {
        self.u32(u32::try_from(length).expect("lengths fit 32 bits"));
    }

    fn short_length(&mut self, length: usize) {
        self.u16(u16::try_from(length).expect("this length fits 16 bits"));
    }
}
