//! Public sample images, compressed, in the folder that `HIVEMEND_IMAGES` names.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use hivemend::evidence::block::Blocks;
use hivemend::evidence::disk::{self, Kind};

use super::run;
use crate::harness;

/// Unpacks a sample into the folder; nothing where there are none.
pub(crate) fn sample(folder: &Path, name: &str) -> Option<PathBuf> {
    let images = harness::folder("HIVEMEND_IMAGES")?;
    let mut reader: Box<dyn Read> = match fs::File::open(images.join(format!("{name}.xz"))) {
        Ok(packed) => Box::new(lzma_rust2::XzReader::new(packed, true)),
        Err(_) => Box::new(flate2::read::GzDecoder::new(fs::File::open(images.join(format!("{name}.gz"))).unwrap())),
    };
    let path = folder.join(name);
    std::io::copy(&mut reader, &mut fs::File::create(&path).unwrap()).unwrap();
    Some(path)
}

/// The disk's bytes, whole.
fn whole(path: &Path, kind: Kind) -> Vec<u8> {
    let disk = disk::open(path).unwrap_or_else(|problem| panic!("{problem}"));
    assert_eq!(disk.kind, kind, "{}", path.display());
    bytes(&disk.blocks)
}

/// All bytes of a disk or of a volume.
pub(super) fn bytes(blocks: &Blocks) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(blocks.size()).unwrap()];
    blocks.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

#[test]
fn sample_e01_images_are_what_ewfexport_makes_of_them() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["imageformat_mmls_1.E01", "partition_image.E01", "tsk-image.E01"] {
        let Some(path) = sample(folder.path(), name) else { return };
        let bytes = whole(&path, Kind::Ewf);
        let disk = disk::open(&path).unwrap();
        assert!(disk.verify().unwrap().iter().all(disk::Checked::agrees), "{name}");
        if !run(folder.path(), &format!("ewfexport -u -q -f raw -t out {name}")) {
            return;
        }
        assert!(fs::read(folder.path().join("out.raw")).unwrap() == bytes, "{name}");
        fs::remove_file(folder.path().join("out.raw")).unwrap();
    }
}

#[test]
fn sample_virtual_disks_are_what_qemu_img_makes_of_them() {
    let folder = tempfile::tempdir().unwrap();
    for (name, format, kind) in [
        ("ntfs-fixed.vhd", "vpc", Kind::Vhd),
        ("ntfs-dynamic.vhd", "vpc", Kind::Vhd),
        ("ntfs-parent.vhd", "vpc", Kind::Vhd),
        ("ntfs-fixed.vhdx", "vhdx", Kind::Vhdx),
        ("ntfs-dynamic.vhdx", "vhdx", Kind::Vhdx),
        ("ntfs-parent.vhdx", "vhdx", Kind::Vhdx),
        ("multi_partition_image.vmdk", "raw", Kind::Raw),
        ("windows_volume.qcow2", "qcow2", Kind::Qcow2),
        ("vsstest.qcow2", "qcow2", Kind::Qcow2),
    ] {
        let Some(path) = sample(folder.path(), name) else { return };
        if !run(folder.path(), &format!("qemu-img convert -f {format} -O raw {name} out.raw")) {
            return;
        }
        let (found, expected) = (whole(&path, kind), fs::read(folder.path().join("out.raw")).unwrap());
        // qemu-img takes the size of a VHD that it did not write itself from its cylinders, where it trusts them.
        let common = if kind == Kind::Vhd { found.len().min(expected.len()) } else { expected.len() };
        assert!(found[..common] == expected[..common], "{name}");
        let rest = found[common..].iter().chain(&expected[common..]).count();
        assert!(rest < 1 << 20, "{name}: {} and {} bytes", found.len(), expected.len());
    }
}

/// Records of NTFS, and those of them that are torn: each of their sectors must end with the record's own number, so that
/// a sector of the parent in place of the child's, or the other way round, shows.
fn records(disk: &[u8]) -> (usize, usize) {
    let word = |at: usize| u16::from_le_bytes([disk[at], disk[at + 1]]);
    let (mut all, mut torn) = (0, 0);
    for start in (0..disk.len() - 4096).step_by(512) {
        if matches!(&disk[start..start + 4], b"FILE" | b"INDX") {
            let (place, count) = (usize::from(word(start + 4)), usize::from(word(start + 6)));
            let mark = word(start + place);
            all += 1;
            torn += usize::from((1..count).any(|sector| word(start + 512 * sector - 2) != mark));
        }
    }
    (all, torn)
}

/// A differencing disk and its parent as libvhdi reads them, the parent first; `None` where nothing can be mounted.
fn by_vhdimount(folder: &Path, name: &str) -> Option<[Vec<u8>; 2]> {
    let mounted = folder.join("mounted");
    fs::create_dir(&mounted).unwrap();
    let mount = Command::new("vhdimount").arg(folder.join(name)).arg(&mounted).output();
    let read = |name: &str| fs::read(mounted.join(name)).ok();
    let layers = read("vhdi1").zip(read("vhdi2"));
    let _ = Command::new("fusermount").arg("-u").arg(&mounted).output();
    fs::remove_dir(&mounted).unwrap();
    if let Some((parent, child)) = layers {
        Some([parent, child])
    } else {
        match mount {
            Ok(mount) => harness::lacks(harness::MOUNTING, format!("vhdimount may not mount: {mount:?}")),
            Err(_) => harness::lacks_program("vhdimount"),
        }
        None
    }
}

#[test]
fn sample_differencing_disks_need_their_parents() {
    let folder = tempfile::tempdir().unwrap();
    for (extension, kind) in [("vhd", Kind::Vhd), ("vhdx", Kind::Vhdx)] {
        let name = |of: &str| format!("ntfs-{of}.{extension}");
        let Some(child) = sample(folder.path(), &name("differential")) else { return };
        let problem = disk::open(&child).err().unwrap().to_string();
        assert!(problem.contains(&format!("the parent {:?} beside it", name("parent"))), "{problem}");
        let parent = sample(folder.path(), &name("parent")).unwrap();
        let fixed = sample(folder.path(), &name("fixed")).unwrap();
        let both = whole(&child, kind);
        assert_eq!(disk::open(&child).unwrap().files, [child.clone(), parent.clone()]);
        if let Some([below, above]) = by_vhdimount(folder.path(), &name("differential")) {
            assert!(both == above && whole(&parent, kind) == below, "{extension}");
        }
        let (all, torn) = records(&both);
        assert!(all > 30 && torn == 0, "{extension}: {torn} of {all} records");
        let below = whole(&parent, kind);
        let changed = both.chunks(512).zip(below.chunks(512)).filter(|(one, other)| one != other).count();
        assert!(both.len() == below.len() && changed > 100, "{extension}: {changed} sectors changed");
        // Another image in the parent's place is not taken for it.
        fs::copy(&fixed, &parent).unwrap();
        let problem = disk::open(&child).err().unwrap().to_string();
        assert!(problem.contains("expected its parent with the identifier"), "{problem}");
    }
}
