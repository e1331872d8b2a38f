//! Systems that neither version nor build identifies: Windows PE, a container layer, and systems that only report the
//! version of a Windows.

use super::marks::{SoftwareMarks, SystemMarks};
use super::release::{OTHERS, Other};

/// Marks for and against a result, each with its weight.
#[derive(Debug, Default)]
pub(super) struct Scale {
    pub(super) with: Vec<String>,
    pub(super) against: Vec<String>,
    weight: i64,
}

impl Scale {
    fn mark(&mut self, holds: bool, weight: i64, text: impl Into<String>) {
        if holds {
            self.with.push(text.into());
            self.weight = self.weight.saturating_add(weight);
        }
    }

    fn counter(&mut self, holds: bool, weight: i64, text: impl Into<String>) {
        if holds {
            self.against.push(text.into());
            self.weight = self.weight.saturating_sub(weight);
        }
    }

    /// Returns whether the marks for it outweigh those against it.
    pub(super) fn tips(&self) -> bool {
        self.weight > 0
    }
}

/// Returns the marks for and against Windows PE. One mark alone can be planted, because `MiniNT` also stops a Windows'
/// event log. So marks of a whole Windows count against it. Real Windows PE hives have neither SENS nor Windows Update.
pub(super) fn preinstallation(software: &SoftwareMarks, system: Option<&SystemMarks>) -> Scale {
    let mut scale = Scale::default();
    scale.mark(software.has_win_pe, 2, "SOFTWARE: key WinPE");
    let texts = [("InstallationType", &software.installation_type, 3), ("EditionID", &software.edition, 2)];
    for (name, text, weight) in texts {
        let Some(text) = text else { continue };
        let says_pe = text.eq_ignore_ascii_case("WindowsPE");
        scale.mark(says_pe, 3, format!("SOFTWARE: {name}={text}"));
        scale.counter(!says_pe, weight, format!("SOFTWARE: {name}={text}"));
    }
    if let Some(root) = &software.system_root {
        // Windows PE runs from a RAM disk, which is drive X.
        let on_x = root.get(..2).is_some_and(|drive| drive.eq_ignore_ascii_case("X:"));
        scale.mark(on_x, 2, format!("SOFTWARE: SystemRoot={root}"));
        scale.counter(!on_x, 1, format!("SOFTWARE: SystemRoot={root}"));
    }
    if let Some(system) = system {
        scale.mark(system.has_mini_nt, 2, "SYSTEM: key Control\\MiniNT");
        let shell = system.setup_command.as_ref().filter(|command| command.to_ascii_lowercase().contains("winpeshl"));
        scale.mark(shell.is_some(), 2, "SYSTEM: setup runs winpeshl.exe");
        for service in ["SENS", "wuauserv"] {
            scale.counter(system.services.contains(&service), 2, format!("SYSTEM: service {service}"));
        }
    }
    scale
}

/// Returns the marks for and against a container layer. Layered keys, format 1.6, exist only there (msuhanov, "Windows
/// registry file format specification"). A layer contains few keys, and no services of a whole Windows.
pub(super) fn container(system: Option<&SystemMarks>) -> Scale {
    let mut scale = Scale::default();
    if let Some(system) = system {
        scale.mark(system.format_minor >= 6, 2, "SYSTEM: a container's hive (layered format 1.6)");
        for service in ["SENS", "wuauserv"] {
            scale.counter(system.services.contains(&service), 2, format!("SYSTEM: service {service}"));
        }
    }
    scale
}

/// Returns the system with its own name that reports the version of a Windows, and the mark with that name.
pub(super) fn other(software: &SoftwareMarks) -> Option<(&'static Other, String)> {
    let holds = |text: Option<&String>, test: &dyn Fn(&str) -> bool| text.filter(|text| test(text)).cloned();
    OTHERS.iter().find_map(|other| {
        let by_name = other.product_name.and_then(|name| {
            holds(software.product_name.as_ref(), &|text| text.contains(name)).map(|text| ("ProductName", text))
        });
        let by_type = other.installation_type.and_then(|kind| {
            let same = |text: &str| text.eq_ignore_ascii_case(kind);
            holds(software.installation_type.as_ref(), &same).map(|text| ("InstallationType", text))
        });
        let by_edition = other.edition_suffix.and_then(|suffix| {
            holds(software.edition.as_ref(), &|text| text.ends_with(suffix)).map(|text| ("EditionID", text))
        });
        let (name, text) = by_name.or(by_type).or(by_edition)?;
        Some((other, format!("SOFTWARE: {name}={text}")))
    })
}
