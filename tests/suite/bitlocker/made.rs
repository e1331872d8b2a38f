//! Volumes in states for which few samples exist.

use std::fs;
use std::path::Path;

use hivemend::evidence::block::Blocks;
use hivemend::evidence::volume::bitlocker::{Keys, Opened};

use super::volume::{
    BLOCKS, BOOKS, Conversion, Kind, LOG_STEP, LOGS, MAPS, RELOCATED, SIZE, Spec, Volume, bek, finish, sum,
};
use super::{by_bdemount, by_dislocker, differ, keys, locked, open, unlocked, whole};

fn none() -> Keys {
    Keys::default()
}

/// Opens the volume by its clear key, and compares it with the plain one and with other readers.
fn compare(name: &str, spec: &Spec, readers: usize) {
    let Volume { bytes, plain } = spec.build();
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join(name);
    fs::write(&image, &bytes).unwrap();
    let ours = whole(&unlocked(bytes, &none()).0);
    assert_eq!(differ(&ours, &plain), None, "{name}");
    let mut compared = 0;
    let theirs = [
        by_dislocker(folder.path(), &image, &["-c", "-q", "-s"]),
        by_bdemount(folder.path(), &image, &["-p", "unused"]),
    ];
    for (who, theirs) in ["dislocker", "bdemount"].into_iter().zip(theirs) {
        let Some(theirs) = theirs else { continue };
        compared += 1;
        // Both take another size from the metadata or from NTFS; dislocker stops where the encrypted part does.
        let common = theirs.len().min(plain.len());
        assert!(common >= spec.encrypted.min(SIZE) - 512, "{name}: {who} gives {common} bytes");
        let mut theirs = theirs;
        if spec.kind == Kind::Vista {
            // dislocker 0.7.2 leaves the place of the metadata where the copy of the $MFT belongs; its later source does not.
            theirs[56..64].copy_from_slice(&plain[56..64]);
        }
        assert_eq!(differ(&theirs[..common], &plain[..common]), None, "{name}: not what {who} says");
    }
    note!("{name}: compared with {compared} other readers");
    let here = |program: &str| std::process::Command::new(program).arg("-h").output().is_ok();
    if here("dislocker-file") && here("bdemount") && Path::new("/dev/fuse").exists() {
        assert!(compared >= readers, "{name}: only {compared} other readers open it");
    }
}

#[test]
fn every_method_is_read_as_others_read_it() {
    for method in 0x8000..=0x8005 {
        // bdemount of 2019 reads no AES-XTS with 256 bits and a clear key.
        let readers = if method == 0x8005 { 1 } else { 2 };
        compare(&format!("method-{method:x}"), &Spec { method, ..Spec::default() }, readers);
    }
}

/// The bdemount of 2019 takes the place of the $MFT's copy for that of the first sectors, and refuses.
#[test]
fn vista_volumes_are_read_as_others_read_them() {
    for method in [0x8000, 0x8001, 0x8002, 0x8003] {
        compare(&format!("vista-{method:x}"), &Spec { kind: Kind::Vista, method, ..Spec::default() }, 1);
    }
}

#[test]
fn large_sectors_and_removable_volumes_are_read() {
    for method in [0x8001, 0x8003, 0x8005] {
        compare(&format!("sectors-4096-{method:x}"), &Spec { method, sector: 4096, ..Spec::default() }, 1);
    }
    let to_go = Spec { kind: Kind::ToGo, method: 0x8002, ..Spec::default() };
    compare("to-go", &to_go, 1);
    assert!(unlocked(to_go.build().bytes, &none()).2.to_go);
}

#[test]
fn a_partly_encrypted_volume_is_plain_where_it_was_not_reached() {
    for (name, encrypted) in [("behind", 0x17_0000), ("before", 0x12_3000), ("within", RELOCATED + 0x1000)] {
        for (state, next_state) in [(5, 4), (5, 1), (3, 4)] {
            let spec = Spec { encrypted, state, next_state, method: 0x8003, ..Spec::default() };
            compare(&format!("partly-{name}-{state}-{next_state}"), &spec, 2);
        }
    }
    let state = |spec: &Spec| unlocked(spec.build().bytes, &none()).2.state;
    assert_eq!(state(&Spec { encrypted: 0x17_0000, state: 5, ..Spec::default() }), "being encrypted or decrypted");
    assert_eq!(state(&Spec { encrypted: 0, ..Spec::default() }), "encrypted");
}

