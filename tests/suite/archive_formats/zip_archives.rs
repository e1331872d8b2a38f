//! ZIP, compared with Info-ZIP, 7-Zip, bsdtar, and Python.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hivemend::evidence::archive::container::{Kind, open};
use hivemend::evidence::archive::limits::Limits;
use hivemend::evidence::archive::refused::{Cause, Refused};
use hivemend::evidence::block::{BlockRead, Blocks};
use hivemend::evidence::file_system::{EntryKind, Vouched};

use super::{Bench, assert_holds, contents, files_below, open_bytes, open_file, paths};

const CRC: Vouched = Vouched::by("CRC-32 (zip)");

/// Runs 7-Zip under either of its names.
pub(super) fn seven(bench: &Bench, arguments: &[&str]) -> bool {
    let is_installed = |program: &&str| std::process::Command::new(program).arg("i").output().is_ok();
    bench.run(["7zz", "7z"].into_iter().find(is_installed).unwrap_or("7z"), arguments)
}

#[test]
fn every_method_of_every_program_gives_the_same_files() {
    let bench = Bench::with_files();
    let files = files_below(&bench.path("in"));
    let inside: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(path, bytes)| (format!("/in{path}"), bytes.clone())).collect();
    let mut tried = 0;
    for (program, arguments) in [
        ("zip", &["-qr", "a.zip", "in"][..]),
        ("zip", &["-qr0", "a.zip", "in"]),
        ("zip", &["-qr", "-fz", "a.zip", "in"]),
        ("zip", &["-qr", "-Z", "bzip2", "a.zip", "in"]),
        ("zip", &["-qrD", "a.zip", "in"]),
        ("7z", &["a", "-tzip", "-mm=Deflate64", "a.zip", "in"]),
        ("7z", &["a", "-tzip", "-mm=BZip2", "a.zip", "in"]),
        ("7z", &["a", "-tzip", "-mm=LZMA", "a.zip", "in"]),
        ("7z", &["a", "-tzip", "-mm=PPMd", "a.zip", "in"]),
        ("7z", &["a", "-tzip", "-mm=PPMd:mem=16m:o=3", "a.zip", "in"]),
        ("7z", &["a", "-tzip", "-mm=Copy", "a.zip", "in"]),
        ("bsdtar", &["--format=zip", "-cf", "a.zip", "in"]),
        ("python3", &["-m", "zipfile", "-c", "a.zip", "in"]),
    ] {
        let _ = std::fs::remove_file(bench.path("a.zip"));
        let ran = if program == "7z" { seven(&bench, arguments) } else { bench.run(program, arguments) };
        if ran {
            tried += 1;
            assert_holds(open_file(&bench, "a.zip").as_ref(), &inside, &CRC, &format!("{program} {arguments:?}"));
        }
    }
    assert!(tried > 0);
    // Written to a pipe: sizes and CRCs stand behind the members.
    if let Some(output) = bench.output("sh", &["-c", "zip -qr - in | cat"]) {
        assert_holds(open_bytes(output.stdout, "a.zip", None).unwrap().as_ref(), &inside, &CRC, "streamed");
    }
}

