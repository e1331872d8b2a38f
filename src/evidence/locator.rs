//! A place in the evidence as a value: a file or folder of this machine, and the steps into its content.
//!
//! Locators are printed and parsed only here, so that every locator in an output works as an argument of every command:
//! `case.zip!C/Windows/System32/config/SYSTEM`, `disk.E01!p2!vss1!Windows`, `disk.raw!o1048576!SYSTEM`.
//!
//! A printed locator has escapes: `\\` is a backslash, `\!` an exclamation mark in a name, `\n` a line feed, `\t` a
//! tab. `\x` and two hexadecimal digits are any other control character, or a byte that is not UTF-8. A name that looks
//! like a step (`p2`, `vss1`, `o512`) begins with such an escape.

use std::ffi::{OsStr, OsString};
use std::fmt::{self, Write as _};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One part of a path, in the bytes of its file system. Names of this machine and of archives stay as they are. UTF-16
/// names (NTFS, FAT, exFAT) become UTF-8, with three bytes for each unpaired surrogate (WTF-8).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Name(Vec<u8>);

impl Name {
    /// Returns a name of these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Returns a name of these UTF-16 units.
    pub fn from_utf16(units: impl IntoIterator<Item = u16>) -> Self {
        let mut bytes = Vec::new();
        for decoded in char::decode_utf16(units) {
            match decoded {
                Ok(letter) => bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
                // Three bytes of the form 1110xxxx 10xxxxxx 10xxxxxx, as for any unit above 0x7FF.
                Err(unpaired) => {
                    let unit = unpaired.unpaired_surrogate();
                    let six = |shift: u16| 0x80 | u8::try_from((unit >> shift) & 0x3f).unwrap_or_default();
                    bytes.extend([0xe0 | u8::try_from(unit >> 12).unwrap_or_default(), six(6), six(0)]);
                }
            }
        }
        Self(bytes)
    }

    /// Returns the name's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the name as text, with U+FFFD for bytes that are not UTF-8. For comparisons, not for locators.
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// Returns whether two names are the same without letter case, by Windows' table of uppercase letters.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0 == other.0 || crate::registry::same_text(&self.to_text(), &other.to_text())
    }

    /// Returns the name as a path of this machine.
    pub fn as_os_str(&self) -> &OsStr {
        OsStr::from_bytes(&self.0)
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<&OsStr> for Name {
    fn from(name: &OsStr) -> Self {
        Self(name.as_bytes().to_vec())
    }
}

/// Writes the name as locators contain it.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for letter in chunk.valid().chars() {
                match letter {
                    '\\' => f.write_str("\\\\")?,
                    '!' => f.write_str("\\!")?,
                    '\n' => f.write_str("\\n")?,
                    '\t' => f.write_str("\\t")?,
                    // A name of this machine never contains a slash; a name of NTFS can.
                    letter if letter.is_control() || letter == '/' => {
                        letter.encode_utf8(&mut [0; 4]).bytes().try_for_each(|byte| escaped(f, byte))?;
                    }
                    letter => f.write_char(letter)?,
                }
            }
            chunk.invalid().iter().try_for_each(|byte| escaped(f, *byte))?;
        }
        Ok(())
    }
}

fn escaped(f: &mut fmt::Formatter<'_>, byte: u8) -> fmt::Result {
    write!(f, "\\x{byte:02x}")
}

/// A step into a container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Step {
    /// A partition of a disk, by its number in `find`, from 1: `p2`.
    Partition(u32),
    /// A volume that was found without a partition table, by its first byte in bytes from the disk's start: `o1048576`.
    Offset(u64),
    /// A shadow copy of a volume, by its number, from 1: `vss1`.
    ShadowCopy(u32),
    /// A file or folder of a file system, from its root; never empty.
    Path(Vec<Name>),
}

