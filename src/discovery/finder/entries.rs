//! The entries of one folder: files worth opening, containers, links; which are reported, and which only counted.

use std::collections::BTreeSet;

use super::{Finder, FolderPath, Nested, Wanted};
use crate::discovery::content::{self, Content};
use crate::discovery::found::{FoundFile, FoundFolder};
use crate::discovery::layout;
use crate::discovery::name;
use crate::discovery::unreadable::unreadable;
use crate::error::{Code, Problem};
use crate::evidence::file::File;
use crate::evidence::file_system::{Entry, EntryKind, Vouched};
use crate::evidence::format::{Format, first_part, is_named_like_one, unpacks_itself};
use crate::evidence::kind::Kind;
use crate::evidence::ledger::LONE_LOG;

impl Finder<'_> {
    /// Handles each entry of a folder.
    pub(super) fn take(&mut self, path: &FolderPath, mut folder: FoundFolder, entries: &[Entry], evidence: bool) {
        let mut logs = Vec::new();
        let mut hives = false;
        let names: BTreeSet<String> = entries.iter().map(|entry| entry.name.to_text()).collect();
        for entry in entries {
            if self.is_late() {
                return;
            }
            let text = entry.name.to_text();
            let hive_like = name::fits(&text) || name::is_hive_in_container(&text);
            match entry.kind {
                EntryKind::Folder => {}
                EntryKind::Link => self.link(path, entry, evidence, hive_like),
                EntryKind::Elsewhere(tag) => self.elsewhere(path, entry, tag, hive_like),
                EntryKind::Other if hive_like && evidence => {
                    let problem =
                        Problem::new("a regular file", "a device, a pipe, or a member of a type that is not read");
                    self.refuse(path, entry, "file", problem.code(Code::NotAHive), true);
                }
                EntryKind::Other => {
                    self.ledger.pass(self.scope.source, "device, pipe or member of a type that is not read");
                }
                EntryKind::File if !evidence && !hive_like && !folder.named => {
                    let word = name::container(&text).unwrap_or("container");
                    self.ledger.pass(self.scope.source, format!("{word} outside the places where Windows keeps hives"));
                }
                EntryKind::File => {
                    let found = self.file(path, &folder, entry, &text, evidence, &names);
                    match found {
                        Some(found) if found.content == Content::Log || name::is_log(&text) => {
                            logs.push((entry, found));
                        }
                        Some(found) => {
                            hives |= found.content == Content::Hive;
                            self.insert(path, &mut folder, entry, found);
                        }
                        None => {}
                    }
                }
            }
        }
        for (entry, found) in logs {
            // Without a hive beside it, a log is useless; if the user named it, it is reported. The content of a single
            // compressed file belongs beside other files.
            if hives || folder.named || self.scope.logs || self.scope.system.is_single() {
                self.insert(path, &mut folder, entry, found);
            } else if found.content == Content::Log {
                self.ledger.pass(self.scope.source, LONE_LOG);
            }
        }
        self.search.tree.folders.insert(path.names.clone(), folder);
    }

    pub(super) fn insert(&mut self, path: &FolderPath, folder: &mut FoundFolder, entry: &Entry, found: FoundFile) {
        if folder.files.contains_key(&entry.name) {
            let problem = Problem::new("one file of this name", "a second file in the same folder, which was skipped");
            return self.refuse(path, entry, "file", problem.code(Code::Damaged).advise("unpack it by hand"), true);
        }
        let readable = found.unreadable.is_none();
        if readable && (matches!(found.content, Content::Hive | Content::Log) || name::is_log(&entry.name.to_text())) {
            let folder = path.names.clone();
            self.search.wanted.push(Wanted { folder, name: entry.name.clone(), node: entry.node });
        }
        folder.files.insert(entry.name.clone(), Box::new(found));
    }

    /// Returns a file with its kind, if the file can matter.
    pub(super) fn file(
        &mut self,
        path: &FolderPath,
        folder: &FoundFolder,
        entry: &Entry,
        text: &str,
        evidence: bool,
        beside: &BTreeSet<String>,
    ) -> Option<FoundFile> {
        let hive_like = name::fits(text) || name::is_hive_in_container(text);
        // A file in a known place and a file that the user named always count; in plain folders there is a limit.
        if !folder.place.known && !folder.named && !hive_like {
            match self.heads.checked_sub(1) {
                Some(left) => self.heads = left,
                None if !is_named_like_one(text) => {
                    self.by_name = self.by_name.saturating_add(1);
                    return None;
                }
                None => {}
            }
        }
        let locator = self.locator_of(path, entry);
        let mut found = FoundFile {
            locator: locator.to_string(),
            content: Content::Empty,
            file: File::on_disk(""),
            size: entry.size,
            vouched: Vouched::Unprotected,
            origin: None,
            is_lent: false,
            named: folder.named,
            unreadable: None,
        };
        let head = match self.scope.system.head(entry.node) {
            Ok(head) => head,
            Err(error) => {
                found.unreadable = Some(unreadable(&error));
                // Outside the places, a file without a hive's name is only counted.
                if evidence || hive_like {
                    return Some(found);
                }
                self.ledger
                    .pass(self.scope.source, "file that cannot be read, outside the places where Windows keeps hives");
                return None;
            }
        };
        found.size = head.size;
        found.content = content::of(&head, text);
        let opened = evidence || folder.named || name::is_hive_in_container(text);
        match &found.content {
            Content::Container(kind) => {
                self.container(path, entry, text, *kind, folder.named, opened, beside);
                None
            }
            Content::Refused { what, advice } => {
                self.refused(path, entry, text, what, advice, opened, beside);
                None
            }
            content if evidence && !folder.named && content.may_be_part() && Self::is_orphan(text, beside) => {
                self.first_part_missing(path, entry, text);
                None
            }
            Content::Program if opened && self.unpacks_itself(path, entry) => None,
            Content::Hive | Content::Log => Some(found),
            Content::Empty | Content::Unclear(_) | Content::Other(_) | Content::Text(_) | Content::Program => {
                (folder.named || name::role(text).is_some() || name::is_log(text)).then_some(found)
            }
        }
    }

    /// Handles a container: opened in the places where people put evidence, otherwise counted.
    #[allow(clippy::too_many_arguments, reason = "all of it decides")]
    pub(super) fn container(
        &mut self,
        path: &FolderPath,
        entry: &Entry,
        text: &str,
        kind: Kind,
        named: bool,
        opened: bool,
        beside: &BTreeSet<String>,
    ) {
        let source = self.scope.source;
        // NTFS' own files begin like a disk: $Boot, $MFTMirr.
        if kind.is_image() && text.starts_with('$') && !named {
            return self.ledger.pass(source, "file of the file system's own");
        }
        if kind.is_image() && !named && first_part(text).is_some() {
            if Self::is_orphan(text, beside) && opened {
                return self.first_part_missing(path, entry, text);
            }
            return self.ledger.pass(source, "part of an image beside it");
        }
        if opened {
            let folder = path.names.clone();
            self.search.nested.push(Nested { folder, entry: entry.clone(), kind, named });
        } else {
            let word = name::container(text).unwrap_or("container");
            self.ledger.pass(source, format!("{word} outside the places where Windows keeps hives"));
        }
    }

    /// Handles a format that is recognised and refused.
    #[allow(clippy::too_many_arguments, reason = "all of it decides")]
    pub(super) fn refused(
        &mut self,
        path: &FolderPath,
        entry: &Entry,
        text: &str,
        what: &str,
        advice: &str,
        opened: bool,
        beside: &BTreeSet<String>,
    ) {
        let source = self.scope.source;
        // The content decides what a later segment is: the name of an `.esd` file looks like one.
        let segment = what.contains("later segment");
        if segment && first_part(text).is_some_and(|first| is_there(beside, &first)) {
            return self.ledger.pass(source, "part of an image beside it");
        }
        if !opened {
            return self.ledger.pass(source, format!("{what} outside the places where Windows keeps hives"));
        }
        if segment {
            return self.first_part_missing(path, entry, text);
        }
        let problem = Problem::new("a format that is read", what.to_owned()).advise(advice.to_owned());
        self.refuse(path, entry, "container", problem.code(Code::UnsupportedFormat), true);
    }

    /// Reports a program that extracts an archive from itself, and returns whether it is one.
    pub(super) fn unpacks_itself(&mut self, path: &FolderPath, entry: &Entry) -> bool {
        let Some(program) = self.scope.system.blocks(entry.node) else { return false };
        let what = match unpacks_itself(&program) {
            Ok(Some((Format::Refused(row), _))) => row.what,
            Ok(Some(_)) => "a 7z archive",
            Ok(None) | Err(_) => return false,
        };
        let problem = Problem::new("a format that is read", format!("a program that unpacks {what}"));
        let problem = problem.code(Code::UnsupportedFormat).advise("unpack it: 7z x FILE");
        self.refuse(path, entry, "container", problem, true);
        true
    }

    /// Returns whether a file has the name of a later part and the first part is missing beside it.
    pub(super) fn is_orphan(text: &str, beside: &BTreeSet<String>) -> bool {
        first_part(text).is_some_and(|first| !is_there(beside, &first))
    }

    pub(super) fn first_part_missing(&mut self, path: &FolderPath, entry: &Entry, text: &str) {
        let first = first_part(text).unwrap_or_else(|| "the first part".to_owned());
        let problem =
            Problem::new("the first part of the image or archive", format!("a later part; {first} is missing"));
        let problem =
            problem.code(Code::FirstPartMissing).advise("put all parts into one folder, and name the first one");
        self.refuse(path, entry, "container", problem, true);
    }

    pub(super) fn link(&mut self, path: &FolderPath, entry: &Entry, evidence: bool, hive_like: bool) {
        let text = entry.name.to_text();
        let mut parts = path.parts.clone();
        parts.push(layout::part(&text));
        // In a plain folder, a link without an extension may lead to a folder.
        let may_hold = hive_like || is_named_like_one(&text) || !text.contains('.');
        if hive_like || layout::is_on_the_way(&parts) || (evidence && may_hold) {
            let problem =
                Problem::new("a file or a folder", "a link, which was not followed").code(Code::LinkNotFollowed);
            let problem = problem.advise("name the target of the link, if it is evidence");
            self.refuse(path, entry, "link", problem, true);
        } else {
            self.ledger.pass(self.scope.source, "link that was not followed");
        }
    }

    pub(super) fn elsewhere(&mut self, path: &FolderPath, entry: &Entry, tag: u32, hive_like: bool) {
        if !hive_like {
            return self.ledger.pass(self.scope.source, "file whose bytes are kept elsewhere");
        }
        let (what, advice) = match tag {
            0x8000_0013 => (
                "a deduplicated file: its bytes lie in the chunk store of the volume",
                "copy it on a Windows Server with Data Deduplication, or mount the volume with ntfs-3g and its dedup plugin",
            ),
            0x8000_0017 => (
                "a file that WOF compresses (compact /exe)",
                "mount the volume with ntfs-3g and its system compression plugin, and copy the file",
            ),
            _ => ("a file whose bytes are kept elsewhere", "copy it with the system that wrote it"),
        };
        let problem = Problem::new("a file with bytes of its own", format!("{what} (reparse tag {tag:#010x})"));
        self.refuse(path, entry, "file", problem.code(Code::KeptElsewhere).advise(advice), true);
    }

    pub(super) fn refuse(&mut self, path: &FolderPath, entry: &Entry, kind: &str, problem: Problem, gap: bool) {
        let locator = self.locator_of(path, entry).to_string();
        self.ledger.refuse_member(self.scope.source, kind, Problem { path: Some(locator), ..problem }, gap);
    }
}

fn is_there(names: &BTreeSet<String>, wanted: &str) -> bool {
    names.contains(wanted) || names.iter().any(|name| name.eq_ignore_ascii_case(wanted))
}
