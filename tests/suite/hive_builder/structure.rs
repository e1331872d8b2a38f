//! The layout, parsed without any reader.

use super::everything;
use crate::builder::{
    Built, Cell, DEFAULT_TIME, DataLocation, Hive, Key, ListKind, NIL, PAGE, checksum, fix_checksum, reg_type, units,
    utf16le,
};

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Follows an offset that a record holds to the contents of a cell.
fn follow(bytes: &[u8], at: usize) -> usize {
    PAGE + usize::try_from(u32_at(bytes, at)).unwrap() + 4
}

#[test]
fn the_same_tree_gives_the_same_bytes() {
    assert!(everything().to_bytes() == everything().to_bytes());
}

#[test]
fn the_base_block_says_what_it_was_told() {
    let mut hive = everything();
    (hive.primary_sequence, hive.secondary_sequence, hive.last_written) = (7, 6, DEFAULT_TIME + 1);
    let bytes = hive.to_bytes();
    assert_eq!(&bytes[..4], b"regf");
    assert_eq!([4, 8, 20, 24, 28, 32, 44].map(|at| u32_at(&bytes, at)), [7, 6, 1, 5, 0, 1, 1]);
    assert_eq!(bytes[12..20], (DEFAULT_TIME + 1).to_le_bytes());
    assert_eq!(u32_at(&bytes, 36), 32, "the root is the first cell");
    assert_eq!(usize::try_from(u32_at(&bytes, 40)).unwrap(), bytes.len() - PAGE);
    assert_eq!(bytes[48..110], utf16le(&units(r"emRoot\System32\Config\SOFTWARE")), "the last 31 units");
    assert_eq!(bytes[110..112], [0, 0]);
    assert_eq!(u32_at(&bytes, 508), checksum(&bytes));
}

#[test]
fn the_checksum_can_be_wrong_and_made_right() {
    let right = Hive::new("ROOT").to_bytes();
    let mut wrong = Hive { checksum: Some(0xBAD), ..Hive::new("ROOT") }.to_bytes();
    assert_eq!(u32_at(&wrong, 508), 0xBAD);
    fix_checksum(&mut wrong);
    assert!(wrong == right);
    assert_eq!(checksum(&[0; 512]), 1, "Windows writes no 0");
    let mut ones = [0; 512];
    ones[..4].fill(0xFF);
    assert_eq!(checksum(&ones), 0xFFFF_FFFE, "nor all ones");
}

#[test]
fn cells_fill_every_bin_and_cross_none() {
    for minor in 3..=6 {
        let built = Hive { minor, ..everything() }.build();
        let bytes = &built.bytes;
        let (mut bins, mut free, mut used) = (Vec::new(), Vec::new(), 0);
        let mut bin = PAGE;
        while bin < bytes.len() {
            let size = usize::try_from(u32_at(bytes, bin + 8)).unwrap();
            assert_eq!(&bytes[bin..bin + 4], b"hbin");
            assert_eq!(usize::try_from(u32_at(bytes, bin + 4)).unwrap(), bin - PAGE);
            assert_eq!(size % PAGE, 0);
            let time = if bin == PAGE { DEFAULT_TIME } else { 0 };
            assert_eq!(bytes[bin + 20..bin + 28], time.to_le_bytes(), "only the first bin has a time");
            let mut cell = bin + 32;
            while cell < bin + size {
                let header = u32_at(bytes, cell).cast_signed();
                assert!(header != 0 && header % 8 == 0);
                if header > 0 {
                    free.push(cell);
                } else {
                    used += 1;
                }
                cell += usize::try_from(header.unsigned_abs()).unwrap();
            }
            assert_eq!(cell, bin + size);
            bins.push(bin);
            bin += size;
        }
        assert_eq!(bin, bytes.len());
        assert_eq!(bins, built.bins);
        assert_eq!(free, built.free.iter().map(|cell| cell.size_field()).collect::<Vec<_>>());
        assert_eq!(used, cells_on_the_map(&built));
    }
}

fn cells_on_the_map(built: &Built) -> usize {
    let data = |data: &DataLocation| match data {
        DataLocation::Inline(_) => 0,
        DataLocation::Cell(_) => 1,
        DataLocation::Big { segments, .. } => 2 + segments.len(),
    };
    let keys = built.keys.iter().map(|key| {
        let values: usize = key.values.iter().map(|value| 1 + data(&value.data)).sum();
        let lists = key.subkey_list.as_ref().map_or(0, |list| 1 + list.leaves.len());
        1 + usize::from(key.class.is_some()) + usize::from(key.value_list.is_some()) + values + lists
    });
    keys.sum::<usize>() + 1 // the security descriptor
}

