//! Locations in hives without log replay, compared with the builder's map of them.

use hivemend::evidence::Bytes;
use hivemend::finding::WrittenBy;
use hivemend::hive::Hive;
use hivemend::registry::Role;

use super::{data, findings, is_there, with_locations};
use crate::builder::{self, Built, DataLocation};
use crate::cases::{examined, examined_case};
use crate::fixture;

fn first_byte(data: &DataLocation) -> usize {
    match data {
        DataLocation::Inline(at) => *at,
        DataLocation::Cell(cell) => cell.payload(),
        DataLocation::Big { segments, .. } => segments[0].payload(),
    }
}

#[test]
fn findings_lie_where_the_builder_put_them() {
    let (mut values, mut keys_alone) = (0, 0);
    for case in ["windows-xp-senslogn-extra-value", "windows-7-sens-removed", "windows-2000", "hostile-strings"] {
        let compiled = fixture::compile(case).unwrap();
        let built: Vec<(&str, Built)> = compiled.hives.iter().map(|(role, hive)| (*role, hive.build())).collect();
        let examined = examined(compiled, &with_locations());
        for finding in findings(&examined).iter().filter(|finding| finding.hive.is_some()) {
            let Some(location) = &finding.location else {
                assert!(finding.key_last_written.is_none(), "{case}: {} has a key and no place", finding.id);
                continue;
            };
            let role = finding.hive.unwrap().as_str();
            let built = &built.iter().find(|(known, _)| *known == role).unwrap().1;
            is_there(&built.bytes, finding, location);
            assert_eq!((&location.written_by, location.past_end), (&WrittenBy::default(), false));

            let key = finding.key.as_deref().unwrap();
            assert_eq!(location.nk, Some(built.key(key).nk.payload() as u64), "{case}: {}", finding.id);
            if let Some(observed) = &finding.observed {
                let value = built.value(key, finding.stored_name.as_deref().unwrap());
                let wanted = (!observed.raw.is_empty()).then(|| first_byte(&value.data) as u64);
                assert_eq!((location.vk, location.data), (Some(value.vk.payload() as u64), wanted));
                values += 1;
            } else {
                keys_alone += 1;
            }
        }
    }
    assert!(values > 200 && keys_alone > 10, "{values} values, {keys_alone} keys alone");
}

#[test]
fn without_being_asked_findings_have_no_place() {
    assert!(findings(&examined_case("windows-7-bits-disabled")).iter().all(|finding| finding.location.is_none()));
}

#[test]
fn resident_plain_segmented_and_unreadable_data() {
    let mut hive = builder::Hive::new("ROOT");
    let long: Vec<u8> = (0..40_000_u32).map(|number| (number % 251) as u8).collect();
    let key = hive.root.create("Key");
    key.set_dword("Resident", 7).set_binary("Empty", &[]).set_binary("Plain", &[9; 100]).set_binary("Long", &long);
    key.set_binary("Lost", &[5; 64]);
    let mut built = hive.build();
    let lost = built.value("Key", "Lost").vk.payload();
    built.put_u32(lost + 8, 0x7fff_0000);
    let hive = Hive::from_bytes(Bytes::Read(built.bytes.clone())).unwrap().as_it_lies();
    let tree = hive.tree();
    let key = tree.key("Key").unwrap().unwrap();
    let of = |name: &str| {
        let named = key.named_value(name).unwrap().unwrap();
        let location = key.location_of(&named);
        assert_eq!(location, key.location_of_named(name), "{name}");
        assert_eq!(data(&built.bytes, &location, named.value.bytes.len()), named.value.bytes, "{name}");
        location
    };
    let vk = |name: &str| Some(built.value("Key", name).vk.payload() as u64);
    assert_eq!(of("Resident").data, vk("Resident").map(|vk| vk + 8));
    assert_eq!((of("Empty").vk, of("Empty").data), (vk("Empty"), None));
    assert_eq!((of("Plain").vk, of("Plain").segments), (vk("Plain"), None));
    let DataLocation::Big { segments, .. } = &built.value("Key", "Long").data else { panic!("not big") };
    let segments: Vec<u64> = segments.iter().map(|segment| segment.payload() as u64).collect();
    assert_eq!((segments.len(), of("Long").segments), (3, Some(segments)));

    // What cannot be read lies somewhere all the same.
    assert!(key.named_value("Lost").is_err());
    let lost = key.location_of_named("Lost");
    assert_eq!((lost.nk, lost.vk, lost.data), (key.location().nk, vk("Lost"), None));
    assert_eq!(key.location_of_named("None"), key.location());
}

/// Data that cannot be read make a finding of their own, which still says where its value is.
#[test]
fn an_unreadable_value_is_located() {
    let folder = tempfile::tempdir().unwrap();
    let case = fixture::compile("windows-7").unwrap();
    let paths = case.write(folder.path()).unwrap();
    let mut built = case.hives[1].1.build();
    let path = r"ControlSet001\Services\BITS";
    let vk = built.value(path, "ImagePath").vk.payload();
    built.put_u32(vk + 8, 0x7fff_0000);
    std::fs::write(&paths[1], &built.bytes).unwrap();
    let examination = crate::cases::examine_folder(folder.path(), &with_locations());
    let findings = &examination.report.installations[0].judgement.as_ref().unwrap().findings;
    let finding = findings.iter().find(|finding| finding.id == "service-bits/ImagePath").unwrap();
    assert_eq!((finding.hive, finding.verdict), (Some(Role::System), hivemend::finding::Verdict::Unreadable));
    let location = finding.location.as_ref().unwrap();
    assert_eq!((location.vk, location.data), (Some(vk as u64), None));
}
