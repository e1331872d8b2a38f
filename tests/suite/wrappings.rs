//! The same tree in every container: the same installations, generations, hashes, and findings.

use std::fs;

use serde_json::Value;

use crate::command_line::Desk;
use crate::images::shell;

/// The ways in which a folder `tree` is wrapped: what comes out is named first. Each command ends with 127 where a tool is
/// missing.
const WRAPPINGS: [(&str, &str); 14] = [
    ("a.zip", "cd tree && zip -qr ../a.zip ."),
    ("stored.zip", "cd tree && zip -q0r ../stored.zip ."),
    ("a.tar", "tar -C tree -cf a.tar ."),
    ("v7.tar", "tar -C tree --format=ustar -cf v7.tar ."),
    ("a.tar.gz", "tar -C tree -czf a.tar.gz ."),
    ("a.tar.bz2", "tar -C tree -cjf a.tar.bz2 ."),
    ("a.tar.xz", "tar -C tree -cJf a.tar.xz ."),
    ("a.tar.zst", "command -v zstd >/dev/null || exit 127; tar -C tree -cf - . | zstd -q >a.tar.zst"),
    ("a.7z", "cd tree && 7z a -bso0 -bsp0 ../a.7z . "),
    (
        "nested.zip",
        "cd tree && zip -qr ../a1.zip . && cd .. && tar -cf a1.tar a1.zip && rm a1.zip && zip -q nested.zip a1.tar && rm a1.tar",
    ),
    (
        "fat.img",
        "command -v mkfs.fat mcopy >/dev/null || exit 127; truncate -s 48M fat.img && mkfs.fat -F 32 -s 1 fat.img >/dev/null && \
         for f in tree/*; do mcopy -s -Q -i fat.img \"$f\" ::/ </dev/null || exit 1; done",
    ),
    (
        "ntfs.img",
        "command -v mkntfs wimcapture >/dev/null || exit 127; truncate -s 48M ntfs.img && mkntfs -q -F ntfs.img && \
         : >all && wimcapture tree t.wim --config=all --compress=none >/dev/null && wimapply t.wim 1 ntfs.img >/dev/null && rm t.wim",
    ),
    ("ext.img", "command -v mke2fs >/dev/null || exit 127; mke2fs -q -t ext4 -d tree ext.img 48M"),
    ("ext2.img", "command -v mke2fs >/dev/null || exit 127; mke2fs -q -t ext2 -d tree ext2.img 48M"),
];

/// Where hives lie in a tree, by fixture: `(path, fixture, file)`.
type Layout = &'static [(&'static str, &'static str, &'static str)];

const XP: &str = "windows-xp-senslogn-shutdown-wrong";
const SEVEN: &str = "windows-7-bits-disabled";

/// Trees as people have them, by name.
const LAYOUTS: [(&str, Layout); 14] = [
    (
        "a mounted volume",
        &[("WINDOWS/system32/config/software", XP, "SOFTWARE"), ("WINDOWS/system32/config/system", XP, "SYSTEM")],
    ),
    (
        "a volume with backups that somebody made",
        &[
            ("WINDOWS/system32/config/software", XP, "SOFTWARE"),
            ("WINDOWS/system32/config/system", XP, "SYSTEM"),
            ("Backup2010/SYSTEM", XP, "SYSTEM"),
            ("Documents and Settings/bob/Desktop/old/system.bak", SEVEN, "SYSTEM"),
        ],
    ),
    (
        "a volume with Windows.old and RegBack",
        &[
            ("Windows/System32/config/SOFTWARE", SEVEN, "SOFTWARE"),
            ("Windows/System32/config/SYSTEM", SEVEN, "SYSTEM"),
            ("Windows/System32/config/RegBack/SYSTEM", SEVEN, "SYSTEM"),
            ("Windows.old/WINDOWS/system32/config/software", XP, "SOFTWARE"),
            ("Windows.old/WINDOWS/system32/config/system", XP, "SYSTEM"),
        ],
    ),
    ("copied hives", &[("SOFTWARE", SEVEN, "SOFTWARE"), ("SYSTEM", SEVEN, "SYSTEM")]),
    (
        "two machines side by side",
        &[
            ("a/SOFTWARE", SEVEN, "SOFTWARE"),
            ("a/SYSTEM", SEVEN, "SYSTEM"),
            ("b/software.hiv", XP, "SOFTWARE"),
            ("b/system.hiv", XP, "SYSTEM"),
        ],
    ),
    ("names that say nothing", &[("x/one", SEVEN, "SOFTWARE"), ("x/two", SEVEN, "SYSTEM")]),
    (
        "names with a number before them",
        &[("case42-SOFTWARE", SEVEN, "SOFTWARE"), ("case42-SYSTEM", SEVEN, "SYSTEM"), ("case43-SYSTEM", XP, "SYSTEM")],
    ),
    (
        "KAPE",
        &[
            ("C/Windows/System32/config/SOFTWARE", SEVEN, "SOFTWARE"),
            ("C/Windows/System32/config/SYSTEM", SEVEN, "SYSTEM"),
        ],
    ),
    (
        "Velociraptor",
        &[
            ("uploads/auto/C%3A/Windows/System32/config/SOFTWARE", SEVEN, "SOFTWARE"),
            ("uploads/auto/C%3A/Windows/System32/config/SYSTEM", SEVEN, "SYSTEM"),
        ],
    ),
    (
        "a restore point",
        &[
            ("WINDOWS/system32/config/software", XP, "SOFTWARE"),
            ("WINDOWS/system32/config/system", XP, "SYSTEM"),
            ("System Volume Information/_restore{8B6B}/RP12/snapshot/_REGISTRY_MACHINE_SYSTEM", XP, "SYSTEM"),
            ("System Volume Information/_restore{8B6B}/RP12/snapshot/_REGISTRY_MACHINE_SOFTWARE", XP, "SOFTWARE"),
        ],
    ),
    (
        "ERUNT",
        &[
            ("WINDOWS/system32/config/system", XP, "SYSTEM"),
            ("WINDOWS/erdnt/1-1-2010/SYSTEM", XP, "SYSTEM"),
            ("WINDOWS/erdnt/1-1-2010/software", XP, "SOFTWARE"),
        ],
    ),
    (
        "an empty folder named like a place, and hives elsewhere",
        &[("Tools/repair/readme.txt", "", "nothing"), ("data/SYSTEM", XP, "SYSTEM")],
    ),
    (
        "DFIR-ORC",
        &[
            ("2DC9E2CA_100000000B5EC_1_SOFTWARE_{00000000-0000-0000-0000-000000000000}.data", SEVEN, "SOFTWARE"),
            ("2DC9E2CA_100000000B5ED_2_SYSTEM_{00000000-0000-0000-0000-000000000000}.data", SEVEN, "SYSTEM"),
        ],
    ),
    (
        "flattened names",
        &[
            ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", SEVEN, "SOFTWARE"),
            ("3f2504e0-4f89-11d3-9a0c-0305e82c3302", SEVEN, "SYSTEM"),
        ],
    ),
];

