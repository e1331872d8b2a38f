//! Volumes that Windows wrote.

use std::fs;
use std::path::{Path, PathBuf};

use hivemend::evidence::volume::bitlocker::{Keys, Opened, is_bitlocker};
use sha2::{Digest, Sha256};

use super::{by_bdemount, by_dislocker, keys, locked, open, unlocked, whole};
use crate::harness;

/// The volumes' bytes; the samples are cut.
const SIZE: usize = 65_994_752;
const PASSWORD: &str = "password12!@";
const RECOVERY: &str = "284867-596541-514998-422114-660297-261613-215424-199408";

fn images() -> Option<PathBuf> {
    Some(harness::folder("HIVEMEND_IMAGES")?.join("bitlocker"))
}

/// Unpacks a sample.
fn sample(images: &Path, name: &str) -> Vec<u8> {
    let packed = fs::File::open(images.join(format!("{name}.bin.gz"))).unwrap();
    let mut bytes = Vec::new();
    std::io::copy(&mut flate2::read::GzDecoder::new(packed), &mut bytes).unwrap();
    bytes.resize(SIZE, 0);
    bytes
}

/// Name, key, the kind of protector that it opens, the method, and the options of dislocker and bdemount.
type Sample = (&'static str, &'static str, &'static str, &'static str, [&'static str; 2], [&'static str; 2]);

const SAMPLES: [Sample; 9] = {
    let user = ["-upassword12!@", "-q"];
    let password = ["-p", PASSWORD];
    let external = "startup key or recovery key (.BEK)";
    [
        ("aes_128", PASSWORD, "password", "AES-CBC 128-bit", user, password),
        ("aes_256", PASSWORD, "password", "AES-CBC 256-bit", user, password),
        ("aes_128_diffuser", PASSWORD, "password", "AES-CBC 128-bit with Elephant diffuser", user, password),
        ("aes-xts_128", PASSWORD, "password", "AES-XTS 128-bit", user, password),
        ("aes-xts_256", PASSWORD, "password", "AES-XTS 256-bit", user, password),
        (
            "recovery_password",
            RECOVERY,
            "recovery password",
            "AES-XTS 128-bit",
            ["-p284867-596541-514998-422114-660297-261613-215424-199408", "-q"],
            ["-r", RECOVERY],
        ),
        ("recovery_key", "recovery_key.bek", external, "AES-XTS 128-bit", ["-f", ""], ["-s", ""]),
        ("startup_key", "startup_key.bek", external, "AES-XTS 128-bit", ["-f", ""], ["-s", ""]),
        // bdemount knows no second version of such a protector.
        ("suspended", "", "clear key", "AES-XTS 128-bit", ["-c", "-q"], ["-p", ""]),
    ]
};

#[test]
fn samples_are_what_dislocker_and_bdemount_make_of_them() {
    let Some(images) = images() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (name, key, kind, method, dislocker, bdemount) in SAMPLES {
        let bytes = sample(&images, name);
        assert!(is_bitlocker(&bytes[..512]));
        let image = folder.path().join(format!("{name}.bin"));
        fs::write(&image, &bytes).unwrap();
        let (blocks, with, facts) = unlocked(bytes, &keys(key, &images));
        assert_eq!((with.as_str(), facts.method.as_deref(), facts.problems), (kind, Some(method), vec![]), "{name}");
        let ours = whole(&blocks);
        let boot = (&ours[3..11], &ours[0x2000..0x2005]);
        assert_eq!(boot, (&b"NTFS    "[..], &b"FILE0"[..]), "{name}");
        let sum = Sha256::digest(&ours);
        let file = images.join(key).display().to_string();
        let options =
            |options: [&str; 2]| options.map(|one| if one.is_empty() { file.clone() } else { one.to_owned() });
        let mut compared = 0;
        for (who, theirs) in [
            ("dislocker", by_dislocker(folder.path(), &image, &options(dislocker).each_ref().map(String::as_str))),
            ("bdemount", by_bdemount(folder.path(), &image, &options(bdemount).each_ref().map(String::as_str))),
        ] {
            let Some(theirs) = theirs else { continue };
            compared += 1;
            assert!(Sha256::digest(&theirs) == sum, "{name} differs from what {who} says");
        }
        note!("{name}: compared with {compared} other readers");
        fs::remove_file(&image).unwrap();
    }
}

