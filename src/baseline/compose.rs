//! Composition: turns files that state only differences into whole baselines, with the sources of each row.
//!
//! A file states rows, or names the file that it is `like` and states the differences. Three tables state shared
//! content once: sentences (`texts.toml`), the common part of keys of one kind (`templates.toml`), and sources with the
//! rows that they cover (`sources.toml`). `docs/baselines.md` describes the grammar. `build.rs` also composes the
//! built-in baselines, so this file uses nothing from the crate.

use toml::Table;

use draft::{Draft, draft};
use tables::text;
use vouching::Voucher;

// The path is explicit because `build.rs` includes this file by path.
#[path = "compose/draft.rs"]
mod draft;
#[allow(dead_code, reason = "build.rs composes no baselines of users")]
#[path = "compose/own.rs"]
mod own;
#[path = "compose/tables.rs"]
mod tables;
#[path = "compose/vouching.rs"]
mod vouching;

/// The fields that state a rule. A change that states one of them replaces the rule.
const RULE: [&str; 16] = [
    "REG_SZ",
    "REG_EXPAND_SZ",
    "REG_DWORD",
    "REG_QWORD",
    "REG_MULTI_SZ",
    "REG_BINARY",
    "type",
    "hex",
    "contains",
    "members",
    "under",
    "lacks-action",
    "dacl-denies",
    "expect",
    "informational",
    "unknown",
];

/// The tables that every file may refer to.
#[derive(Default)]
pub struct Shared {
    /// Sentences, by name.
    pub texts: Table,
    /// The common part of keys of one kind, by kind.
    pub templates: Table,
    /// Sources, by name. `groups` names sets of Windows.
    pub sources: Table,
    /// The names of the known Windows, by id.
    pub names: Table,
}

/// A file that was read.
pub struct File {
    /// Its id: the file name without its extension.
    pub id: String,
    /// Its contents.
    pub table: Table,
}

/// Composes a whole baseline from a user's file. `parent` is the whole baseline that the file is like.
///
/// # Errors
/// Returns an error if the file does not follow the grammar; the message names the row first.
#[allow(dead_code, reason = "build.rs composes no baselines of users")]
pub fn compose_own(file: &File, parent: Option<&Table>, shared: &Shared) -> Result<Table, String> {
    own::compose(file, parent, shared)
}

