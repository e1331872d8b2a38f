//! The header of a patch: its Windows, importer, and target, in lines that people read and `verify` reads back.

use super::Target;
use crate::evidence::is_sha256;
use crate::reg_file::{CodePage, Dialect, Importer};
use crate::registry::Role;

const PATCH: &str = "hivemend patch for ";
const ROLLBACK: &str = "hivemend rollback for ";
const NOT_ANOTHER: &str = ". Do not import it into another Windows.";
const IMPORTER: &str = "Importer: ";
const TARGET: &str = ". Target: ";
const PAGE: &str = "Text of code page ";
const SUM: &str = " hive, SHA-256 ";
/// The most lines that a header can have.
const MOST_LINES: usize = 1_000;

/// The contents of a file's header. A file from another program has none of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The Windows that the file is for.
    pub made_for: Option<String>,
    /// Whether the file rolls a patch back.
    pub is_rollback: bool,
    /// The importer that the file is for.
    pub importer: Option<Importer>,
    /// The place where the file is imported.
    pub target: Option<Target>,
    /// The code page of 8-bit text.
    pub code_page: Option<CodePage>,
    /// The hives that the file was made for, by SHA-256.
    pub hives: Vec<(Role, String)>,
}

/// Returns the lines that state what a patch or a rollback is for.
pub(super) fn lines(is_rollback: bool, os: &str, dialect: Dialect, target: Target) -> Vec<String> {
    let kind = if is_rollback { ROLLBACK } else { PATCH };
    let mut lines =
        vec![format!("{kind}{os}{NOT_ANOTHER}"), format!("{IMPORTER}{}{TARGET}{}.", dialect.importer(), target.id())];
    if let Some(page) = dialect.code_page() {
        lines.push(format!("{PAGE}{page}: import it where that is the ANSI code page."));
    }
    lines
}

/// Returns the line that states the hive.
pub(super) fn hive_line(role: Role, sum: Option<&str>) -> String {
    format!("{role}{SUM}{}", sum.unwrap_or("not computed"))
}

impl Header {
    /// Reads the comment lines of a file's header, without their comment marks.
    pub fn read<L: AsRef<str>>(lines: impl IntoIterator<Item = L>) -> Self {
        let mut header = Self::default();
        for line in lines {
            header.line(line.as_ref());
        }
        if header.made_for.is_some() { header } else { Self::default() }
    }

    /// Reads the header of a file before its importer is known.
    pub fn of(bytes: &[u8]) -> Self {
        let text = match bytes.strip_prefix(b"\xff\xfe") {
            Some(wide) => {
                let units = wide.as_chunks().0.iter().map(|&unit| u16::from_le_bytes(unit));
                char::decode_utf16(units.take(1 << 20)).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
            }
            None => String::from_utf8_lossy(bytes.get(..1 << 20).unwrap_or(bytes)).into_owned(),
        };
        let below = text.lines().skip(1).take(MOST_LINES).map(str::trim);
        let head = below.take_while(|line| line.is_empty() || line.starts_with(';'));
        Self::read(head.map(|line| line.strip_prefix(';').unwrap_or(line).trim_start()))
    }

    fn line(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix(PATCH).or_else(|| line.strip_prefix(ROLLBACK)) {
            if self.made_for.is_none() {
                self.made_for = rest.split_once(". ").map(|(os, _)| os.to_owned());
                self.is_rollback = line.starts_with(ROLLBACK);
            }
        } else if let Some(rest) = line.strip_prefix(IMPORTER) {
            let Some((importer, target)) = rest.split_once(TARGET) else { return };
            self.importer = self.importer.or(importer.parse().ok());
            self.target = self.target.or(Target::from_id(target.trim_end_matches('.')));
        } else if let Some(rest) = line.strip_prefix(PAGE) {
            let page = rest.split_once(':').and_then(|(page, _)| page.parse().ok());
            self.code_page = self.code_page.or(page);
        } else if let Some((role, sum)) = line.split_once(SUM) {
            let role = [Role::Software, Role::System].into_iter().find(|known| known.as_str() == role);
            self.hives.extend(role.filter(|_| is_sha256(sum)).map(|role| (role, sum.to_owned())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for dialect in [Dialect::Regedit5, Dialect::Regedit4(CodePage::new(932).unwrap()), Dialect::Hivex] {
            for target in [Target::Offline, Target::Live] {
                let sum = "0123456789abcdef".repeat(4);
                let mut lines = lines(target == Target::Live, "windows-xp", dialect, target);
                lines.extend([hive_line(Role::System, Some(&sum)), hive_line(Role::Software, None)]);
                let header = Header {
                    made_for: Some("windows-xp".to_owned()),
                    is_rollback: target == Target::Live,
                    importer: Some(dialect.importer()),
                    target: Some(target),
                    code_page: dialect.code_page(),
                    hives: vec![(Role::System, sum)],
                };
                assert_eq!(Header::read(&lines), header);
                let text = lines.iter().fold("x\r\n\r\n".to_owned(), |text, line| format!("{text}; {line}\r\n"));
                assert_eq!(Header::of(text.as_bytes()), header);
                let wide = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes);
                assert_eq!(Header::of(&wide.collect::<Vec<_>>()), header);
            }
        }
    }

    #[test]
    fn a_file_that_is_not_ours_says_nothing() {
        for text in
            ["", "x", "x\n; Importer: hivexregedit. Target: live.\n", "x\n[a]\n; hivemend patch for windows-7. \n"]
        {
            assert_eq!(Header::of(text.as_bytes()), Header::default(), "{text}");
        }
    }

    #[test]
    fn the_first_line_of_a_kind_counts() {
        let text = "x\n; hivemend patch for windows-xp. a\n; Importer: regedit. Target: live.\n\
                    ; hivemend patch for windows-7. a\n; Importer: hivexregedit. Target: offline.\n";
        let header = Header::of(text.as_bytes());
        assert_eq!(header.made_for.as_deref(), Some("windows-xp"));
        assert_eq!((header.importer, header.target), (Some(Importer::Regedit), Some(Target::Live)));
    }
}
