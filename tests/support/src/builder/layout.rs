//! Lays out the tree in the file: assigns cells to records.
//!
//! Nothing here recurses, so a hive may be as deep as a test needs.

use super::arena::Arena;
use super::built::{Built, Cell, DataLocation, KeyLocation, ValueLocation};
use super::cells::{self, KeyLinks, VK_INLINE_DATA};
use super::lists::{self, Entry};
use super::names::upcase_name;
use super::tree::{Key, Value};
use super::{BIG_DATA_SEGMENT, Hive, PAGE, security};
use std::collections::BTreeMap;

/// The root is the first cell of the first bin, because some readers look only there.
pub(super) const ROOT_CELL: u32 = 32;

/// A key with its place among the others.
struct Node<'a> {
    key: &'a Key,
    parent: Option<usize>,
    /// Its subkeys, in the order of the list.
    children: Vec<usize>,
}

/// Lays out a hive.
pub(super) fn build(hive: &Hive) -> Built {
    let nodes = flatten(&hive.root);
    let mut arena = Arena::new(hive.last_written);

    let mut records = vec![arena.reserve(cells::nk_size(&hive.root))];
    let sharing = nodes.iter().filter(|node| node.key.security.is_none()).count();
    let security = store_security(&mut arena, &security::usual(), sharing);

    let mut own_security = Vec::with_capacity(nodes.len());
    let mut keys: Vec<KeyLocation> = Vec::with_capacity(nodes.len());
    for (place, node) in nodes.iter().enumerate() {
        if place > 0 {
            records.push(arena.reserve(cells::nk_size(node.key)));
        }
        let own = node.key.security.as_ref();
        own_security.push(own.map(|descriptor| store_security(&mut arena, descriptor, 1)));
        let class = node.key.class.as_ref().map(|class| arena.store(&super::utf16le(class)));
        let values: Vec<_> = node.key.values.iter().map(|value| store_value(&mut arena, hive.minor, value)).collect();
        let value_list = (!values.is_empty()).then(|| arena.store(&offsets(values.iter().map(|value| value.vk))));
        keys.push(KeyLocation {
            name: node.key.name.clone(),
            parent: node.parent,
            nk: records[place],
            class,
            value_list,
            values,
            subkey_list: None,
        });
    }

    for (place, node) in nodes.iter().enumerate() {
        let entry = |&child: &usize| Entry { name: &nodes[child].key.name, offset: records[child].offset() };
        let entries: Vec<_> = node.children.iter().map(entry).collect();
        let subkey_list = lists::store(&mut arena, hive.list_kind, hive.minor, &entries);
        let links = KeyLinks {
            parent: node.parent.map(|parent| records[parent].offset()),
            subkey_list: subkey_list.as_ref().map(|list| list.cell.offset()),
            value_list: keys[place].value_list.map(Cell::offset),
            class: keys[place].class.map(Cell::offset),
            security: own_security[place].unwrap_or(security).offset(),
        };
        arena.fill(records[place], &cells::nk(node.key, &links));
        keys[place].subkey_list = subkey_list;
    }

    let (mut bytes, bins, free) = arena.finish();
    let hive_bins_size = u32::try_from(bytes.len() - PAGE).expect("a hive is smaller than 4 GiB");
    bytes[..PAGE].copy_from_slice(&hive.base_block(hive_bins_size).encode());
    let by_name = index(&keys);
    Built { bytes, keys, security, bins, free, by_name }
}

/// Returns all keys, each before its subkeys, with subkeys in the order of the list.
fn flatten(root: &Key) -> Vec<Node<'_>> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut waiting = vec![(root, None)];
    while let Some((key, parent)) = waiting.pop() {
        let place = nodes.len();
        nodes.push(Node { key, parent, children: Vec::new() });
        if let Some(parent) = parent {
            nodes[parent].children.push(place);
        }
        let mut subkeys: Vec<&Key> = key.subkeys.iter().collect();
        if !key.keep_order {
            subkeys.sort_by_cached_key(|subkey| upcase_name(&subkey.name));
        }
        waiting.extend(subkeys.into_iter().rev().map(|subkey| (subkey, Some(place))));
    }
    nodes
}

fn store_security(arena: &mut Arena, descriptor: &[u8], references: usize) -> Cell {
    let cell = arena.reserve(cells::sk_size(descriptor));
    arena.fill(cell, &cells::sk(cell.offset(), references, descriptor));
    cell
}

fn store_value(arena: &mut Arena, minor: u32, value: &Value) -> ValueLocation {
    let name = value.name.clone();
    if value.data.len() <= 4 {
        let vk = arena.store(&cells::vk(value, None));
        return ValueLocation { name, vk, data: DataLocation::Inline(vk.payload() + VK_INLINE_DATA) };
    }
    // As in Windows, the value's record comes first. Its size does not depend on the place of the data.
    let vk = arena.reserve(cells::vk(value, Some(0)).len());
    let (offset, data) = if minor >= 4 && value.data.len() > BIG_DATA_SEGMENT {
        let segments = value.data.chunks(BIG_DATA_SEGMENT).map(|segment| {
            let cell = arena.reserve(BIG_DATA_SEGMENT); // the last one too, as Windows does
            arena.fill(cell, segment);
            cell
        });
        let segments: Vec<_> = segments.collect();
        let list = arena.store(&offsets(segments.iter().copied()));
        let db = arena.store(&cells::db(segments.len(), list.offset()));
        (db.offset(), DataLocation::Big { db, list, segments })
    } else {
        let cell = arena.store(&value.data);
        (cell.offset(), DataLocation::Cell(cell))
    };
    arena.fill(vk, &cells::vk(value, Some(offset)));
    ValueLocation { name, vk, data }
}

/// Returns a list of cell offsets.
fn offsets(cells: impl Iterator<Item = Cell>) -> Vec<u8> {
    cells.flat_map(|cell| cell.offset().to_le_bytes()).collect()
}

fn index(keys: &[KeyLocation]) -> BTreeMap<(usize, Vec<u16>), usize> {
    let mut by_name = BTreeMap::new();
    for (place, key) in keys.iter().enumerate() {
        if let Some(parent) = key.parent {
            by_name.entry((parent, upcase_name(&key.name))).or_insert(place);
        }
    }
    by_name
}
