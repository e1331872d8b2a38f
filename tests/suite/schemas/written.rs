//! The JSON that every command writes, for all fixtures.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use hivemend::schema::Record;
use serde_json::Value;

use crate::command_line::Desk;
use crate::fixture;
use crate::verification::program::patch;

const XP: &str = "evidence/windows-xp-senslogn-shutdown-wrong";
const SENSLOGN: &str = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\SensLogn";

/// One document, or one line.
pub(super) struct Written {
    pub(super) record: Record,
    /// What was asked for.
    pub(super) from: String,
    pub(super) value: Value,
}

/// All of them; written once for all tests.
pub(super) fn all_written() -> &'static [Written] {
    static ALL: OnceLock<Vec<Written>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all = Vec::new();
        of_generations(&mut all);
        of_odd_evidence(&mut all);
        of_verification(&mut all);
        of_applied(&mut all);
        of_lint(&mut all);
        of_show(&mut all);
        of_all_fixtures(&mut all);
        all
    })
}

fn push(all: &mut Vec<Written>, record: Record, from: &str, text: &[u8]) {
    let value = serde_json::from_slice(text).unwrap_or_else(|error| panic!("{from}: {error}"));
    all.push(Written { record, from: from.to_owned(), value });
}

/// The one document on stdout.
fn document(all: &mut Vec<Written>, desk: &Desk, record: Record, arguments: &[&str]) {
    push(all, record, &arguments.join(" "), &desk.run(arguments).stdout);
}

/// The documents on stdout, one a line.
fn lines(all: &mut Vec<Written>, desk: &Desk, record: Record, arguments: &[&str]) {
    let stdout = desk.run(arguments).stdout;
    for line in stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        push(all, record, &arguments.join(" "), line);
    }
}

fn of_all_fixtures(all: &mut Vec<Written>) {
    let names = fixture::names().unwrap();
    let desk = Desk::with(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let report: &[&str] = &["audit", "evidence", "--format", "json"];
    document(all, &desk, Record::Report, &[report, &["--all", "--control-set", "all"]].concat());
    document(all, &desk, Record::Report, &[report, &["--no-hash", "--no-mmap", "--generations", "all"]].concat());
    document(all, &desk, Record::Report, &["find", "evidence", "--format", "json", "--check"]);
    let arguments =
        ["--all", "--locations", "--patch", "out", "--custody", "custody.json", "--progress", "json", "--label", "PC"];
    let arguments = [report, &arguments, &["--hash", "sha256,md5,sha1"]].concat();
    let run = desk.run(&arguments);
    push(all, Record::Report, "audit --patch", &run.stdout);
    fs::write(desk.path("report.json"), &run.stdout).unwrap();
    push(all, Record::Custody, "custody.json", &fs::read(desk.path("custody.json")).unwrap());
    for line in String::from_utf8(run.stderr).unwrap().lines().filter(|line| line.starts_with('{')) {
        push(all, Record::Progress, "audit --progress json", line.as_bytes());
    }
    for plan in files_named(&desk.path("out"), "plan.json") {
        push(all, Record::Plan, &plan.display().to_string(), &fs::read(&plan).unwrap());
    }
    // A saved report is written as the evidence was: `report/forms.rs`.
    for (format, record) in [("jsonl", Record::Records), ("timesketch", Record::Timesketch), ("ecs", Record::Ecs)] {
        lines(all, &desk, record, &["report", "report.json", "--all", "--format", format]);
    }
    lines(all, &desk, Record::Records, &["find", "evidence", "nowhere", "--format", "jsonl"]);
    document(all, &desk, Record::History, &["history", "evidence", "--format", "json", "--hash", "md5,sha1"]);
    document(all, &desk, Record::Baselines, &["baseline", "list", "--format", "json"]);
}

fn files_named(folder: &Path, name: &str) -> Vec<std::path::PathBuf> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    entries.filter(|entry| entry.file_name() == name).map(walkdir::DirEntry::into_path).collect()
}

fn of_generations(all: &mut Vec<Written>) {
    let desk = crate::history::volume();
    document(all, &desk, Record::History, &["history", "img", "--format", "json"]);
    document(all, &desk, Record::Report, &["audit", "img", "--generations", "all", "--format", "json"]);
}

/// Evidence that is dirty with its logs, or packed; options that say what hives do not.
fn of_odd_evidence(all: &mut Vec<Written>) {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    fixture::compile("windows-7-bits-disabled").unwrap().write_dirty(&desk.path("dirty")).unwrap();
    let path = "Windows/System32/config/SYSTEM";
    let hive = fs::read(desk.path(&format!("evidence/windows-7-bits-disabled/{path}"))).unwrap();
    crate::archives::zip_of(&desk.path("case.zip"), &[(path, &hive)]);
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/packs/remote-desktop.toml").display().to_string();
    fs::write(
        desk.path("case.toml"),
        "number = \"1\"\nexhibit = \"2\"\nexaminer = \"A\"\nagency = \"B\"\nrequest = \"C\"\nnotes = \"D\"\n",
    )
    .unwrap();
    for arguments in [
        &["dirty", "--hash", "md5,sha1"][..],
        &["case.zip"],
        &["evidence", "--os", "windows-7", "--extend", &pack],
        &["evidence", "case.zip", "--case", "case.toml", "--custody", "custody.json"],
    ] {
        let common = ["audit", "--all", "--locations", "--format"];
        document(all, &desk, Record::Report, &[&common[..], &["json"], arguments].concat());
        lines(all, &desk, Record::Records, &[&common[..], &["jsonl", "--overwrite"], arguments].concat());
    }
    push(all, Record::Custody, "--case", &fs::read(desk.path("custody.json")).unwrap());
}

