//! tar, compared with GNU tar, bsdtar, and Python's tarfile.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;

use hivemend::evidence::file_system::{Case, EntryKind, Node, ROOT, Vouched};
use hivemend::evidence::locator::Name;

use super::{Bench, Contents, assert_holds, contents, files_below, open_bytes, open_file, paths};

const NONE: Vouched = Vouched::Unprotected;

#[test]
fn every_format_of_every_program_gives_the_same_files() {
    let bench = Bench::with_files();
    let long = format!("in/{}/{}", "folder-".repeat(20), "name-".repeat(30));
    bench.write(&long, b"long");
    let files = files_below(&bench.path("in"));
    let mut tried = 0;
    for (program, options) in [
        ("tar", &["--format=gnu"][..]),
        ("tar", &["--format=oldgnu"]),
        ("tar", &["--format=pax"]),
        ("tar", &["--format=posix", "--pax-option=globexthdr.name=g,comment=x"]),
        ("tar", &["-V", "label"]),
        ("tar", &["-b", "1"]),
        ("bsdtar", &["--format=pax"]),
        ("bsdtar", &["--format=gnutar"]),
    ] {
        if bench.run(program, &[options, &["-C", "in", "-cf", "a.tar", "."]].concat()) {
            tried += 1;
            assert_holds(open_file(&bench, "a.tar").as_ref(), &files, &NONE, &format!("{program} {options:?}"));
        }
    }
    assert!(tried > 0);
    std::fs::remove_file(bench.path(&long)).unwrap();
    std::fs::remove_dir(bench.path(&long).parent().unwrap()).unwrap();
    let files = files_below(&bench.path("in"));
    for (program, options) in [
        ("tar", &["--format=v7"][..]),
        ("tar", &["--format=ustar"]),
        ("bsdtar", &["--format=ustar"]),
        ("bsdtar", &["--format=v7"]),
    ] {
        if bench.run(program, &[options, &["-C", "in", "-cf", "a.tar", "Windows", "empty", "Gr\u{fc}\u{df}e"]].concat())
        {
            assert_holds(open_file(&bench, "a.tar").as_ref(), &files, &NONE, &format!("{program} {options:?}"));
        }
    }
}

#[test]
fn compressed_archives_are_vouched_for_by_their_stream() {
    let bench = Bench::with_files();
    let files = files_below(&bench.path("in"));
    for (option, check) in
        [("-z", "CRC-32 (gzip)"), ("-j", "CRC-32 (bzip2)"), ("-J", "CRC-64 (xz)"), ("--zstd", "XXH64 (Zstandard)")]
    {
        assert!(bench.run("tar", &["-C", "in", option, "-cf", "a", "."]));
        assert_holds(open_file(&bench, "a").as_ref(), &files, &Vouched::by(check), option);
    }
}

#[test]
fn a_stream_that_fails_leaves_what_came_before_it_readable_and_unverified() {
    let bench = Bench::new();
    let mut rng = crate::damage::Seeded(9);
    let files: Vec<Vec<u8>> = (0..6).map(|_| (0..300_000).map(|_| rng.next() as u8).collect()).collect();
    for (at, bytes) in files.iter().enumerate() {
        bench.write(&format!("in/{at}"), bytes);
    }
    for option in ["-z", "-j", "-J", "--zstd"] {
        assert!(bench.run("tar", &["-C", "in", option, "-cf", "a", "0", "1", "2", "3", "4", "5"]));
        let whole = bench.read("a");
        // In the middle: what is in blocks before that can be had. The last bytes: everything.
        let mut damaged = whole.clone();
        let last = damaged.len() - if option == "-J" { 30 } else { 2 };
        damaged[last] ^= 1;
        for (bytes, least) in [(whole[..whole.len() * 2 / 3].to_vec(), 2), (damaged, 6)] {
            let archive = open_bytes(bytes, "a", None).unwrap();
            assert!(matches!(archive.vouched(), Vouched::Unverified(_)) && !archive.defects().is_empty(), "{option}");
            let found = contents(archive.as_ref());
            let read = found.iter().filter_map(|(path, content)| Some((path, content.as_ref().ok()?)));
            let read: Vec<_> = read
                .inspect(|(path, (bytes, vouched))| {
                    assert!(*bytes == files[path[1..].parse::<usize>().unwrap()], "{option}: {path}");
                    assert!(matches!(vouched, Vouched::Unverified(_)), "{option}: {path}: {vouched:?}");
                })
                .collect();
            assert!(read.len() >= least, "{option}: {} of {least}, {:?}", read.len(), archive.defects());
        }
    }
}

