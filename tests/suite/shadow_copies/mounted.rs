//! Compares with libvshadow's `vshadowmount`: every block of every shadow copy, of random and other volumes.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use hivemend::evidence::block::{BlockRead, FileBlocks};

use super::hostile::Numbers;
use super::{in_order, shadow_copies};
use crate::harness;
use crate::shadow_volume::Saved::{self, Moved, NotUsed, Sectors, Whole};
use crate::shadow_volume::{BLOCK, Store, Volume, build, told};

/// Shadow copies as `vshadowmount` shows them; unmounted when dropped.
pub(super) struct Mount(tempfile::TempDir);

impl Mount {
    /// Mounts the shadow copies of the volume that begins at `offset` of `image`; none with a word where this machine
    /// cannot.
    pub(super) fn new(test: &str, image: &Path, offset: u64) -> Option<Self> {
        if Command::new("vshadowmount").arg("-V").output().is_err() {
            harness::lacks_program("vshadowmount");
            return None;
        }
        if !Path::new("/dev/fuse").exists() {
            harness::lacks(harness::MOUNTING, "vshadowmount needs /dev/fuse");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("vshadowmount");
        let output = command.args(["-o", &offset.to_string()]).arg(image).arg(folder.path()).output().unwrap();
        if !output.status.success() {
            note!("{test}: not compared, vshadowmount says {}", String::from_utf8_lossy(&output.stderr));
            return None;
        }
        Some(Self(folder))
    }

    pub(super) fn shadow_copy(&self, index: usize) -> FileBlocks {
        FileBlocks::open(&self.0.path().join(format!("vss{index}"))).unwrap()
    }

    pub(super) fn count(&self) -> usize {
        fs::read_dir(self.0.path()).unwrap().count()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let done = Command::new("fusermount").arg("-u").arg(self.0.path()).status();
        if !done.is_ok_and(|status| status.success()) {
            note!("{} could not be unmounted", self.0.path().display());
        }
    }
}

/// What a comparison came to, in blocks of 16 KiB.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) blocks: u64,
    /// Blocks that ours will not tell.
    pub(super) refused: u64,
    pub(super) differ: Vec<u64>,
}

impl Compared {
    /// Compares the blocks that lie in `start..end`.
    pub(super) fn range(&mut self, ours: &dyn BlockRead, theirs: &dyn BlockRead, start: u64, end: u64) {
        let (mut a, mut b) = (vec![0; BLOCK], vec![0; BLOCK]);
        for offset in (start..end).step_by(BLOCK) {
            let count = usize::try_from((end - offset).min(BLOCK as u64)).unwrap();
            self.blocks += 1;
            theirs.read_exact_at(&mut b[..count], offset).unwrap();
            match ours.read_exact_at(&mut a[..count], offset) {
                Ok(()) if a[..count] == b[..count] => {}
                Ok(()) => self.differ.push(offset),
                Err(_) => self.refused += 1,
            }
        }
    }
}

/// Writes the volume to a file, and mounts that.
fn mount(test: &str, volume: &Volume) -> Option<(tempfile::NamedTempFile, Mount)> {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().write_all_at(&volume.bytes, 0).unwrap();
    let mount = Mount::new(test, file.path(), 0)?;
    Some((file, mount))
}

/// Descriptors at random, of a few blocks, so that they meet.
fn random(numbers: &mut Numbers, live: u64) -> Vec<Saved> {
    let count = numbers.next(24);
    (0..count)
        .map(|_| {
            let (block, to) = (1 + numbers.next(live - 1), 1 + numbers.next(live - 1));
            match numbers.next(8) {
                0..=2 => Whole(block),
                3..=5 => Moved(block, to),
                6 => Sectors(block, u32::try_from(numbers.next(1 << 32)).unwrap()),
                _ => NotUsed(block),
            }
        })
        .collect()
}

#[test]
fn volumes_made_at_random_read_as_vshadowmount_has_them() {
    let (live, mut numbers) = (24, Numbers(42));
    let mut compared = Compared::default();
    for _ in 0..60 {
        let stores: Vec<Store> = (0..=numbers.next(3))
            .map(|i| {
                let unused = (0..numbers.next(12)).map(|_| numbers.next(live)).collect();
                let previous = (0..numbers.next(24)).map(|_| numbers.next(live)).collect();
                let previously_unused = (numbers.next(2) == 0).then_some(previous);
                let saved = random(&mut numbers, live);
                Store { created: i + 1, sequence: i + 1, flags: 0x40, saved, unused, previously_unused }
            })
            .collect();
        let volume = build(live, &stores);
        let Some((_file, mount)) = mount("volumes_made_at_random", &volume) else { return };
        let copies = shadow_copies(&volume);
        assert_eq!(mount.count(), stores.len());
        for index in 1..=stores.len() {
            let (ours, theirs) = (copies.open(index).unwrap(), mount.shadow_copy(index));
            assert_eq!(ours.size(), theirs.size());
            let before = compared.differ.len();
            compared.range(&*ours, &theirs, 0, ours.size());
            assert_eq!(compared.differ.len(), before, "vss{index} of {stores:#?} at {:x?}", &compared.differ[before..]);
        }
    }
    note!("{} blocks compared with vshadowmount, {} not told", compared.blocks, compared.refused);
    assert!(compared.blocks > 5_000 && compared.refused * 20 < compared.blocks, "{compared:?}");
}

#[test]
fn as_many_shadow_copies_as_take_two_blocks_of_the_catalog_read_as_vshadowmount_has_them() {
    let store = |i| Store { saved: vec![Whole(1 + i), Moved(72 + i % 8, 81 + i % 9)], ..Store::default() };
    let volume = build(90, &in_order::<70>(std::array::from_fn(|i| store(i as u64))));
    let copies = shadow_copies(&volume);
    assert_eq!(told(&*copies.open(1).unwrap(), 70, 0), "store 70 70.0");
    let Some((_file, mount)) = mount("as_many_shadow_copies_as_take_two_blocks", &volume) else { return };
    assert_eq!((mount.count(), copies.list().len()), (70, 70));
    let mut compared = Compared::default();
    for index in (1..=70).step_by(3) {
        compared.range(&*copies.open(index).unwrap(), &mount.shadow_copy(index), 0, 100 * BLOCK as u64);
    }
    assert_eq!(compared, Compared { blocks: 2400, ..Compared::default() });
}
