//! The report as a page: well-formed, complete, inert, and reproducible. `tests/browser/run` opens it in a browser.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use hivemend::html::{self, Attachments};
use hivemend::report::Report;
use hivemend::report::table::Situation;
use serde_json::Value;

use crate::command_line::Desk;

/// Elements that have no end.
const VOID: [&str; 1] = ["meta"];
/// Everything that a page may be made of; an element that is not here came out of evidence.
const ELEMENTS: &str = "html head meta title style body a div header p h1 h2 h3 h4 h5 dl dt dd nav ol ul li main section \
                        article span b strong details summary table caption thead tbody tr th td pre code svg path circle \
                        text footer blockquote";
const ATTRIBUTES: &str = "lang charset http-equiv content name class href id rel scope tabindex role open width height \
                          viewBox d cx cy r x y aria-labelledby aria-label aria-hidden focusable";
/// As `reference/case-report.md` wants it, and stricter.
const CSP: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// What a page is made of.
#[derive(Default)]
pub(crate) struct Page {
    elements: Vec<String>,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
}

/// Reads a page as strictly as XML: each element is ended in its order, each attribute is quoted, and no `<`, `>` or `&`
/// stands for itself.
fn parse(page: &str) -> Page {
    let mut parsed = Page::default();
    let mut open: Vec<String> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a document type");
    while let Some((text, after)) = rest.split_once('<') {
        let is_style = open.last().is_some_and(|name| name == "style");
        assert!(is_style || !text.contains('>'), "{text}");
        parsed.text.push_str(&unescaped(text, is_style));
        let (tag, after) = after.split_once('>').unwrap_or_else(|| panic!("a tag that does not end: {after:.80}"));
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "before {after:.80}");
            continue;
        }
        let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        parsed.elements.push(name.to_owned());
        while !attributes.trim().is_empty() {
            let trimmed = attributes.trim_start();
            let Some((attribute, after)) = trimmed.split_once("=\"").filter(|(name, _)| !name.contains(' ')) else {
                let (attribute, after) = trimmed.split_once(' ').unwrap_or((trimmed, ""));
                assert_eq!(attribute, "open", "an attribute without a value in <{tag}>");
                parsed.attributes.push((attribute.to_owned(), String::new()));
                attributes = after;
                continue;
            };
            let (value, after) = after.split_once('"').unwrap();
            parsed.attributes.push((attribute.to_owned(), unescaped(value, false)));
            attributes = after;
        }
        if !empty && !VOID.contains(&name) {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "not ended: {open:?}");
    parsed
}

fn unescaped(text: &str, is_style: bool) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&').filter(|_| !is_style) {
        plain.push_str(before);
        let (name, after) = after.split_once(';').unwrap_or_else(|| panic!("an ampersand for itself: {text}"));
        plain.push(match name {
            "#60" | "lt" => '<',
            "#62" | "gt" => '>',
            "#38" | "amp" => '&',
            "#34" | "quot" => '"',
            "#39" => '\'',
            other => panic!("an entity that is not ours: {other}"),
        });
        rest = after;
    }
    plain + rest
}

/// Asserts that nothing in a page came out of evidence, runs or loads anything; what it is made of.
pub(crate) fn inert(page: &str) -> Page {
    let parsed = parse(page);
    let known = |list: &str, name: &str| list.split_whitespace().any(|known| known == name);
    for element in &parsed.elements {
        assert!(known(ELEMENTS, element), "<{element}>");
    }
    for (name, value) in &parsed.attributes {
        assert!(known(ATTRIBUTES, name), "{name}=\"{value}\"");
        if name == "href" {
            let is_web = value.starts_with("https://") || value.starts_with("http://");
            assert!(value.starts_with('#') || (is_web && value.bytes().all(|byte| byte.is_ascii_graphic())), "{value}");
        }
    }
    let ids: Vec<&str> = parsed.attributes.iter().filter(|(name, _)| name == "id").map(|(_, id)| id.as_str()).collect();
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "an id twice: {ids:?}");
    for (_, target) in parsed.attributes.iter().filter(|(name, value)| name == "href" && value.starts_with('#')) {
        assert!(ids.contains(&&target[1..]), "a link to nothing: {target}");
    }
    assert!(parsed.attributes.contains(&("content".to_owned(), CSP.to_owned())));
    let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    for load in ["url(", "@import", "<"] {
        assert!(!style.contains(load), "the style has {load}");
    }
    let is_seen = |letter: char| !hivemend::report::escape::escape(&letter.to_string()).starts_with(r"\u{");
    let hidden = parsed.text.char_indices().find(|(_, letter)| !matches!(letter, '\n' | '\t') && !is_seen(*letter));
    assert!(
        hidden.is_none(),
        "not seen, behind: {}",
        &parsed.text[hidden.unwrap().0.saturating_sub(200)..hidden.unwrap().0]
    );
    parsed
}

