//! A hive is processed in parts; nothing is collected before writing.

use std::io::{self, Write};

use hivemend::report::table::Style;
use hivemend::show::{Layout, Place, Subject};

use super::Desk;
use crate::builder::{self, Key};

const KEYS: usize = 20_000;

/// A hive of many keys in a few folders, each with two values.
fn many_keys() -> Desk {
    let mut hive = builder::Hive::new("ROOT");
    for folder in 0..20 {
        let mut parent = Key::new(&format!("{folder:02}"));
        for number in 1..KEYS / 20 {
            let mut key = Key::new(&format!("{number:05}"));
            key.set_dword("Number", 7).set_binary("Bytes", &[9; 100]);
            parent.subkeys.push(key);
        }
        hive.root.subkeys.push(parent);
    }
    Desk::with("hive", &hive.to_bytes())
}

/// Counts what it is given, and has enough after so many bytes.
struct Gauge {
    pieces: usize,
    longest: usize,
    bytes: usize,
    enough: usize,
}

impl Gauge {
    fn new(enough: usize) -> Self {
        Self { pieces: 0, longest: 0, bytes: 0, enough }
    }

    fn fill(&mut self, subject: &Subject, place: &Place, layout: Layout) -> io::Result<bool> {
        subject.write(place, true, layout, self).map(|shown| shown.complete)
    }
}

impl Write for Gauge {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes > self.enough {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.pieces += 1;
        self.longest = self.longest.max(bytes.len());
        self.bytes += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn pieces_are_no_longer_than_a_value_takes() {
    let desk = many_keys();
    let subject = desk.subject();
    let place = subject.find("").unwrap().unwrap();
    for layout in [Layout::RegText, Layout::RegFile, Layout::Json, Layout::Table(Style::default())] {
        let mut gauge = Gauge::new(usize::MAX);
        assert!(gauge.fill(&subject, &place, layout).unwrap());
        assert!(gauge.bytes > KEYS * 200, "{layout:?}: {}", gauge.bytes);
        assert!(gauge.pieces > KEYS * 2, "{layout:?}: {}", gauge.pieces);
        assert!(gauge.longest < 2048, "{layout:?}: {}", gauge.longest);
    }
}

#[test]
fn the_walk_ends_when_the_reader_has_had_enough() {
    let desk = many_keys();
    let subject = desk.subject();
    let place = subject.find("").unwrap().unwrap();
    for layout in [Layout::RegText, Layout::Json, Layout::Table(Style::default())] {
        let mut gauge = Gauge::new(10_000);
        let error = gauge.fill(&subject, &place, layout).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert!(gauge.bytes < 20_000);
    }
}