#[test]
fn the_map_and_the_records_agree() {
    let built = everything().build();
    let bytes = &built.bytes;
    for (place, key) in built.keys.iter().enumerate() {
        let nk = key.nk.payload();
        assert_eq!(&bytes[nk..nk + 2], b"nk");
        let parent = key.parent.map_or(NIL, |parent| built.keys[parent].nk.offset());
        assert_eq!(u32_at(bytes, nk + 16), parent);
        assert_eq!(u32_at(bytes, nk + 28), key.subkey_list.as_ref().map_or(NIL, |list| list.cell.offset()));
        assert_eq!(u32_at(bytes, nk + 32), NIL);
        assert_eq!(usize::try_from(u32_at(bytes, nk + 36)).unwrap(), key.values.len());
        assert_eq!(u32_at(bytes, nk + 40), key.value_list.map_or(NIL, Cell::offset));
        assert_eq!(u32_at(bytes, nk + 44), built.security.offset());
        assert_eq!(u32_at(bytes, nk + 48), key.class.map_or(NIL, Cell::offset));
        let root_flags = if place == 0 { 0x0C } else { 0 };
        assert_eq!(u16_at(bytes, nk + 2) & 0x0C, root_flags);
        for (place, value) in key.values.iter().enumerate() {
            let vk = value.vk.payload();
            assert_eq!(u32_at(bytes, key.value_list.unwrap().payload() + 4 * place), value.vk.offset());
            assert_eq!(&bytes[vk..vk + 2], b"vk");
            match &value.data {
                DataLocation::Inline(at) => assert_eq!((*at, u32_at(bytes, vk + 4) >> 31), (vk + 8, 1)),
                DataLocation::Cell(cell) => assert_eq!(u32_at(bytes, vk + 8), cell.offset()),
                DataLocation::Big { db, list, segments } => {
                    assert_eq!(u32_at(bytes, vk + 8), db.offset());
                    assert_eq!(&bytes[db.payload()..db.payload() + 2], b"db");
                    assert_eq!(follow(bytes, db.payload() + 4), list.payload());
                    let listed = (0..segments.len()).map(|place| follow(bytes, list.payload() + 4 * place));
                    assert!(listed.eq(segments.iter().map(|segment| segment.payload())));
                }
            }
        }
    }
    assert_eq!(built.key(r"microsoft\WINDOWS NT").name, units("Windows NT"), "in any letter case");
    assert_eq!(built.value("ALL TYPES", "").vk, built.key("All types").values[0].vk);
    assert_eq!(built.key("").nk.offset(), 32);
}

#[test]
fn a_key_knows_the_largest_below_it() {
    let mut hive = Hive::new("ROOT");
    hive.root.create("four").class = Some(units("class!"));
    hive.root.create("zwölf");
    hive.root.set_dword("a", 1).set_binary("Ω name", &[0; 300]);
    let bytes = hive.to_bytes();
    let nk = PAGE + 32 + 4;
    assert_eq!([52, 56, 60, 64].map(|at| u32_at(&bytes, nk + at)), [10, 12, 12, 300]);
    assert_eq!(u16_at(&bytes, nk + 2), 0x2C);
    assert_eq!((u16_at(&bytes, nk + 72), u16_at(&bytes, nk + 74)), (4, 0));
}

#[test]
fn the_security_descriptor_is_shared_by_all() {
    let built = everything().build();
    let (bytes, sk) = (&built.bytes, built.security.payload());
    assert_eq!(&bytes[sk..sk + 2], b"sk");
    assert_eq!([4, 8].map(|at| u32_at(bytes, sk + at)), [built.security.offset(); 2]);
    assert_eq!(usize::try_from(u32_at(bytes, sk + 12)).unwrap(), built.keys.len());
    let size = usize::try_from(u32_at(bytes, sk + 16)).unwrap();
    let descriptor = &bytes[sk + 20..sk + 20 + size];
    assert_eq!(u16_at(descriptor, 2), 0x8004);
    let [owner, group, list] = [4, 8, 16].map(|at| usize::try_from(u32_at(descriptor, at)).unwrap());
    assert_eq!(list + usize::from(u16_at(descriptor, list + 2)), owner);
    assert_eq!(descriptor[owner..group], [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0]);
    assert_eq!(descriptor[group..], [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0]);
}

fn list_of(minor: u32, list_kind: ListKind, subkeys: u32) -> String {
    let mut hive = Hive { minor, list_kind, ..Hive::new("ROOT") };
    hive.root.subkeys = (0..subkeys).map(|number| Key::new(&format!("{number:04}"))).collect();
    let built = hive.build();
    let list = built.key("").subkey_list.clone().unwrap();
    let shown = |cell: Cell| {
        let at = cell.payload();
        let signature = String::from_utf8_lossy(&built.bytes[at..at + 2]);
        format!("{signature} {}", u16_at(&built.bytes, at + 2))
    };
    let leaves: Vec<_> = list.leaves.iter().map(|&leaf| shown(leaf)).collect();
    format!("{}: {}", shown(list.cell), leaves.join(", "))
}