fn page_of(desk: &Desk, arguments: &[&str]) -> String {
    let output = desk.run(&[arguments, &["--format", "html"]].concat());
    String::from_utf8(output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn every_section_is_there_or_says_what_is_missing() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    let page = page_of(&desk, &["audit", "evidence", "--locations"]);
    let parsed = inert(&page);
    for section in
        ["answer", "evidence", "i1", "i1-machine", "i1-findings", "i1-timeline", "i1-patch", "method", "integrity"]
    {
        assert!(parsed.attributes.contains(&("id".to_owned(), section.to_owned())), "{section}");
    }
    for told in [
        "Updates are stopped: BITS is disabled",
        "Complete: 159 expectations assessed",
        r"HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\BITS, value Start",
        "0000276c  04 00 00 00",
        "0x80070422: the service is disabled",
        "Values have none: it does not say when this value was written.",
        "A script or program that turns off updates",
        "hivemend show evidence/windows-7-bits-disabled/Windows/System32/config/SYSTEM 'ControlSet001\\Services\\BITS' --format json",
        "Not stated: case, exhibit, examiner, agency, request.",
        "This report contains no history",
        "hivemend history evidence --format json --output HISTORY.json",
        "This report contains no patch.",
        "hivemend audit evidence --patch DIR",
        "This report contains no custody record.",
        "Rule 902(14)",
    ] {
        assert!(parsed.text.contains(told), "{told}");
    }
    // The command that the page names shows these very bytes.
    let hive = "evidence/windows-7-bits-disabled/Windows/System32/config/SYSTEM";
    let shown: Value = desk.json(&["show", hive, r"ControlSet001\Services\BITS", "--format", "json"]);
    let values = shown["keys"][0]["values"].as_array().unwrap();
    assert!(values.iter().any(|value| value["name"] == "Start" && value["raw"] == "04000000"), "{shown}");
    assert_eq!(page, page_of(&desk, &["audit", "evidence", "--locations", "--jobs", "2"]), "not the same bytes");
}

#[test]
fn what_is_attached_is_shown_inline() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    fs::write(desk.path("case.toml"), "number = \"2026-017\"\nrequest = \"Why <fail>?\"\n").unwrap();
    let report = ["audit", "evidence", "--format", "json", "--output", "report.json", "--quiet"];
    desk.run(&[&report[..], &["--patch", "patch", "--custody", "custody.json"]].concat());
    desk.run(&["history", "evidence", "--format", "json", "--output", "history.json"]);
    let plan = "patch/evidence-windows-7-bits-disabled-Windows-System32-config/plan.json";
    let beside = ["report", "report.json", "--plan", plan, "--history", "history.json", "--custody", "custody.json"];
    let page = page_of(&desk, &[&beside[..], &["--case", "case.toml"]].concat());
    let parsed = inert(&page);
    let sum = |name: &str| hivemend::evidence::sha256_of(&fs::read(desk.path(name)).unwrap());
    for told in [
        "2026-017".to_owned(),
        "Why <fail>?".to_owned(),
        // The patch and its rollback, as text.
        "\"Start\"=dword:00000003".to_owned(),
        "\"Start\"=dword:00000004".to_owned(),
        "How to import this patch for windows-7".to_owned(),
        sum("report.json"),
        sum(plan),
        sum("history.json"),
        sum("custody.json"),
        sum(&plan.replace("plan.json", "SYSTEM.reg")),
        "2 files of the evidence had the same size, time and hash before and after the examination.".to_owned(),
    ] {
        assert!(parsed.text.contains(&told), "{told}");
    }
    for missing in ["No history", "No patch", "No custody"] {
        assert!(!parsed.text.contains(missing), "{missing}");
    }
    // A patch that is written in the same run is shown, too.
    let same_run = page_of(&desk, &["audit", "evidence", "--patch", "again", "--quiet"]);
    assert!(inert(&same_run).text.contains("\"Start\"=dword:00000003"));
}

#[test]
fn what_is_no_history_is_refused_and_other_forms_have_no_place_for_one() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    desk.run(&["audit", "evidence", "--format", "json", "--output", "report.json", "--quiet"]);
    let said = desk.complaint(2, &["report", "report.json", "--format", "html", "--history", "report.json"]);
    assert!(said.contains("expected a history of hivemend"), "{said}");
    let said = desk.complaint(2, &["report", "report.json", "--format", "html", "--custody", "report.json"]);
    assert!(said.contains("expected a custody record of hivemend"), "{said}");
    let said = desk.complaint(2, &["report", "report.json", "--format", "csv", "--history", "report.json"]);
    assert!(said.contains("--format html"), "{said}");
    // Rows of other lengths than there are columns are nothing to draw.
    desk.run(&["history", "evidence", "--format", "json", "--output", "history.json"]);
    let mut history: Value = serde_json::from_slice(&fs::read(desk.path("history.json")).unwrap()).unwrap();
    history["machines"][0]["hives"][0]["values"][0]["cells"].as_array_mut().unwrap().pop();
    fs::write(desk.path("short.json"), history.to_string()).unwrap();
    let said = desk.complaint(2, &["report", "report.json", "--format", "html", "--history", "short.json"]);
    assert!(said.contains("rows do not fit"), "{said}");
}

