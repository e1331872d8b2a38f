//! `system.reg`, where Wine stores HKEY_LOCAL_MACHINE: text similar to a `.reg` file, but with raw bytes for each value
//! that is not entirely text. It is read without the code under test.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::values::Values;

const ROOT: &str = r"HKEY_LOCAL_MACHINE\";

/// Every value of such a file.
pub(super) fn read(file: &str) -> Values {
    let (mut values, mut key) = (Values::new(), String::new());
    // Data in hex are broken after a comma; a line end in a text is written otherwise.
    for line in file.replace(",\\\n  ", ",").lines() {
        match line.as_bytes().first() {
            Some(b'[') => {
                let (path, _) = quoted(&line[1..], ']');
                key = format!("{ROOT}{}", String::from_utf16_lossy(&path)).to_uppercase();
            }
            Some(b'@') => _ = values.insert((key.clone(), vec![]), datum(line[1..].strip_prefix('=').unwrap())),
            Some(b'"') => {
                let (name, rest) = quoted(&line[1..], '"');
                values.insert((key.clone(), name), datum(rest.strip_prefix('=').unwrap()));
            }
            // Nothing, the header, a comment, or the time, class or kind of a key.
            _ => assert!(line.is_empty() || line.starts_with(['#', ';']) || line.starts_with("WINE "), "{line}"),
        }
    }
    values
}

/// Every key of such a file, in upper case. Keys that have subkeys and nothing else are named by those alone.
pub(super) fn keys(file: &str) -> BTreeSet<String> {
    let lines = file.lines().filter_map(|line| line.strip_prefix('['));
    let mut keys = BTreeSet::new();
    for line in lines {
        let path = format!("{ROOT}{}", String::from_utf16_lossy(&quoted(line, ']').0)).to_uppercase();
        let ends = path.match_indices('\\').skip(1).map(|(end, _)| end);
        keys.extend(ends.map(|end| path[..end].to_owned()));
        keys.insert(path);
    }
    keys
}

/// Type and bytes.
fn datum(text: &str) -> (u32, Vec<u8>) {
    let of_text = |text: &str| {
        let (mut units, rest) = quoted(text, '"');
        assert_eq!(rest, "");
        units.push(0);
        units.into_iter().flat_map(u16::to_le_bytes).collect()
    };
    let hex = |text: &str| -> Vec<u8> {
        let digits = text.split(',').map(str::trim).filter(|digits| !digits.is_empty());
        digits.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect()
    };
    if let Some(text) = text.strip_prefix('"') {
        return (1, of_text(text));
    }
    let (tag, data) = text.split_once(':').unwrap();
    let numbered = |tag: &str| u32::from_str_radix(tag.strip_prefix('(').unwrap().strip_suffix(')').unwrap(), 16);
    match tag {
        "dword" => (4, u32::from_str_radix(data, 16).unwrap().to_le_bytes().to_vec()),
        "hex" => (3, hex(data)),
        _ if tag.starts_with("str") => (numbered(&tag[3..]).unwrap(), of_text(data.strip_prefix('"').unwrap())),
        _ => (numbered(tag.strip_prefix("hex").unwrap()).unwrap(), hex(data)),
    }
}

/// The text up to a mark that is not escaped, in UTF-16 units, and what follows the mark.
fn quoted(text: &str, end: char) -> (Vec<u16>, &str) {
    let mut units = Vec::new();
    let mut rest = text;
    loop {
        let character = rest.chars().next().unwrap();
        rest = &rest[character.len_utf8()..];
        if character == end {
            return (units, rest);
        }
        if character != '\\' {
            units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
            continue;
        }
        let escaped = rest.chars().next().unwrap();
        let (radix, most) = match escaped {
            'x' => (16, 4),
            '0'..='7' => (8, 3),
            _ => (0, 0),
        };
        if radix == 0 {
            rest = &rest[escaped.len_utf8()..];
            // As in C; whatever has no meaning stands for itself.
            let meant = match escaped {
                'a' => '\u{7}',
                'b' => '\u{8}',
                't' => '\t',
                'n' => '\n',
                'v' => '\u{b}',
                'f' => '\u{c}',
                'r' => '\r',
                'e' => '\u{1b}',
                other => other,
            };
            units.extend_from_slice(meant.encode_utf16(&mut [0; 2]));
        } else {
            rest = rest.strip_prefix('x').unwrap_or(rest);
            let digits = rest.chars().take(most).take_while(|digit| digit.is_digit(radix)).count();
            units.push(u16::from_str_radix(&rest[..digits], radix).unwrap());
            rest = &rest[digits..];
        }
    }
}

/// Values in that form, whatever they are in hex.
pub(super) fn write(values: &Values) -> String {
    let mut text = String::new();
    let escape = |units: &mut dyn Iterator<Item = u16>| {
        units.fold(String::new(), |mut text, unit| {
            write!(text, "\\x{unit:04x}").unwrap();
            text
        })
    };
    for ((key, name), (data_type, bytes)) in values {
        let names = key.strip_prefix(ROOT).unwrap().split('\\');
        let names: Vec<String> = names.map(|name| escape(&mut name.encode_utf16())).collect();
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let name = if name.is_empty() { "@".to_owned() } else { format!("\"{}\"", escape(&mut name.iter().copied())) };
        // Data of type 3 may be numbered too.
        write!(text, "\n[{}] 1\n{name}=hex({data_type:x}):{}\n", names.join(r"\\"), hex.join(",")).unwrap();
    }
    text
}

#[test]
fn what_is_written_is_read_again() {
    let name = |text: &str| text.encode_utf16().collect::<Vec<_>>();
    let values = Values::from([
        ((format!("{ROOT}A\\B]C"), name("quote \" and \\ \u{1b}\u{e9}😀")), (1, vec![1, 2, 3])),
        ((format!("{ROOT}A\\B]C"), vec![]), (3, vec![])),
    ]);
    assert_eq!(read(&write(&values)), values);
}

#[test]
fn a_file_of_wine_is_read() {
    let file = concat!(
        "WINE REGISTRY Version 2\n;; All keys relative to REGISTRY\\\\Machine\n\n#arch=win64\n\n",
        "[Software\\\\a\\]b] 1795408160\n#time=1dd7b033578d696\n",
        "@=\"x\\\\y\\\"\\x20ac\\xe9g\\33\\0009\\ae\"\n",
        "\"n\"=dword:0000000a\n\"m\"=str(7):\"a\\0b\\0\"\n\"h\"=hex(b):01,\\\n  02\n",
    );
    let place = |name: &str| (format!("{ROOT}SOFTWARE\\A]B"), name.encode_utf16().collect::<Vec<_>>());
    let text = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let expected = Values::from([
        (place(""), (1, text("x\\y\"\u{20ac}\u{e9}g\u{1b}\u{0}9\u{7}e\0"))),
        (place("n"), (4, vec![10, 0, 0, 0])),
        (place("m"), (7, text("a\0b\0\0"))),
        (place("h"), (11, vec![1, 2])),
    ]);
    assert_eq!(read(file), expected);
    assert!(keys(file).into_iter().eq([format!("{ROOT}SOFTWARE"), format!("{ROOT}SOFTWARE\\A]B")]));
}