#[test]
fn a_volume_whose_state_leaves_doubt_is_refused() {
    let problem = |spec: Spec| open(spec.build().bytes, &none()).err().unwrap().to_string();
    let interrupted = problem(Spec { state: 2, converting: 0x10_0000, encrypted: 0x17_0000, ..Spec::default() });
    assert!(interrupted.contains("interrupted at 0x170000"), "{interrupted}");
    for spec in [
        Spec { state: 7, ..Spec::default() },
        Spec { state: 5, encrypted: 0, ..Spec::default() },
        Spec { encrypted: 0x17_0001, ..Spec::default() },
    ] {
        let found = problem(spec);
        assert!(found.contains("a known state of the volume"), "{found}");
    }
}

/// Volumes that nothing here can open, by name and before a key is tried.
#[test]
fn hardware_encryption_and_unknown_methods_are_refused_by_name() {
    let spec = Spec { method: 0x8006, ..Spec::default() };
    let problem = open(spec.build().bytes, &none()).err().unwrap().to_string();
    assert!(problem.contains("found unknown method 0x8006"), "{problem}");
    // Encrypted, by what it says, but without a key of the sectors.
    let mut volume = Spec { state: 1, ..Spec::default() }.build().bytes;
    for place in BLOCKS {
        let size = usize::from(u16::from_le_bytes([volume[place + 8], volume[place + 9]])) * 16;
        let mut block = volume[place..place + size].to_vec();
        block[12] = 4;
        let block = finish(block, true);
        volume[place..place + block.len()].copy_from_slice(&block);
    }
    let problem = open(volume, &none()).err().unwrap().to_string();
    assert!(problem.contains("eDrive"), "{problem}");
}

#[test]
fn a_decrypted_volume_is_read_as_it_lies() {
    let Volume { bytes, plain } = Spec { state: 1, next_state: 1, encrypted: 0, ..Spec::default() }.build();
    let Ok(Opened::Decrypted { blocks, .. }) = open(bytes.clone(), &none()) else { panic!() };
    assert_eq!(differ(&whole(&blocks), &plain), None);
    // Its checksum counts, though nothing encrypts it.
    let mut damaged = bytes;
    for place in BLOCKS {
        let size = usize::from(u16::from_le_bytes([damaged[place + 8], damaged[place + 9]])) * 16;
        damaged[place + size + 30] ^= 1;
    }
    let problem = open(damaged, &none()).err().unwrap().to_string();
    assert!(problem.contains("SHA-256"), "{problem}");
}

#[test]
fn a_bek_file_opens_the_protector_that_has_its_identifier() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("key.BEK"), bek()).unwrap();
    let spec = Spec { protectors: vec![0x0100, 0x0200], ..Spec::default() };
    let Volume { bytes, plain } = spec.build();
    let (blocks, with, _) = unlocked(bytes.clone(), &keys("key.BEK", folder.path()));
    assert_eq!((with.as_str(), differ(&whole(&blocks), &plain)), ("startup key or recovery key (.BEK)", None));
    let bound = |id: &str| keys(&format!("{id}:key.BEK"), folder.path());
    unlocked(bytes.clone(), &bound("b1b1b1b1-b1b1-b1b1-b1b1-b1b1b1b1b1b1"));
    unlocked(bytes.clone(), &bound("{E1E1E1E1-E1E1-E1E1-E1E1-E1E1E1E1E1E1}"));
    locked(bytes.clone(), &bound("b1b1b1b1-b1b1-b1b1-b1b1-b1b1b1b1b1b2"));
    // The right identifier, and another key.
    let mut wrong = bek();
    *wrong.last_mut().unwrap() ^= 1;
    fs::write(folder.path().join("key.BEK"), wrong).unwrap();
    assert_eq!(locked(bytes, &keys("key.BEK", folder.path())).why, "the key does not open it");
}

#[test]
fn protectors_that_need_the_computer_are_named() {
    let spec = Spec { protectors: vec![0x0100, 0x0500, 0x1000], ..Spec::default() };
    let locked = locked(spec.build().bytes, &keys("password", Path::new("/")));
    let kinds: Vec<_> = locked.facts.protectors.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["TPM", "TPM and PIN", "public key (smart card or certificate)"]);
    assert_eq!(locked.why, "only the computer on which it was encrypted can open it");
    assert_eq!(locked.facts.description.as_deref(), Some("A COMPUTER"));
}

