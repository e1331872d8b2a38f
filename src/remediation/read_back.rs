//! Reads a plan from its file. The file may contain anything, so its size is limited, and its contents are checked
//! against what a plan can state.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};

use super::Plan;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::evidence::{is_sha256, sha256_of};
use crate::registry::{Name, Role};
use crate::report::SchemaVersion;

/// The largest accepted plan. A plan contains each edit's data twice in hexadecimal; the largest known one has 60 KiB.
const LARGEST: u64 = 64 << 20;
/// The most letters of a decoder's message that are shown, because the message may quote the file.
const LONGEST_COMPLAINT: usize = 300;
/// What to do if a file is not a plan.
const ADVICE: &str = "Name the plan.json that `audit --patch` wrote beside the patch";

/// A plan, and the file that it was read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFile {
    /// The path of the file, as the user named it.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The plan in the file.
    pub plan: Plan,
}

impl PlanFile {
    /// Reads the plan in a file.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, is not a regular file, is longer than 64 MiB, or is not a plan in a
    /// known format.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Read { path: path.display().to_string(), source, advice: ADVICE };
        Self::parse(&path.display().to_string(), &read(path).map_err(failed)?)
    }

    /// Reads a plan from the bytes of its file. `path` is the file's name in errors and reports.
    ///
    /// # Errors
    /// Returns an error if the bytes are not a plan in a known format, or if the plan contradicts itself.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self, Error> {
        let plan = plan_of(bytes).map_err(|why| Error::Refused {
            reason: format!("{path}: expected a plan of hivemend, found {why}"),
            advice: ADVICE.to_owned(),
        })?;
        Ok(Self { path: path.to_owned(), sha256: sha256_of(bytes), plan })
    }
}

/// Returns the bytes of a regular file. Opens it without waiting, because a pipe may never end.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "more than 64 MiB"));
    }
    Ok(bytes)
}

/// Returns the plan, or a description of what was found instead.
fn plan_of(bytes: &[u8]) -> Result<Plan, String> {
    #[derive(Deserialize)]
    struct Form {
        schema_version: Option<serde_json::Value>,
    }
    let form: Form = serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => format!("a file that ends too early ({})", shown(&error)),
        _ => format!("something else ({})", shown(&error)),
    })?;
    match form.schema_version {
        Some(serde_json::Value::String(version)) if version == SchemaVersion::TEXT => {}
        None => return Err("no schema_version".to_owned()),
        Some(other) => {
            let other = cut(&other.to_string());
            return Err(format!("schema_version {other}; this hivemend reads \"{}\"", SchemaVersion::TEXT));
        }
    }
    let plan: Plan = serde_json::from_slice(bytes).map_err(|error| format!("something else ({})", shown(&error)))?;
    check(&plan)?;
    Ok(plan)
}

/// Checks that a plan has at most two hives and changes each of their values once.
fn check(plan: &Plan) -> Result<(), String> {
    let mut roles = BTreeSet::new();
    for hive in &plan.hives {
        if !matches!(hive.role, Role::Software | Role::System) || !roles.insert(hive.role) {
            return Err(format!("the {} hive, where SOFTWARE and SYSTEM can be, each once", hive.role));
        }
        if hive.sha256.as_ref().is_some_and(|sum| !is_sha256(sum)) {
            return Err(format!("a SHA-256 of the {} hive that is not 64 hexadecimal digits", hive.role));
        }
    }
    let mut places = BTreeSet::new();
    for edit in &plan.edits {
        if !roles.contains(&edit.hive) {
            return Err(format!("an edit of the {} hive, which is not among the plan's hives", edit.hive));
        }
        if !places.insert((edit.hive, Name::from(edit.key.as_str()), Name::from(edit.value.as_str()))) {
            return Err(format!("two edits of one value: {}", cut(&edit.finding)));
        }
    }
    Ok(())
}

/// Returns a decoder's message, with characters from the file that would control a terminal escaped.
fn shown(error: &serde_json::Error) -> String {
    cut(&error.to_string())
}

