//! What the name of an image says.

/// What stands behind the last dot of a name; nothing where there is no dot.
pub(super) fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}