/// No other reader at hand opens this one: its sectors are as they lie, but for those that Windows stored elsewhere, and its
/// books.
#[test]
fn a_volume_that_was_decrypted_again_needs_no_key() {
    let Some(images) = images() else { return };
    let bytes = sample(&images, "decrypted");
    let Ok(Opened::Decrypted { blocks, facts }) = open(bytes.clone(), &Keys::default()) else { panic!() };
    assert_eq!((facts.state.as_str(), facts.method, facts.problems), ("decrypted", None, vec![]));
    let mut expected = bytes;
    let first = expected[0x220_0000..0x220_2000].to_vec();
    expected[..0x2000].copy_from_slice(&first);
    let mut hide = |at: usize, size: usize| expected[at..at + size].fill(0);
    hide(0x220_0000, 0x2000);
    for (at, size) in [(0x21f_0000, 0x1_0000), (0x294_6000, 0x1_0000), (0x309_b000, 0x1_0000)] {
        hide(at, size);
    }
    for at in [0x221_2000, 0x2cf_0000] {
        hide(at, 0x200);
    }
    for map in [0x221_3000, 0x259_b000, 0x295_6000, 0x2cf_1000, 0x30a_b000, 0x344_6000] {
        hide(map, 0x600);
        hide(map + 0x1000, 0x8_0c00);
    }
    assert!(whole(&blocks) == expected);
    assert_eq!((&expected[3..11], &expected[0x2000..0x2005]), (&b"NTFS    "[..], &b"FILE0"[..]));
}

#[test]
fn wrong_keys_and_those_of_other_volumes_leave_a_sample_locked_and_say_why() {
    let Some(images) = images() else { return };
    let recovery = sample(&images, "recovery_password");
    let why = |text: &str| locked(recovery.clone(), &keys(text, &images)).why;
    let other = "471207-278498-422125-177177-561902-537405-468006-693451";
    assert_eq!(why(""), "no key was given");
    assert_eq!(why(other), "the key does not open it");
    assert_eq!(why(&format!("wrong\n{other}\nstartup_key.bek")), "none of the 3 keys opens it");
    let bound = |id: &str| format!("{{{id}}}:{RECOVERY}");
    let nobody = "bf4cf543-fdab-4dcd-8409-718f3334c6bd";
    assert_eq!(
        why(&bound(nobody)),
        "the key is not for this volume and its kinds of protectors",
        "the key of another volume"
    );
    assert_eq!(why("startup_key.bek"), "the key is not for this volume and its kinds of protectors");
    // Bound to the volume, and to the protector.
    for id in ["8e6909f1-6ba3-49ea-bf8d-ec83fab656cd", "3C116B76-C67B-484E-B439-CE2ED68B561E"] {
        assert_eq!(unlocked(recovery.clone(), &keys(&bound(id), &images)).1, "recovery password");
    }
    let locked = locked(recovery, &Keys::default());
    assert_eq!(locked.facts.identifier, "8e6909f1-6ba3-49ea-bf8d-ec83fab656cd");
    let kinds: Vec<_> = locked.facts.protectors.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!((kinds, locked.offset), (vec!["recovery password", "password"], 1 << 20));
    for word in ["dislocker-file -O 1048576", "bdemount -o 1048576", "cryptsetup bitlkOpen", "--recovery-key-file"] {
        assert!(locked.advice.contains(word), "{}", locked.advice);
    }
}

#[test]
fn a_sample_with_damaged_metadata_opens_by_a_sound_block_and_says_so() {
    let Some(images) = images() else { return };
    let bytes = sample(&images, "suspended");
    let sound = whole(&unlocked(bytes.clone(), &Keys::default()).0);
    let mut damaged = bytes.clone();
    damaged[0x21f_0000 + 0x120] ^= 1;
    damaged[0x294_6000] ^= 1;
    let (blocks, _, facts) = unlocked(damaged.clone(), &Keys::default());
    assert!(whole(&blocks) == sound);
    let problems: Vec<String> = facts.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("at 0x21f0000") && problems[0].contains("CRC-32"), "{problems:?}");
    assert!(problems[1].contains("at 0x2946000") && problems[1].contains("-FVE-FS-"), "{problems:?}");
    damaged[0x309_b000 + 0x300] ^= 1;
    assert!(open(damaged.clone(), &Keys::default()).is_ok(), "behind the block nothing is checked by its CRC-32");
    damaged[0x309_b000 + 0x100] ^= 1;
    let problem = open(damaged, &Keys::default()).err().unwrap().to_string();
    assert!(
        problem.contains("a sound BitLocker metadata block, of three") && problem.contains("0x309b000"),
        "{problem}"
    );
    // Cut before the second block, and within the first.
    let cut = unlocked(bytes[..0x294_6000].to_vec(), &Keys::default());
    assert_eq!((cut.2.problems.len(), cut.0.size()), (2, 0x294_6000));
    assert!(open(bytes[..0x21f_0000 + 0x200].to_vec(), &Keys::default()).is_err());
}
