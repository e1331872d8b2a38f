//! The hibernation file on the volume of the hives.

use std::path::Path;

use crate::evidence::tree::Tree;
use crate::evidence::unpacker::is_hibernation;

/// What a hibernation file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hibernation {
    /// There is a memory image to go on with.
    Asleep,
    /// Its image was used, or none was ever written.
    Awake,
    /// It is there, and cannot be read.
    Unknown,
}

/// The hibernation file on the volume whose `Windows/System32/config` this folder is; `None` where there is none.
pub(super) fn beside(tree: &dyn Tree, folder: &Path) -> Option<Hibernation> {
    if !folder.file_name()?.eq_ignore_ascii_case("config") {
        return None;
    }
    // config, System32, Windows, and the volume.
    let volume = folder.ancestors().nth(3)?;
    // Links, which may lead out of the evidence, are no files.
    let name = tree.files_in(volume).ok()?.into_iter().find(|name| is_hibernation(Path::new(name)))?;
    Some(match tree.look(&volume.join(name)) {
        Ok(beginning) => of_signature(&beginning.bytes),
        Err(_) => Hibernation::Unknown,
    })
}

/// `hibr` stands at the beginning of an image that is to be resumed, in capitals from Windows 8 on; `rstr` while that is
/// done. `wake` and zeros are what is left of one that was. (ntfs-3g, `ntfs_volume_check_hiberfile`; J. Metz, "Windows
/// hibernation file format".)
fn of_signature(bytes: &[u8]) -> Hibernation {
    match bytes.get(..4).unwrap_or_default().to_ascii_lowercase().as_slice() {
        b"hibr" | b"rstr" => Hibernation::Asleep,
        _ => Hibernation::Awake,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::evidence::tree::Disk;

    #[test]
    fn a_hibernation_file_is_asleep_until_it_was_resumed() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("Windows/System32/config");
        fs::create_dir_all(&config).unwrap();
        let state = || beside(&Disk, &config);
        assert_eq!(state(), None);
        for (bytes, expected) in [
            (&b"hibr..."[..], Hibernation::Asleep),
            (b"HIBR....", Hibernation::Asleep),
            (b"RSTR....", Hibernation::Asleep),
            (b"WAKE....", Hibernation::Awake),
            (b"\0\0\0\0", Hibernation::Awake),
            (b"", Hibernation::Awake),
        ] {
            fs::write(folder.path().join("HIBERFIL.SYS"), bytes).unwrap();
            assert_eq!(state(), Some(expected), "{}", bytes.escape_ascii());
        }
        assert_eq!(beside(&Disk, &folder.path().join("case/hives")), None);
    }
}