fn cut(text: &str) -> String {
    let safe = |letter: char| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter };
    text.chars().map(safe).take(LONGEST_COMPLAINT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Grade, ObservedDatum};
    use crate::registry::{DataType, FileTime, RegistryValue};
    use crate::remediation::Access;
    use crate::remediation::{Edit, Left, PlannedHive, PlannedMachine, Proof};

    fn plan() -> Plan {
        let hive = |role: Role| PlannedHive { role, path: format!("x/{role}"), sha256: Some("0a".repeat(32)) };
        let datum = |data_type, bytes: &[u8]| ObservedDatum::from(&RegistryValue { data_type, bytes: bytes.to_vec() });
        let edit = |value: &str, before, after| Edit {
            finding: format!("service-bits/{value}"),
            grade: Grade::SingleSource,
            hive: Role::System,
            control_set: Some(1),
            key: r"ControlSet001\Services\BITS".to_owned(),
            key_exists: true,
            key_last_written: Some(FileTime(129_067_776_000_000_001)),
            value: value.to_owned(),
            before,
            after,
            also_in: vec![r"ControlSet003\Services\BITS".to_owned()],
            access: Access { writable_by: Some(vec!["Administrators (S-1-5-32-544)".to_owned()]), ..Access::default() },
            regedit_restores: false,
            regedit_alters: Some("a terminator is added".to_owned()),
        };
        Plan {
            schema_version: SchemaVersion,
            installation: "x".to_owned(),
            evidence: "x/\u{1b}[31m".to_owned(),
            os: "windows-xp".parse().unwrap(),
            machine: PlannedMachine { computer_name: Some("PC".to_owned()), installed: Some(FileTime(1 << 60)) },
            hives: vec![hive(Role::Software), hive(Role::System)],
            edits: vec![
                edit("Start", Some(datum(DataType::DWORD, &[4, 0, 0, 0])), Some(datum(DataType::DWORD, &[3]))),
                edit("", None, Some(datum(DataType(0xffff_0011), &[]))),
                edit("Grün\u{e000}", Some(datum(DataType::SZ, b"a\0b\0\0\xd8")), None),
            ],
            left: vec![Left { finding: "a/b".to_owned(), control_set: None, reason: "why".to_owned() }],
            warnings: vec!["w".to_owned()],
            steps: vec![],
            rollback_limits: vec!["l".to_owned()],
            proof: Some(Proof { edits: 3, mended: 3, left: 1, restored: 2, altered: vec!["a/b".to_owned()] }),
        }
    }

    fn refusal(text: &str) -> String {
        PlanFile::parse("plan.json", text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_plan_is_read_as_it_was_written() {
        let bytes = serde_json::to_vec_pretty(&plan()).unwrap();
        assert_eq!(PlanFile::parse("plan.json", &bytes).unwrap().plan, plan());
        let bare = Plan { edits: vec![], hives: vec![], proof: None, machine: PlannedMachine::default(), ..plan() };
        let bytes = serde_json::to_vec(&bare).unwrap();
        assert_eq!(PlanFile::parse("plan.json", &bytes).unwrap().plan, bare);
    }

    #[test]
    fn what_the_bytes_say_is_not_taken_from_the_file() {
        let text = serde_json::to_string(&plan()).unwrap();
        let forged = text.replace(r#""data":4,"text":"4""#, r#""data":3,"text":"4""#);
        assert_ne!(forged, text);
        assert_eq!(PlanFile::parse("plan.json", forged.as_bytes()).unwrap().plan, plan());
    }

    #[test]
    fn what_is_no_plan_is_refused_with_what_it_is() {
        let text = serde_json::to_string(&plan()).unwrap();
        let with = |old: &str, new: &str| {
            let changed = text.replacen(old, new, 1);
            assert_ne!(changed, text, "{old}");
            refusal(&changed)
        };
        assert!(refusal(&text[..text.len() / 2]).contains("ends too early"), "{}", refusal(&text[..200]));
        assert!(refusal("").contains("ends too early"));
        assert!(refusal("Windows Registry Editor Version 5.00\n").contains("something else"));
        assert!(refusal("[]").contains("something else"));
        assert!(refusal("{}").contains("no schema_version"));
        assert!(refusal(r#"{"schema_version": "1", "findings": []}"#).contains("missing field"));
        let newer = with(r#""schema_version":"1""#, r#""schema_version":"2""#);
        assert!(newer.contains(r#"schema_version "2"; this hivemend reads "1""#), "{newer}");
        assert!(with(r#""raw":"04000000""#, r#""raw":"0400000""#).contains("`raw` is not bytes"));
        assert!(with("REG_DWORD", "REG_FORD").contains("\"REG_FORD\" is no registry type"));
        assert!(with("windows-xp", "windows-\\u001bxp").contains("is not a Windows of the list"));
        assert!(with("\"SOFTWARE\"", "\"SYSTEM\"").contains("the SYSTEM hive, where SOFTWARE and SYSTEM can be"));
        assert!(with("\"SOFTWARE\"", "\"SAM\"").contains("the SAM hive"));
        assert!(with("0a0a", "zz").contains("SHA-256 of the SOFTWARE hive"));
        assert!(with(r#""value":"""#, r#""value":"START""#).contains("two edits of one value"));
        let no_hive = Plan { hives: vec![], ..plan() };
        assert!(
            refusal(&serde_json::to_string(&no_hive).unwrap()).contains("an edit of the SYSTEM hive, which is not")
        );
        assert!(!with("windows-xp", "\\u001b[31m").contains('\u{1b}'));
        assert!(refusal(&"[".repeat(100_000)).contains("something else"));
    }

    #[test]
    fn what_is_no_regular_file_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &Path| PlanFile::open(path).unwrap_err().to_string();
        for device in ["/dev/zero", "/dev/null"] {
            assert!(refused(Path::new(device)).contains("not a regular file"));
        }
        assert!(refused(folder.path()).contains("not a regular file"));
        assert!(refused(&folder.path().join("none")).contains("cannot be read"));
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert!(refused(&pipe).contains("not a regular file"));
        let endless = folder.path().join("endless");
        File::create(&endless).unwrap().set_len(LARGEST + 1).unwrap();
        assert!(refused(&endless).contains("more than 64 MiB"));
    }
}
