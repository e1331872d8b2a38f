//! Public sample images: `HIVEMEND_IMAGES` names the folder that has them, packed.

use std::fs;
use std::path::{Path, PathBuf};

use hivemend::evidence::disk::{self, Kind};

use super::run;

/// Unpacks a sample into the folder; nothing where there are none.
fn sample(folder: &Path, name: &str) -> Option<PathBuf> {
    let Some(images) = std::env::var_os("HIVEMEND_IMAGES") else {
        eprintln!("skipped: HIVEMEND_IMAGES names no folder of sample images");
        return None;
    };
    let packed = PathBuf::from(images).join(format!("{name}.xz"));
    let mut reader = lzma_rust2::XzReader::new(fs::File::open(&packed).unwrap(), true);
    let path = folder.join(name);
    std::io::copy(&mut reader, &mut fs::File::create(&path).unwrap()).unwrap();
    Some(path)
}

/// The disk's bytes, whole.
fn whole(path: &Path, kind: Kind) -> Vec<u8> {
    let disk = disk::open(path).unwrap_or_else(|problem| panic!("{problem}"));
    assert_eq!(disk.kind, kind, "{}", path.display());
    let mut bytes = vec![0; usize::try_from(disk.blocks.size()).unwrap()];
    disk.blocks.read_exact_at(&mut bytes, 0).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
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
