//! Segments of Expert Witness images that do not belong together.

use std::fs;
use std::ops::Range;

use hivemend::evidence::disk::Kind;

use super::{Bench, refused};
use crate::harness;

/// Adler-32 (RFC 1950), the plain way.
fn adler32(data: &[u8]) -> u32 {
    let (low, high) = data.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65521;
        (low, (high + low) % 65521)
    });
    high << 16 | low
}

/// The bodies of the sections of a segment file with this name.
fn sections(segment: &[u8], kinds: &[&str]) -> Vec<Range<usize>> {
    let (mut at, mut found) = (13, Vec::new());
    loop {
        let kind = String::from_utf8_lossy(&segment[at..at + 16]).trim_end_matches('\0').to_owned();
        let next = usize::try_from(u64::from_le_bytes(*segment[at + 16..].first_chunk().unwrap())).unwrap();
        if matches!(kind.as_str(), "next" | "done") {
            return found;
        }
        if kinds.contains(&kind.as_str()) {
            found.push(at + 76..next);
        }
        at = next;
    }
}

impl Bench {
    /// Writes bytes into what a segment says of the disk, with the checksum that this has then.
    fn edit(&self, name: &str, at: usize, bytes: &[u8]) {
        let mut segment = fs::read(self.path(name)).unwrap();
        let places = sections(&segment, &["volume", "disk", "data"]);
        assert!(!places.is_empty(), "{name}");
        for place in places {
            let body = &mut segment[place];
            body[at..at + bytes.len()].copy_from_slice(bytes);
            let sum = adler32(&body[..1048]);
            body[1048..1052].copy_from_slice(&sum.to_le_bytes());
        }
        fs::write(self.path(name), segment).unwrap();
    }

    /// Gives each segment an identifier: ewfacquire leaves them zero.
    fn identify(&self, stem: &str, identifier: u8) {
        for number in 1..=self.segments(stem) {
            self.edit(&format!("{stem}.E{number:02}"), 64, &[identifier; 16]);
        }
    }

    fn segments(&self, stem: &str) -> usize {
        (1..100).take_while(|number| self.path(&format!("{stem}.E{number:02}")).exists()).count()
    }

    fn copy(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).unwrap();
    }

    /// Whether ewfexport makes anything of an image; `None` where it is not installed.
    fn exports(&self, name: &str) -> Option<bool> {
        let mut command = std::process::Command::new("ewfexport");
        command.args(["-u", "-q", "-f", "raw", "-t", "exported", name]).current_dir(self.folder.path());
        let Ok(output) = command.output() else {
            harness::lacks_program("ewfexport");
            return None;
        };
        let _ = fs::remove_file(self.path("exported.raw"));
        Some(output.status.success())
    }
}

/// Two acquisitions, `a` and `b`, of disks of the same size, in segments of 1 MiB.
fn acquired() -> Option<Bench> {
    let bench = Bench::new();
    let other: Vec<u8> = bench.media.iter().map(|byte| byte ^ 0x11).collect();
    fs::write(bench.path("other.raw"), other).unwrap();
    for (stem, disk) in [("a", "disk.raw"), ("b", "other.raw")] {
        let line = format!("ewfacquire -u -q -t {stem} -f encase6 -S 1M -c none -C x -D x -e x -E x -N x {disk}");
        if !bench.run(&line) {
            return None;
        }
    }
    assert!(bench.segments("a") > 9);
    Some(bench)
}

#[test]
fn a_segment_of_another_acquisition_is_refused() {
    let Some(bench) = acquired() else { return };
    bench.identify("a", 0xaa);
    bench.identify("b", 0xbb);
    let disk = bench.holds("a.E01", Kind::Ewf);
    assert_eq!(disk.facts, Vec::<String>::new());
    let own = fs::read(bench.path("a.E07")).unwrap();
    bench.copy("b.E07", "a.E07");
    let said = refused(&bench.path("a.E01"));
    let (one, other) = ("aa".repeat(16), "bb".repeat(16));
    assert!(
        said.contains(&format!("expected segments of one acquisition: set identifier {one}, as in a.E01")),
        "{said}"
    );
    assert!(said.contains(&format!("found set identifier {other} in a.E07")), "{said}");
    assert_ne!(bench.exports("a.E01"), Some(true));
    // The files that were opened are named: they are evidence.
    let failed = hivemend::evidence::disk::open(&bench.path("a.E01")).err().unwrap();
    assert_eq!(failed.files, (1..=7).map(|number| bench.path(&format!("a.E0{number}"))).collect::<Vec<_>>());
    fs::write(bench.path("a.E07"), own).unwrap();
    bench.holds("a.E01", Kind::Ewf);
}