/// A file with holes: at the beginning, in the middle, at the end.
fn sparse(bench: &Bench, name: &str) {
    bench.write(name, b"");
    let file = std::fs::OpenOptions::new().write(true).open(bench.path(name)).unwrap();
    for at in
        [1_u64, 3, 4, 9, 10, 17, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107]
    {
        file.write_all_at(&vec![at as u8; 65_536], at * 131_072).unwrap();
    }
    file.set_len(15_000_000).unwrap();
}

#[test]
fn sparse_files_are_expanded() {
    let bench = Bench::new();
    sparse(&bench, "in/SYSTEM");
    bench.write("in/z", b"behind");
    std::fs::File::create(bench.path("in/hole")).unwrap().set_len(1_000_000).unwrap();
    let files = files_below(&bench.path("in"));
    for (program, options) in [
        ("tar", &["--format=gnu"][..]),
        ("tar", &["--format=oldgnu"]),
        ("tar", &["--format=pax", "--sparse-version=0.0"]),
        ("tar", &["--format=pax", "--sparse-version=0.1"]),
        ("tar", &["--format=pax", "--sparse-version=1.0"]),
        ("bsdtar", &["--format=pax"]),
    ] {
        let sparse = if program == "tar" { "-S" } else { "--read-sparse" };
        if !bench.run(program, &[options, &[sparse, "-C", "in", "-cf", "a.tar", "."]].concat()) {
            continue;
        }
        let size = bench.read("a.tar").len();
        assert!(size < 3_000_000, "{program} {options:?}: {size} bytes, not sparse");
        assert_holds(open_file(&bench, "a.tar").as_ref(), &files, &NONE, &format!("{program} {options:?}"));
        assert!(bench.run("gzip", &["-kf", "a.tar"]));
        let check = Vouched::by("CRC-32 (gzip)");
        assert_holds(open_file(&bench, "a.tar.gz").as_ref(), &files, &check, &format!("{program} {options:?}"));
    }
}

#[test]
fn a_sparse_map_that_contradicts_its_file_is_refused() {
    let bench = Bench::new();
    sparse(&bench, "SYSTEM");
    assert!(bench.run("tar", &["--format=pax", "--sparse-version=0.1", "-Scf", "a.tar", "SYSTEM"]));
    let text = bench.read("a.tar");
    let place = |what: &[u8]| text.windows(what.len()).position(|window| window == what).unwrap();
    // Another size, and another range, of as many digits.
    for (at, digit) in [(place(b"sparse.size=15000000") + 12, b'0'), (place(b"map=131072,65536") + 13, b'7')] {
        let mut bytes = text.clone();
        bytes[at] = digit;
        let archive = open_bytes(bytes, "a.tar", None).unwrap();
        let why = contents(archive.as_ref())["/SYSTEM"].clone().unwrap_err();
        assert!(why.contains("map of sparse ranges"), "{why}");
    }
}

