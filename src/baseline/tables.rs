//! Tables beside the baselines: judgement that holds for every Windows. `build.rs` makes JSON of them, as it does of the
//! baselines.

use std::sync::OnceLock;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The tables in `src/baselines`, by file name, as JSON.
const TABLES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// Reads a table.
///
/// # Errors
/// Returns an error if there is no such table, or it does not follow its grammar; tests read every one.
pub(super) fn read<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    let (_, json) = TABLES.iter().find(|(table, _)| *table == name).ok_or_else(|| format!("no table {name}"))?;
    serde_json::from_str(json).map_err(|error| format!("{name}: {error}"))
}

/// How a table of another form is named in `same-effect.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Form {
    /// Another spelling of Windows' folder.
    Folder,
    /// A balanced pair of quotes around the program.
    Quoted,
    /// REG_SZ where REG_EXPAND_SZ is expected, without a variable in it.
    PlainString,
    /// The full path of a library that is looked up in System32.
    FullPath,
    /// NULs behind the end, and nothing else.
    TrailingNuls,
    /// A list in another order.
    ListOrder,
}

/// How paths name the folder of Windows; `same-effect.toml` says who says so.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Paths {
    /// Variables that stand for it.
    pub(super) root: Vec<String>,
    /// Variables that stand for its drive.
    pub(super) drive: Vec<String>,
    /// Its usual names, where the hives do not say where it is.
    pub(super) usual_roots: Vec<String>,
    /// Where a library without a folder is looked up.
    pub(super) system: Vec<String>,
    /// What begins a path that is meant for the kernel.
    pub(super) kernel: Vec<String>,
    /// How the kernel names the system root.
    pub(super) kernel_root: Vec<String>,
    /// How paths of drivers may begin that are meant from the system root on.
    pub(super) relative: Vec<String>,
    /// Drives of Windows PE, which setup wrote into some values.
    pub(super) setup_drive: Vec<String>,
}

/// Folders of Windows' own below its root, by the names that `under` has for them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnFolders {
    pub(super) system32: Vec<String>,
    pub(super) windows: Vec<String>,
}

/// Data that mean the same as no value.
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
    /// The values that may have this form; all where none is named.
    #[serde(default)]
    pub(super) values: Vec<String>,
    pub(super) note: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads the table"))]
    source: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads the table"))]
    url: String,
}

/// `same-effect.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SameEffect {
    pub(super) paths: Paths,
    pub(super) folders: OwnFolders,
    pub(super) absent: Vec<AbsentRow>,
    pub(super) account: Vec<AccountRow>,
    pub(super) form: Vec<FormRow>,
}

/// Returns what means the same in another form; nothing does where the table cannot be read, which a test rules out.
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