/// Composes whole baselines from `files`, in their order. A file without a Windows and without a `name` only serves as
/// a base that others are like.
///
/// # Errors
/// Returns an error if a file does not follow the grammar; the message names the file and the row.
pub fn compose(files: &[File], shared: &Shared) -> Result<Vec<(String, Table)>, String> {
    let mut drafts: Vec<Draft> = Vec::with_capacity(files.len());
    let mut waiting: Vec<&File> = files.iter().collect();
    while !waiting.is_empty() {
        let (ready, rest): (Vec<&File>, Vec<&File>) = waiting
            .into_iter()
            .partition(|file| text(&file.table, "like").is_none_or(|like| drafts.iter().any(|draft| draft.id == like)));
        let Some(_) = ready.first() else {
            let ids: Vec<&str> = rest.iter().map(|file| file.id.as_str()).collect();
            return Err(format!("{}: like names no file, or files are like each other", ids.join(", ")));
        };
        for file in ready {
            let parent = text(&file.table, "like").and_then(|like| drafts.iter().find(|draft| draft.id == like));
            let draft = draft(file, parent, shared).map_err(|message| format!("{}: {message}", file.id))?;
            drafts.push(draft);
        }
        waiting = rest;
    }
    let mut wholes = Vec::new();
    for file in files {
        let Some(draft) = drafts.iter().find(|draft| draft.id == file.id && draft.name.is_some()) else { continue };
        let voucher = Voucher { draft, drafts: &drafts, sources: &shared.sources };
        wholes.push((draft.id.clone(), voucher.whole().map_err(|message| format!("{}: {message}", draft.id))?));
    }
    Ok(wholes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap()
    }

    fn shared() -> Shared {
        Shared {
            texts: table("automatic = 'Automatic; 4 keeps it down.'"),
            templates: table(
                r#"
                [service]
                id = "service-{id}"
                hive = "SYSTEM"
                path = 'CurrentControlSet\Services\{name}'
                [service.values]
                Start = { attack = ["T1489"] }
                Group = { severity = "low" }
                "#,
            ),
            sources: table(
                r#"
                [groups]
                since-b = ["b", "c"]
                [article]
                title = "The article"
                kind = "microsoft"
                url = "https://example.org/{service}"
                covers = [{ windows = ["a"], at = "step 1", rows = ["service-bits/*", "!service-bits/Type"] }]
                [machine]
                title = "a machine"
                kind = "machine"
                covers = [{ windows = ["a", "since-b"], rows = ["service-bits/Type"] }]
                [guide]
                title = "a guide"
                kind = "text"
                covers = [{ windows = ["b"], rows = ["service-bits/Type"] }]
                "#,
            ),
            names: table("a = 'A'\nb = 'B'\nc = 'C'"),
        }
    }

    const A: &str = r#"
        [[key]]
        template = "service"
        name = "BITS"
        why = "Downloads."
        [key.values]
        Start = { REG_DWORD = 3, or = [2], why = "@automatic" }
        Type.REG_DWORD = 0x20
    "#;

    fn compose_all(files: &[(&str, &str)]) -> Result<Vec<(String, Table)>, String> {
        let files: Vec<File> =
            files.iter().map(|(id, text)| File { id: (*id).to_owned(), table: table(text) }).collect();
        compose(&files, &shared())
    }

    fn row<'a>(wholes: &'a [(String, Table)], windows: &str, name: &str) -> &'a Table {
        let (_, whole) = wholes.iter().find(|(id, _)| id == windows).unwrap();
        whole["key"][0]["values"][name].as_table().unwrap()
    }

    fn said(row: &Table) -> String {
        format!("{} {} {:?} {:?}", row["grade"], row["source"], text(row, "kinship"), text(row, "stated-in"))
    }

    #[test]
    fn a_row_has_the_grade_that_its_sources_give_it() {
        let b = "like = 'a'";
        let c = "like = 'b'\n[change.service-bits.values]\nStart.REG_DWORD = 2";
        let wholes = compose_all(&[("c", c), ("b", b), ("a", A)]).unwrap();
        // Microsoft's text confirms a row. The row names its place and address.
        assert_eq!(said(row(&wholes, "a", "Start")), r#""confirmed" "The article, step 1" None Some("a")"#);
        assert_eq!(text(row(&wholes, "a", "Start"), "url"), Some("https://example.org/bits"));
        // One machine does not confirm a row. A source does not cover a row that it excludes.
        assert_eq!(said(row(&wholes, "a", "Type")), r#""single-source" "a machine" None Some("a")"#);
        // Two origins confirm a row.
        assert_eq!(said(row(&wholes, "b", "Type")), r#""confirmed" "a machine; a guide" None Some("a")"#);
        // No source vouches for this row here, so it is carried over from the nearest Windows with a source.
        let carried = |stated: &str| {
            format!(r#""inferred" "carried over from A (The article, step 1)" Some("a") Some("{stated}")"#)
        };
        assert_eq!(said(row(&wholes, "b", "Start")), carried("a"));
        assert_eq!(said(row(&wholes, "c", "Start")), carried("c"));
        // A new datum replaces the rule and `or`; `why` and `attack` stay.
        let start = row(&wholes, "c", "Start");
        assert_eq!((start["REG_DWORD"].as_integer(), start.get("or")), (Some(2), None));
        assert_eq!(text(start, "why"), Some("Automatic; 4 keeps it down."));
        assert_eq!(start["attack"][0].as_str(), Some("T1489"));
        // A value that only the template names is not a row.
        assert!(wholes[0].1["key"][0]["values"].get("Group").is_none());
    }

    #[test]
    fn or_also_appends_and_dropped_rows_are_gone() {
        let b = "like = 'a'\ndrop = ['service-bits/Type']\n[change.service-bits.values]\nStart.or-also = [4]";
        let wholes = compose_all(&[("a", A), ("b", b)]).unwrap();
        assert_eq!(row(&wholes, "b", "Start")["or"], toml::Value::try_from([2, 4]).unwrap());
        assert!(wholes[1].1["key"][0]["values"].get("Type").is_none());
    }

    #[test]
    fn what_cannot_be_composed_says_why() {
        let wrong = [
            ("like = 'nobody'", "b: like names no file, or files are like each other"),
            ("like = 'a'\ndrop = ['service-sens']", "b: drop names \"service-sens\", which does not exist"),
            ("like = 'a'\n[change.service-sens]\nwhy = 'x'", "b: change.service-sens: Some(\"a\") has no such row"),
            ("[[key]]\nid = 'x'\nwhy = '@nothing'", "b: x: no text \"nothing\" in texts.toml"),
            (
                "like = 'a'\n[[key]]\ntemplate = 'service'\nname = 'bits'",
                "b: service-bits exists already; use [change.service-bits]",
            ),
            ("[[key]]\nid = 'x'", "b: x: no source covers it, and it has no kinship; write `unknown` or a kinship"),
        ];
        for (text, message) in wrong {
            assert_eq!(compose_all(&[("a", A), ("b", text)]).unwrap_err(), message);
        }
    }
}
