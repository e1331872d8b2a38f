//! The hibernation file on the volume of the hives.

use serde::{Deserialize, Serialize};

use crate::evidence::file_system::Head;

/// The state of a hibernation file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hibernation {
    /// The file contains a memory image that Windows will resume.
    Asleep,
    /// Windows has resumed its image, or never wrote one.
    Awake,
    /// The file exists, but is unreadable.
    Unknown,
}

/// The file for Windows' memory during hibernation, in the root of its volume.
pub(super) const NAME: &str = "hiberfil.sys";

/// Returns whether a file is the hibernation file, by its name.
pub(super) fn is_named(name: &str) -> bool {
    name.eq_ignore_ascii_case(NAME)
}

/// Returns the state by the beginning of the hibernation file; [`Hibernation::Unknown`] if the beginning is `None`.
pub(super) fn of(head: Option<&Head>) -> Hibernation {
    head.map_or(Hibernation::Unknown, |head| of_signature(&head.bytes))
}

/// Returns the state by the signature. `hibr` begins an image that will be resumed, in capitals from Windows 8 on;
/// `rstr` stands there during the resume. `wake` and zeros remain after it. (ntfs-3g, `ntfs_volume_check_hiberfile`; J.
/// Metz, "Windows hibernation file format".)
fn of_signature(bytes: &[u8]) -> Hibernation {
    match bytes.get(..4).unwrap_or_default().to_ascii_lowercase().as_slice() {
        b"hibr" | b"rstr" => Hibernation::Asleep,
        _ => Hibernation::Awake,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hibernation_file_is_asleep_until_it_was_resumed() {
        for (bytes, expected) in [
            (&b"hibr..."[..], Hibernation::Asleep),
            (b"HIBR....", Hibernation::Asleep),
            (b"RSTR....", Hibernation::Asleep),
            (b"WAKE....", Hibernation::Awake),
            (b"\0\0\0\0", Hibernation::Awake),
            (b"", Hibernation::Awake),
        ] {
            let head = Head { bytes: bytes.to_vec(), ..Head::default() };
            assert_eq!(of(Some(&head)), expected, "{}", bytes.escape_ascii());
        }
        assert_eq!(of(None), Hibernation::Unknown);
        assert!(is_named("HIBERFIL.SYS"));
    }
}