#[test]
fn passwords_open_what_they_lock() {
    let bench = Bench::with_files();
    let files = files_below(&bench.path("in"));
    let inside: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(path, bytes)| (format!("/in{path}"), bytes.clone())).collect();
    for (program, arguments, by) in [
        ("zip", &["-qr", "-P", "secret", "a.zip", "in"][..], "CRC-32 (zip)"),
        ("7z", &["a", "-tzip", "-psecret", "-mem=ZipCrypto", "a.zip", "in"], "CRC-32 (zip)"),
        ("7z", &["a", "-tzip", "-psecret", "-mem=AES256", "a.zip", "in"], "HMAC-SHA-1 (zip)"),
        ("7z", &["a", "-tzip", "-psecret", "-mem=AES192", "a.zip", "in"], "HMAC-SHA-1 (zip)"),
        ("7z", &["a", "-tzip", "-psecret", "-mem=AES128", "-mm=Copy", "a.zip", "in"], "HMAC-SHA-1 (zip)"),
    ] {
        let _ = std::fs::remove_file(bench.path("a.zip"));
        if !(if program == "7z" { seven(&bench, arguments) } else { bench.run(program, arguments) }) {
            continue;
        }
        let bytes = bench.read("a.zip");
        let archive = open_bytes(bytes.clone(), "a.zip", Some("secret")).unwrap();
        for (path, content) in contents(archive.as_ref()) {
            let (bytes, vouched) = content.unwrap_or_else(|why| panic!("{arguments:?}: {path}: {why}"));
            assert!(bytes == inside[&path], "{arguments:?}: {path}");
            // An empty file is not encrypted.
            assert!(vouched == Vouched::by(by) || bytes.is_empty(), "{arguments:?}: {path}: {vouched:?}");
        }
        for (password, reason) in [(None, "it is encrypted"), (Some("wrong"), "the password is wrong")] {
            let archive = open_bytes(bytes.clone(), "a.zip", password).unwrap();
            let hive = paths(archive.as_ref()).into_iter().find(|(_, path, _)| path.ends_with("SYSTEM")).unwrap().0;
            let error = match archive.open(hive) {
                // The check of the older encryption has one byte, and one wrong password in 256 passes it.
                Ok(mut content) => {
                    let vouched = content.finish();
                    assert!(program == "zip" || arguments.contains(&"-mem=ZipCrypto"));
                    assert!(matches!(vouched, Vouched::Unverified(why) if why.contains("or the password is wrong")));
                    continue;
                }
                Err(error) => error,
            };
            let refused = Refused::of(&error).unwrap();
            assert_eq!((refused.cause, refused.reason.as_str()), (Cause::Encrypted, reason), "{arguments:?}");
            assert!(refused.advice.contains("--password-file"));
        }
    }
}

/// A member to be written by hand.
#[derive(Clone, Default)]
pub(super) struct Plain {
    pub(super) name: Vec<u8>,
    pub(super) method: u16,
    pub(super) data: Vec<u8>,
    pub(super) of: Vec<u8>,
}

fn plain(name: &[u8], data: &[u8]) -> Plain {
    Plain { name: name.to_vec(), method: 0, data: data.to_vec(), of: data.to_vec() }
}

