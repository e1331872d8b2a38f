//! `IMPORT.txt`: how to import this patch, and how to roll it back.

use super::restart::what_to_restart;
use super::{Page, config_folder, script};
use crate::hive::State;
use crate::reg_file::Dialect;
use crate::registry::{Role, same_text};
use crate::remediation::{PatchFile, PatchOptions, Plan, Target};
use crate::report::InstallationReport;
use crate::report::escape::escape;

/// The root keys where `reg load` can load a hive, directly below, with the short names that reg uses.
///
/// <https://learn.microsoft.com/windows-server/administration/windows-commands/reg-load>
const LOADABLE: [(&str, &str); 2] = [("HKEY_LOCAL_MACHINE", "HKLM"), ("HKEY_USERS", "HKU")];

/// Writes the page for a patch; returns `None` if there is nothing to import. `files` are the patch's files;
/// `has_script` states whether a script was written beside it. The text is UTF-8 with CRLF.
pub fn import_text(
    plan: &Plan,
    report: &InstallationReport,
    options: &PatchOptions,
    files: &[PatchFile],
    has_script: bool,
) -> Option<Vec<u8>> {
    if plan.edits.is_empty() {
        return None;
    }
    let import = Import { plan, report, options, files };
    let mut page = Page::default();
    import.head(&mut page);
    match options.target {
        Target::Live => import.live(&mut page),
        Target::Offline => {
            if has_script {
                with_script(&mut page);
            }
            import.on_linux(&mut page);
            if options.dialect != Dialect::Hivex {
                import.offline_on_windows(&mut page);
            }
        }
    }
    page.heading("What to restart");
    page.prose(&what_to_restart(plan, options.target));
    import.take_back(&mut page);
    Some(page.text.into_bytes())
}

struct Import<'a> {
    plan: &'a Plan,
    report: &'a InstallationReport,
    options: &'a PatchOptions,
    files: &'a [PatchFile],
}

