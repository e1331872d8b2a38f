//! Paths and lists as Windows takes them: `%SystemRoot%` and the literal folder are one, letter case says nothing.

use crate::registry::same_text;

/// The folder that `%SystemRoot%` and `%windir%` stand for in one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemRoot(Option<String>);

/// A command line, taken apart.
struct Command<'a> {
    /// Whether the program lies under the system root.
    rooted: bool,
    /// The program, from the system root on where it lies under it.
    program: &'a str,
    arguments: &'a str,
}

impl SystemRoot {
    /// The root as SOFTWARE names it (`C:\WINDOWS`), or `None` where that is not known.
    pub fn new(root: Option<&str>) -> Self {
        let root = root.map(|root| root.trim_end_matches('\\')).filter(|root| root.len() > 2);
        Self(root.map(str::to_owned))
    }

    /// Whether the hives said where the root is.
    pub fn is_known(&self) -> bool {
        self.0.is_some()
    }

    /// What follows the system root in `path`, from the backslash on; `None` for a path that lies elsewhere.
    ///
    /// Where the root is not known, any `X:\WINDOWS` and `X:\WINNT` is taken for it.
    fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        let strip = |prefix: &str| {
            let (head, rest) = path.split_at_checked(prefix.len())?;
            (same_text(head, prefix) && rest.starts_with('\\')).then_some(rest)
        };
        let variables = || strip("%SystemRoot%").or_else(|| strip("%windir%"));
        match &self.0 {
            Some(root) => strip(root).or_else(variables),
            None => variables().or_else(|| {
                let drive = path.get(..1).filter(|drive| drive.starts_with(|c: char| c.is_ascii_alphabetic()))?;
                [r":\WINDOWS", r":\WINNT"].iter().find_map(|folder| strip(&format!("{drive}{folder}")))
            }),
        }
    }

    fn command<'a>(&self, text: &'a str) -> Command<'a> {
        let rooted = self.strip(text);
        let rest = rooted.unwrap_or(text);
        let (program, arguments) = rest.split_once(' ').unwrap_or((rest, ""));
        Command { rooted: rooted.is_some(), program, arguments }
    }

    /// Whether Windows would take the code for `text` from where system files live: a bare name, which is looked up in
    /// System32, or a path below System32 or SysWOW64 that does not climb out again.
    pub fn holds_code(&self, text: &str) -> bool {
        let command = self.command(text);
        if command.program.split('\\').any(|part| part == "..") {
            return false;
        }
        let below = |folder: &str| {
            command.program.split_at_checked(folder.len()).is_some_and(|(head, _)| same_text(head, folder))
        };
        if command.rooted {
            below(r"\System32\") || below(r"\SysWOW64\")
        } else {
            !command.program.contains(['\\', '/', ':'])
        }
    }
}

/// Whether two command lines start the same program with the same arguments.
pub(super) fn same_command(observed: &str, accepted: &str, root: &SystemRoot) -> bool {
    let (observed, accepted) = (root.command(observed), root.command(accepted));
    observed.rooted == accepted.rooted
        && same_text(program(observed.program), program(accepted.program))
        && same_words(observed.arguments, accepted.arguments)
}

/// `svchost` is written with and without `.exe`, by Microsoft too; no other program is.
fn program(path: &str) -> &str {
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

/// Whether two lists name the same things. An empty string in the middle ends the list for Windows, so it matters.
pub(super) fn same_set(observed: &[String], accepted: &[String]) -> bool {
    let within = |some: &[String], all: &[String]| some.iter().all(|one| all.iter().any(|other| same_text(one, other)));
    within(observed, accepted) && within(accepted, observed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: &str = r"%SystemRoot%\system32\svchost.exe -k netsvcs";

    fn same(observed: &str) -> bool {
        same_command(observed, EXPECTED, &SystemRoot::new(Some(r"C:\WINDOWS")))
    }

    #[test]
    fn spellings_that_windows_takes_for_the_same() {
        assert!(same(r"C:\WINDOWS\system32\svchost.exe -k netsvcs"));
        assert!(same(r"%windir%\System32\SVCHOST -k NetSvcs"));
        assert!(same(r"%systemroot%\system32\svchost.exe  -k netsvcs "));
    }

    #[test]
    fn spellings_that_only_look_the_same() {
        assert!(!same(r"D:\WINDOWS\system32\svchost.exe -k netsvcs"));
        assert!(!same(r"%SystemRoot%\..\system32\svchost.exe -k netsvcs"));
        assert!(!same(r"%SystemRoot%\system32\svchost.exe.exe -k netsvcs"));
        assert!(!same("\"%SystemRoot%\\system32\\svchost.exe\" -k netsvcs"));
        assert!(!same(r"\??\C:\WINDOWS\system32\svchost.exe -k netsvcs"));
        assert!(!same(r"%SystemRoot%x\system32\svchost.exe -k netsvcs"));
        assert!(!same(r"%SystemRoot%\system32\svchost.exe -k netsvcs -p"));
        assert!(!same(r"%SystemRoot%\system32\svchost.exe -knetsvcs"));
        assert!(!same("%SystemRoot%\\system32\\svchost.exe\u{a0}-k netsvcs"));
    }

    #[test]
    fn without_software_any_usual_root_is_taken_for_the_root() {
        let unknown = SystemRoot::new(None);
        assert!(same_command(r"D:\WINNT\system32\svchost.exe -k netsvcs", EXPECTED, &unknown));
        assert!(!same_command(r"D:\Tools\system32\svchost.exe -k netsvcs", EXPECTED, &unknown));
    }

    #[test]
    fn code_lives_in_system32_or_it_does_not() {
        let root = SystemRoot::new(Some(r"C:\WINDOWS"));
        assert!(root.holds_code("WlNotify.dll"));
        assert!(root.holds_code(r"c:\windows\SysWOW64\qmgr.dll"));
        assert!(!root.holds_code(r"C:\WINDOWS\Temp\qmgr.dll"));
        assert!(!root.holds_code(r"%SystemRoot%\System32\..\Temp\qmgr.dll"));
        assert!(!root.holds_code(r"C:\Users\x\qmgr.dll"));
        assert!(!root.holds_code(r"\\server\share\qmgr.dll"));
    }

    #[test]
    fn a_list_is_a_set_without_case() {
        let list = |entries: &[&str]| entries.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(same_set(&list(&["EventSystem", "Rpcss"]), &list(&["RpcSs", "EventSystem"])));
        assert!(!same_set(&list(&["RpcSs"]), &list(&["RpcSs", "EventSystem"])));
        assert!(!same_set(&list(&["RpcSs", "", "EventSystem"]), &list(&["RpcSs", "EventSystem"])));
    }
}