#[test]
fn links_lead_to_what_they_lead_to() {
    let bench = Bench::new();
    bench.write("in/config/SYSTEM", b"regf and more");
    std::fs::hard_link(bench.path("in/config/SYSTEM"), bench.path("in/config/SYSTEM.LOG1")).unwrap();
    std::os::unix::fs::symlink("SYSTEM", bench.path("in/config/link")).unwrap();
    for options in
        [&["-cf", "a.tar"][..], &["-czf", "a.tar"], &["--format=pax", "-cf", "a.tar"], &["--format=v7", "-cf", "a.tar"]]
    {
        assert!(bench.run("tar", &[options, &["in"]].concat()));
        let archive = open_file(&bench, "a.tar");
        let found = contents(archive.as_ref());
        let bytes: Vec<(&str, &[u8])> =
            found.iter().map(|(path, content)| (path.as_str(), content.as_ref().unwrap().0.as_slice())).collect();
        let hive = &b"regf and more"[..];
        assert_eq!(bytes, [("/in/config/SYSTEM", hive), ("/in/config/SYSTEM.LOG1", hive)]);
        let kind =
            |name: &str| paths(archive.as_ref()).into_iter().find(|(_, path, _)| path.ends_with(name)).unwrap().2;
        assert_eq!(kind("link"), EntryKind::Link);
    }
    // pax allows a link to bring its bytes along; cpio's writers did so.
    if bench.run("bsdtar", &["--format=pax", "-cf", "a.tar", "in"]) {
        assert_eq!(contents(open_file(&bench, "a.tar").as_ref()).len(), 2);
    }
    assert!(
        bench.run("tar", &["-cf", "a.tar", "in"]) && bench.run("tar", &["--delete", "-f", "a.tar", "in/config/SYSTEM"])
    );
    let found = contents(open_file(&bench, "a.tar").as_ref());
    let why = found.values().next().unwrap().clone().err();
    assert!(
        found.len() == 1 && why.as_ref().is_none_or(|why| why.contains("hard link to in/config/SYSTEM")),
        "{found:?}"
    );
}

#[test]
fn ends_that_are_missing_and_what_is_behind_ends_is_told() {
    let bench = Bench::with_files();
    bench.write("other/later", b"after the end");
    assert!(
        bench.run("tar", &["-C", "in", "-b1", "-cf", "a.tar", "."])
            && bench.run("tar", &["-b1", "-cf", "b.tar", "other"])
    );
    let (a, b) = (bench.read("a.tar"), bench.read("b.tar"));
    let files = files_below(&bench.path("in"));
    let opened = |bytes: Vec<u8>| {
        let archive = open_bytes(bytes, "a.tar", None).unwrap();
        (contents(archive.as_ref()), archive.defects())
    };
    let same = |found: &Contents| files.iter().all(|(path, bytes)| found[path].as_ref().unwrap().0 == *bytes);

    for cut in [512, 1024] {
        let (found, told) = opened(a[..a.len() - cut].to_vec());
        assert!(same(&found) && told == ["the archive has no end marker: it may be truncated"], "{told:?}");
    }
    let (found, told) = opened([a.clone(), b.clone()].concat());
    assert!(same(&found) && told.len() == 1 && told[0].contains("members follow the end marker"), "{told:?}");
    assert_eq!(found["/other/later"].as_ref().unwrap().0, b"after the end");
    let (_, told) = opened([a.clone(), b"garbage".repeat(200)].concat());
    assert!(told[0].contains("bytes after the end marker"), "{told:?}");
    let (_, told) = opened(a[..a.len() - 3000].to_vec());
    assert!(told[0].contains("ends within"), "{told:?}");

    // A header that is damaged: the next ones are found.
    let at = a.windows(8).position(|window| window == b"SOFTWARE").unwrap();
    let mut damaged = a.clone();
    damaged[at] ^= 1;
    let (found, told) = opened(damaged);
    assert!(told.len() == 1 && told[0].contains("a damaged header at"), "{told:?}");
    assert_eq!(found.len(), files.len() - 1);
}

#[test]
fn parts_of_many_volumes_are_told() {
    let bench = Bench::new();
    bench.write("SYSTEM", &vec![7; 30_000]);
    let made = bench.output("tar", &["-cM", "-L", "20", "-f", "one.tar", "-f", "two.tar", "SYSTEM"]).unwrap();
    assert!(made.status.success(), "{made:?}");
    let first = open_file(&bench, "one.tar");
    assert!(first.defects()[0].contains("ends within it"), "{:?}", first.defects());
    assert!(contents(first.as_ref())["/SYSTEM"].is_err());
    let second = open_file(&bench, "two.tar");
    assert!(second.defects()[0].contains("another volume"), "{:?}", second.defects());
}

