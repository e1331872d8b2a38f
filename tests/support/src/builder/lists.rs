//! Lists of subkeys: `lf`, `lh`, `li`, and `ri` over them.

use super::arena::Arena;
use super::built::SubkeyListLocation;
use super::names::{hash, hint};

/// The kind of the lists that name the subkeys of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// The lists that Windows writes in this format: `lh` from 1.5 on, `lf` before. Above 507 subkeys an `ri` of `lh`,
    /// or an `li` (no `lf` is so long), and above 1013 an `ri` of `li`.
    Auto,
    /// The first four characters of the names. Above 507 subkeys an `ri` of such lists.
    Lf,
    /// The hashes of the names. Above 507 subkeys an `ri` of such lists.
    Lh,
    /// Only offsets. Above 1013 subkeys an `ri` of such lists.
    Li,
    /// An `ri` even for few subkeys, over the lists of `Auto`.
    Ri,
}

/// The lists that contain subkeys directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaf {
    Lf,
    Lh,
    Li,
}

impl Leaf {
    /// Returns the number of elements that fit into one page, as Windows computes it.
    fn capacity(self) -> usize {
        match self {
            Self::Lf | Self::Lh => 507,
            Self::Li => 1013,
        }
    }

    fn encode(self, subkeys: &[Entry]) -> Vec<u8> {
        let mut list = match self {
            Self::Lf => b"lf".to_vec(),
            Self::Lh => b"lh".to_vec(),
            Self::Li => b"li".to_vec(),
        };
        list.extend(count(subkeys.len()));
        for subkey in subkeys {
            list.extend(subkey.offset.to_le_bytes());
            match self {
                Self::Lf => list.extend(hint(subkey.name)),
                Self::Lh => list.extend(hash(subkey.name).to_le_bytes()),
                Self::Li => {}
            }
        }
        list
    }
}

/// A subkey in a list.
pub(super) struct Entry<'a> {
    pub(super) name: &'a [u16],
    pub(super) offset: u32,
}

/// Stores the list of these subkeys in this order.
pub(super) fn store(arena: &mut Arena, kind: ListKind, minor: u32, subkeys: &[Entry]) -> Option<SubkeyListLocation> {
    if subkeys.is_empty() {
        return None;
    }
    let leaf = match kind {
        ListKind::Lf => Leaf::Lf,
        ListKind::Lh => Leaf::Lh,
        ListKind::Auto | ListKind::Ri if minor >= 5 => Leaf::Lh,
        ListKind::Auto | ListKind::Ri if subkeys.len() <= Leaf::Lf.capacity() => Leaf::Lf,
        ListKind::Li | ListKind::Auto | ListKind::Ri => Leaf::Li,
    };
    if kind != ListKind::Ri && subkeys.len() <= leaf.capacity() {
        let cell = arena.store(&leaf.encode(subkeys));
        return Some(SubkeyListLocation { cell, leaves: Vec::new() });
    }
    let leaves: Vec<_> = subkeys.chunks(leaf.capacity()).map(|part| arena.store(&leaf.encode(part))).collect();
    let mut root = b"ri".to_vec();
    root.extend(count(leaves.len()));
    root.extend(leaves.iter().flat_map(|leaf| leaf.offset().to_le_bytes()));
    Some(SubkeyListLocation { cell: arena.store(&root), leaves })
}

fn count(elements: usize) -> [u8; 2] {
    u16::try_from(elements).expect("a list is shorter than 65,536 elements").to_le_bytes()
}
