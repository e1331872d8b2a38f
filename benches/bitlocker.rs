//! Measures the decryption of whole BitLocker volumes in MB/s, beside `dislocker-file`, on the samples in
//! `HIVEMEND_IMAGES`.
//!
//! `HIVEMEND_IMAGES=FOLDER cargo bench --bench bitlocker`
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench says what it measures, and fails loudly")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hivemend::evidence::block::{Blocks, FileBlocks};
use hivemend::evidence::volume::bitlocker::{Keys, Opened, open};

const SIZE: usize = 65_994_752;
const PASSWORD: &str = "password12!@";

fn main() {
    let Some(images) = std::env::var_os("HIVEMEND_IMAGES").map(PathBuf::from) else {
        println!("HIVEMEND_IMAGES names no folder of sample images");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for name in ["aes_128", "aes_256", "aes_128_diffuser", "aes-xts_128", "aes-xts_256"] {
        let packed = fs::File::open(images.join(format!("bitlocker/{name}.bin.gz"))).unwrap();
        let mut bytes = Vec::new();
        std::io::copy(&mut flate2::read::GzDecoder::new(packed), &mut bytes).unwrap();
        bytes.resize(SIZE, 0);
        let (image, out) = (folder.path().join(name), folder.path().join("out"));
        fs::write(&image, &bytes).unwrap();
        let best = |run: &mut dyn FnMut() -> Option<Duration>| (0..5).filter_map(|_| run()).min();
        let ours = best(&mut || Some(decrypt(&image, &out)));
        let theirs = best(&mut || dislocker(&image, &out));
        println!("{name}: {}, dislocker-file {}", rate(ours), rate(theirs));
    }
}

/// Opens the volume with its password, decrypts it, and writes it, as `dislocker-file` does.
fn decrypt(image: &Path, out: &Path) -> Duration {
    let start = Instant::now();
    let volume: Blocks = Arc::new(FileBlocks::open(image).unwrap());
    let Ok(Opened::Unlocked { blocks, .. }) = open(&volume, 0, &Keys::parse(PASSWORD, Path::new("")).0) else {
        println!("{} does not open", image.display());
        return Duration::MAX;
    };
    let mut bytes = vec![0; SIZE];
    let opened = start.elapsed();
    blocks.read_exact_at(&mut bytes, 0).unwrap();
    let read = start.elapsed();
    fs::write(out, &bytes).unwrap();
    let written = start.elapsed();
    fs::remove_file(out).unwrap();
    println!("  opened in {opened:.0?}, decrypted at {}", rate(read.checked_sub(opened)));
    written
}

fn dislocker(image: &Path, out: &Path) -> Option<Duration> {
    let start = Instant::now();
    let mut command = Command::new("dislocker-file");
    command.arg("-V").arg(image).arg(format!("-u{PASSWORD}")).arg("--").arg(out);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    let elapsed = start.elapsed();
    fs::remove_file(out).ok()?;
    status.success().then_some(elapsed)
}

fn rate(elapsed: Option<Duration>) -> String {
    let rate = |elapsed: Duration| f64::from(u32::try_from(SIZE).unwrap()) / 1e6 / elapsed.as_secs_f64();
    elapsed.map_or_else(|| "not here".to_owned(), |elapsed| format!("{:.0} MB/s", rate(elapsed)))
}
