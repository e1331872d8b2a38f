//! What plan.json and the header state about who may write.

use super::*;
use crate::fixture;

/// Runs `audit --patch` on a case; the plan, and the files of the patch as text.
fn patched(case: &str, options: &[&str]) -> (Value, BTreeMap<String, String>) {
    let folder = tempfile::tempdir().unwrap();
    fixture::compile(case).unwrap().write(&folder.path().join("evidence")).unwrap();
    patch_of(folder.path(), options)
}

/// Runs `audit --patch` on `evidence` in a folder.
fn patch_of(folder: &Path, options: &[&str]) -> (Value, BTreeMap<String, String>) {
    let run = Command::new(env!("CARGO_BIN_EXE_hivemend"))
        .args(["audit", "evidence", "--patch", "patch", "--output", "report"])
        .args(options)
        .current_dir(folder)
        .output()
        .unwrap();
    // 3: a dirty hive without its logs.
    assert!(matches!(run.status.code(), Some(1 | 3)), "{}", String::from_utf8_lossy(&run.stderr));
    let inner = fs::read_dir(folder.join("patch")).unwrap().next().unwrap().unwrap().path();
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(inner).unwrap() {
        let entry = entry.unwrap();
        let bytes = fs::read(entry.path()).unwrap();
        let text = match bytes.strip_prefix(&[0xff, 0xfe]) {
            Some(wide) => {
                let units: Vec<u16> = wide.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
                String::from_utf16(&units).unwrap()
            }
            None => String::from_utf8(bytes).unwrap(),
        };
        files.insert(entry.file_name().into_string().unwrap(), text);
    }
    (serde_json::from_str(&files["plan.json"]).unwrap(), files)
}

fn edit<'p>(plan: &'p Value, finding: &str) -> &'p Value {
    plan["edits"].as_array().unwrap().iter().find(|edit| edit["finding"] == finding).unwrap()
}

const CASE: &str = "windows-7-bits-parameters-read-only";

#[test]
fn the_plan_names_who_may_write_and_who_owns() {
    let (plan, _) = patched(CASE, &[]);
    let read_only = edit(&plan, "service-bits-parameters/ServiceDll");
    assert_eq!(read_only["writable_by"], serde_json::json!(["SYSTEM (S-1-5-18)"]));
    assert_eq!(read_only["owner"], "Administrators (S-1-5-32-544)");
    assert_eq!(read_only["writable_by_note"], Value::Null);
    let usual = edit(&plan, "service-bits/Start");
    assert_eq!(usual["writable_by"], serde_json::json!(["SYSTEM (S-1-5-18)", "Administrators (S-1-5-32-544)"]));
}

#[test]
fn the_header_says_when_administrators_may_not_write() {
    let warning =
        r"Administrators may not write these keys of SYSTEM, but SYSTEM may: ControlSet001\Services\BITS\Parameters.";
    for target in ["offline", "live"] {
        let (plan, files) = patched(CASE, &["--target", target]);
        let warnings = plan["warnings"].as_array().unwrap();
        assert!(warnings.iter().any(|said| said.as_str().unwrap().starts_with(warning)), "{warnings:?}");
        let in_winre = warnings.iter().any(|said| said.as_str().unwrap().contains("in WinRE you are SYSTEM"));
        assert_eq!(in_winre, target == "offline");
        for (name, text) in files.iter().filter(|(_, text)| text.starts_with("Windows Registry")) {
            let said = text.lines().any(|line| line.starts_with(';') && line.contains(warning));
            assert_eq!(said, !name.contains("rollback"), "{name}: {text}");
        }
    }
    // hivexregedit writes whatever the descriptor says.
    let (plan, files) = patched(CASE, &["--dialect", "hivex"]);
    assert_eq!(plan["warnings"], serde_json::json!([]));
    assert!(!files["SYSTEM.reg"].contains("Administrators"));
    assert_eq!(edit(&plan, "service-bits-parameters/ServiceDll")["writable_by"][0], "SYSTEM (S-1-5-18)");
}

