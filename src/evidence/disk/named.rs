//! The extension of an image's name.

/// Returns the text behind the last dot of a name; empty if the name has no dot.
pub(super) fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}
