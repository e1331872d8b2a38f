//! Volumes that Windows wrote, from 2003 to 2021, in the folder of public samples that `HIVEMEND_IMAGES` names; ignored
//! without it. The checksums were computed with `vshadowmount` (libvshadow 20190323), so that they also decide where it
//! is not installed.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use hivemend::evidence::block::{BlockRead, Blocks, FileBlocks, Part};
use hivemend::evidence::volume::shadow_copies::ShadowCopies;
use sha2::{Digest, Sha256};

use super::mounted::{Compared, Mount};
use crate::harness;
use crate::shadow_volume::BLOCK;

/// A sample that is packed there, or `None` where there is no folder of samples.
fn packed(name: &str) -> Option<PathBuf> {
    let path = harness::folder("HIVEMEND_IMAGES")?.join(name);
    assert!(path.exists(), "{} is not there", path.display());
    Some(path)
}

/// Unpacks an `.xz` file to a sparse one.
fn unpack(from: &Path, to: &Path) {
    let mut xz = Command::new("xz").arg("-dc").arg(from).stdout(Stdio::piped()).spawn().unwrap();
    let (mut bytes, to, mut at) = (xz.stdout.take().unwrap(), File::create(to).unwrap(), 0);
    loop {
        let mut block = Vec::new();
        bytes.by_ref().take(BLOCK as u64).read_to_end(&mut block).unwrap();
        if block.iter().any(|byte| *byte != 0) {
            to.write_all_at(&block, at).unwrap();
        }
        at += block.len() as u64;
        if block.is_empty() {
            break;
        }
    }
    to.set_len(at).unwrap();
    assert!(xz.wait().unwrap().success());
}

/// Whether a tool ran well; the test lacks it where it is not installed.
fn ran(command: &mut Command) -> bool {
    let Ok(status) = command.status() else {
        harness::lacks_program(&command.get_program().to_string_lossy());
        return false;
    };
    assert!(status.success(), "{command:?}: {status}");
    true
}

fn open(image: &Path, offset: u64) -> ShadowCopies {
    let disk: Blocks = Arc::new(FileBlocks::open(image).unwrap());
    let size = disk.size() - offset;
    let volume: Blocks = Arc::new(Part::new(disk, offset, size));
    ShadowCopies::of(&volume).unwrap().unwrap()
}