/// What was not looked at is never a 0, and has its own word and class.
#[test]
fn incomplete_is_neither_good_nor_bad() {
    let desk = Desk::with(&["windows-7-software-only"]);
    let page = page_of(&desk, &["audit", "evidence"]);
    let parsed = inert(&page);
    assert!(parsed.text.contains("SYSTEM: not examined"), "{}", parsed.text);
    assert!(page.contains("<div class=\"answer gap\">") && !page.contains("<div class=\"answer good\">"));
    assert!(parsed.text.contains("Nothing found that stops updates, as far as the hives could be read."));
    fs::create_dir(desk.path("empty")).unwrap();
    let nothing = page_of(&desk, &["audit", "empty"]);
    assert!(inert(&nothing).text.contains("No Windows installation found"));
}

#[test]
fn many_installations_have_a_line_each_first_and_are_folded() {
    let desk = Desk::with(&[
        "windows-10",
        "windows-7-bits-disabled",
        "windows-xp",
        "windows-vista-bits-disabled",
        "windows-11",
    ]);
    let page = page_of(&desk, &["audit", "evidence"]);
    let parsed = inert(&page);
    let table = page.find("<table>").unwrap();
    assert!(table < page.find("<details class=\"installation\" id=\"i1\">").unwrap());
    assert!(parsed.text.contains("5 installations: 2 high, 3 without findings; all complete."), "{}", parsed.text);
    assert_eq!(page.matches("<details class=\"installation\"").count(), 5);
    assert!(!page.contains("<details class=\"installation\" open"));
}

#[test]
fn hostile_evidence_is_inert() {
    let desk = Desk::with(&["hostile-strings", "windows-7-names-that-look-alike", "windows-7-key-name-with-nul"]);
    inert(&page_of(&desk, &["audit", "evidence", "--all", "--locations", "--patch", "patch", "--quiet"]));
}

/// Whoever hands over a report as JSON may have written anything into it.
#[test]
fn every_text_of_a_report_may_be_hostile() {
    const HOSTILE: &str =
        "\"'></style></title><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\u{202e}\u{1b}[2J\u{0}{{ 7*7 }}";
    let desk = Desk::with(&["hostile-strings"]);
    let report: Value = desk.json(&["audit", "evidence", "--locations", "--format", "json"]);
    let mut places = Vec::new();
    strings(&report, String::new(), &mut places);
    let is_read = |value: &Value| serde_json::from_value::<Report>(value.clone()).is_ok();
    assert!(is_read(&report));
    // The same field of each finding, hive or source is tried at once.
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for place in places {
        let field = place.split('/').map(|step| if step.parse::<usize>().is_ok() { "*" } else { step });
        fields.entry(field.collect::<Vec<_>>().join("/")).or_default().push(place);
    }
    let mut hostile = report.clone();
    let mut replaced = Vec::new();
    for (field, places) in fields {
        let mut tried = hostile.clone();
        for place in &places {
            *tried.pointer_mut(place).unwrap() = Value::String(HOSTILE.to_owned());
        }
        if is_read(&tried) {
            hostile = tried;
            replaced.push(field);
        }
    }
    for field in ["findings/*/why", "findings/*/source/url", "machine/computer_name", "os/name", "sources/*/locator"] {
        assert!(replaced.iter().any(|known| known.ends_with(field)), "{field} is not among {replaced:?}");
    }
    let report: Report = serde_json::from_value(hostile).unwrap();
    let mut page = Vec::new();
    let mut attachments = Attachments::default();
    attachments.case.number = hivemend::case_facts::Fact::of_user(HOSTILE);
    report.render(&mut html::Page::new(&mut page, attachments, Situation::default())).unwrap();
    let parsed = inert(std::str::from_utf8(&page).unwrap());
    assert!(parsed.text.contains("<script>alert(1)</script>"), "it is shown as text");
    assert!(parsed.text.contains("{{ 7*7 }}") && parsed.text.contains(r"\u{202e}"));
}

/// Where the strings of a document are.
fn strings(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::String(_) => places.push(place),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| strings(item, format!("{place}/{at}"), places));
        }
        Value::Object(fields) => fields.iter().for_each(|(name, field)| {
            strings(field, format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")), places);
        }),
        _ => {}
    }
}

/// Each of them would have the times of all others: a page of thousands of clones had gigabytes.
#[test]
fn machines_that_share_a_name_do_not_fill_each_others_timelines() {
    let desk = Desk::with(&["windows-7"]);
    let mut report = desk.json(&["audit", "evidence", "--format", "json"]);
    let one = report["installations"][0].clone();
    let clones = (0..120).map(|number| {
        let mut clone = one.clone();
        clone["id"] = Value::from(format!("clone-{number}"));
        clone
    });
    report["installations"] = clones.collect();
    let report: Report = serde_json::from_value(report).unwrap();
    let mut page = Vec::new();
    report.render(&mut html::Page::new(&mut page, Attachments::default(), Situation::default())).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert_eq!(page.matches("69 more installations with this computer name are not shown here").count(), 120);
}