/// A desk with a folder `tree` laid out so.
fn desk(layout: Layout) -> Desk {
    let desk = Desk::with(&[XP, SEVEN]);
    for (path, case, file) in layout {
        let path = desk.path("tree").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if case.is_empty() {
            fs::write(path, file).unwrap();
            continue;
        }
        let of = desk.path("evidence").join(case);
        let config = walkdir(&of, file);
        fs::copy(config, path).unwrap();
    }
    desk
}

/// The file of a hive below a folder, in any letter case.
fn walkdir(folder: &std::path::Path, wanted: &str) -> std::path::PathBuf {
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if path.file_name().is_some_and(|name| name.eq_ignore_ascii_case(wanted)) {
                return path;
            }
        }
    }
    panic!("no {wanted} in {}", folder.display());
}

/// What an audit says of evidence, without the way to it: generations, Windows, hashes, findings, ids behind the
/// argument's own name, and what is missing.
fn judged(desk: &Desk, evidence: &str) -> Value {
    let output = desk.run(&["audit", evidence, "--generations", "all", "--all", "--format", "json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let report: Value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{evidence}: {error}: {}", String::from_utf8_lossy(&output.stderr)));
    let behind = |text: &str| {
        let inner = text.rsplit_once(".tar!").map_or(text, |(_, inner)| inner);
        let inner = inner.strip_prefix("a1.zip").unwrap_or(inner);
        inner.strip_prefix(evidence).unwrap_or(inner).trim_start_matches(['/', '!']).to_owned()
    };
    let id = |text: &str| {
        text.rsplit_once("a1.zip")
            .map_or(text, |(_, inner)| inner)
            .trim_start_matches(evidence)
            .trim_matches('-')
            .to_owned()
    };
    let mut installations = Vec::new();
    for installation in report["installations"].as_array().unwrap() {
        let hives: Vec<Value> = installation["hives"]
            .as_array()
            .unwrap()
            .iter()
            .map(|hive| {
                serde_json::json!([
                    hive["role"],
                    hive["sha256"],
                    behind(hive["path"].as_str().unwrap()),
                    hive["integrity"]["state"]
                ])
            })
            .collect();
        installations.push(serde_json::json!({
            "evidence": behind(installation["evidence"].as_str().unwrap()),
            "id": id(installation["id"].as_str().unwrap()),
            "generation": installation["generation"],
            "os": installation["os"],
            "hives": hives,
            "findings": installation["findings"],
        }));
    }
    let gaps: Vec<&Value> = report["summary"]["gaps"].as_array().unwrap().iter().map(|gap| &gap["code"]).collect();
    serde_json::json!({"code": output.status.code(), "installations": installations, "gaps": gaps})
}

#[test]
fn the_same_tree_is_the_same_in_every_wrapping() {
    let mut tried = 0;
    for (name, layout) in LAYOUTS {
        let desk = desk(layout);
        let plain = judged(&desk, "tree");
        assert!(!plain["installations"].as_array().unwrap().is_empty(), "{name}");
        for (wrapped, command) in WRAPPINGS {
            if !shell(&desk, command) {
                continue;
            }
            let found = judged(&desk, wrapped);
            assert_eq!(found, plain, "{name} in {wrapped}");
            tried += 1;
            fs::remove_file(desk.path(wrapped)).unwrap();
        }
    }
    assert!(tried >= LAYOUTS.len() * 5, "only {tried} wrappings were tried");
}

#[test]
fn every_hive_of_every_layout_is_found() {
    for (name, layout) in LAYOUTS {
        let desk = desk(layout);
        let plain = judged(&desk, "tree");
        let hives = plain["installations"].as_array().unwrap().iter().flat_map(|one| one["hives"].as_array().unwrap());
        let expected = layout.iter().filter(|(_, case, _)| !case.is_empty()).count();
        assert_eq!(hives.count(), expected, "{name}: {plain}");
    }
}