#[test]
fn lists_are_those_of_windows() {
    assert_eq!(list_of(3, ListKind::Auto, 507), "lf 507: ");
    assert_eq!(list_of(3, ListKind::Auto, 508), "li 508: ");
    assert_eq!(list_of(3, ListKind::Auto, 1014), "ri 2: li 1013, li 1");
    assert_eq!(list_of(5, ListKind::Auto, 507), "lh 507: ");
    assert_eq!(list_of(5, ListKind::Auto, 1014), "ri 2: lh 507, lh 507");
    assert_eq!(list_of(5, ListKind::Lf, 508), "ri 2: lf 507, lf 1");
    assert_eq!(list_of(5, ListKind::Li, 1013), "li 1013: ");
    assert_eq!(list_of(5, ListKind::Ri, 1), "ri 1: lh 1");
    assert_eq!(list_of(3, ListKind::Ri, 1), "ri 1: lf 1");
}

#[test]
fn names_are_hashed_and_hinted_as_in_real_hives() {
    let mut hive = Hive::new("ROOT");
    hive.root.create("classes");
    hive.root.create("Microsoft");
    hive.root.create("Zω");
    let elements = |list_kind| {
        let built = Hive { list_kind, ..hive.clone() }.build();
        let list = built.key("").subkey_list.as_ref().unwrap().cell.payload();
        [8, 16, 24].map(|at| built.bytes[list + at..list + at + 4].to_vec())
    };
    let hash = |number: u32| number.to_le_bytes().to_vec();
    // The first two stand in the SOFTWARE hive of every Windows since XP.
    assert_eq!(elements(ListKind::Lh), [hash(0x47E6_8DD6), hash(0x7F00_CD26), hash(0x5A * 37 + 0x3A9)]);
    assert_eq!(elements(ListKind::Lf), [b"clas".to_vec(), b"Micr".to_vec(), vec![0; 4]]);
}

#[test]
fn subkeys_are_sorted_unless_their_order_is_to_be_kept() {
    let mut hive = Hive::new("ROOT");
    hive.root.subkeys = ["b", "_", "A", "a"].map(Key::new).into();
    let names = |hive: &Hive| -> Vec<String> {
        hive.build().keys.iter().skip(1).map(|key| String::from_utf16(&key.name).unwrap()).collect()
    };
    assert_eq!(names(&hive), ["A", "a", "b", "_"]);
    hive.root.keep_order = true;
    assert_eq!(names(&hive), ["b", "_", "A", "a"]);
}

#[test]
fn data_go_where_that_version_puts_them() {
    let mut hive = Hive::new("ROOT");
    hive.root.set_binary("4", &[1; 4]).set_binary("5", &[1; 5]);
    hive.root.set_binary("16344", &[1; 16_344]).set_binary("16345", &[1; 16_345]).set("empty", reg_type::SZ, &[]);
    let place = |minor, name| Hive { minor, ..hive.clone() }.build().value("", name).data.clone();
    assert!(matches!(place(5, "empty"), DataLocation::Inline(_)));
    assert!(matches!(place(5, "4"), DataLocation::Inline(_)));
    assert!(matches!(place(5, "5"), DataLocation::Cell(_)));
    assert!(matches!(place(5, "16344"), DataLocation::Cell(_)));
    assert!(matches!(place(5, "16345"), DataLocation::Big { segments, .. } if segments.len() == 2));
    assert!(matches!(place(4, "16345"), DataLocation::Big { .. }));
    assert!(matches!(place(3, "16345"), DataLocation::Cell(_)));
}

#[test]
fn the_tree_ignores_letter_case_and_takes_any_name() {
    let mut root = Key::new("ROOT");
    root.last_written = 5;
    root.create(r"\Straße\ÄÖ").set_dword("Start", 1);
    root.create(r"STRAßE\äö").set_dword("START", 2).set_dword("", 3);
    assert_eq!(root.subkeys.len(), 1);
    let key = root.key(r"strASSe").or(root.key(r"strAßE\Äö")).unwrap();
    assert_eq!((key.values.len(), key.last_written), (2, 5));
    assert_eq!(key.value("start").unwrap().data, 2_u32.to_le_bytes());
    let odd = [0xD800, 0, u16::from(b'\\')];
    root.create_child(&odd);
    root.create_child(&odd);
    assert_eq!(root.subkeys.len(), 2);
    assert!(root.remove_child("STRASSE").is_none() && root.remove_child("STRAßE").is_some());
}

#[test]
fn exactly_what_is_meant_can_be_damaged() {
    let mut hive = Hive::new("ROOT");
    hive.root.create("Key").set_dword("Start", 3);
    let mut built = hive.build();
    let whole = built.bytes.clone();
    let start = built.value("key", "start").clone();
    let DataLocation::Inline(data) = start.data else { panic!("four bytes stand in the record") };
    built.put_u32(data, 4);
    hive.root.create("Key").set_dword("Start", 4);
    assert!(built.bytes == hive.to_bytes() && built.bytes != whole);
}

#[test]
fn a_deep_hive_can_be_built() {
    let mut hive = Hive::new("ROOT");
    let mut key = &mut hive.root;
    for _ in 0..1000 {
        key = key.create("deeper");
    }
    assert_eq!(hive.build().keys.len(), 1001);
}
