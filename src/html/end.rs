//! The end of the page: method and limits, glossary, hashes, custody, and room to sign.

use askama::Template;

use super::attachments::{Attached, Attachments};
use super::text::{Row, Text, told};
use crate::case_facts::CaseFacts;
use crate::custody::{Custody, FileRecord, FileState};
use crate::evidence::worker::{Landlock, Sandbox};
use crate::report::Report;
use crate::report::table::{Situation, count, grouped, quoted_path, word};

/// The part of the page.
#[derive(Template)]
#[template(path = "report/end.html")]
pub(super) struct EndPart {
    method: &'static [&'static str],
    options: Vec<Row>,
    glossary: Vec<Row>,
    hashes: Vec<Row>,
    custody_missing: &'static str,
    custody_command: Text,
    custody: Option<ShownCustody>,
    examiner: Text,
    written_by: Text,
}

struct ShownCustody {
    sentence: Text,
    rows: Vec<Row>,
    lists: Vec<List>,
}

struct List {
    title: &'static str,
    is_open: bool,
    rows: Vec<Row>,
}

/// The method, and what cannot be concluded from it.
const METHOD: [&str; 5] = [
    "The hives were opened for reading only, in place: nothing was mounted and nothing was unpacked to a disk. \
     Transaction logs of a dirty hive are replayed in memory; the files are not changed.",
    "Marks in both hives vote on which Windows it is. The baseline of that Windows states what is expected of each \
     value, why, and by which source. Each expectation yields one finding. Every finding names its source and its \
     grade.",
    "A key has one time of last write; a value has none. A change between two generations is stated only as precisely as \
     the hives allow: the last that has the old data, and the first that has the new.",
    "A hive shows what was written. It does not show who wrote it, nor whether Windows ran with it. A value that conforms \
     says nothing about the file that it names: files outside the hives were not examined.",
    "What could not be read or judged is listed under “Incomplete” and “Not read” above. A section whose input was \
     not given \
     says so; nothing that was not examined is counted as 0.",
];

/// The technical terms, as this report uses them.
const GLOSSARY: [(&str, &str); 14] = [
    ("Hive", "A file that holds a part of the registry; SOFTWARE and SYSTEM are the two that are judged."),
    ("Key, value", "A key is like a folder, a value is a named datum in it, with a type such as REG_DWORD."),
    ("Control set", "One of several copies of the machine's configuration in SYSTEM; Windows starts with one of them."),
    ("Transaction log", "A file beside a hive with changes that are not yet written into the hive."),
    ("Dirty", "A hive whose last changes are only in its transaction logs."),
    ("Generation", "The state of an installation at one time: live, a copy, RegBack, a restore point, a shadow copy."),
    ("Baseline", "What one Windows should have in the values that are judged."),
    ("Confirmed", "Microsoft's own text states it, or two independent sources do."),
    ("Single-source", "One source, or one machine, states it."),
    ("Inferred", "No source of this Windows states it; it is carried over from a related Windows."),
    ("Verified", "A checksum of the container covers the bytes, and it matches."),
    ("Unprotected", "Nothing protects the bytes, as in a plain folder or a raw image."),
    ("Incomplete", "Something that should have been assessed could not be. It is named, with the reason."),
    ("SHA-256", "A number that identifies a file's bytes: no file with other bytes has it."),
];

impl EndPart {
    pub(super) fn of(report: &Report, attachments: &Attachments, case: &CaseFacts, situation: &Situation) -> Self {
        let custody = attachments.custody.as_ref();
        let mut words = vec!["hivemend".to_owned(), "audit".to_owned()];
        words.extend(situation.evidence.iter().map(|path| quoted_path(path)));
        if situation.evidence.is_empty() {
            words.push("EVIDENCE".to_owned());
        }
        words.extend(["--format", "json", "--output", "REPORT.json", "--custody", "CUSTODY.json"].map(str::to_owned));
        let missing = "This report contains no custody record. A custody record holds the hash of every output, \
                       including this page, so it is written last. The first command writes one; the second shows it \
                       here:";
        let second = "hivemend report REPORT.json --format html --custody CUSTODY.json";
        Self {
            method: &METHOD,
            options: options(report, custody),
            glossary: GLOSSARY.map(|(word, means)| Row::new(word, [Text::from(means)])).into(),
            hashes: hashes(attachments),
            custody_missing: if custody.is_some() { "" } else { missing },
            custody_command: Text::file(&format!("{}\n{second}", words.join(" "))),
            custody: custody.map(|custody| ShownCustody::of(&custody.document)),
            examiner: case.examiner.as_ref().map(|fact| Text::name(&fact.text)).unwrap_or_default(),
            written_by: Text::from(format!("Written by {} {}.", report.tool.name, report.tool.version)),
        }
    }
}