#[test]
fn a_read_from_anywhere_gives_the_same_bytes() {
    for (kind, sector) in [(Kind::Seven, 512), (Kind::Seven, 4096), (Kind::Vista, 512)] {
        let spec = Spec { kind, sector, method: 0x8001, encrypted: 0x1f_7000, state: 5, ..Spec::default() };
        let spec = if kind == Kind::Vista { Spec { state: 4, ..spec } } else { spec };
        let spec = if kind == Kind::Vista { Spec { encrypted: 0, ..spec } } else { spec };
        let Volume { bytes, plain } = spec.build();
        let blocks = unlocked(bytes, &none()).0;
        for (offset, length) in (0..SIZE - 900_000).step_by(7777).zip([1, 511, 513, 5000, 900_000].iter().cycle()) {
            let mut part = vec![0xee; *length];
            blocks.read_exact_at(&mut part, offset as u64).unwrap();
            assert_eq!(differ(&part, &plain[offset..offset + length]), None, "{length} bytes at {offset:#x}");
        }
        let mut rest = [0; 8];
        assert_eq!(blocks.read_at(&mut rest, SIZE as u64).unwrap(), 0);
        assert_eq!(blocks.read_at(&mut rest, SIZE as u64 - 3).unwrap(), 3);
    }
}

#[test]
fn the_copy_of_vistas_boot_sector_is_put_back_like_the_first() {
    let Volume { mut bytes, mut plain } = Spec { kind: Kind::Vista, method: 0x8002, ..Spec::default() }.build();
    let (boot, changed) = (plain[..512].to_vec(), bytes[..512].to_vec());
    bytes[SIZE - 512..].copy_from_slice(&changed);
    plain[SIZE - 512..].copy_from_slice(&boot);
    assert_eq!(differ(&whole(&unlocked(bytes, &none()).0), &plain), None);
}

#[test]
fn vistas_other_blocks_are_found_through_a_damaged_first_one() {
    let Volume { mut bytes, plain } = Spec { kind: Kind::Vista, method: 0x8000, ..Spec::default() }.build();
    bytes[BLOCKS[0] + 100] ^= 1;
    let (blocks, _, facts) = unlocked(bytes, &none());
    assert_eq!((differ(&whole(&blocks), &plain), facts.problems.len()), (None, 1));
}

/// A volume of which nobody can tell whether some sectors are encrypted.
fn first_unclear(blocks: &Blocks) -> Vec<usize> {
    let mut sector = [0; 512];
    let unclear = |at: &usize| blocks.read_exact_at(&mut sector, *at as u64).is_err();
    (0..SIZE).step_by(512).filter(unclear).collect()
}

#[test]
fn where_the_metadata_blocks_differ_there_is_no_telling() {
    let spec = Spec { state: 5, encrypted: 0x17_0000, ..Spec::default() };
    let Volume { mut bytes, plain } = spec.build();
    let other = Spec { encrypted: 0x17_8000, ..spec }.build().bytes;
    bytes[BLOCKS[2]..BLOCKS[2] + 0x1000].copy_from_slice(&other[BLOCKS[2]..BLOCKS[2] + 0x1000]);
    let (blocks, _, facts) = unlocked(bytes, &none());
    assert_eq!(facts.problems.len(), 1, "{:?}", facts.problems);
    let unclear = first_unclear(&blocks);
    assert_eq!((unclear[0], unclear.len()), (0x17_0000, 0x8000 / 512));
    let mut sector = [0; 512];
    for at in (0..SIZE).step_by(512).filter(|at| !unclear.contains(at)) {
        blocks.read_exact_at(&mut sector, at as u64).unwrap();
        assert!(sector == plain[at..at + 512], "{at:#x}");
    }
}

/// Encryption that Windows 8 and later have not finished, in chunks of 64 KiB.
fn converting() -> Spec {
    let bits = |start: usize, end: usize| (start..end).step_by(0x1_0000).map(|at| at / 0x1_0000 % 3 != 0).collect();
    let region = |start: usize, end: usize| (start, end, bits(start, end));
    let regions = vec![region(0x2000, 0x10_0000), region(0x10_0000, 0x21_0000), region(0x21_0000, SIZE)];
    Spec { state: 5, conversion: Some(Conversion { chunk: 0x1_0000, regions }), ..Spec::default() }
}

/// No other reader at hand knows these.
#[test]
fn a_conversion_is_read_by_its_latest_bitmaps() {
    for (method, next_state, sector) in [(0x8004, 4, 512), (0x8003, 1, 512), (0x8005, 4, 4096)] {
        // Maps need not lie in whole sectors of 4096 bytes.
        let Volume { bytes, mut plain } = Spec { method, sector, next_state, ..converting() }.build();
        let blocks = unlocked(bytes, &none()).0;
        if sector == 4096 {
            for number in 0..3 {
                plain[MAPS + number * 0x1000..][..0x1000].fill(0);
                let log = LOGS + number * 0x8000;
                plain[log..log + (512 + 2 * LOG_STEP).next_multiple_of(4096)].fill(0);
            }
        }
        assert_eq!(differ(&whole(&blocks), &plain), None, "{method:x}");
    }
}

