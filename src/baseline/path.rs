//! Paths as Windows reads them: `%SystemRoot%` and the literal folder are the same, and case does not matter.

use super::rule::Folders;
use super::tables::{Form, same_effect};
use crate::registry::same_text;

/// The folder that `%SystemRoot%` and `%windir%` stand for in one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemRoot(Option<String>);

/// A command line, split into its parts.
struct Command<'a> {
    /// The program. If it is below the system root, only the part after the root.
    program: &'a str,
    arguments: &'a str,
    /// The spelling of the system root, if the program is below it.
    root: Option<&'a str>,
    /// Whether a balanced pair of quotes encloses the program.
    quoted: bool,
    /// Whether quotes change the meaning of the path.
    stray: bool,
    /// Whether the path is a kernel path.
    kernel: bool,
}

/// Returns the rest of `text` after `prefix`, compared without case.
fn strip<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    same_text(head, prefix).then_some(rest)
}

/// Returns whether a path lies below `folder`.
fn below(path: &str, folder: &str) -> bool {
    strip(path, folder).is_some_and(|rest| rest.starts_with('\\'))
}

impl SystemRoot {
    /// Returns the root as SOFTWARE names it (`C:\WINDOWS`). `None` means that the root is not known.
    pub fn new(root: Option<&str>) -> Self {
        let root = root.map(|root| root.trim_end_matches('\\')).filter(|root| root.len() > 2);
        Self(root.map(str::to_owned))
    }

    /// Returns whether the hives state the root.
    pub fn is_known(&self) -> bool {
        self.0.is_some()
    }

    /// Splits `path` into the system root and the rest, which begins with the backslash; `None` for a path elsewhere.
    ///
    /// If the root is not known, any usual folder counts as the root.
    fn split<'a>(&self, path: &'a str) -> Option<(&'a str, &'a str)> {
        let table = &same_effect().paths;
        let rest = table.root.iter().find_map(|variable| strip(path, variable));
        let rest = rest.or_else(|| {
            let drive = table.drive.iter().find_map(|variable| strip(path, variable));
            if let Some(root) = &self.0 {
                return strip(path, root).or_else(|| strip(drive?, root.get(2..)?));
            }
            let lettered = path.starts_with(|letter: char| letter.is_ascii_alphabetic());
            let behind = drive.or_else(|| path.get(1..).filter(|_| lettered)?.strip_prefix(':'))?;
            table.usual_roots.iter().find_map(|folder| strip(behind, folder))
        });
        let rest = rest.filter(|rest| rest.starts_with('\\'))?;
        Some((path.get(..path.len().checked_sub(rest.len())?)?, rest))
    }

    fn command<'a>(&self, text: &'a str) -> Command<'a> {
        let (text, quoted) = match text.strip_prefix('"').and_then(|inner| inner.split_once('"')) {
            Some((program, arguments)) if arguments.is_empty() || arguments.starts_with(' ') => {
                ((program, arguments), true)
            }
            _ => (text.split_once(' ').unwrap_or((text, "")), false),
        };
        let (path, arguments) = text;
        let kernel = same_effect().paths.kernel.iter().find_map(|prefix| strip(path, prefix));
        let bare = kernel.unwrap_or(path);
        let (root, program) = match self.split(bare) {
            Some((root, rest)) => (Some(root), rest),
            None => (None, bare),
        };
        Command { program, arguments, root, quoted, stray: path.contains('"'), kernel: kernel.is_some() }
    }

    /// Returns whether Windows would load the code in `text` from a folder of system files. That is a bare name, which
    /// Windows looks up in System32, or a path below a folder of Windows' own code without `..`.
    pub fn holds_code(&self, text: &str) -> bool {
        self.holds_code_in(Folders::Windows, text)
    }

    /// Returns the same as [`SystemRoot::holds_code`] for some of Windows' folders.
    pub fn holds_code_in(&self, folders: Folders, text: &str) -> bool {
        let table = same_effect();
        let text = text.trim_matches('"').replace('/', r"\");
        let command = self.command(&text);
        let program = command.program.trim_matches('"');
        if climbs(program) {
            return false;
        }
        let behind = |prefixes: &[String]| prefixes.iter().find_map(|prefix| strip(program, prefix));
        let own = match folders {
            Folders::System32 => &table.folders.system32,
            Folders::Windows => &table.folders.windows,
        };
        let own = |path: &str| own.iter().any(|folder| below(path, folder));
        if command.root.is_some() {
            return own(program);
        }
        let setup = behind(&table.paths.setup_drive)
            .and_then(|path| table.paths.usual_roots.iter().find_map(|root| strip(path, root)));
        if let Some(path) = setup.or_else(|| behind(&table.paths.kernel_root)) {
            return own(path);
        }
        // A driver's path may begin at the system root.
        behind(&table.paths.relative).is_some() || !program.contains(['\\', ':'])
    }

    /// Returns whether the text is a kernel path.
    pub(crate) fn is_kernel_path(&self, text: &str) -> bool {
        self.command(text).kernel
    }

    /// Returns whether `observed` names the library or program `known`, in any form.
    pub fn is_same_code(&self, observed: &str, known: &str) -> bool {
        same_command(observed, known, self).is_some()
    }
}

