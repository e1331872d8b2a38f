//! Numbers in the headers of images: `None` if the bytes end first.

/// Returns `N` bytes from `at` on.
pub(in crate::evidence) fn bytes<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    data.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// Returns a little-endian 16-bit number.
pub(in crate::evidence) fn le16(data: &[u8], at: usize) -> Option<u16> {
    bytes(data, at).map(u16::from_le_bytes)
}

/// Returns a little-endian 32-bit number.
pub(in crate::evidence) fn le32(data: &[u8], at: usize) -> Option<u32> {
    bytes(data, at).map(u32::from_le_bytes)
}

/// Returns a little-endian 64-bit number.
pub(in crate::evidence) fn le64(data: &[u8], at: usize) -> Option<u64> {
    bytes(data, at).map(u64::from_le_bytes)
}

/// Returns a big-endian 32-bit number.
pub(in crate::evidence) fn be32(data: &[u8], at: usize) -> Option<u32> {
    bytes(data, at).map(u32::from_be_bytes)
}

/// Returns a big-endian 64-bit number.
pub(in crate::evidence) fn be64(data: &[u8], at: usize) -> Option<u64> {
    bytes(data, at).map(u64::from_be_bytes)
}
