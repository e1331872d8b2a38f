//! Sectors that cannot be read, below a hive on a mounted volume: they cost their range, not the run.

use std::fs;

use super::ntfs::{formatted, mounted};
use crate::command_line::Desk;

const CONFIG: &str = "Windows/System32/config";
const CASE: &str = "windows-7-bits-disabled";

/// F6: a volume in an image that ends too early. A mapped page of the lost end would end the run.
#[test]
fn what_can_be_read_of_a_hive_on_a_bad_volume_is_read_and_the_rest_is_reported() {
    let desk = Desk::with(&[CASE]);
    let volume = desk.path("volume");
    fs::create_dir(&volume).unwrap();
    if formatted(&volume, "n.img", 32 << 20, &[]).is_none() {
        return;
    }
    let image = volume.join("n.img");
    let hives = desk.path(&format!("evidence/{CASE}/{CONFIG}"));
    let filled = mounted(&volume, &image, "rw", |mount| {
        fs::create_dir_all(mount.join(CONFIG)).unwrap();
        for name in ["SOFTWARE", "SYSTEM"] {
            fs::copy(hives.join(name), mount.join(CONFIG).join(name)).unwrap();
        }
    });
    if filled.is_none() {
        return;
    }
    // All but the first pages of SYSTEM are lost.
    let (whole, system) = (fs::read(&image).unwrap(), fs::read(hives.join("SYSTEM")).unwrap());
    let lost = 3 * 4096;
    let page = &system[lost..lost + 4096];
    let at = whole.windows(page.len()).position(|window| window == page).unwrap();
    fs::OpenOptions::new().write(true).open(&image).unwrap().set_len(at.try_into().unwrap()).unwrap();
    mounted(&volume, &image, "ro", |mount| {
        let mount = mount.to_str().unwrap();
        for options in [&[][..], &["--no-mmap"], &["--no-hash"]] {
            let output = desk.run(&[&["audit", mount, "--format", "json"], options].concat());
            assert_eq!(output.status.code(), Some(3), "{options:?}: {output:?}");
            let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let hives = report["installations"][0]["hives"].as_array().unwrap();
            let hive = |role: &str| hives.iter().find(|hive| hive["role"] == role).unwrap();
            assert_eq!(hive("SOFTWARE")["integrity"]["problems"], serde_json::json!([]), "{options:?}");
            let problem = &hive("SYSTEM")["integrity"]["problems"].to_string();
            let found = format!("{} bytes that cannot be read", system.len() - lost);
            assert!(problem.contains(&found), "{options:?}: {problem}");
            assert_eq!(hive("SYSTEM")["integrity"]["state"], "damaged", "{options:?}");
            assert!(!output.stdout.is_empty() && report["summary"]["complete"] == false, "{options:?}");
        }
    });
}
