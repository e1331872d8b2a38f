//! The evidence of a run: the arguments, and the list that `--files-from` names.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use hivemend::cli::ListArgs;
use hivemend::discovery::Evidence;
use hivemend::error::Error;
use serde::Deserialize;

/// The most bytes of a list, and of one line.
const MOST: u64 = 1 << 30;
const LONGEST: u64 = 1 << 20;

/// One line of JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    path: PathBuf,
    #[serde(default)]
    original_path: Option<String>,
    #[serde(default)]
    label: Option<String>,
}

/// Returns the evidence: first the arguments, then what is listed.
///
/// # Errors
/// The list is unreadable, or a line of it makes no sense; there is no evidence.
pub(super) fn evidence(arguments: &[PathBuf], list: &ListArgs) -> Result<Vec<Evidence>, Error> {
    let mut evidence: Vec<Evidence> = arguments.iter().map(Evidence::from).collect();
    if let Some(path) = &list.files_from {
        let name = path.display().to_string();
        let failed = |source| Error::Read {
            path: name.clone(),
            source,
            advice: "Name a file with one path a line, or - for stdin",
        };
        let reader: Box<dyn Read> = if path.as_os_str() == "-" {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(path).map_err(failed)?)
        };
        read(reader, &name, &mut evidence).map_err(failed)??;
    }
    for one in &mut evidence {
        one.label = one.label.take().or_else(|| list.label.clone());
    }
    if evidence.is_empty() {
        let reason = "the list of --files-from is empty".to_owned();
        return Err(Error::Refused { reason, advice: "List one path a line".to_owned() });
    }
    Ok(evidence)
}

fn read(reader: Box<dyn Read>, name: &str, evidence: &mut Vec<Evidence>) -> io::Result<Result<(), Error>> {
    let mut reader = BufReader::new(reader.take(MOST));
    for number in 1_usize.. {
        let mut line = Vec::new();
        if (&mut reader).take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        while line.last().is_some_and(|last| matches!(last, b'\n' | b'\r')) {
            line.pop();
        }
        if line.is_empty() {
            continue;
        }
        if !line.starts_with(b"{") {
            let path = PathBuf::from(std::ffi::OsString::from_vec(line));
            evidence.push(Evidence::from(&path));
            continue;
        }
        match serde_json::from_slice(&with_whole_characters(&line)) {
            Ok(Line { path, original_path, label }) => {
                // A path without a name says nothing: the file's own path decides.
                let original_path = original_path.map(|original| normal(&original));
                let original_path = original_path.filter(|original| original.file_name().is_some());
                evidence.push(Evidence { path, original_path, label });
            }
            Err(error) => {
                return Ok(Err(Error::Refused {
                    reason: format!(
                        "{name}, line {number}: expected a path, or path, original_path and label in JSON: {error}"
                    ),
                    advice: "Correct this line".to_owned(),
                }));
            }
        }
    }
    Ok(Ok(()))
}

/// Returns a line of JSON with U+FFFD in place of each half of a character (an unpaired surrogate, `\ud800`). A name in
/// Windows may hold one, and programs write it so; no other text can.
fn with_whole_characters(line: &[u8]) -> Vec<u8> {
    let unit = |at: usize| {
        let digits = line.get(at..)?.strip_prefix(br"\u")?.get(..4)?;
        u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut whole = Vec::with_capacity(line.len());
    let mut at = 0;
    while let Some(byte) = line.get(at) {
        let is_low = |unit: Option<u16>| unit.is_some_and(|unit| (0xdc00..=0xdfff).contains(&unit));
        let length = match unit(at) {
            Some(0xd800..=0xdbff) if is_low(unit(at.saturating_add(6))) => 12,
            Some(0xd800..=0xdfff) => {
                whole.extend_from_slice(br"\ufffd");
                at = at.saturating_add(6);
                continue;
            }
            // An escaped backslash does not begin another escape.
            None if *byte == b'\\' => 2,
            _ => 1,
        };
        let end = at.saturating_add(length).min(line.len());
        whole.extend_from_slice(line.get(at..end).unwrap_or_default());
        at = end;
    }
    whole
}

/// Returns an original path as a path of this machine: with `/` between its parts, and relative.
fn normal(original: &str) -> PathBuf {
    let slashes = if original.contains('/') { original.to_owned() } else { original.replace('\\', "/") };
    PathBuf::from(slashes.trim_start_matches('/'))
}
