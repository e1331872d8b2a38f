//! Tables beside the baselines: judgement that applies to every Windows. `build.rs` converts the tables and the
//! baselines to JSON.

use std::sync::OnceLock;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The tables in `src/baselines`, by file name, as JSON.
const TABLES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// Reads a table.
///
/// # Errors
/// Returns an error if the table does not exist or does not follow its grammar. Tests read every table.
pub(super) fn read<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    let (_, json) = TABLES.iter().find(|(table, _)| *table == name).ok_or_else(|| format!("no table {name}"))?;
    serde_json::from_str(json).map_err(|error| format!("{name}: {error}"))
}

/// The forms that `same-effect.toml` can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Form {
    /// Another spelling of the Windows folder.
    Folder,
    /// A balanced pair of quotes around the program.
    Quoted,
    /// REG_SZ instead of REG_EXPAND_SZ, without a variable in the data.
    PlainString,
    /// The full path of a library that Windows looks up in System32.
    FullPath,
    /// Only NULs after the end.
    TrailingNuls,
    /// A list in another order.
    ListOrder,
}

/// How paths name the Windows folder. `same-effect.toml` states the sources.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Paths {
    /// Variables for the folder.
    pub(super) root: Vec<String>,
    /// Variables for its drive.
    pub(super) drive: Vec<String>,
    /// Its usual names, for hives that do not state where it is.
    pub(super) usual_roots: Vec<String>,
    /// The folders where Windows looks up a library without a folder.
    pub(super) system: Vec<String>,
    /// Prefixes of kernel paths.
    pub(super) kernel: Vec<String>,
    /// Kernel names of the system root.
    pub(super) kernel_root: Vec<String>,
    /// Prefixes of driver paths that are relative to the system root.
    pub(super) relative: Vec<String>,
    /// Drives of Windows PE that setup wrote into some values.
    pub(super) setup_drive: Vec<String>,
}

/// Folders of Windows' own below its root, by the names that `under` uses.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnFolders {
    pub(super) system32: Vec<String>,
    pub(super) windows: Vec<String>,
}

/// Data with the same effect as no value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AbsentRow {
    pub(super) value: String,
    pub(super) data: Vec<toml::Value>,
    pub(super) note: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads the table"))]
    source: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads the table"))]
    url: String,
}

/// Names of one account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountRow {
    pub(super) value: String,
    pub(super) names: Vec<String>,
    pub(super) note: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads the table"))]
    source: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads the table"))]
    url: String,
}

/// Another form of the same text or list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FormRow {
    pub(super) form: Form,
    /// The values that may have this form; empty: all values.
    #[serde(default)]
    pub(super) values: Vec<String>,
    pub(super) note: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads the table"))]
    source: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads the table"))]
    url: String,
}

/// The contents of `same-effect.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SameEffect {
    pub(super) paths: Paths,
    pub(super) folders: OwnFolders,
    pub(super) absent: Vec<AbsentRow>,
    pub(super) account: Vec<AccountRow>,
    pub(super) form: Vec<FormRow>,
}

/// Returns the table of forms with the same effect. Empty if the table cannot be read; a test rules that out.
pub(super) fn same_effect() -> &'static SameEffect {
    static TABLE: OnceLock<SameEffect> = OnceLock::new();
    TABLE.get_or_init(|| read("same-effect").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_the_same_says_why_and_who_says_so() {
        let table: SameEffect = read("same-effect").unwrap();
        let rows = table.absent.iter().map(|row| (&row.note, &row.source, &row.url));
        let rows = rows.chain(table.account.iter().map(|row| (&row.note, &row.source, &row.url)));
        for (note, source, url) in rows.chain(table.form.iter().map(|row| (&row.note, &row.source, &row.url))) {
            assert!(note.ends_with('.') && source.len() > 8 && url.starts_with("https://"), "{note}");
        }
        assert_eq!(table.form.len(), 6);
    }
}
