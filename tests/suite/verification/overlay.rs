//! Edits over a tree have the same result as edits that are applied and written.

use std::collections::BTreeMap;

use hivemend::evidence::Bytes;
use hivemend::hive::{Hive, Key, Overlay};
use hivemend::reg_file::{Document, KeyPath, Operation};
use hivemend::registry::{DataType, RegistryValue};
use proptest::prelude::*;

use crate::apply::apply;
use crate::builder;

/// Every key with its values: names in upper case, spelling beside them, type and bytes.
type Content = BTreeMap<String, BTreeMap<String, (String, u32, Vec<u8>)>>;

fn content(key: &Key<'_, '_>, content_of: &mut Content) {
    let values = key.values().into_iter().map(|value| {
        let value = value.unwrap();
        (value.name.to_uppercase(), (value.name, value.value.data_type.0, value.value.bytes))
    });
    assert!(content_of.insert(key.path().to_uppercase(), values.collect()).is_none(), "{} is there twice", key.path());
    for subkey in key.subkeys().0 {
        content(&subkey, content_of);
    }
}

fn opened(hive: &builder::Hive) -> Hive {
    Hive::from_bytes(Bytes::Read(hive.to_bytes())).unwrap().as_it_lies()
}

fn edit(overlay: &mut Overlay, operation: &Operation) {
    let path = operation.key().names().get(2..).unwrap();
    match operation {
        Operation::CreateKey { .. } => overlay.create_key(path),
        Operation::DeleteKey { .. } => overlay.delete_key(path),
        Operation::SetValue { name, data_type, bytes, .. } => {
            overlay.set_value(path, name, RegistryValue { data_type: DataType(*data_type), bytes: bytes.clone() });
        }
        Operation::DeleteValue { name, .. } => overlay.delete_value(path, name),
    }
}

/// Few names, so that operations meet each other, in two spellings.
fn path() -> impl Strategy<Value = KeyPath> {
    let name = prop::sample::select(vec!["Alpha", "ALPHA", "Beta", "beta", "Gr\u{fc}n", "GR\u{dc}N"]);
    prop::collection::vec(name, 1..4)
        .prop_map(|names| KeyPath::from(format!(r"HKEY_LOCAL_MACHINE\X\{}", names.join("\\")).as_str()))
}

fn operation() -> impl Strategy<Value = Operation> {
    let name = prop::sample::select(vec!["", "Start", "START", "Group"]);
    let name = name.prop_map(|name| name.encode_utf16().collect::<Vec<u16>>());
    prop_oneof![
        2 => path().prop_map(|key| Operation::CreateKey { key }),
        2 => path().prop_map(|key| Operation::DeleteKey { key }),
        4 => (path(), name.clone(), 0..5_u32, any::<Vec<u8>>())
            .prop_map(|(key, name, data_type, bytes)| Operation::SetValue { key, name, data_type, bytes }),
        2 => (path(), name).prop_map(|(key, name)| Operation::DeleteValue { key, name }),
    ]
}

fn document(operations: Vec<Operation>) -> Document {
    let mut document = Document::default();
    for operation in operations {
        document.push(operation);
    }
    document
}

proptest! {
    #[test]
    fn edits_over_a_tree_are_the_same_edits_in_the_hive(
        before in prop::collection::vec(operation(), 0..12),
        edits in prop::collection::vec(operation(), 0..12),
    ) {
        let mut hive = builder::Hive::new("ROOT");
        let time = hive.last_written;
        apply(&document(before), r"HKEY_LOCAL_MACHINE\X", &mut hive.root, time).unwrap();
        let lying = opened(&hive);
        let mut overlay = Overlay::default();
        for operation in &edits {
            edit(&mut overlay, operation);
        }
        apply(&document(edits), r"HKEY_LOCAL_MACHINE\X", &mut hive.root, time).unwrap();
        let carried_out = opened(&hive);

        let (mut seen, mut written) = (Content::new(), Content::new());
        let (over, plain) = (lying.tree().under(&overlay), carried_out.tree());
        content(&over.root().unwrap(), &mut seen);
        content(&plain.root().unwrap(), &mut written);
        prop_assert_eq!(&seen, &written);
        // What is listed is found, by any spelling, and what is not is not.
        for (path, values) in &written {
            let key = over.key(path).unwrap().unwrap();
            for name in ["", "START", "GROUP"] {
                let found = key.named_value(name).unwrap().map(|value| (value.name, value.value.data_type.0, value.value.bytes));
                prop_assert_eq!(found.as_ref(), values.get(name), "{} {}", path, name);
            }
            prop_assert_eq!(over.key(&format!(r"{path}\Nope")).unwrap().is_none(), true);
        }
    }
}

#[test]
fn a_key_that_is_deleted_and_made_again_is_empty() {
    let mut hive = builder::Hive::new("ROOT");
    hive.root.create(r"Alpha\Beta").set_dword("Start", 4);
    let hive = opened(&hive);
    let names = |path: &str| path.split('\\').map(|name| name.encode_utf16().collect()).collect::<Vec<Vec<u16>>>();
    let mut overlay = Overlay::default();
    overlay.delete_key(&names("ALPHA"));
    assert!(hive.tree().under(&overlay).key("Alpha").unwrap().is_none());
    assert!(hive.tree().under(&overlay).root().unwrap().subkeys().0.is_empty());
    overlay.create_key(&names(r"alpha\beta"));
    let tree = hive.tree().under(&overlay);
    let beta = tree.key(r"Alpha\Beta").unwrap().unwrap();
    assert!(beta.values().is_empty());
    assert_eq!(beta.path(), r"alpha\beta");
    assert_eq!(beta.last_written(), hive.tree().root().unwrap().last_written());
}

#[test]
fn the_root_of_a_hive_is_emptied_and_stays() {
    let mut hive = builder::Hive::new("ROOT");
    hive.root.create("Alpha");
    hive.root.set_dword("Start", 4);
    let hive = opened(&hive);
    let mut overlay = Overlay::default();
    overlay.delete_key(&[]);
    let tree = hive.tree().under(&overlay);
    let root = tree.root().unwrap();
    assert!(root.values().is_empty() && root.subkeys().0.is_empty());
}

#[test]
fn what_cannot_be_read_stays_unreadable_unless_it_is_replaced() {
    let mut hive = builder::Hive::new("ROOT");
    hive.root.create("Alpha").set_dword("Start", 4);
    let mut built = hive.build();
    let list = built.key("Alpha").value_list.unwrap().payload();
    built.put_u32(list, u32::MAX);
    let hive = Hive::from_bytes(Bytes::Read(built.bytes)).unwrap().as_it_lies();
    let alpha = [String::from("Alpha").encode_utf16().collect::<Vec<u16>>()];
    let name: Vec<u16> = "Start".encode_utf16().collect();
    let mut overlay = Overlay::default();
    overlay.create_key(&alpha);
    assert!(hive.tree().under(&overlay).key("Alpha").unwrap().unwrap().value("Start").is_err());
    overlay.set_value(&alpha, &name, RegistryValue::dword(3));
    let tree = hive.tree().under(&overlay);
    let key = tree.key("Alpha").unwrap().unwrap();
    assert_eq!(key.value("start").unwrap().unwrap().as_number(), Some(3));
    assert!(key.value("Group").is_err());
}