/// A header that no program would write.
fn header(name: &[u8], kind: u8, size: usize) -> [u8; 512] {
    let mut block = [0; 512];
    block[..name.len()].copy_from_slice(name);
    block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    block[257..263].copy_from_slice(b"ustar\0");
    block[156] = kind;
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[test]
fn names_never_leave_the_tree_and_doubles_stay_apart() {
    let names: [&[u8]; 9] = [
        b"/etc/passwd",
        b"../../x",
        b"./a/./b//c",
        b"a/b/c",
        b"C:\\Windows\\SYSTEM",
        b"\xff\xfe",
        b".",
        b"a/b/c/",
        b"d/../e",
    ];
    let mut bytes = Vec::new();
    for name in names {
        bytes.extend(header(name, if name == b"." { b'5' } else { b'0' }, 0));
    }
    bytes.extend([0; 1024]);
    let archive = open_bytes(bytes, "a.tar", None).unwrap();
    let mut found: Vec<(String, EntryKind)> =
        paths(archive.as_ref()).into_iter().map(|(_, path, kind)| (path, kind)).collect();
    found.sort_by_key(|(path, _)| path.clone());
    let names: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
    let expected = [
        "/..",
        "/../..",
        "/../../x",
        r"/C:\\Windows\\SYSTEM",
        r"/\xff\xfe",
        "/a",
        "/a/b",
        "/a/b/c",
        "/a/b/c",
        "/a/b/c",
        "/d",
        "/d/..",
        "/d/../e",
        "/etc",
        "/etc/passwd",
    ];
    assert_eq!(names, expected);
    assert_eq!(found.iter().filter(|(path, kind)| path == "/a/b/c" && *kind == EntryKind::Folder).count(), 1);
    assert_eq!(archive.defects(), Vec::<String>::new());
    let a = archive.look_up(ROOT, &Name::from("A"), Case::Insensitive).unwrap();
    assert_eq!((a.len(), archive.look_up(ROOT, &Name::from("A"), Case::Sensitive).unwrap().len()), (1, 0));
    assert!(archive.open(Node(4711)).is_err() && archive.head(a[0].node).is_err());
}

#[test]
fn what_links_lead_to_is_bounded_and_global_headers_are_small() {
    let mut bytes = Vec::new();
    for at in 0..9 {
        bytes.extend(header(format!("link {at}").as_bytes(), b'1', 0));
        let place = bytes.len() - 512;
        bytes[place + 157..place + 257].fill(b'x');
        bytes[place + 148..place + 156].fill(b' ');
        let sum: u32 = bytes[place..].iter().map(|byte| u32::from(*byte)).sum();
        bytes[place + 148..place + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    bytes.extend([0; 1024]);
    let limits = hivemend::evidence::archive::limits::Limits { names: 500, ..Default::default() };
    let kind = hivemend::evidence::archive::container::Kind::Tar;
    let archive =
        hivemend::evidence::archive::container::open(kind, std::sync::Arc::new(bytes), "a", None, limits).unwrap();
    let told = archive.defects();
    assert!(told[0].contains("the hard links have more than 500 bytes") && told[0].contains("number 6"), "{told:?}");

    let mut bytes = header(b"global", b'g', 9000).to_vec();
    bytes.extend(vec![b'x'; 9216]);
    bytes.extend([0; 1024]);
    let told = open_bytes(bytes, "a.tar", None).unwrap().defects();
    assert!(told[0].contains("it has 9000 bytes; 8192 are allowed"), "{told:?}");
}

#[test]
fn python_agrees() {
    let bench = Bench::with_files();
    let files = files_below(&bench.path("in"));
    for format in ["USTAR_FORMAT", "GNU_FORMAT", "PAX_FORMAT"] {
        let script = format!(
            "import tarfile; t = tarfile.open('a.tar', 'w', format=tarfile.{format}); t.add('in', '.'); t.close()"
        );
        if bench.run("python3", &["-c", &script]) {
            assert_holds(open_file(&bench, "a.tar").as_ref(), &files, &NONE, format);
        }
    }
    // A size in base 256, as GNU tar has it above 8 GiB.
    let mut block = header(b"big", b'0', 5);
    block[124..136].copy_from_slice(b"\x80\0\0\0\0\0\0\0\0\0\0\x05");
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut bytes = block.to_vec();
    bytes.extend(b"12345");
    bytes.resize(1024 + 1024, 0);
    let big = BTreeMap::from([("/big".to_owned(), b"12345".to_vec())]);
    assert_holds(open_bytes(bytes, "a.tar", None).unwrap().as_ref(), &big, &NONE, "base 256");
}