/// Patches that mend, break, stop, harm, and are for another machine.
fn of_verification(all: &mut Vec<Written>) {
    let desk = Desk::with(&[
        "windows-xp-senslogn-shutdown-wrong",
        "windows-xp-senslogn-wrong-types",
        "windows-2000",
        "windows-7-dirty",
        "hostile-strings",
    ]);
    let verify = |all: &mut Vec<Written>, arguments: &[&str]| {
        document(all, &desk, Record::Verify, &[&["verify"], arguments, &["--format", "json"]].concat());
    };
    desk.run(&["audit", XP, "--patch", "own"]);
    let own = files_named(&desk.path("own"), "SOFTWARE.reg").remove(0).display().to_string();
    for evidence in [XP, "evidence/windows-xp-senslogn-wrong-types", "evidence/windows-2000"] {
        verify(all, &[&own, evidence]);
    }
    patch(
        &desk,
        "foreign.reg",
        &format!(
            "[{SENSLOGN}]\r\n\"SHUTDOWN\"=\"SensShutdownEvent\"\r\n\"Logon\"=-\r\n\r\n\
             [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\bits]\r\n\"Start\"=dword:4\r\n\r\n\
             [-HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\SENS\\Parameters]\r\n\r\n\
             [HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion]\r\n\"CurrentVersion\"=\"6.1\"\r\n\r\n\
             [HKEY_CURRENT_USER\\Software]\r\n\"a\"=\"b\"\r\n\r\n[HKLM\\SYSTEM]\r\n"
        ),
    );
    for evidence in [XP, "evidence/windows-7-dirty", "evidence/hostile-strings", "evidence"] {
        verify(all, &["foreign.reg", evidence]);
    }
    for (name, sections) in [
        ("stops.reg", format!("[{SENSLOGN}]\n\"MaxWait\"=dword:1\n")),
        ("harms.reg", format!("[{SENSLOGN}]\n\"Shutdown\"=\"SensStopEvent\"\n\"Shutdown\"=\"SensShutdownEvent\"\n")),
    ] {
        fs::write(desk.path(name), format!("Windows Registry Editor Version 5.00\n\n{sections}")).unwrap();
        verify(all, &[name, XP, "--importer", "hivexregedit"]);
    }
}

fn of_applied(all: &mut Vec<Written>) {
    let desk = Desk::with(&[
        "windows-xp-senslogn-shutdown-wrong",
        "windows-xp",
        "windows-7-bits-disabled",
        "windows-7",
        "windows-7-servicedll-hijacked",
        "windows-7-dirty",
    ]);
    let seven = "evidence/windows-7-bits-disabled";
    for (evidence, folder) in [(XP, "xp"), (seven, "seven")] {
        desk.run(&["audit", evidence, "--patch", folder]);
        let plan = files_named(&desk.path(folder), "plan.json").remove(0).display().to_string();
        let others: &[&str] = if folder == "xp" {
            &["evidence/windows-xp", XP]
        } else {
            &["evidence/windows-7", seven, "evidence/windows-7-servicedll-hijacked", "evidence/windows-7-dirty"]
        };
        for now in others {
            for more in [&["--before", evidence][..], &["--undone", "--hash", "md5,sha1"], &["--no-hash"]] {
                let arguments = [&["verify", "--applied", &plan, now, "--format", "json"], more].concat();
                let output = desk.run(&arguments);
                if !output.stdout.is_empty() {
                    push(all, Record::Applied, &arguments.join(" "), &output.stdout);
                }
            }
        }
    }
}

fn of_lint(all: &mut Vec<Written>) {
    let desk = Desk::with(&[]);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let files: Vec<String> = walkdir::WalkDir::new(fixtures)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap().into_path().display().to_string())
        .filter(|path| Path::new(path).extension().is_some_and(|extension| extension == "reg"))
        .collect();
    let arguments: Vec<&str> =
        ["lint", "--format", "json"].into_iter().chain(files.iter().map(String::as_str)).collect();
    document(all, &desk, Record::Lint, &arguments);
    let text = "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\x]\n\"a\"=-\n@=dword:1\n\
                \"b\"=hex:1,,2\n \"c\"=\u{201c}x\u{201d}\n[-HKEY_LOCAL_MACHINE\\SOFTWARE\\y]\n[HKLM\\z]\n";
    let wide: Vec<u8> = [0xfeff_u16].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    fs::write(desk.path("wide.reg"), &wide).unwrap();
    fs::write(desk.path("bare.reg"), &wide[2..]).unwrap();
    fs::write(desk.path("narrow.reg"), text.replace("Windows Registry Editor Version 5.00", "REGEDIT4")).unwrap();
    fs::write(desk.path("none.reg"), b"\0\x01nothing").unwrap();
    for file in ["wide.reg", "bare.reg", "narrow.reg", "none.reg"] {
        document(all, &desk, Record::Lint, &["lint", "--format", "json", file]);
    }
}

fn of_show(all: &mut Vec<Written>) {
    let cases = [
        "hostile-strings",
        "windows-7-key-name-with-nul",
        "windows-7-value-name-with-nul",
        "windows-7-names-that-look-alike",
        "windows-7-servicedll-odd-length",
        "windows-7-start-of-other-types",
        "windows-7-bits-twin",
        "windows-7-dirty",
        "windows-7-bits-link",
        "windows-xp",
    ];
    let desk = Desk::with(&cases);
    document(all, &desk, Record::Report, &["audit", "evidence", "--all", "--format", "json"]);
    for hive in cases
        .iter()
        .flat_map(|case| fixture::ROLES.map(|role| format!("evidence/{case}/Windows/System32/config/{role}")))
    {
        document(all, &desk, Record::Show, &["show", &hive, "--recursive", "--format", "json"]);
    }
}
