//! Hives in disk images: every container, partition table, and file system gives the results of the plain files.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::Command;

use serde_json::Value;

use crate::command_line::Desk;
use crate::disk_images::sample;
use crate::exfat;
use crate::fixture;
use crate::harness;
use crate::history::volume;
use crate::shadow_volume::{self, BLOCK, Saved, Store};

/// Runs a shell command in the desk's folder; whether its tools are installed.
pub(crate) fn shell(desk: &Desk, command: &str) -> bool {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output =
        Command::new("sh").args(["-c", command]).env("PATH", path).current_dir(desk.path("")).output().unwrap();
    if output.status.code() == Some(127) {
        harness::lacks_some_program(command, &output.stderr);
        return false;
    }
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    true
}

/// What an audit says, without what the container adds: the way to it in paths, what it was, and ids made of it.
pub(crate) fn audited(desk: &Desk, evidence: &str, container: &str) -> (Option<i32>, Value) {
    let output = desk.run(&["audit", evidence, "--generations", "all", "--all", "--format", "json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let text = if container.is_empty() { text } else { text.replace(&format!("{container}!"), "") };
    let mut report: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{evidence}: {error}: {text}{said}"));
    for installation in report["installations"].as_array_mut().unwrap() {
        assert!(installation["id"].take().is_string());
        // Gaps of the container itself, and of the volume.
        let image = container.split('!').next().unwrap_or_default();
        installation["gaps"].as_array_mut().unwrap().retain(|gap| gap["at"] != image && gap["at"] != container);
        for hive in installation["hives"].as_array_mut().unwrap() {
            hive["container"].take();
            // The container vouches, or none does.
            hive["source_integrity"].take();
        }
    }
    // The way to the hives is another one.
    report["sources"].take();
    (output.status.code(), report)
}

/// A volume of five generations, one with hives that were interrupted, and their logs.
pub(crate) fn evidence() -> Desk {
    let desk = volume();
    fixture::compile("windows-10-bits-manual").unwrap().write_dirty(&desk.path("img/Windows.old")).unwrap();
    desk
}

/// The same as the files of its root, without the first folder.
pub(crate) fn plain(desk: &Desk) -> (Option<i32>, Value) {
    let (code, report) = audited(desk, "img", "");
    let text = report.to_string().replace("\"img/", "\"").replace(" img/", " ");
    (code, serde_json::from_str(&text).unwrap())
}

/// An NTFS volume of 64 MiB with the evidence on it; `options` for mkntfs.
pub(crate) fn ntfs(desk: &Desk, name: &str, options: &str) -> bool {
    shell(
        desk,
        &format!(
            "command -v mkntfs wimcapture >/dev/null || exit 127; truncate -s 64M {name} && mkntfs -q -F {options} {name} \
             && {}",
            filled(name)
        ),
    )
}

/// The command that copies the evidence to an NTFS volume.
fn filled(name: &str) -> String {
    format!(
        ": >all && wimcapture img img.wim --config=all --compress=none >/dev/null && wimapply img.wim 1 {name} >/dev/null \
         && rm img.wim"
    )
}

/// Takes every second cluster of an NTFS volume on which nothing is yet. Of what is free ntfs-3g then uses one cluster in
/// each 65,536, so that the volume has to be large.
fn take_every_second_cluster(desk: &Desk, name: &str) {
    assert!(shell(desk, &format!("ntfscat -i 6 {name} >bitmap")));
    let bitmap: Vec<u8> = fs::read(desk.path("bitmap")).unwrap().iter().map(|byte| byte | 0x55).collect();
    fs::write(desk.path("bitmap"), bitmap).unwrap();
    assert!(shell(desk, &format!("ntfscp -q -f -i {name} bitmap 6")));
}

/// An exFAT volume of 64 MiB with the evidence on it.
fn exfat(desk: &Desk, name: &str) -> bool {
    let make =
        format!("command -v mkfs.exfat >/dev/null || exit 127; truncate -s 64M {name} && mkfs.exfat {name} >/dev/null");
    if !shell(desk, &make) {
        return false;
    }
    let empty = exfat::Volume::formatted(fs::read(desk.path(name)).unwrap());
    fs::write(desk.path(name), empty.copy(&desk.path("img"))).unwrap();
    // It is an exFAT volume: who says so is not us.
    shell(desk, &format!("fsck.exfat -n {name}"))
}

/// A FAT volume of 64 MiB with the evidence on it.
pub(crate) fn fat(desk: &Desk, name: &str, bits: u32) -> bool {
    let clusters = if bits == 32 { "-s 1" } else { "" };
    let size = if bits == 12 { 16 } else { 64 };
    shell(
        desk,
        &format!(
            "command -v mcopy mkfs.fat >/dev/null || exit 127; truncate -s {size}M {name} && mkfs.fat -F {bits} {clusters} {name} \
             >/dev/null && mcopy -s -i {name} img/* ::/"
        ),
    )
}

/// Puts a volume into a disk at a place, in bytes.
pub(crate) fn put(desk: &Desk, volume: &str, into: &str, at: u64) {
    let mut bytes = Vec::new();
    File::open(desk.path(volume)).unwrap().read_to_end(&mut bytes).unwrap();
    let mut file = OpenOptions::new().write(true).open(desk.path(into)).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&bytes).unwrap();
}

#[test]
fn every_file_system_gives_what_the_plain_files_give() {
    let desk = evidence();
    let plain = plain(&desk);
    assert_eq!(plain.1["installations"].as_array().unwrap().len(), 5);
    assert!(plain.1.to_string().contains("recovered"));
    let mut tried = 0;
    for (name, options) in
        [("a.ntfs", ""), ("big-clusters.ntfs", "-c 65536"), ("compressed.ntfs", "-C -c 4096"), ("4k.ntfs", "-s 4096")]
    {
        if ntfs(&desk, name, options) {
            assert_eq!(audited(&desk, name, name), plain, "{name}");
            tried += 1;
        }
    }
    if exfat(&desk, "exfat") {
        assert_eq!(audited(&desk, "exfat", "exfat"), plain);
        tried += 1;
    }
    for bits in [12, 16, 32] {
        let name = format!("fat{bits}");
        if fat(&desk, &name, bits) {
            assert_eq!(audited(&desk, &name, &name), plain, "{name}");
            tried += 1;
        }
    }
    assert!(tried > 0, "no file system can be made");
}

#[test]
fn hives_in_hundreds_of_pieces_are_put_together() {
    let desk = evidence();
    let hive = "WINDOWS/system32/config/SOFTWARE";
    // What no table of clusters in one record has room for.
    let mut file = OpenOptions::new().append(true).open(desk.path(&format!("img/{hive}"))).unwrap();
    let filling: Vec<u8> = (0..40_000_u32).flat_map(u32::to_le_bytes).collect();
    file.write_all(&filling).unwrap();
    let plain = plain(&desk);
    if !shell(&desk, "command -v mkntfs ntfscat ntfscp wimcapture >/dev/null || exit 127") {
        return;
    }
    for (name, options) in [("in-pieces", ""), ("compressed", "-C")] {
        shell(&desk, &format!("truncate -s 12G {name} && mkntfs -q -Q -F -c 1024 {options} {name}"));
        take_every_second_cluster(&desk, name);
        shell(
            &desk,
            &format!(
                "{} && ntfsinfo -F {hive} {name} >about && ntfscat {name} {hive} | cmp - img/{hive}",
                filled(name)
            ),
        );
        let about = fs::read_to_string(desk.path("about")).unwrap();
        assert!(about.contains("$ATTRIBUTE_LIST"), "{about}");
        assert_eq!(audited(&desk, name, name), plain, "{name}");
    }
}

#[test]
fn every_partition_table_gives_what_the_plain_files_give() {
    let desk = evidence();
    let plain = plain(&desk);
    if !ntfs(&desk, "volume", "") {
        return;
    }
    for (name, script, part, start) in [
        ("mbr", "label: dos\\nstart=2048,size=8192,type=b\\nstart=10240,type=7", 2, 10240),
        (
            "ebr",
            "label: dos\\nstart=2048,size=8192,type=b\\nstart=10240,type=5\\nstart=12288,size=8192,type=b\\nstart=22528,type=7",
            3,
            22528,
        ),
        ("gpt", "label: gpt\\nstart=2048,size=8192\\nstart=10240,size=2048\\nstart=12288", 3, 12288),
    ] {
        if !shell(
            &desk,
            &format!(
                "command -v sfdisk >/dev/null || exit 127; truncate -s 96M {name} && printf '{script}' | sfdisk -q {name}"
            ),
        ) {
            continue;
        }
        put(&desk, "volume", name, start * 512);
        assert_eq!(audited(&desk, name, &format!("{name}!p{part}")), plain, "{name}");
        // The partition is evidence by itself, and so is a folder or a hive on it.
        assert_eq!(audited(&desk, &format!("{name}!p{part}"), &format!("{name}!p{part}")), plain, "{name}");
        let output =
            desk.run(&["find", &format!("{name}!p{part}!WINDOWS/system32/config/SOFTWARE"), "--format", "json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let hives = report["installations"][0]["hives"].as_array().unwrap();
        assert_eq!(hives.len(), 1);
        let stands = &hives[0]["container"];
        let expected = serde_json::json!({
            "format": "raw", "partition": part, "offset": start * 512, "stored_hash": null, "verified": null, "facts": [],
            "acquisition": null
        });
        assert_eq!(*stands, expected);
    }
}

#[test]
fn every_container_gives_what_the_plain_files_give() {
    let desk = evidence();
    let plain = plain(&desk);
    if !ntfs(&desk, "volume.raw", "") {
        return;
    }
    let convert = |format: &str, name: &str| format!("qemu-img convert -f raw -O {format} volume.raw {name}");
    let acquire = |name: &str, options: &str| {
        format!("ewfacquire -u -q -t {name} {options} -C x -D x -e x -E x -N x volume.raw >/dev/null")
    };
    let mut tried = 0;
    for (name, command) in [
        ("a.vmdk", convert("vmdk", "a.vmdk")),
        ("stream.vmdk", convert("vmdk -o subformat=streamOptimized", "stream.vmdk")),
        ("flat.vmdk", convert("vmdk -o subformat=monolithicFlat", "flat.vmdk")),
        ("a.vhd", convert("vpc", "a.vhd")),
        ("fixed.vhd", convert("vpc -o subformat=fixed,force_size=on", "fixed.vhd")),
        ("a.vhdx", convert("vhdx", "a.vhdx")),
        ("a.vdi", convert("vdi", "a.vdi")),
        ("a.qcow2", convert("qcow2", "a.qcow2")),
        ("c.qcow2", convert("qcow2 -c", "c.qcow2")),
        ("a.E01", acquire("a", "-S 1M -c deflate:fast")),
        ("whole.E01", acquire("whole", "-c none")),
        ("split.001", "split -b 7M -d -a 3 --numeric-suffixes=1 volume.raw split.".to_owned()),
        ("in-a-zip.zip!volume.raw", "zip -q in-a-zip.zip volume.raw".to_owned()),
    ] {
        if shell(&desk, &command) {
            let file = name.split('!').next().unwrap();
            assert_eq!(audited(&desk, file, name), plain, "{name}");
            tried += 1;
        }
    }
    assert!(tried > 0, "no image can be made");
}

#[test]
fn the_images_of_a_folder_are_opened_each_once() {
    let desk = evidence();
    if !ntfs(&desk, "volume.raw", "")
        || !shell(
            &desk,
            "mkdir case && qemu-img convert -f raw -O vmdk -o subformat=twoGbMaxExtentFlat volume.raw case/a.vmdk",
        )
    {
        return;
    }
    shell(&desk, "cd case && ewfacquire -u -q -t b -S 1M -C x -D x -e x -E x -N x ../volume.raw >/dev/null");
    let (_, report) = audited(&desk, "case", "");
    let installations = report["installations"].as_array().unwrap();
    let named =
        |name: &str| installations.iter().filter(|one| one["evidence"].as_str().unwrap().starts_with(name)).count();
    assert_eq!((named("case/a.vmdk!"), named("case/b.E01!")), (5, 5));
    assert_eq!((installations.len(), &report["problems"]), (10, &serde_json::json!([])));
}

#[test]
fn the_hash_that_an_image_holds_is_shown_and_checked() {
    let desk = evidence();
    if !ntfs(&desk, "volume.raw", "")
        || !shell(
            &desk,
            "ewfacquire -u -q -t a -c none -C x -D x -e x -E x -N x volume.raw >/dev/null && md5sum volume.raw >sum",
        )
    {
        return;
    }
    let output = desk.run(&["find", "a.E01", "--format", "json", "--verify-image"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let sum = fs::read_to_string(desk.path("sum")).unwrap();
    let stored = report["installations"][0]["hives"][0]["container"]["stored_hash"].as_str().unwrap();
    assert_eq!(stored, format!("md5:{}", sum.split(' ').next().unwrap()));
    assert_eq!((output.status.code(), &report["problems"]), (Some(0), &serde_json::json!([])));
    // One byte of the disk where no file is: only who reads all of it can tell.
    let mut image = fs::read(desk.path("a.E01")).unwrap();
    let at = image.len() / 10 * 9;
    image[at] ^= 1;
    fs::write(desk.path("a.E01"), image).unwrap();
    assert_eq!(desk.code(&["find", "a.E01"]), 0);
    let output = desk.run(&["find", "a.E01", "--format", "json", "--verify-image"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(!report["problems"].as_array().unwrap().is_empty());
}

#[test]
fn a_windows_in_an_image_or_an_archive_that_sleeps_is_told_before_it_is_patched() {
    let desk = Desk::with(&[]);
    fixture::compile("windows-xp-senslogn-shutdown-wrong").unwrap().write(&desk.path("img")).unwrap();
    let warned = |evidence: &str, patch: &str| {
        assert_eq!(desk.code(&["audit", evidence, "--patch", patch]), 1, "{evidence}");
        let folder = fs::read_dir(desk.path(patch)).unwrap().next().unwrap().unwrap().path();
        let plan: Value = serde_json::from_slice(&fs::read(folder.join("plan.json")).unwrap()).unwrap();
        plan["warnings"].to_string().contains("hiberfil.sys on this volume holds a Windows that was hibernated")
    };
    for (state, sleeps) in [("hibr", true), ("wake", false)] {
        fs::write(desk.path("img/hiberfil.sys"), state.repeat(5_000)).unwrap();
        assert_eq!(warned("img", &format!("{state}-plain")), sleeps);
        if shell(&desk, &format!("tar cf {state}.tar img")) {
            assert_eq!(warned(&format!("{state}.tar"), &format!("{state}-archive")), sleeps);
        }
        if ntfs(&desk, state, "") {
            assert_eq!(warned(state, &format!("{state}-image")), sleeps);
            let place = format!("{state}!Windows/System32/config");
            assert_eq!(warned(&place, &format!("{state}-place")), sleeps);
        }
    }
}

#[test]
fn what_is_to_be_known_of_an_image_is_in_its_report() {
    let desk = evidence();
    if !ntfs(&desk, "volume.raw", "")
        || !shell(&desk, "qemu-img convert -f raw -O qcow2 volume.raw a.qcow2 && qemu-img snapshot -c before a.qcow2")
    {
        return;
    }
    let report = desk.json(&["find", "a.qcow2", "--format", "json"]);
    let facts = &report["installations"][0]["hives"][0]["container"]["facts"];
    assert_eq!(*facts, serde_json::json!(["a.qcow2: 1 internal snapshots; the current state is read"]));
    let output = desk.run(&["find", "a.qcow2"]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("Evidence") && table.contains("a.qcow2: QCOW2, read") && table.contains("1 internal snapshots"),
        "{table}"
    );
}

#[test]
fn a_link_on_a_volume_leads_nowhere() {
    let desk = evidence();
    let outside = desk.path("img/WINDOWS/system32/config/SOFTWARE");
    fs::remove_file(&outside).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &outside).unwrap();
    if !ntfs(&desk, "volume.raw", "") {
        return;
    }
    let output = desk.run(&["find", "volume.raw", "--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = report["installations"].to_string();
    assert!(!found.contains("volume.raw!WINDOWS/system32/config/SOFTWARE"), "{report}");
    assert!(found.contains("volume.raw!WINDOWS/system32/config/SYSTEM"), "{report}");
    let link = serde_json::json!({
        "code": "link-not-followed",
        "at": "volume.raw!WINDOWS/system32/config/SOFTWARE",
        "reason": "a link, which was not followed",
        "advice": "name the target of the link, if it is evidence",
    });
    assert_eq!(report["summary"]["gaps"], serde_json::json!([link]));
}

/// A small pseudo-random sequence, the same each time.
fn numbers(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    }
}

#[test]
fn truncated_and_mutated_images_end_in_a_report_or_a_refusal() {
    let desk = evidence();
    if !ntfs(&desk, "volume.raw", "") {
        return;
    }
    shell(
        &desk,
        "qemu-img convert -f raw -O vmdk volume.raw a.vmdk && qemu-img convert -f raw -O qcow2 volume.raw a.qcow2",
    );
    shell(
        &desk,
        "qemu-img convert -f raw -O vhdx volume.raw a.vhdx && qemu-img convert -f raw -O vpc volume.raw a.vhd",
    );
    shell(&desk, "ewfacquire -u -q -t a -C x -D x -e x -E x -N x volume.raw >/dev/null");
    let mut next = numbers(5);
    for name in ["volume.raw", "a.vmdk", "a.qcow2", "a.vhdx", "a.vhd", "a.E01"] {
        let Ok(whole) = fs::read(desk.path(name)) else { continue };
        for round in 0..24_usize {
            let mut bytes = whole.clone();
            if round % 4 == 0 {
                bytes.truncate(usize::try_from(next()).unwrap() % whole.len());
            } else {
                for _ in 0..round {
                    // Most of what matters to a parser stands near the beginning.
                    let span = if round % 2 == 0 { bytes.len() } else { 65_536 };
                    let at = usize::try_from(next()).unwrap() % span.min(bytes.len());
                    bytes[at] = u8::try_from(next() & 0xff).unwrap();
                }
            }
            fs::write(desk.path("mutated"), &bytes).unwrap();
            let output = desk.run(&["find", "mutated", "--format", "json"]);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(matches!(output.status.code(), Some(0 | 2 | 3)), "{name} {round}: {:?} {said}", output.status);
        }
    }
}

#[test]
fn public_samples_without_hives_say_where_was_looked() {
    let desk = Desk::with(&[]);
    let is_there = |name: &str| sample(&desk.path(""), name).is_some();
    if !is_there("windows_volume.qcow2") || !is_there("partition_image.E01") {
        return;
    }
    let output = desk.run(&["audit", "windows_volume.qcow2"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("no SOFTWARE or SYSTEM hive was found here (") && said.contains("one volume: NTFS"),
        "{said}"
    );
    let said = desk.complaint(2, &["audit", "partition_image.E01"]);
    let told = "partition_image.E01!Windows/System32/Config/SYSTEM: expected a hive (regf), found a text file";
    assert!(said.contains(told), "{said}");
}

/// Files that are named like hives and are none were passed over without a word.
#[test]
fn what_should_be_a_hive_and_is_none_is_told() {
    let desk = evidence();
    let config = desk.path("img/WINDOWS/system32/config");
    fs::write(config.join("system"), [0; 8192]).unwrap();
    for (name, is_made) in [("disk", ntfs(&desk, "disk", "")), ("img.tar", shell(&desk, "tar cf img.tar img"))] {
        if !is_made {
            continue;
        }
        let report = desk.json(&["audit", name, "--format", "json"]);
        let told = report.to_string().to_lowercase();
        assert!(told.contains(r#"system32/config/system""#) && told.contains(r#""found":"zeros""#), "{name}: {told}");
    }
}

/// A volume as `new`, with a shadow copy of it as it was when it was `old`.
fn with_shadow_copy(old: &[u8], new: &[u8]) -> Vec<u8> {
    let blocks = old.len() / BLOCK;
    let at = |block: usize| block * BLOCK..(block + 1) * BLOCK;
    let saved: Vec<Saved> = (0..blocks)
        .filter(|block| old[at(*block)] != new[at(*block)])
        .map(|block| Saved::Whole(block as u64))
        .collect();
    assert!(!saved.is_empty());
    let store = Store { created: 129_000_000_000_000_000, sequence: 1, flags: 0x40, saved, ..Store::default() };
    let mut volume = shadow_volume::build(blocks as u64, &[store]).bytes;
    for place in (blocks..volume.len() / BLOCK).map(at) {
        // What the builder saves tells which block of which store it is.
        let word = u64::from_le_bytes(*volume[place.clone()].first_chunk().unwrap());
        if word >> 56 == 0x11 && word >> 32 & 0xffff == 1 {
            let block = usize::try_from(word >> 8 & 0x00ff_ffff).unwrap();
            volume[place].copy_from_slice(&old[at(block)]);
        }
    }
    let header = volume[0x1e00..0x2000].to_vec();
    volume[..new.len()].copy_from_slice(new);
    volume[0x1e00..0x2000].copy_from_slice(&header);
    volume
}

#[test]
fn a_shadow_copy_is_a_generation_of_its_own() {
    let desk = evidence();
    if !ntfs(&desk, "old", "") {
        return;
    }
    let config = desk.path("img/WINDOWS/system32/config");
    let before = fs::read(config.join("SOFTWARE")).unwrap();
    fs::copy(desk.path("img/WINDOWS/repair/SOFTWARE"), config.join("SOFTWARE")).unwrap();
    assert_ne!(fs::read(config.join("SOFTWARE")).unwrap(), before);
    ntfs(&desk, "new", "");
    let read = |name: &str| fs::read(desk.path(name)).unwrap();
    fs::write(desk.path("disk"), with_shadow_copy(&read("old"), &read("new"))).unwrap();
    let found = |evidence: &str| {
        let report = desk.json(&["find", evidence, "--format", "json"]);
        let mut found = Vec::new();
        for installation in report["installations"].as_array().unwrap() {
            let generation = installation["generation"].as_str().unwrap();
            for hive in installation["hives"].as_array().unwrap() {
                let (path, sum) = (hive["path"].as_str().unwrap(), hive["sha256"].as_str().unwrap());
                found.push((generation.to_owned(), path.to_owned(), sum.to_owned()));
            }
        }
        found
    };
    let all = found("disk");
    let (copied, live): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, path, _)| path.starts_with("disk!vss1!"));
    assert!(copied.iter().all(|(generation, ..)| generation == "shadow-copy"), "{copied:?}");
    let sums = |found: &[(String, String, String)]| -> Vec<(String, String)> {
        let inside = |path: &str| path.rsplit('!').next().unwrap().to_owned();
        let mut sums: Vec<_> = found.iter().map(|(_, path, sum)| (inside(path), sum.clone())).collect();
        sums.sort();
        sums
    };
    assert_eq!(sums(&copied), sums(&found("old")));
    assert_eq!(sums(&live), sums(&found("new")));
    assert_ne!(sums(&copied), sums(&live));
    // One that is named is evidence; those that nobody asked for are not read.
    assert_eq!(sums(&found("disk!vss1")), sums(&copied));
    let named = found("disk!vss1!WINDOWS/system32/config/SOFTWARE");
    assert_eq!(named.len(), 1);
    // They are listed all the same.
    let listed = |command: &[&str]| {
        let report = desk.json(command);
        assert!(report["problems"].as_array().unwrap().is_empty(), "{report:#}");
        report["shadow_copies"].clone()
    };
    let read = listed(&["find", "disk", "--format", "json"]);
    assert_eq!(read.as_array().unwrap().len(), 1);
    assert_eq!(read[0]["path"], "disk!vss1");
    assert_eq!(read[0]["read"], true);
    assert!(read[0]["created"].is_string() && read[0]["id"].is_string(), "{read:#}");
    let mut unread = listed(&["audit", "disk", "--format", "json"]);
    assert_eq!(unread[0]["read"], false);
    unread[0]["read"] = true.into();
    assert_eq!(unread, read);
    assert_eq!(listed(&["audit", "disk", "--format", "json", "--generations", "all"]), read);
    let told = |command: &[&str]| String::from_utf8(desk.run(command).stdout).unwrap();
    let live = desk.json(&["audit", "disk", "--format", "json"]);
    assert!(!live["installations"].to_string().contains("!vss1"));
    assert!(told(&["audit", "disk", "--all"]).contains("not read (read with --generations all)"));
    let output = desk.run(&["history", "disk", "--format", "csv"]);
    assert!(String::from_utf8(output.stdout).unwrap().contains("vss1"));
}
