//! Velociraptor's form of sparse files in its ZIP archives: the member `X` without its holes, and `X.idx` with the
//! ranges as JSON. <https://github.com/Velocidex/velociraptor>, `reporting/container.go` and `actions/proto/vql.proto`
//! (`Index`, `Range`).

use serde::{Deserialize, Deserializer};

use super::index::Index;
use crate::evidence::file_system::Node;

/// The most bytes of all indexes of one archive.
pub(super) const MOST_READ: u64 = 64 << 20;

/// The ranges of a file, in the order of the file.
#[derive(Deserialize)]
struct Ranges {
    #[serde(alias = "Ranges")]
    ranges: Vec<Range>,
}

/// A range. The JSON omits values of 0.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Range {
    /// The start of its bytes in the member.
    #[serde(alias = "FileOffset", alias = "fileOffset", deserialize_with = "number")]
    file_offset: u64,
    /// The start of the range in the file.
    #[serde(alias = "OriginalOffset", alias = "originalOffset", deserialize_with = "number")]
    original_offset: u64,
    /// Bytes of the range in the member: 0 for a hole.
    #[serde(alias = "FileLength", alias = "fileLength", deserialize_with = "number")]
    file_length: u64,
    /// Bytes of the range in the file.
    #[serde(alias = "Length", deserialize_with = "number")]
    length: u64,
}

/// Reads a number; protocol buffers write 64-bit numbers as text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u64),
        Text(String),
    }
    match Written::deserialize(deserializer)? {
        Written::Number(number) => Ok(number),
        Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

/// Returns each file with an index beside it, and the index.
pub(super) fn pairs(index: &Index) -> impl Iterator<Item = (Node, Node)> {
    let is_index = |name: &[u8]| name.ends_with(b".idx");
    let any = index.entries().any(|entry| is_index(entry.name.as_bytes()));
    // The table is built only if an index exists.
    let files = if any { index.files() } else { std::collections::HashMap::new() };
    index.entries().filter(move |_| any).filter_map(move |entry| {
        let stem = entry.name.as_bytes().strip_suffix(b".idx")?;
        Some((*files.get(&(entry.parent, stem))?, entry.node))
    })
}

/// Offset and size of each stored range.
type Kept = Vec<(u64, u64)>;

/// Reads an index for a member of `stored` bytes: the stored ranges, and the size of the whole file. `None` if the file
/// is not an index of Velociraptor.
pub(super) fn ranges(json: &[u8], stored: u64) -> Option<Result<(Kept, u64), String>> {
    let Ranges { ranges } = serde_json::from_slice(json).ok()?;
    let (mut pairs, mut at, mut kept) = (Vec::new(), 0_u64, 0_u64);
    for range in &ranges {
        let end = range.original_offset.checked_add(range.length);
        let Some(end) = end.filter(|_| range.original_offset >= at && range.file_length <= range.length) else {
            return Some(Err("its index of sparse ranges contradicts itself".to_owned()));
        };
        if range.file_length > 0 {
            if range.file_offset != kept {
                return Some(Err("its index has sparse ranges out of order".to_owned()));
            }
            pairs.push((range.original_offset, range.file_length));
            kept = kept.saturating_add(range.file_length);
        }
        at = end;
    }
    if kept != stored {
        return Some(Err(format!("its index of sparse ranges has {kept} bytes, but the archive {stored}")));
    }
    Some(Ok((pairs, at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_in_each_spelling() {
        let short = br#"{"ranges":[{"file_length":2,"length":2},{"file_offset":2,"original_offset":2,"length":3},
            {"file_offset":2,"original_offset":5,"file_length":2,"length":2}]}"#;
        let expected = Some(Ok((vec![(0, 2), (5, 2)], 7)));
        assert_eq!(ranges(short, 4), expected);
        let long = br#"{"ranges":[{"fileLength":"2","length":"2"},{"originalOffset":"5","fileOffset":"2","fileLength":"2","length":"2"}]}"#;
        assert_eq!(ranges(long, 4), expected);
        assert!(ranges(short, 5).unwrap().is_err());
        assert!(ranges(br#"{"ranges":[{"file_length":2,"length":1}]}"#, 2).unwrap().is_err());
        assert_eq!((ranges(b"{}", 4), ranges(b"text", 4)), (None, None));
    }
}