#[test]
fn what_segments_say_of_the_disk_must_be_the_same() {
    let Some(bench) = acquired() else { return };
    // Chunks, sectors in a chunk, bytes in a sector, sectors.
    for (at, said) in [(4, "chunks"), (8, "sectors in a chunk"), (12, "bytes in a sector"), (16, "sectors")] {
        let own = fs::read(bench.path("a.E03")).unwrap();
        let place = sections(&own, &["data"])[0].start + at;
        let number = u32::from_le_bytes(*own[place..].first_chunk().unwrap());
        bench.edit("a.E03", at, &(number + 1).to_le_bytes());
        let refused = refused(&bench.path("a.E01"));
        let found = format!("found {} {said} in a.E03", number + 1);
        assert!(refused.contains(&found) && refused.contains(&format!("{number} {said}, as in a.E01")), "{refused}");
        assert_ne!(bench.exports("a.E01"), Some(true), "{said}");
        fs::write(bench.path("a.E03"), own).unwrap();
    }
    bench.holds("a.E01", Kind::Ewf);
}

#[test]
fn a_number_that_comes_twice_and_counts_that_contradict_the_tables_are_refused() {
    let Some(bench) = acquired() else { return };
    let own = fs::read(bench.path("a.E03")).unwrap();
    bench.copy("a.E02", "a.E03");
    let said = refused(&bench.path("a.E01"));
    assert!(said.contains("in a.E03: the file says that it is segment 2 of its image, 3 expected"), "{said}");
    assert_ne!(bench.exports("a.E01"), Some(true));
    fs::write(bench.path("a.E03"), own).unwrap();
    // All segments agree on counts that their tables do not have, or that the size does not.
    let whole = u32::try_from(bench.media.len().div_ceil(32768)).unwrap();
    let sectors = u32::try_from(bench.media.len() / 512).unwrap();
    for (chunks, sectors, says) in [
        (
            whole + 1,
            sectors,
            format!("expected {whole} chunks of 32768 bytes, by the size of the disk, found {}", whole + 1),
        ),
        (whole + 1, sectors + 64, format!("expected {} chunks of 32768 bytes, found {whole} chunks in", whole + 1)),
        (whole - 1, sectors - 64, format!("expected {} chunks of 32768 bytes, found {whole} chunks in", whole - 1)),
    ] {
        for number in 1..=bench.segments("a") {
            bench.edit(&format!("a.E{number:02}"), 4, &chunks.to_le_bytes());
            bench.edit(&format!("a.E{number:02}"), 16, &sectors.to_le_bytes());
        }
        let said = refused(&bench.path("a.E01"));
        assert!(said.contains(&says), "{said}");
    }
}

#[test]
fn segments_that_cannot_be_compared_are_told() {
    let Some(bench) = acquired() else { return };
    let disk = bench.holds("a.E01", Kind::Ewf);
    let told = "no set identifier: only names, segment numbers and the numbers of chunks and sectors were compared";
    assert!(
        disk.facts.len() == 1 && disk.facts[0].starts_with(&format!("the segments have {told}")),
        "{:?}",
        disk.facts
    );
    bench.identify("a", 0xaa);
    bench.edit("a.E05", 64, &[0; 16]);
    let disk = bench.holds("a.E01", Kind::Ewf);
    assert!(disk.facts.len() == 1 && disk.facts[0].starts_with(&format!("a.E05 has {told}")), "{:?}", disk.facts);
    // A section of another name is none: encase6 images have such ones, and others lack it.
    bench.identify("a", 0xaa);
    let mut segment = fs::read(bench.path("a.E05")).unwrap();
    let header = sections(&segment, &["data"])[0].start - 76;
    segment[header..header + 4].copy_from_slice(b"note");
    let sum = adler32(&segment[header..header + 72]);
    segment[header + 72..header + 76].copy_from_slice(&sum.to_le_bytes());
    fs::write(bench.path("a.E05"), segment).unwrap();
    let disk = bench.holds("a.E01", Kind::Ewf);
    assert!(disk.facts.len() == 1 && disk.facts[0].starts_with(&format!("a.E05 has {told}")), "{:?}", disk.facts);
    // One more than the image has.
    let last = bench.segments("a");
    bench.copy(&format!("b.E{last:02}"), &format!("a.E{:02}", last + 1));
    let mut damaged = fs::read(bench.path("a.E05")).unwrap();
    damaged[header..header + 4].copy_from_slice(b"data");
    let sum = adler32(&damaged[header..header + 72]);
    damaged[header + 72..header + 76].copy_from_slice(&sum.to_le_bytes());
    fs::write(bench.path("a.E05"), &damaged).unwrap();
    let disk = bench.holds("a.E01", Kind::Ewf);
    let extra = format!("a.E{:02} was not read: a.E{last:02} is the last segment of this image", last + 1);
    assert_eq!(disk.facts, [extra]);
    damaged[header + 76 + 100] ^= 1;
    fs::write(bench.path("a.E05"), damaged).unwrap();
    let said = refused(&bench.path("a.E01"));
    assert!(said.contains("in a.E05: data section: wrong checksum"), "{said}");
}