fn options(report: &Report, custody: Option<&Attached<Custody>>) -> Vec<Row> {
    let options = &report.options;
    let mut baselines: Vec<Text> = Vec::new();
    let judgements = report.installations.iter().filter_map(|installation| installation.judgement.as_ref());
    for baseline in judgements.flat_map(|judgement| judgement.baseline.iter().chain(&judgement.extended_by)) {
        let line = Text::from(format!("{}  {}", baseline.sha256, baseline.id));
        if !baselines.contains(&line) {
            baselines.push(line);
        }
    }
    let program = custody.and_then(|custody| custody.document.program_sha256.clone());
    let program = program.unwrap_or_else(|| "not known: the custody record has it".to_owned());
    let profiles: Vec<String> = options.profiles.iter().map(word).collect();
    let windows = options.os.map_or_else(|| "detected".to_owned(), |os| format!("{os}, as the user said (--os)"));
    told([
        Row::new("Program", [Text::from(format!("{} {}", report.tool.name, report.tool.version))]),
        Row::mono("SHA-256 of the program", [Text::from(program)]),
        Row::mono("Baselines, SHA-256 and id", baselines),
        Row::new("Windows", [Text::from(windows)]),
        Row::new(
            "Transaction logs",
            [if options.replay { "replayed in memory".into() } else { "not replayed".into() }],
        ),
        Row::new("Control sets", [Text::from(options.control_set.to_string())]),
        Row::new("Generations judged", [Text::from(word(&options.generations))]),
        Row::new("Profiles", [Text::from(profiles.join(", "))]),
        Row::new("Findings count from", [Text::from(format!("{} (--fail-on)", word(&options.fail_on)))]),
    ])
}

/// Returns the files that the page was made from.
fn hashes(attachments: &Attachments) -> Vec<Row> {
    let line = |path: &str, sum: &str| Text::shown(format!("{}  {}", Text::prose(sum), Text::prose(path)));
    let mut reports: Vec<Text> = attachments.reports.iter().map(|report| line(&report.path, &report.sha256)).collect();
    if reports.is_empty() {
        reports.push("none: this page was made in the run that examined the evidence".into());
    }
    let plans = attachments.plans.files.iter().map(|file| line(&file.path, &file.sha256));
    let history = attachments.history.as_ref().map(|history| line(&history.file.path, &history.file.sha256));
    let custody = attachments.custody.as_ref().map(|custody| line(&custody.file.path, &custody.file.sha256));
    let itself = "This page cannot hold its own hash. The custody record of the run that wrote it has it.";
    told([
        Row::mono("Report as JSON", reports),
        Row::mono("Plans", plans),
        Row::mono("History", history),
        Row::mono("Custody record", custody),
        Row::new("This page", [itself.into()]),
    ])
}

impl ShownCustody {
    fn of(record: &Custody) -> Self {
        let files = count(record.files.len(), "file");
        let sentence = if record.unchanged {
            format!("{files} of the evidence had the same size, time and hash before and after the examination.")
        } else {
            let changed = record.files.iter().filter(|file| !file.unchanged).count();
            format!("THE EVIDENCE CHANGED: {changed} of {files} were not the same before and after the examination.")
        };
        let outputs = record.outputs.iter().map(|output| {
            let sum = output.sha256.as_deref().unwrap_or("not known: the reader of the stream stopped reading");
            let size = output.size.map_or_else(String::new, |size| format!("{} bytes", grouped(size)));
            Row::mono(Text::prose(&output.path), [Text::prose(sum), Text::from(size)])
        });
        let of = |text: &Option<String>| Text::prose(text.as_deref().unwrap_or("not known"));
        Self {
            sentence: Text::from(sentence),
            rows: told([
                Row::new("Examiner", [of(&record.examiner)]),
                Row::new("Account", [of(&record.account)]),
                Row::new("Begun", [Text::prose(&record.started)]),
                Row::new("Ended", [Text::prose(&record.ended)]),
                Row::mono("Command", [Text::prose(&shell(&record.command_line))]),
                Row::mono("In the folder", [of(&record.working_directory)]),
                Row::mono("SHA-256 of the program", [of(&record.program_sha256)]),
                Row::new("Archives and images", [sandbox(record.sandbox.as_ref()).into()]),
            ]),
            lists: [
                List {
                    title: "Files of the evidence",
                    is_open: !record.unchanged,
                    rows: record.files.iter().map(file).collect(),
                },
                List { title: "Outputs", is_open: false, rows: outputs.collect() },
            ]
            .into_iter()
            .filter(|list| !list.rows.is_empty())
            .collect(),
        }
    }
}

/// Describes how archives and disk images were read.
fn sandbox(sandbox: Option<&Sandbox>) -> &'static str {
    match sandbox {
        None => "none was read",
        Some(Sandbox { process: false, .. }) => "read by this program itself, without a sandbox",
        Some(Sandbox { seccomp: false, .. }) => "read in a separate process, without a sandbox",
        Some(Sandbox { landlock: Landlock::None, .. }) => "read in a separate process, in a sandbox (seccomp)",
        Some(_) => "read in a separate process, in a sandbox (seccomp, Landlock)",
    }
}

fn file(record: &FileRecord) -> Row {
    let state = |state: &FileState| {
        let modified = state.modified.as_deref().unwrap_or("no time");
        let sums: Vec<String> = state.sums().map(|(algorithm, sum)| format!("{algorithm} {sum}")).collect();
        Text::from(format!("{}, {} bytes, {modified}", sums.join(", "), grouped(state.size)))
    };
    let lines = match (&record.before, &record.after) {
        (Some(before), _) if record.unchanged => vec![state(before), "the same afterwards".into()],
        (before, after) => {
            let said = |which: &'static str, of: &Option<FileState>| {
                let shown = of.as_ref().map_or("could not be read".into(), state);
                Text::shown(format!("{which}: {shown}"))
            };
            vec![said("before", before), said("after", after)]
        }
    };
    Row::mono(Text::prose(&record.path), lines)
}

fn shell(words: &[String]) -> String {
    words.iter().map(|word| crate::report::table::quoted(word.as_bytes())).collect::<Vec<_>>().join(" ")
}