fn sum(snapshot: &dyn BlockRead, start: u64, end: u64) -> String {
    let (mut hasher, mut at, mut buffer) = (Sha256::new(), start, vec![0; 1 << 20]);
    while at < end {
        let wanted = buffer.len().min(usize::try_from(end - at).unwrap());
        let count = snapshot.read_at(&mut buffer[..wanted], at).unwrap();
        assert!(count > 0, "nothing at {at:#x}");
        hasher.update(&buffer[..count]);
        at += count as u64;
    }
    hasher.finalize().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// Each shadow copy as a line: number, store, when, bytes, attributes, own GUID, and whether Windows has deleted it.
fn told(copies: &ShadowCopies) -> String {
    let lines = copies.list().iter().map(|copy| {
        let identity = copy.identity.clone().unwrap();
        let (store, created, size) = (copy.store, copy.created, copy.volume_size);
        let offline = if copy.offline { " offline" } else { "" };
        format!("{} {store} {created} {size} {:#x} {}{offline}\n", copy.index, identity.attributes, identity.id)
    });
    lines.collect()
}

/// Compares parts of all shadow copies with `vshadowmount`; what comes out is told and must be no difference.
fn compare(test: &str, image: &Path, offset: u64, copies: &ShadowCopies, parts: &[(u64, u64)]) {
    let Some(mount) = Mount::new(test, image, offset) else { return };
    assert_eq!(mount.count(), copies.list().len());
    let mut compared = Compared::default();
    for copy in copies.list() {
        let (ours, theirs) = (copies.open(copy.index).unwrap(), mount.shadow_copy(copy.index));
        assert_eq!(ours.size(), theirs.size());
        for (start, end) in parts {
            compared.range(&*ours, &theirs, *start, *end);
        }
    }
    note!("{test}: {} blocks compared with vshadowmount", compared.blocks);
    assert_eq!((compared.refused, compared.differ), (0, vec![]));
}

#[test]
fn two_shadow_copies_of_2021() {
    let test = "two_shadow_copies_of_2021";
    let Some(packed) = packed("vss.raw.xz") else { return };
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("vss.raw");
    unpack(&packed, &image);
    let copies = open(&image, 0);
    insta::assert_snapshot!(told(&copies));
    let sums = [
        "d830fe9e2f75e66edfe0f9b0730c0ec8148233ed9c2ab5601195c293d593d9a9",
        "d47ca0497f4aa3098a7d0b5407a6406a4f8d747e6207fdbc197e2224fb4838ae",
    ];
    for (index, expected) in (1..).zip(sums) {
        let snapshot = copies.open(index).unwrap();
        assert_eq!(sum(&*snapshot, 0, snapshot.size()), expected, "shadow copy {index}");
    }
    compare(test, &image, 0, &copies, &[(0, 82_771_968)]);
}

#[test]
fn two_shadow_copies_of_2013_in_a_qcow2_image() {
    let test = "two_shadow_copies_of_2013_in_a_qcow2_image";
    let Some(packed) = packed("vsstest.qcow2.xz") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (qcow2, image) = (folder.path().join("vsstest.qcow2"), folder.path().join("vsstest.raw"));
    unpack(&packed, &qcow2);
    let mut convert = Command::new("qemu-img");
    if !ran(convert.args(["convert", "-O", "raw", "-S", "4k"]).arg(&qcow2).arg(&image)) {
        return;
    }
    let copies = open(&image, 0);
    insta::assert_snapshot!(told(&copies));
    let sums = [
        "c8ada35c641a68447640b250f35e623b7f619aaae26bd55a06b8d4c34ebed1da",
        "41f940d92a534dd8e940a4983d2a766bcb262373f9dc2006851e81fa3a1fa2f2",
    ];
    for (index, expected) in (1..).zip(sums) {
        let snapshot = copies.open(index).unwrap();
        assert_eq!(sum(&*snapshot, 0, snapshot.size()), expected, "shadow copy {index}");
    }
    compare(test, &image, 0, &copies, &[(0, 1 << 30)]);
}

/// The parts of the Server 2003 volume that are no holes of its image, rounded to blocks.
const WRITTEN: [(u64, u64); 9] = [
    (0, 0x27_4000),
    (0x12cd_0000, 0x12e6_8000),
    (0x258f_4000, 0x25a3_8000),
    (0x384f_4000, 0x3864_0000),
    (0x4b0f_4000, 0x4b23_8000),
    (0x5dcf_4000, 0x5de7_4000),
    (0xbbff_c000, 0xc002_0000),
    (0xf_ffea_8000, 0x10_002d_c000),
    (0x1f_ffd5_8000, 0x1f_ffd5_8c00),
];

#[test]
fn six_shadow_copies_of_server_2003_without_an_index_in_the_catalog() {
    let test = "six_shadow_copies_of_server_2003_without_an_index_in_the_catalog";
    let Some(packed) = packed("vss_2003.tgz") else { return };
    let folder = tempfile::tempdir().unwrap();
    // 128 GiB, nearly all of it holes.
    if !ran(Command::new("tar").arg("-xSzf").arg(&packed).arg("-C").arg(folder.path())) {
        return;
    }
    let (image, offset) = (folder.path().join("vss_2003.raw"), 63 * 512);
    let copies = open(&image, offset);
    insta::assert_snapshot!(told(&copies));
    // The boot files, the MFT, and the middle of the volume.
    let parts = [(0, 0x27_0000), (0xbfff_0000, 0xc002_0000), (0xf_ffec_0000, 0x10_002c_0000)];
    let sums = [
        [
            "d73fa81e378732739955607d975085184474e0601439d81234188210335b56d5",
            "85717a977960b1da4251351e0265e6b584f553a62fa097c7a38265532db51643",
            "8d0b9a7c71caa782d78b3bc6fea2edf4c658ab3d774d8a7ba733474c5ff08bd3",
        ],
        [
            "6d73f63b11f02277fe56f77213d411f9d5ae356d5485675279f7ccaecc9aaf6e",
            "b4ba8f8a162359f4ce425c5f28e2be17e49ad2bd4b132bfd2fd9d4b568e9b0a5",
            "6cfee881b34e4c2f1fdff387b1d1944f8976bed08bb23c08001375a1f0de5c10",
        ],
        [
            "103ec271f1d1087706c15622e3ee4d15cbbad11b35f4279bdf3ea5475277e3c6",
            "ad058777dbf7fc9dd4a99267be5165600beae7bb983332dcea757c6c674e2970",
            "1774b04734c84282c7596ca797378cf7283b23bff233388b645fa1685fc2dbd7",
        ],
        [
            "103ec271f1d1087706c15622e3ee4d15cbbad11b35f4279bdf3ea5475277e3c6",
            "16270ae3f1ee29565753afbca02a3f61f7b2300b4c35d1ae12263659c6340170",
            "8eef6a5a5e60f2c1f962adef156b212d6c5dc35824c4ed4a8966241f11032c39",
        ],
        [
            "c6564cf3343fe6e6558493051803cd32a7857934460df3289c9865e03035fd24",
            "1f453655b51511809bd62a218cefa477a70f8adcad87276cafb6e0e4561ec34c",
            "23ddbe0a6445e6d4f53f29c11d804aaa79c63758f799a022d8f8566af482bc80",
        ],
        [
            "890f71289f02c4605805379eba7e5bc986e4e1652c404502e1e13d4c8e90645f",
            "1da570df72d15c413a54fc2530e701f8f7b50165da5320cd16a115ccc607bbc6",
            "dfc660ddfb4d578d667260d114a187c95912fda6d712f58d11c44f9df09e3bff",
        ],
    ];
    for (index, sums) in (1..).zip(sums) {
        let snapshot = copies.open(index).unwrap();
        let found = parts.map(|(start, end)| sum(&*snapshot, start, end));
        assert_eq!(found, sums, "shadow copy {index}");
    }
    // And one block in each 64 MiB, which are holes for the most part.
    let sampled = (0..0x1f_ffd5_8000_u64).step_by(64 << 20).map(|start| (start, start + BLOCK as u64));
    let parts: Vec<_> = WRITTEN.into_iter().chain(sampled).collect();
    compare(test, &image, offset, &copies, &parts);
}