impl Step {
    /// Parses a step; a text of no other step is a path.
    fn parse(text: &[u8]) -> Option<Self> {
        let number = |prefix: &str| {
            let digits = std::str::from_utf8(text).ok()?.strip_prefix(prefix)?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten()
        };
        if let Some(number) = number("p").and_then(|number| u32::try_from(number).ok()) {
            return Some(Self::Partition(number));
        }
        if let Some(number) = number("vss").and_then(|number| u32::try_from(number).ok()) {
            return Some(Self::ShadowCopy(number));
        }
        if let Some(offset) = number("o") {
            return Some(Self::Offset(offset));
        }
        let names: Vec<Name> = text
            .split(|byte| *byte == b'/')
            .filter(|part| !part.is_empty())
            .map(|part| Name(unescaped(part)))
            .collect();
        (!names.is_empty()).then_some(Self::Path(names))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partition(number) => write!(f, "p{number}"),
            Self::Offset(offset) => write!(f, "o{offset}"),
            Self::ShadowCopy(number) => write!(f, "vss{number}"),
            Self::Path(names) => {
                if let [Name(bytes)] = names.as_slice()
                    && let Some((first, rest)) = bytes.split_first()
                    && !matches!(Self::parse(bytes), Some(Self::Path(_)))
                {
                    escaped(f, *first)?;
                    return write!(f, "{}", Name(rest.to_vec()));
                }
                for (at, name) in names.iter().enumerate() {
                    if at > 0 {
                        f.write_char('/')?;
                    }
                    write!(f, "{name}")?;
                }
                Ok(())
            }
        }
    }
}

/// A place in the evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Locator {
    /// The path of a file or folder of this machine, as the user named it.
    #[serde(with = "crate::evidence::paths")]
    pub base: PathBuf,
    /// The steps from there into containers; empty for a file or folder of this machine.
    pub steps: Vec<Step>,
}

impl Locator {
    /// Returns a file or folder of this machine.
    pub fn of(path: impl Into<PathBuf>) -> Self {
        Self { base: path.into(), steps: Vec::new() }
    }

    /// Resolves the place that the user typed. A path that exists exactly so is the place. Otherwise the container is
    /// the longest existing part, with or without resolved escapes, that ends at a `!`. `None` if nothing exists.
    pub fn parse(typed: &OsStr) -> Option<Self> {
        let exists = |path: &OsStr| Path::new(path).symlink_metadata().is_ok();
        if exists(typed) {
            return Some(Self::of(typed));
        }
        let text = typed.as_bytes();
        let plain = OsString::from_vec(unescaped(text));
        if exists(&plain) {
            return Some(Self::of(plain));
        }
        let marks = text.iter().enumerate().rev().filter(|(_, byte)| **byte == b'!').map(|(at, _)| at);
        marks.into_iter().find_map(|at| {
            let (before, after) = (text.get(..at)?, text.get(at.saturating_add(1)..)?);
            let literal = OsStr::from_bytes(before).to_owned();
            let plain = OsString::from_vec(unescaped(before));
            let base = [literal, plain].into_iter().find(|path| Path::new(path).is_file())?;
            let steps = parts(after).into_iter().filter_map(Step::parse).collect();
            Some(Self { base: base.into(), steps })
        })
    }

    /// Returns the place one step further.
    #[must_use]
    pub fn step(&self, step: Step) -> Self {
        let mut further = self.clone();
        further.steps.push(step);
        further
    }

    /// Returns a file or folder of the file system at this place, by the names below its root.
    #[must_use]
    pub fn inside(&self, names: &[Name]) -> Self {
        if names.is_empty() { self.clone() } else { self.step(Step::Path(names.to_vec())) }
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for component in self.base.components() {
            if component == Component::RootDir {
                text.push('/');
                continue;
            }
            if !text.is_empty() && !text.ends_with('/') {
                text.push('/');
            }
            write!(text, "{}", Name::from(component.as_os_str()))?;
        }
        f.write_str(if text.is_empty() { "." } else { &text })?;
        self.steps.iter().try_for_each(|step| write!(f, "!{step}"))
    }
}