/// Returns whether quotes enclose the program of a command line.
pub fn is_quoted(text: &str) -> bool {
    SystemRoot(None).command(text).quoted
}

/// Returns the svchost group that a command line names after `-k`.
///
/// <https://learn.microsoft.com/windows/application-management/svchost-service-refactoring>
pub fn group_of(text: &str) -> Option<String> {
    let mut words = SystemRoot(None).command(text).arguments.split_ascii_whitespace();
    words.find(|word| word.eq_ignore_ascii_case("-k"))?;
    words.next().map(str::to_owned)
}

fn climbs(path: &str) -> bool {
    path.split(['\\', '/']).any(|part| part == "..")
}

/// Returns the forms in which `observed` differs from the command line `accepted`; empty if both are spelled alike.
/// `None` if it is another command line.
pub(super) fn same_command(observed: &str, accepted: &str, root: &SystemRoot) -> Option<Vec<Form>> {
    let (observed, accepted) = (root.command(observed), root.command(accepted));
    if observed.stray || observed.kernel || climbs(observed.program) {
        return None;
    }
    let mut forms = Vec::new();
    if observed.quoted != accepted.quoted {
        forms.push(Form::Quoted);
    }
    let program = match (observed.root, accepted.root) {
        (Some(found), Some(wanted)) => {
            if !same_text(found, wanted) {
                forms.push(Form::Folder);
            }
            observed.program
        }
        (None, None) => observed.program,
        // Windows looks up a library without a folder in System32.
        (Some(_), None) if !accepted.program.contains(['\\', ':']) => {
            forms.push(Form::FullPath);
            let behind = same_effect().paths.system.iter().find_map(|folder| strip(observed.program, folder))?;
            behind.strip_prefix('\\')?
        }
        _ => return None,
    };
    (same_text(stem(program), stem(accepted.program)) && same_words(observed.arguments, accepted.arguments))
        .then_some(forms)
}

/// Removes `.exe` from `svchost`, which Microsoft also writes without it. No other program is treated this way.
fn stem(path: &str) -> &str {
    match path.len().checked_sub(4).and_then(|end| path.split_at_checked(end)) {
        Some((stem, extension))
            if same_text(extension, ".exe")
                && stem.rsplit('\\').next().is_some_and(|name| same_text(name, "svchost")) =>
        {
            stem
        }
        _ => path,
    }
}

