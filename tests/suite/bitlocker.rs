//! BitLocker volumes: samples in the folder that `HIVEMEND_IMAGES` names, and volumes that the tests write. Both are
//! compared with `bdemount` and `dislocker-file`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use hivemend::error::Problem;
use hivemend::evidence::block::Blocks;
use hivemend::evidence::volume::bitlocker::{self, Facts, Keys, Locked, Opened};

use crate::harness;

mod hostile;
mod made;
mod samples;
mod volume;

/// Parses keys, which are all right.
fn keys(text: &str, folder: &Path) -> Keys {
    let (keys, problems) = Keys::parse(text, folder);
    assert_eq!(problems, []);
    keys
}

fn open(bytes: Vec<u8>, keys: &Keys) -> Result<Opened, Problem> {
    let volume: Blocks = Arc::new(bytes);
    bitlocker::open(&volume, 1 << 20, keys)
}

/// Opens a volume that a key fits.
fn unlocked(bytes: Vec<u8>, keys: &Keys) -> (Blocks, String, Facts) {
    match open(bytes, keys) {
        Ok(Opened::Unlocked { blocks, with, facts }) => (blocks, with, facts),
        Ok(Opened::Locked(locked)) => panic!("{locked:?}"),
        Ok(Opened::Decrypted { .. }) => panic!("the volume is not encrypted"),
        Err(problem) => panic!("{problem}"),
    }
}

fn locked(bytes: Vec<u8>, keys: &Keys) -> Locked {
    match open(bytes, keys) {
        Ok(Opened::Locked(locked)) => locked,
        Ok(_) => panic!("a wrong key opens the volume"),
        Err(problem) => panic!("{problem}"),
    }
}

fn whole(blocks: &Blocks) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(blocks.size()).unwrap()];
    blocks.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

/// Where two volumes differ first.
fn differ(one: &[u8], other: &[u8]) -> Option<usize> {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).position(|(a, b)| a != b)
}

/// The volume as `dislocker-file` decrypts it, with these options; none, with a word, where that is not here.
fn by_dislocker(folder: &Path, image: &Path, options: &[&str]) -> Option<Vec<u8>> {
    let out = folder.join("dislocker.out");
    let mut command = Command::new("dislocker-file");
    command.arg("-V").arg(image).args(options).arg("--").arg(&out).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(status) = command.status() else {
        harness::lacks_program("dislocker-file");
        return None;
    };
    if !status.success() {
        note!("{}: not compared: dislocker-file does not read it", image.display());
        return None;
    }
    let bytes = fs::read(&out).unwrap();
    fs::remove_file(&out).unwrap();
    Some(bytes)
}

/// The volume as `bdemount` shows it, with these options; none, with a word, where that is not here.
fn by_bdemount(folder: &Path, image: &Path, options: &[&str]) -> Option<Vec<u8>> {
    let mount = folder.join("bdemount");
    fs::create_dir_all(&mount).unwrap();
    if !Path::new("/dev/fuse").exists() {
        harness::lacks(harness::MOUNTING, "bdemount needs /dev/fuse");
        return None;
    }
    let mut command = Command::new("bdemount");
    command.args(options).arg(image).arg(&mount).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(status) = command.status() else {
        harness::lacks_program("bdemount");
        return None;
    };
    if !status.success() {
        note!("{}: not compared: bdemount does not read it", image.display());
        return None;
    }
    let bytes = fs::read(mount.join("bde1"));
    // Something of the desktop may be looking at it.
    let unmount = |option: &str| Command::new("fusermount").arg(option).arg(&mount).stderr(Stdio::null()).status();
    let done = ["-u", "-uz"].into_iter().any(|option| unmount(option).is_ok_and(|status| status.success()));
    assert!(done, "{} could not be unmounted", mount.display());
    if bytes.is_err() {
        note!("{}: not compared: bdemount fails within it", image.display());
    }
    bytes.ok()
}
