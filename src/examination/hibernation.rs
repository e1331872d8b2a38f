//! Whether the Windows of these hives sleeps: then it goes on with the registry that it has in its hibernation file,
//! and what somebody changes in the hives meanwhile is overwritten, or worse, mixed with it.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::control_set::key_name;
use crate::discovery::{Generation, Installation};
use crate::hive::Tree;

/// What to mind before the hives are written to, in sentences.
pub(super) fn warnings(
    installation: &Installation,
    system: Option<&Tree<'_>>,
    control_set: Option<u32>,
) -> Vec<String> {
    if !matches!(installation.generation, Generation::Live | Generation::Copy) {
        return Vec::new();
    }
    let file = installation.hives.iter().filter(|hive| hive.file.is_on_disk()).find_map(|hive| beside(&hive.file.path));
    let mut warnings = Vec::new();
    match file {
        Some(State::Asleep) => warnings.push(
            "hiberfil.sys on this volume holds a Windows that was hibernated, or shut down with fast startup: when it \
             wakes, it goes on with the registry that it has in there. Start and restart it before a patch is imported \
             offline."
                .to_owned(),
        ),
        Some(State::Unknown) => warnings.push(
            "hiberfil.sys on this volume cannot be read: if Windows was hibernated, a patch that is imported offline is \
             lost when it wakes."
                .to_owned(),
        ),
        None if fast_startup(system, control_set) => warnings.push(
            "fast startup is on (HiberbootEnabled is 1), and hiberfil.sys is not at hand: after a shutdown, other than \
             after a restart, Windows goes on with the registry that it had, and a patch that is imported offline is lost."
                .to_owned(),
        ),
        Some(State::Awake) | None => {}
    }
    warnings
}

/// What a hibernation file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is a memory image to go on with.
    Asleep,
    /// Its image was used, or none was ever written.
    Awake,
    /// It is there, and cannot be read.
    Unknown,
}

/// The hibernation file on the volume whose `Windows/System32/config` holds a hive; `None` where there is none.
fn beside(hive: &Path) -> Option<State> {
    // config, System32, Windows, and the volume.
    let volume = hive.ancestors().nth(4)?;
    let volume = if volume.as_os_str().is_empty() { Path::new(".") } else { volume };
    let config = hive.parent()?.file_name()?;
    if !config.eq_ignore_ascii_case("config") {
        return None;
    }
    let is_it = |entry: &fs::DirEntry| entry.file_name().eq_ignore_ascii_case("hiberfil.sys");
    let entry = fs::read_dir(volume).ok()?.flatten().find(is_it)?;
    // A link may lead out of the evidence.
    entry.file_type().ok().filter(fs::FileType::is_file)?;
    let mut signature = [0; 4];
    let read = File::open(entry.path()).and_then(|mut file| file.read_exact(&mut signature));
    Some(match read {
        // An empty file holds nothing.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => State::Awake,
        Err(_) => State::Unknown,
        Ok(()) => of_signature(signature),
    })
}

/// `hibr` stands at the beginning of an image that is to be resumed, in capitals from Windows 8 on; `rstr` while that is
/// done. `wake` and zeros are what is left of one that was. (ntfs-3g, `ntfs_volume_check_hiberfile`; J. Metz, "Windows
/// hibernation file format".)
fn of_signature(signature: [u8; 4]) -> State {
    match signature.to_ascii_lowercase().as_slice() {
        b"hibr" | b"rstr" => State::Asleep,
        _ => State::Awake,
    }
}

/// Whether Windows hibernates its kernel in place of shutting down, from Windows 8 on.
fn fast_startup(system: Option<&Tree<'_>>, control_set: Option<u32>) -> bool {
    let read = || {
        let path = format!(r"{}\Control\Session Manager\Power", key_name(control_set?));
        system?.key(&path).ok()??.value("HiberbootEnabled").ok()??.as_number()
    };
    read() == Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hibernation_file_is_asleep_until_it_was_resumed() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("Windows/System32/config");
        fs::create_dir_all(&config).unwrap();
        let state = || beside(&config.join("SYSTEM"));
        assert_eq!(state(), None);
        for (bytes, expected) in [
            (&b"hibr..."[..], State::Asleep),
            (b"HIBR....", State::Asleep),
            (b"RSTR....", State::Asleep),
            (b"WAKE....", State::Awake),
            (b"\0\0\0\0", State::Awake),
            (b"", State::Awake),
        ] {
            fs::write(folder.path().join("HIBERFIL.SYS"), bytes).unwrap();
            assert_eq!(state(), Some(expected), "{}", bytes.escape_ascii());
        }
        assert_eq!(beside(&folder.path().join("case/hives/SYSTEM")), None);
    }
}