#[test]
fn damaged_books_of_a_conversion_leave_their_part_untold_and_the_others_read() {
    let Volume { bytes, plain } = converting().build();
    let read = |bytes: &[u8]| {
        let blocks = unlocked(bytes.to_vec(), &none()).0;
        let unclear = first_unclear(&blocks);
        let mut sector = [0; 512];
        for at in (0..SIZE).step_by(512).filter(|at| !unclear.contains(at)) {
            blocks.read_exact_at(&mut sector, at as u64).unwrap();
            // Where the log of a damaged map lies, nothing says.
            assert!(sector == plain[at..at + 512] || (MAPS..LOGS + 0x1_8000).contains(&at), "{at:#x}");
        }
        (unclear.first().copied(), unclear.len() * 512)
    };
    assert_eq!(read(&bytes), (None, 0));
    // The first copy of the books, and the older of two records.
    let mut damaged = bytes.clone();
    damaged[BOOKS[0] + 20] ^= 1;
    damaged[MAPS + 0x250] ^= 1;
    assert_eq!(read(&damaged), (None, 0));
    // A map; both records of one.
    let mut damaged = bytes.clone();
    damaged[MAPS + 30] ^= 1;
    assert_eq!(read(&damaged).0, Some(0x2000));
    let mut damaged = bytes.clone();
    damaged[MAPS + 0x210] ^= 1;
    damaged[MAPS + 0x410] ^= 1;
    assert_eq!(read(&damaged), (Some(0x2000), 0x10_0000 - 0x2000));
    let mut damaged = bytes;
    damaged[BOOKS[0]] ^= 1;
    damaged[BOOKS[1]] ^= 1;
    let problem = open(damaged, &none()).err().unwrap().to_string();
    assert!(problem.contains("the records of a conversion"), "{problem}");
}

#[test]
fn a_chunk_that_was_being_encrypted_is_told_by_the_log() {
    let spec = converting();
    let (mut volume, done) = (spec.build().bytes, Spec { conversion: None, ..spec.clone() }.build().bytes);
    // The first sectors of a plain chunk of the first region are encrypted already, and the log has them.
    let at = 0x2000 + 0x1_0000 * 3;
    assert!(!spec.conversion.unwrap().regions[0].2[3]);
    volume[at..at + 0x1000].copy_from_slice(&done[at..at + 0x1000]);
    let entry = LOGS + 512;
    volume[entry + 4] = 9;
    volume[entry + 12..entry + 20].copy_from_slice(&(at as u64 - 0x2000).to_le_bytes());
    volume[entry + 20..entry + 24].copy_from_slice(&0x1000_u32.to_le_bytes());
    volume.copy_within(at..at + 0x1000, entry + 512);
    let clean = unlocked(volume.clone(), &none()).0;
    assert_eq!(first_unclear(&clean), [] as [usize; 0], "without its checksum the log says nothing");
    let mut logged = volume[entry + 512..entry + 512 + 0x1000 + 4].to_vec();
    let end = logged.len() - 4;
    let mut crc = flate2::Crc::new();
    crc.update(&logged[..end]);
    logged[end..].copy_from_slice(&crc.sum().to_le_bytes());
    volume[entry + 24..entry + 28].copy_from_slice(&logged[end..]);
    let unclear = first_unclear(&unlocked(volume, &none()).0);
    assert_eq!((unclear[0], unclear.len()), (at, 0x1_0000 / 512));
}

#[test]
fn regions_that_overlap_are_refused() {
    let mut bytes = converting().build().bytes;
    bytes[MAPS + 0x1000 + 20..MAPS + 0x1000 + 28].copy_from_slice(&0xf_0000_u64.to_le_bytes());
    sum(&mut bytes, MAPS + 0x1000, 0x200, 56);
    let problem = open(bytes, &none()).err().unwrap().to_string();
    assert!(problem.contains("regions of a conversion that do not overlap"), "{problem}");
}

#[test]
fn the_size_of_sectors_is_that_which_the_file_system_has_whatever_the_boot_sector_says() {
    for (method, sector, wrong) in [(0x8002, 512, 4096), (0x8005, 4096, 512), (0x8001, 512, 0), (0x8004, 512, 1024_u16)]
    {
        let Volume { mut bytes, plain } = Spec { method, sector, ..Spec::default() }.build();
        bytes[11..13].copy_from_slice(&wrong.to_le_bytes());
        let blocks = unlocked(bytes, &none()).0;
        assert_eq!(differ(&whole(&blocks), &plain), None, "{method:x}, {wrong} instead of {sector}");
    }
}