impl Import<'_> {
    fn head(&self, page: &mut Page) {
        page.line(&format!("How to import this patch for {}", self.plan.os));
        page.line("");
        page.prose(&format!(
            "The patch is for this machine only: do not import it into another, not even into another {}. Import it \
             on the machine \
             itself or into a copy of its hives, never into the evidence. plan.json lists every change.",
            self.report.os.name
        ));
        if !self.plan.warnings.is_empty() {
            page.heading("Before you import");
            for warning in &self.plan.warnings {
                page.point(&escape(warning));
            }
        }
    }

    /// Returns the edited hives, each with its file.
    fn hives(&self) -> impl Iterator<Item = (Role, String)> + Clone {
        let edited = |role: &Role| self.plan.edits.iter().any(|edit| edit.hive == *role);
        [Role::Software, Role::System].into_iter().filter(edited).map(|role| (role, format!("{role}.reg")))
    }

    fn root(&self, role: Role) -> &str {
        let root = if role == Role::Software { &self.options.software_root } else { &self.options.system_root };
        root.trim_end_matches('\\')
    }

    /// Returns whether the file names the place where the running Windows keeps its own hives.
    fn is_own_root(&self, role: Role) -> bool {
        same_text(self.root(role), &format!(r"HKEY_LOCAL_MACHINE\{role}"))
    }

    fn on_linux(&self, page: &mut Page) {
        page.heading("On Linux, into a copy of the hives");
        let dirty = self.report.hives.iter().find(|hive| {
            self.hives().any(|(role, _)| role == hive.role)
                && matches!(hive.integrity.state, State::Dirty | State::Recovered)
        });
        if let Some(hive) = dirty {
            page.prose(&format!(
                "Do not use hivexregedit: the {} hive is dirty, and hivexregedit does not replay its transaction \
                 logs. Their changes would be lost. Let Windows load the hive first, or import the patch with Windows.",
                hive.role
            ));
            if self.options.dialect != Dialect::Hivex {
                return;
            }
        }
        let by_utf8 = self.options.dialect == Dialect::Regedit5 && self.is_plain();
        if self.options.dialect != Dialect::Hivex && !by_utf8 {
            return page.prose(
                "hivexregedit cannot import these files as they are. Write the patch again with: hivemend audit ... \
                 --patch DIR --dialect hivex",
            );
        }
        let by = if by_utf8 { ", which reads UTF-8:" } else { ":" };
        page.prose(&format!("With hivexregedit (Debian: libwin-hivex-perl){by}"));
        for (role, file) in self.hives() {
            let name = if by_utf8 {
                page.command(&format!("iconv -f UTF-16 -t UTF-8 {file} > {role}.utf8.reg"));
                format!("{role}.utf8.reg")
            } else {
                file
            };
            page.command(&format!("hivexregedit --merge --prefix {} COPY-OF-{role} {name}", quoted(self.root(role))));
        }
        if self.hives().all(|(role, _)| self.is_own_root(role)) {
            page.prose("Or, into a virtual machine of libvirt that is shut down:");
            for (role, file) in self.hives() {
                let name = if by_utf8 { format!("{role}.utf8.reg") } else { file };
                page.command(&format!("virt-win-reg --merge NAME-OF-THE-MACHINE {name}"));
            }
        }
        if let Some(number) = self.plan.edits.iter().find_map(|edit| edit.control_set) {
            page.prose(&format!(
                "The file names the control set of this hive by number ({}), as an offline importer needs it.",
                crate::control_set::key_name(number)
            ));
        }
    }

    /// Returns whether hivexregedit can import the files after conversion to UTF-8. It creates no parent keys and
    /// corrupts characters beyond ASCII.
    fn is_plain(&self) -> bool {
        let is_ascii = |file: &PatchFile| {
            let text = file.bytes.get(2..).unwrap_or_default();
            text.as_chunks::<2>().0.iter().all(|unit| u16::from_le_bytes(*unit) < 0x80)
        };
        self.files.iter().all(is_ascii) && self.plan.edits.iter().all(|edit| edit.key_exists)
    }

    fn offline_on_windows(&self, page: &mut Page) {
        page.heading("With Windows, into the hives of an offline Windows");
        if self.hives().any(|(role, _)| self.is_own_root(role)) {
            page.prose(
                "Do not use these files. They are written for HKEY_LOCAL_MACHINE\\SOFTWARE or \\SYSTEM, which belong \
                 to the running Windows or to WinRE: the import would change that Windows instead. Write the patch \
                 again with:",
            );
            page.command(
                r"hivemend audit ... --patch DIR --software-root HKEY_LOCAL_MACHINE\OFFLINE-SOFTWARE --system-root HKEY_LOCAL_MACHINE\OFFLINE-SYSTEM",
            );
            return;
        }
        let short: Option<Vec<(Role, String, String)>> =
            self.hives().map(|(role, file)| Some((role, file, short_root(self.root(role))?))).collect();
        let Some(hives) = short else {
            return page.prose(
                "reg load loads a hive directly below HKEY_LOCAL_MACHINE or HKEY_USERS only. Load the hives with another \
                 program where this patch expects them, or write the patch again with other roots.",
            );
        };
        page.prose(
            "In WinRE (Troubleshoot, Advanced options, Command Prompt) you are SYSTEM, and reg is 64-bit if the \
             Windows is. On another Windows, use an elevated prompt. Drive letters differ from those of the Windows \
             that you repair: D: stands for its drive. Run this in the folder of the patch:",
        );
        let config = config_folder(self.report);
        for (role, _, root) in &hives {
            page.command(&format!("reg load {root} D:{config}\\{role}"));
        }
        for (role, file, root) in &hives {
            page.command(&format!("reg save {root} {role}.saved"));
            page.command(&format!("reg import {file}"));
        }
        for (_, _, root) in &hives {
            page.command(&format!("reg unload {root}"));
        }
        page.prose("Close regedit before reg unload: an open key keeps the hive loaded.");
    }

    fn live(&self, page: &mut Page) {
        page.heading("On the machine itself, while its Windows runs");
        let is_refused = self.plan.edits.iter().any(|edit| !edit.access.administrators_may_write());
        page.prose(if is_refused {
            "Run this as SYSTEM, in the folder of the patch. An administrator may not write all of these keys. One \
             way is a scheduled task whose account is SYSTEM."
        } else {
            "Run this in an elevated prompt (Run as administrator), in the folder of the patch."
        });
        page.prose("Use the 64-bit prompt of a 64-bit Windows, not the one in SysWOW64:");
        page.command("reg import patch.reg");
        page.prose("regedit /s patch.reg does the same, and reports no error.");
    }

    fn take_back(&self, page: &mut Page) {
        page.heading("How to undo the patch");
        page.prose(match self.options.target {
            Target::Live => "Import rollback.reg in the same way.",
            Target::Offline => {
                "Import the .rollback.reg files in the same way, or restore the hives that you saved or copied before."
            }
        });
        for limit in &self.plan.rollback_limits {
            page.point(&escape(&format!("Not restored: {limit}.")));
        }
    }
}

fn with_script(page: &mut Page) {
    page.heading("In WinRE, with the script");
    page.prose(
        "In WinRE (Troubleshoot, Advanced options, Command Prompt), run this in the folder of the patch. The script finds \
         the offline Windows, compares it with the plan, saves both hives, imports the patch and reads it back. At \
         the first unexpected result, it undoes its changes:",
    );
    page.command(script::NAME);
}

/// Returns the root in reg's spelling, `HKLM\OFFLINE`; `None` if reg cannot load a hive there.
fn short_root(root: &str) -> Option<String> {
    let (top, name) = root.split_once('\\')?;
    let (_, short) = LOADABLE.iter().find(|(long, _)| same_text(long, top))?;
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    (is_plain && !name.is_empty()).then(|| format!(r"{short}\{name}"))
}

/// Returns an argument in quotes for a shell.
fn quoted(argument: &str) -> String {
    format!("'{}'", argument.replace('\'', r"'\''"))
}