/// Splits a text at its exclamation marks, except those behind a backslash.
fn parts(text: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at = at.saturating_add(1),
            b'!' => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at.saturating_add(1);
            }
            _ => {}
        }
        at = at.saturating_add(1);
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// Returns a text with its escapes resolved. A backslash that begins no escape stays.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let hex = |text: &[u8]| {
            let digits = text.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
            u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
        };
        let (byte, used) = match (first, after.split_first()) {
            (b'\\', Some((b'x', digits))) => hex(digits).map_or((b'\\', 0), |byte| (byte, 3)),
            (b'\\', Some((b'n', _))) => (b'\n', 1),
            (b'\\', Some((b't', _))) => (b'\t', 1),
            (b'\\', Some((b'\\', _))) => (b'\\', 1),
            (b'\\', Some((b'!', _))) => (b'!', 1),
            (byte, _) => (*byte, 0),
        };
        bytes.push(byte);
        rest = after.get(used..).unwrap_or_default();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_printed_as_typed_with_slashes() {
        for (path, text) in [
            ("mnt//WINDOWS/", "mnt/WINDOWS"),
            ("/", "/"),
            ("/mnt", "/mnt"),
            (".", "."),
            ("./a", "./a"),
            ("../a", "../a"),
        ] {
            assert_eq!(Locator::of(path).to_string(), text);
        }
    }

    #[test]
    fn hostile_names_stay_apart_and_on_one_line() {
        let names: [&[u8]; 6] = [b"a\xff", b"a\\xff", b"a\nb", b"a\x1b[31m", b"C:\\Windows", b"a!b"];
        let shown: Vec<String> = names.iter().map(|name| Locator::of(OsStr::from_bytes(name)).to_string()).collect();
        assert_eq!(shown, [r"a\xff", r"a\\xff", r"a\nb", r"a\x1b[31m", r"C:\\Windows", r"a\!b"]);
    }

    #[test]
    fn a_name_that_looks_like_a_step_is_no_step() {
        let step = Step::Path(vec![Name::from("p1")]);
        assert_eq!(step.to_string(), r"\x701");
        assert_eq!(Step::parse(br"\x701"), Some(step));
        assert_eq!(Step::parse(b"p1"), Some(Step::Partition(1)));
        assert_eq!(Step::parse(b"o1048576"), Some(Step::Offset(1_048_576)));
        assert_eq!(Step::parse(b"vss12"), Some(Step::ShadowCopy(12)));
        assert_eq!(Step::parse(b"p1/x").unwrap().to_string(), "p1/x");
        assert_eq!(Step::parse(b"p99999999999").unwrap().to_string(), "p99999999999");
    }

    #[test]
    fn a_path_that_exists_as_it_stands_wins_and_then_the_longest_container() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["a.zip", "a.zip!b", r"c\nd", "c\nd.zip"] {
            fs::write(path(name), "x").unwrap();
        }
        let parse = |name: &str| Locator::parse(path(name).as_os_str());
        assert_eq!(parse("a.zip!b"), Some(Locator::of(path("a.zip!b"))));
        assert_eq!(parse(r"a.zip\!b"), Some(Locator::of(path("a.zip!b"))));
        assert_eq!(parse("a.zip!b!c").unwrap().base, path("a.zip!b"));
        assert_eq!(parse("a.zip!c/d!p2!x").unwrap().to_string(), format!("{}!c/d!p2!x", Locator::of(path("a.zip"))));
        assert_eq!(parse(r"c\nd").unwrap().base, path(r"c\nd"));
        assert_eq!(parse(r"c\nd.zip").unwrap().base, path("c\nd.zip"));
        assert_eq!(parse("no.zip!x"), None);
    }

    #[test]
    fn utf16_names_keep_unpaired_surrogates() {
        let name = Name::from_utf16([0x41, 0xd800, 0x42]);
        assert_eq!(name.to_string(), r"A\xed\xa0\x80B");
        assert_eq!(Name(unescaped(name.to_string().as_bytes())), name);
        assert_eq!(Name::from_utf16("Gr\u{fc}\u{1f600}".encode_utf16()), Name::from("Gr\u{fc}\u{1f600}"));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_parsed_to_the_same(
            names in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..6), 1..4),
            number: u32, offset: u64,
        ) {
            let names: Vec<Name> = names.into_iter().map(Name).collect();
            for step in [Step::Path(names), Step::Partition(number), Step::Offset(offset), Step::ShadowCopy(number)] {
                let text = format!("x!{step}!{step}");
                let parts = parts(text.as_bytes());
                prop_assert_eq!(parts.len(), 3, "{}", text);
                prop_assert_eq!(Step::parse(parts[1]), Some(step));
            }
        }
    }
}
