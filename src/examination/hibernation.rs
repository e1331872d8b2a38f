//! Detects whether the Windows of these hives is hibernated. A hibernated Windows resumes with the registry in its
//! hibernation file and overwrites offline changes, or mixes them with its own.

use crate::control_set::key_name;
use crate::discovery::{Hibernation, Installation};
use crate::hive::Tree;

/// Returns warnings, in sentences, about writing to the hives.
pub(super) fn warnings(
    installation: &Installation,
    system: Option<&Tree<'_>>,
    control_set: Option<u32>,
) -> Vec<String> {
    if !installation.generation.is_current() {
        return Vec::new();
    }
    let mut warnings = Vec::new();
    match installation.hibernation {
        Some(Hibernation::Asleep) => warnings.push(
            "hiberfil.sys on this volume holds a Windows that was hibernated, or shut down with fast startup: a \
             hibernated Windows resumes with the registry in its memory and overwrites offline changes. Start and \
             restart this Windows before you import a patch offline."
                .to_owned(),
        ),
        Some(Hibernation::Unknown) => warnings.push(
            "hiberfil.sys on this volume cannot be read: if Windows is hibernated, it overwrites a patch that is \
             imported offline when it resumes."
                .to_owned(),
        ),
        None if fast_startup(system, control_set) => warnings.push(
            "fast startup is on (HiberbootEnabled is 1), and hiberfil.sys is not part of the evidence: after a \
             shutdown (but not after a restart), Windows resumes with the registry in its memory and overwrites a \
             patch that is imported offline."
                .to_owned(),
        ),
        Some(Hibernation::Awake) | None => {}
    }
    warnings
}

/// Returns whether Windows hibernates its kernel instead of shutting down, which exists since Windows 8.
fn fast_startup(system: Option<&Tree<'_>>, control_set: Option<u32>) -> bool {
    let read = || {
        let path = format!(r"{}\Control\Session Manager\Power", key_name(control_set?));
        system?.key(&path).ok()??.value("HiberbootEnabled").ok()??.as_number()
    };
    read() == Some(1)
}
