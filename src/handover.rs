//! The files that accompany a patch for the person who imports it: how, with which program, and as which user.
//!
//! The machine is elsewhere and does not have hivemend. So the text is specific to this patch, and its command lines
//! can be copied unchanged. Capitals mark what only the reader knows.

use crate::report::InstallationReport;

mod import_text;
mod marks;
mod restart;
mod script;

pub use import_text::import_text;
pub use marks::Marks;
pub use script::{NAME as SCRIPT, Script, write_script};

/// A page of lines that Notepad on every Windows shows and that are easy to read in a terminal.
#[derive(Default)]
struct Page {
    text: String,
}

/// Returns the folder of the hives on their drive, `\Windows\System32\config`, for this installation.
fn config_folder(report: &InstallationReport) -> String {
    let root = report.machine.system_root.as_deref().and_then(|root| root.split_once(":\\"));
    let is_plain = |name: &&str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let folder = root.map(|(_, folder)| folder).filter(is_plain).unwrap_or("Windows");
    format!(r"\{folder}\System32\config")
}

/// The width of a line of prose, in columns.
const WIDTH: usize = 100;

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push_str("\r\n");
    }

    /// Adds a heading after an empty line.
    fn heading(&mut self, heading: &str) {
        if !self.text.is_empty() {
            self.line("");
        }
        self.line(heading);
        self.line(&"-".repeat(heading.len()));
    }

    /// Adds prose, wrapped at blanks.
    fn prose(&mut self, text: &str) {
        self.wrapped("", "", text);
    }

    /// Adds a list item, wrapped at blanks.
    fn point(&mut self, text: &str) {
        self.wrapped("* ", "  ", text);
    }

    /// Adds a command line. It is never wrapped.
    fn command(&mut self, command: &str) {
        self.line(&format!("    {command}"));
    }

    fn wrapped(&mut self, first: &str, then: &str, text: &str) {
        let mut line = first.to_owned();
        let mut is_empty = true;
        for word in text.split(' ') {
            if !is_empty && line.chars().count().saturating_add(word.chars().count()) >= WIDTH {
                self.line(&line);
                then.clone_into(&mut line);
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        self.line(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_wrapped_and_commands_are_not() {
        let mut page = Page::default();
        page.heading("How");
        page.point(&"word ".repeat(30));
        page.command(&"word ".repeat(30));
        let lines: Vec<&str> = page.text.split("\r\n").collect();
        assert_eq!(lines[..2], ["How", "---"]);
        assert!(lines[2].starts_with("* word") && lines[3].starts_with("  word") && lines[2].len() <= WIDTH);
        assert_eq!(lines[4].len(), 4 + 149);
    }
}
