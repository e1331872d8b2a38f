//! The patch and the rollback: every edit, who may import it and how, what cannot be restored, and the files.

use askama::Template;

use super::attachments::PatchFolder;
use super::finding::{after, before};
use super::text::Text;
use crate::evidence::sha256_of;
use crate::remediation::{Edit, Plan};
use crate::report::table::{Patching, count, data, grouped};

/// The most letters of a file that are shown.
const MOST: usize = 200_000;

/// The part of the page.
#[derive(Template)]
#[template(path = "report/patch.html")]
pub(super) struct PatchPart {
    anchor: String,
    missing: Text,
    command: Option<Text>,
    plan: Option<Shown>,
}

struct Shown {
    sentence: Text,
    warnings: Vec<Text>,
    edits: Vec<ShownEdit>,
    lists: Vec<List>,
    files: Vec<ShownFile>,
}

struct ShownEdit {
    id: Text,
    before: Text,
    after: Text,
    who: Text,
}

struct List {
    title: &'static str,
    lines: Vec<Text>,
}

struct ShownFile {
    name: Text,
    size: String,
    sha256: String,
    text: Text,
    note: String,
}

impl PatchPart {
    /// Returns the patch of an installation, or the reason why there is none.
    pub(super) fn of(
        anchor: &str,
        folder: Option<&PatchFolder>,
        patching: Option<&Patching>,
        mendable: bool,
        command: Text,
    ) -> Self {
        let part = |missing: Text, command| Self { anchor: anchor.to_owned(), missing, command, plan: None };
        match (folder, patching) {
            (Some(folder), _) => Self { plan: Some(Shown::of(folder)), ..part(Text::default(), None) },
            (None, Some(Patching::Refused { reason, advice })) => {
                let advice = advice.trim_end_matches('.');
                let advice = if advice.is_empty() { String::new() } else { format!(" {advice}.") };
                part(Text::from(format!("No patch: {reason}.{advice}")), None)
            }
            _ if !mendable => part("There is nothing to patch.".into(), None),
            _ => {
                let missing = "This report contains no patch. This command writes one and its rollback; --plan \
                               DIR/…/plan.json then shows them here:";
                part(missing.into(), Some(command))
            }
        }
    }
}

impl Shown {
    fn of(folder: &PatchFolder) -> Self {
        let plan = &folder.plan;
        let prose = |lines: &[String]| lines.iter().map(|line| Text::prose(line)).collect::<Vec<_>>();
        let left = plan.left.iter().map(|left| Text::from(format!("{}: {}", left.finding, left.reason))).collect();
        let lists = [
            List { title: "What the rollback cannot restore", lines: prose(&plan.rollback_limits) },
            List { title: "Findings that the patch leaves", lines: left },
            List { title: "Left for the administrator", lines: prose(&plan.steps) },
            List { title: "Files that are not shown", lines: prose(&folder.missing) },
        ];
        Self {
            sentence: sentence(plan),
            warnings: prose(&plan.warnings),
            edits: plan.edits.iter().map(shown_edit).collect(),
            lists: lists.into_iter().filter(|list| !list.lines.is_empty()).collect(),
            files: folder.files.iter().map(|(name, bytes)| shown_file(name, bytes)).collect(),
        }
    }
}

/// Returns a sentence on the number of edits and on their proof.
fn sentence(plan: &Plan) -> Text {
    let edits = count(plan.edits.len(), "edit");
    let Some(proof) = &plan.proof else {
        return Text::from(format!(
            "{edits}. The plan does not state that the patch was tested in memory before it was written."
        ));
    };
    let altered = match proof.altered.as_slice() {
        [] => String::new(),
        altered => format!(" regedit restores {} only in part: {}.", count(altered.len(), "value"), altered.join(", ")),
    };
    Text::from(format!(
        "{edits}. Before the patch was written, it was tested in memory. Findings that conform only after the patch: \
         {}. Values that the rollback restored byte for byte: {}.{altered}",
        grouped(proof.mended as u64),
        grouped(proof.restored as u64),
    ))
}

fn shown_edit(edit: &Edit) -> ShownEdit {
    let who = match (&edit.access.writable_by, &edit.access.writable_by_note) {
        (Some(who), _) if who.is_empty() => "nobody".to_owned(),
        (Some(who), _) => who.join(", "),
        (None, Some(note)) => format!("not known: {note}"),
        (None, None) => "not known".to_owned(),
    };
    let key = format!(r"{}\{}", edit.hive, data::name(&edit.key));
    let value = if edit.value.is_empty() { "(Default)".to_owned() } else { data::name(&edit.value) };
    ShownEdit {
        id: Text::shown(format!("{key}, {value}")),
        before: Text::shown(before(edit)),
        after: Text::shown(after(edit)),
        who: Text::from(who),
    }
}

fn shown_file(name: &str, bytes: &[u8]) -> ShownFile {
    let is_reg = name.strip_suffix(".reg").is_some();
    let text = decoded(bytes);
    let (text, cut) = match text.char_indices().nth(MOST) {
        Some((end, _)) => (text.get(..end).unwrap_or_default(), " The rest is not shown."),
        None => (text.as_str(), ""),
    };
    let note = if is_reg {
        format!(
            "Shown as text. The file itself has the encoding that its importer needs; text copied from this page does \
             not.{cut}"
        )
    } else {
        cut.trim().to_owned()
    };
    ShownFile {
        name: Text::name(name),
        size: format!("{} bytes", grouped(bytes.len() as u64)),
        sha256: sha256_of(bytes),
        text: Text::file(text),
        note,
    }
}

/// Decodes a file: UTF-16 if it has the mark, UTF-8 if it is valid, otherwise Windows-1252, which decodes every byte.
fn decoded(bytes: &[u8]) -> String {
    if let Some(units) = bytes.strip_prefix(&[0xff, 0xfe]) {
        return encoding_rs::UTF_16LE.decode_without_bom_handling(units).0.into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}
