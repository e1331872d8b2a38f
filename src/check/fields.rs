//! The fields of the grammar, table by table. A test compares them with what the grammar itself accepts.

/// The kind of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Document,
    Defaults,
    Key,
    Change,
    Step,
    Value,
    Or,
    But,
    When,
    Source,
    /// A table whose field names are the user's.
    Free,
}

const DOCUMENT: &[&str] = &["id", "name", "like", "drop", "key", "step", "change", "applies-to", "defaults", "sources"];
const VOUCHING: &[&str] = &["why", "source", "url", "grade", "kinship", "stated-in"];
const PLACE: &[&str] = &["template", "name", "before", "after"];
const KEY: &[&str] = &[
    "id",
    "hive",
    "path",
    "profile",
    "severity",
    "attack",
    "when",
    "expect",
    "optional",
    "link",
    "each-subkey",
    "below",
    "others",
    "subkeys",
    "compare",
    "recreate",
    "values",
];
const STEP: &[&str] = &["id", "advice", "when"];
const DATA: &[&str] =
    &["REG_SZ", "REG_EXPAND_SZ", "REG_DWORD", "REG_QWORD", "REG_MULTI_SZ", "REG_BINARY", "type", "hex"];
const VALUE: &[&str] = &[
    "or",
    "or-also",
    "but",
    "contains",
    "members",
    "under",
    "known",
    "lacks-action",
    "dacl-denies",
    "same-as",
    "compare",
    "optional",
    "expect",
    "informational",
    "unknown",
    "profile",
    "severity",
    "attack",
    "when",
    "advice",
];
const ALTERNATIVE: &[&str] = &["when", "note", "source", "url"];
const EXCEPTION: &[&str] = &["when", "severity", "why", "source", "url"];
const WHEN: &[&str] = &["product-type", "architecture", "service-pack-at-least", "build-at-least", "build-below"];
const SOURCE: &[&str] = &["title", "kind", "url", "origin", "machines"];

impl Kind {
    /// Returns the fields of the table; `None` if any name is allowed.
    pub(super) fn fields(self) -> Option<Vec<&'static str>> {
        let groups: &[&[&str]] = match self {
            Self::Document => &[DOCUMENT],
            Self::Defaults | Self::Change => &[KEY, VOUCHING, &["advice"]],
            Self::Key => &[KEY, VOUCHING, PLACE],
            Self::Step => &[STEP, VOUCHING, PLACE],
            Self::Value => &[DATA, VALUE, VOUCHING],
            Self::Or => &[DATA, ALTERNATIVE],
            Self::But => &[DATA, EXCEPTION],
            Self::When => &[WHEN],
            Self::Source => &[SOURCE],
            Self::Free => return None,
        };
        Some(groups.concat())
    }

    /// Returns the name of the table in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Document => "a baseline",
            Self::Defaults => "[defaults]",
            Self::Key => "a key",
            Self::Change => "a change",
            Self::Step => "a step",
            Self::Value => "a value",
            Self::Or => "an entry of `or`",
            Self::But => "an entry of `but`",
            Self::When => "`when`",
            Self::Source => "a source",
            Self::Free => "a table",
        }
    }

    /// Returns the kind of the table, or of the tables in the list, in a field of this table.
    pub(super) fn of_field(self, field: &str) -> Option<Kind> {
        Some(match (self, field) {
            (Self::Document, "defaults") => Self::Defaults,
            (Self::Document, "key") => Self::Key,
            (Self::Document, "step") => Self::Step,
            (Self::Value, "or" | "or-also") => Self::Or,
            (Self::Value, "but") => Self::But,
            (_, "when") => Self::When,
            _ => return None,
        })
    }

    /// Returns the kind of the tables in a table of names: the values of a key, or the changes of a document.
    pub(super) fn of_names(self, field: &str) -> Option<Kind> {
        Some(match (self, field) {
            (Self::Document, "change") => Self::Change,
            (Self::Document, "sources") => Self::Source,
            (Self::Key | Self::Change, "values") => Self::Value,
            _ => return None,
        })
    }
}

/// Returns the words that a field may contain, if only some are allowed.
pub(super) fn words(kind: Kind, field: &str) -> Option<&'static [&'static str]> {
    Some(match (kind, field) {
        (_, "hive") => &["SOFTWARE", "SYSTEM"],
        (_, "severity") => &["info", "low", "medium", "high"],
        (_, "grade") => &["confirmed", "single-source", "inferred"],
        (_, "compare") => &["exact", "text", "path", "set", "bytes"],
        (_, "profile") => &["kb968001", "chain", "persistence"],
        (_, "others" | "subkeys") => &["unexpected"],
        (Kind::Value, "expect") => &["absent"],
        (_, "expect") => &["present", "absent", "with-parent"],
        (Kind::Value, "under") => &["system32", "windows"],
        (Kind::Value, "lacks-action") => &["restart", "reboot", "run-command"],
        (Kind::Source, "kind") => &["microsoft", "machine", "setup", "text"],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Baseline;

    /// Returns the fields that the grammar expects according to its message.
    fn expected(text: &str) -> Vec<String> {
        let message = Baseline::parse("x", text).unwrap_err().to_string();
        let (_, list) = message.split_once("expected one of ").unwrap();
        list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    fn assert_covered(kind: Kind, text: &str) {
        let known = kind.fields().unwrap();
        for field in expected(text) {
            assert!(known.contains(&field.as_str()), "{kind:?} lacks {field}");
        }
    }

    #[test]
    fn the_fields_are_those_of_the_grammar() {
        assert_covered(Kind::Document, "bogus = 1");
        assert_covered(Kind::Key, "[[key]]\nbogus = 1");
        assert_covered(Kind::Step, "[[step]]\nbogus = 1");
        assert_covered(Kind::Value, "[[key]]\nvalues.x.bogus = 1");
        assert_covered(Kind::When, "[[key]]\nwhen.bogus = 1");
    }
}