fn same_words(a: &str, b: &str) -> bool {
    let (a, b): (Vec<_>, Vec<_>) = (a.split_ascii_whitespace().collect(), b.split_ascii_whitespace().collect());
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| same_text(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: &str = r"%SystemRoot%\system32\svchost.exe -k netsvcs";

    fn forms(observed: &str) -> Option<Vec<Form>> {
        same_command(observed, EXPECTED, &SystemRoot::new(Some(r"C:\WINDOWS")))
    }

    #[test]
    fn spellings_that_windows_takes_for_the_same() {
        assert_eq!(forms(r"C:\WINDOWS\system32\svchost.exe -k netsvcs"), Some(vec![Form::Folder]));
        assert_eq!(forms(r"%SystemDrive%\Windows\system32\svchost.exe -k netsvcs"), Some(vec![Form::Folder]));
        assert_eq!(forms(r"%windir%\System32\SVCHOST -k NetSvcs"), Some(vec![Form::Folder]));
        assert_eq!(forms(r"%systemroot%\system32\svchost.exe  -k netsvcs "), Some(vec![]));
        assert_eq!(forms("\"%SystemRoot%\\system32\\svchost.exe\" -k netsvcs"), Some(vec![Form::Quoted]));
        assert_eq!(forms("\"C:\\Windows\\system32\\svchost.exe\" -k netsvcs"), Some(vec![Form::Quoted, Form::Folder]));
        let library = same_command(r"C:\WINDOWS\system32\WlNotify.dll", "WlNotify.dll", &SystemRoot::new(None));
        assert_eq!(library, Some(vec![Form::FullPath]));
    }

    #[test]
    fn spellings_that_only_look_the_same() {
        for other in [
            r"D:\WINDOWS\system32\svchost.exe -k netsvcs",
            r"%SystemDrive%\WINNT\system32\svchost.exe -k netsvcs",
            r"%SystemRoot%\..\system32\svchost.exe -k netsvcs",
            r"%SystemRoot%\system32\..\system32\svchost.exe -k netsvcs",
            r"%SystemRoot%\system32\svchost.exe.exe -k netsvcs",
            "\"%SystemRoot%\\system32\\svchost.exe -k netsvcs",
            "\"%SystemRoot%\\system32\\svchost.exe -k netsvcs\"",
            "%SystemRoot%\\system32\\\"svchost.exe\" -k netsvcs",
            "\"%SystemRoot%\\system32\\svchost.exe\"-k netsvcs",
            r"\??\C:\WINDOWS\system32\svchost.exe -k netsvcs",
            r"%SystemRoot%x\system32\svchost.exe -k netsvcs",
            r"%SystemRoot%\system32\svchost.exe -k netsvcs -p",
            r"%SystemRoot%\system32\svchost.exe -knetsvcs",
            "%SystemRoot%\\system32\\svchost.exe\u{a0}-k netsvcs",
        ] {
            assert_eq!(forms(other), None, "{other}");
        }
        let library = |found| same_command(found, "WlNotify.dll", &SystemRoot::new(Some(r"C:\WINDOWS")));
        assert_eq!(library(r"C:\WINDOWS\system32\sub\WlNotify.dll"), None);
        assert_eq!(library(r"C:\WINDOWS\WlNotify.dll"), None);
    }

    #[test]
    fn without_software_any_usual_root_is_taken_for_the_root() {
        let unknown = SystemRoot::new(None);
        assert!(same_command(r"D:\WINNT\system32\svchost.exe -k netsvcs", EXPECTED, &unknown).is_some());
        assert!(same_command(r"D:\Tools\system32\svchost.exe -k netsvcs", EXPECTED, &unknown).is_none());
    }

    #[test]
    fn code_lives_in_system32_or_it_does_not() {
        let root = SystemRoot::new(Some(r"C:\WINDOWS"));
        assert!(root.holds_code("WlNotify.dll"));
        assert!(root.holds_code(r"c:\windows\SysWOW64\qmgr.dll"));
        assert!(root.holds_code("\"%SystemRoot%\\System32\\svchost.exe\" -k netsvcs -p"));
        assert!(root.holds_code("\"%SystemRoot%\\System32\\svchost.exe -k netsvcs"));
        assert!(root.holds_code(r"\??\C:\Windows\System32\svchost.exe -k netsvcs"));
        assert!(root.holds_code(r"%SystemDrive%\Windows\system32\svchost.exe -k netsvcs"));
        assert!(root.holds_code("C:/Windows/System32/qmgr.dll"));
        assert!(!root.holds_code(r"C:\WINDOWS\Temp\qmgr.dll"));
        assert!(!root.holds_code(r"%SystemRoot%\System32\..\Temp\qmgr.dll"));
        assert!(!root.holds_code(r"C:\Users\x\qmgr.dll"));
        assert!(!root.holds_code("\"C:\\Users\\x y\\qmgr.dll\""));
        assert!(!root.holds_code(r"\??\C:\Users\x\qmgr.dll"));
        assert!(!root.holds_code(r"\\server\share\qmgr.dll"));
    }
}