#[test]
fn a_key_that_is_created_is_judged_by_the_key_above_it() {
    let (plan, _) = patched("windows-xp-senslogn-missing", &[]);
    let made = &plan["edits"][0];
    assert_eq!(made["key_exists"], false);
    assert_eq!(made["writable_by"], serde_json::json!(["SYSTEM (S-1-5-18)", "Administrators (S-1-5-32-544)"]));
    let note = made["writable_by_note"].as_str().unwrap();
    assert!(
        note.starts_with(r"the key is missing; read from Microsoft\Windows NT\CurrentVersion\Winlogon\Notify"),
        "{note}"
    );
}

/// A descriptor that is none: the plan says so, and the patch goes out.
#[test]
fn an_unreadable_descriptor_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let case = fixture::compile("windows-7-bits-disabled").unwrap();
    let paths = case.write(&folder.path().join("evidence")).unwrap();
    let path = paths.iter().find(|path| path.ends_with("SYSTEM")).unwrap();
    let (_, hive) = case.hives.iter().find(|(role, _)| *role == "SYSTEM").unwrap();
    for (damage, told) in [(16, "of the size that it claims"), (20 + 16, "its access list lies past its end")] {
        let mut built = hive.build();
        built.put(built.security.payload() + damage, &[0xff; 4]);
        fs::write(path, &built.bytes).unwrap();
        let (plan, files) = patch_of(folder.path(), &["--overwrite"]);
        let edit = edit(&plan, "service-bits/Start");
        assert_eq!((&edit["writable_by"], &edit["owner"]), (&Value::Null, &Value::Null));
        let note = edit["writable_by_note"].as_str().unwrap();
        assert!(note.contains(told), "{note}");
        assert!(files["SYSTEM.reg"].contains("The security descriptors of these keys of SYSTEM cannot be read: "));
    }
}

/// Row E5: real machines, broken in a copy where Administrators may only read.
#[test]
fn the_keys_of_real_machines_that_administrators_may_not_write_are_named() {
    let Some(corpus) = corpus() else { return };
    if !crate::importers::is_installed() {
        return;
    }
    let services = r"HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services";
    let keys = [r"BITS\Parameters", "DcomLaunch", r"DcomLaunch\Parameters", "RpcSs", r"RpcSs\Parameters"];
    let text = keys.map(|key| {
        let value = if key.contains('\\') { "\"ServiceDll\"=hex(2):61,00,00,00" } else { "\"ObjectName\"=\"other\"" };
        format!("[{services}\\{key}]\n{value}\n\n")
    });
    let text = text.concat();
    for machine in ["win7-sp1-x86", "win81-x64-dirty-no-logs"] {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("evidence")).unwrap();
        for role in ["SOFTWARE", "SYSTEM"] {
            let copy = folder.path().join("evidence").join(role);
            fs::write(&copy, fs::read(corpus.join(machine).join(role)).unwrap()).unwrap();
        }
        let broken = format!("Windows Registry Editor Version 5.00\n\n{text}");
        crate::importers::merge(broken.as_bytes(), "SYSTEM", &folder.path().join("evidence/SYSTEM"));
        let (plan, files) = patch_of(folder.path(), &["--accept-dirty"]);
        let named = keys.map(|key| format!(r"ControlSet001\Services\{key}"));
        let warning = "Administrators may not write these keys of SYSTEM, but SYSTEM may: ";
        let header = files["SYSTEM.reg"].lines().find(|line| line.contains(warning)).unwrap().to_lowercase();
        assert!(plan["warnings"].as_array().unwrap().iter().any(|said| said.as_str().unwrap().starts_with(warning)));
        for key in &named {
            assert!(header.contains(&key.to_lowercase()), "{machine}: {key}: {header}");
        }
        for edit in plan["edits"].as_array().unwrap() {
            let key = edit["key"].as_str().unwrap();
            assert!(named.iter().any(|named| named.eq_ignore_ascii_case(key)), "{machine}: {edit}");
            assert_eq!(edit["writable_by"], serde_json::json!(["SYSTEM (S-1-5-18)"]), "{machine}: {edit}");
        }
    }
}