fn header(member: &Plain, version: bool) -> Vec<u8> {
    let mut crc = flate2_crc(&member.of).to_le_bytes().to_vec();
    let mut bytes = if version { vec![20, 0] } else { vec![] };
    bytes.extend([20, 0, 0, 0]);
    bytes.extend(member.method.to_le_bytes());
    bytes.extend([0, 0, 0x21, 0x50]);
    bytes.append(&mut crc);
    bytes.extend((member.data.len() as u32).to_le_bytes());
    bytes.extend((member.of.len() as u32).to_le_bytes());
    bytes.extend((member.name.len() as u16).to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

fn flate2_crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// Writes an archive: the members, and for each entry of the directory a member and the number of that whose place it
/// names.
pub(super) fn written(members: &[Plain], directory: &[(Plain, usize)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut places = Vec::new();
    for member in members {
        places.push(bytes.len());
        bytes.extend(b"PK\x03\x04");
        bytes.extend(header(member, false));
        bytes.extend(&member.name);
        bytes.extend(&member.data);
    }
    let start = bytes.len();
    for (member, place) in directory {
        bytes.extend(b"PK\x01\x02");
        bytes.extend(header(member, true));
        bytes.extend([0; 10]);
        bytes.extend((places[*place] as u32).to_le_bytes());
        bytes.extend(&member.name);
    }
    let size = bytes.len() - start;
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend((directory.len() as u16).to_le_bytes());
    bytes.extend((directory.len() as u16).to_le_bytes());
    bytes.extend((size as u32).to_le_bytes());
    bytes.extend((start as u32).to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

fn sound(members: &[Plain]) -> Vec<u8> {
    let directory: Vec<(Plain, usize)> = members.iter().cloned().zip(0..).collect();
    written(members, &directory)
}

#[test]
fn members_of_zstandard_and_xz_are_read() {
    let bench = Bench::new();
    let text: Vec<u8> = (0..50_000_u32).flat_map(|at| (at * at / 99 % 999).to_le_bytes()).collect();
    bench.write("t", &text);
    for (program, option, end, method) in [("zstd", "-qk", "zst", 93), ("xz", "-k", "xz", 95)] {
        if bench.run(program, &[option, "t"]) {
            let data = bench.read(&format!("t.{end}"));
            let bytes = sound(&[Plain { name: b"SYSTEM".to_vec(), method, data, of: text.clone() }]);
            bench.write("a.zip", &bytes);
            let files = BTreeMap::from([("/SYSTEM".to_owned(), text.clone())]);
            assert_holds(open_file(&bench, "a.zip").as_ref(), &files, &CRC, program);
        }
    }
    let archive = open_bytes(sound(&[Plain { method: 6, ..plain(b"SYSTEM", b"x") }]), "a.zip", None).unwrap();
    let why = contents(archive.as_ref())["/SYSTEM"].clone().unwrap_err();
    assert_eq!(why, "it is compressed by method 6 (imploded), which is not supported");
}

#[test]
fn names_are_bytes_and_backslashes_count_only_without_slashes() {
    let names: [&[u8]; 8] =
        [b"C\\Windows\\SYSTEM", b"a\\b/c", b"../x", b"/abs", b"Gr\x81\xe1e", b"dir\\", b"C:/x", b"a/./b//c"];
    let archive = open_bytes(sound(&names.map(|name| plain(name, b""))), "a.zip", None).unwrap();
    let mut found: Vec<String> = paths(archive.as_ref())
        .into_iter()
        .filter(|(.., kind)| *kind == EntryKind::File)
        .map(|(_, path, _)| path)
        .collect();
    found.sort();
    assert_eq!(found, ["/../x", "/C/Windows/SYSTEM", "/C:/x", r"/Gr\x81\xe1e", "/a/b/c", r"/a\\b/c", "/abs"]);
}

#[test]
fn what_contradicts_itself_is_told() {
    let (one, two) = (plain(b"SYSTEM", b"regf one"), plain(b"SOFTWARE", b"regf two"));
    let told = |bytes: Vec<u8>| {
        let archive = open_bytes(bytes, "a.zip", None).unwrap();
        (contents(archive.as_ref()), archive.defects().join("; "))
    };
    // The directory names a member as another.
    let other = Plain { name: b"SYSTEX".to_vec(), ..one.clone() };
    let (found, said) = told(written(std::slice::from_ref(&one), &[(other, 0)]));
    assert!(said.contains("SYSTEX: its local header at 0x0 has another name"), "{said}");
    assert!(matches!(&found["/SYSTEX"], Ok((_, Vouched::Unverified(_)))));
    // A member is not listed.
    let (found, said) = told(written(&[one.clone(), two.clone()], &[(two.clone(), 1)]));
    assert!(found.len() == 1 && said.contains("the member at 0x0 is not listed"), "{said}");
    let (_, said) = told(written(&[one.clone(), two.clone()], &[(one.clone(), 0)]));
    assert!(said.contains("is not listed"), "{said}");
    // The end says that there are more.
    let mut bytes = sound(&[one.clone(), two.clone()]);
    let end = bytes.len() - 22;
    bytes[end + 10] = 3;
    assert!(told(bytes).1.contains("says that it has 3 members; its directory lists 2"));
    // A wrong CRC, and bytes behind the end.
    let mut bytes = sound(std::slice::from_ref(&one));
    bytes[40] ^= 1;
    bytes.extend(b"more");
    let (found, said) = told(bytes);
    assert!(matches!(&found["/SYSTEM"], Ok((_, Vouched::Unverified(why))) if why.contains("CRC-32 does not match")));
    assert_eq!(said, "there are 4 bytes after the archive's end");
    // Cut short.
    let bytes = sound(&[one, two]);
    let refused = open_bytes(bytes[..bytes.len() - 5].to_vec(), "a.zip", None).err().unwrap();
    assert!(refused.reason.contains("no end record") && refused.advice.contains("zip -FF"), "{refused:?}");
}

#[test]
fn members_that_overlap_are_refused() {
    let one = plain(b"SYSTEM", &[7; 3000]);
    let many: Vec<(Plain, usize)> = (0..20_000).map(|_| (one.clone(), 0)).collect();
    let archive = open_bytes(written(&[one], &many), "a.zip", None).unwrap();
    let said = archive.defects();
    assert!(said.iter().any(|said| said.contains("19999 members overlap others")), "{said:?}");
    let mut read = 0;
    archive.scan(&mut |entry| {
        read += usize::from(archive.open(entry.unwrap().node).is_ok());
        std::ops::ControlFlow::Continue(())
    });
    assert_eq!(read, 0);
}

#[test]
fn a_program_may_stand_before_the_archive() {
    let bench = Bench::with_files();
    let files = files_below(&bench.path("in"));
    for option in ["-qrfz", "-qr"] {
        assert!(bench.run("sh", &["-c", &format!("cd in && rm -f ../a.zip && zip {option} ../a.zip .")]));
        let bytes = [b"MZ".repeat(3000), bench.read("a.zip")].concat();
        let archive = open(Kind::Zip, Arc::new(bytes) as Blocks, "a.exe", None, Limits::default()).unwrap();
        assert_holds(archive.as_ref(), &files, &CRC, option);
    }
    let bytes = [b"junk".repeat(3), bench.read("a.zip")].concat();
    let archive = open(Kind::Zip, Arc::new(bytes) as Blocks, "a", None, Limits::default()).unwrap();
    assert_eq!(archive.defects(), ["there are 12 bytes before the archive, which are not a program"]);
    // As zip -A writes it: places count from the file's start.
    bench.write("sfx.zip", &[b"MZ".repeat(3000), bench.read("a.zip")].concat());
    if bench.run("zip", &["-qA", "sfx.zip"]) {
        let archive =
            open(Kind::Zip, Arc::new(bench.read("sfx.zip")) as Blocks, "a.exe", None, Limits::default()).unwrap();
        assert_holds(archive.as_ref(), &files, &CRC, "zip -A");
    }
}

#[test]
fn parts_of_split_archives_are_named() {
    let bench = Bench::new();
    let mut rng = crate::damage::Seeded(5);
    bench.write("SYSTEM", &(0..200_000).map(|_| rng.next() as u8).collect::<Vec<_>>());
    assert!(bench.run("zip", &["-q", "-s", "64k", "a.zip", "SYSTEM"]));
    for name in ["a.zip", "a.z01"] {
        let refused =
            open(Kind::Zip, Arc::new(bench.read(name)) as Blocks, name, None, Limits::default()).err().unwrap();
        if name == "a.zip" {
            assert!(refused.cause == Cause::Unsupported && refused.advice.contains("zip -s 0"), "{refused:?}");
        }
    }
}

#[test]
fn files_that_velociraptor_kept_without_holes_are_expanded() {
    let index = br#"{"ranges":[{"length":4096},{"original_offset":4096,"file_length":5,"length":5},{"file_offset":5,"original_offset":4101,"length":9}]}"#;
    let members = [
        plain(b"uploads/ntfs/%5C%5C.%5CC%3A/SYSTEM", b"12345"),
        plain(b"uploads/ntfs/%5C%5C.%5CC%3A/SYSTEM.idx", index),
        plain(b"other", b"x"),
        plain(b"other.idx", b"{\"ranges\": 5}"),
    ];
    let archive = open_bytes(sound(&members), "a.zip", None).unwrap();
    let found = contents(archive.as_ref());
    let whole = [&[0; 4096][..], b"12345", &[0; 9]].concat();
    assert_eq!(found["/uploads/ntfs/%5C%5C.%5CC%3A/SYSTEM"], Ok((whole, CRC)));
    assert_eq!(found["/other"], Ok((b"x".to_vec(), CRC)));
    // One byte of the hive is missing; a CRC of the index does not hold.
    let short = [plain(b"SYSTEM", b"1234"), plain(b"SYSTEM.idx", index)];
    let why = contents(open_bytes(sound(&short), "a.zip", None).unwrap().as_ref())["/SYSTEM"].clone().unwrap_err();
    assert_eq!(why, "its index of sparse ranges has 5 bytes, but the archive 4");
    let mut bytes = sound(&members[..2]);
    let at = bytes.windows(6).position(|window| window == b"\"range").unwrap();
    bytes[at + 12] ^= 1;
    let why = contents(open_bytes(bytes, "a.zip", None).unwrap().as_ref());
    assert!(why.values().next().unwrap().as_ref().unwrap_err().contains("CRC-32 does not match"), "{why:?}");
}

/// Counts how often bytes are asked for.
struct Counting(Vec<u8>, AtomicU64);

impl BlockRead for Counting {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.1.fetch_add(1 + buffer.len() as u64 / 4096, Ordering::Relaxed);
        self.0.read_at(buffer, offset)
    }
}

#[test]
fn twice_the_members_take_twice_the_reads() {
    let reads = |count: usize, tar: bool| {
        let members: Vec<Plain> =
            (0..count).map(|at| plain(format!("folder {at}/SYSTEM").as_bytes(), b"regf")).collect();
        let bytes = if tar {
            let bench = Bench::new();
            let script = format!(
                "import tarfile, io\nt = tarfile.open('a.tar', 'w')\nfor i in range({count}):\n i = tarfile.TarInfo(f'f {{i}}/SYSTEM'); i.size = 4; t.addfile(i, io.BytesIO(b'regf'))\nt.close()"
            );
            if !bench.run("python3", &["-c", &script]) {
                return 0;
            }
            bench.read("a.tar")
        } else {
            sound(&members)
        };
        let counting = Arc::new(Counting(bytes, AtomicU64::new(0)));
        let kind = if tar { Kind::Tar } else { Kind::Zip };
        let archive = open(kind, Arc::clone(&counting) as Blocks, "a", None, Limits::default()).unwrap();
        assert_eq!(contents(archive.as_ref()).len(), count);
        counting.1.load(Ordering::Relaxed)
    };
    for tar in [false, true] {
        let (one, two) = (reads(10_000, tar), reads(20_000, tar));
        assert!(two * 10 <= one * 23, "{one} reads for 10,000 members, {two} for 20,000");
    }
}

#[test]
fn limits_are_told() {
    let members: Vec<Plain> = (0..50).map(|at| plain(format!("{at}/x").as_bytes(), b"")).collect();
    for limits in [Limits { members: 40, ..Limits::default() }, Limits { names: 100, ..Limits::default() }] {
        let archive = open(Kind::Zip, Arc::new(sound(&members)) as Blocks, "a", None, limits).unwrap();
        assert!(archive.defects()[0].contains("more than"), "{:?}", archive.defects());
        assert!(contents(archive.as_ref()).len() < 50);
    }
    let bench = Bench::new();
    bench.write("SYSTEM", &[7; 9000]);
    bench.write("in/a", &[7; 9000]);
    let limits = Limits { unpacked: 8000, ..Limits::default() };
    if bench.run("gzip", &["SYSTEM"]) && bench.run("tar", &["-czf", "a.tgz", "in"]) {
        for name in ["SYSTEM.gz", "a.tgz"] {
            let kind = Kind::of(&bench.read(name)).unwrap();
            let archive = open(kind, Arc::new(bench.read(name)) as Blocks, name, None, limits).unwrap();
            let why = archive.defects().join("; ");
            assert!(why.contains("decompresses to more than 8000 bytes"), "{name}: {why}");
            assert!(matches!(archive.vouched(), Vouched::Unverified(_)), "{name}");
        }
    }
}
