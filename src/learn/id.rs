//! Ids of learned keys in kebab-case. The same path always has the same id, whatever else was learned.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::evidence::sha256_of;
use crate::registry::{Role, upcase};

/// The longest id. Longer ones are cut, and their checksum distinguishes them.
const LONGEST: usize = 80;

/// The ids in use.
#[derive(Default)]
pub(super) struct Ids(BTreeSet<String>);

impl Ids {
    /// Returns the id of a key. A path of only letters and digits is its own id. Any other gets a checksum at its end,
    /// because several paths may look alike.
    pub(super) fn of(&mut self, role: Role, path: &str) -> String {
        let path = path.strip_prefix(r"CurrentControlSet\").unwrap_or(path);
        let slug = slug(&format!(r"{role}\{path}"));
        let plain =
            path.split('\\').all(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let mut id = if plain && slug.len() <= LONGEST { slug } else { with_sum(&slug, path, 8) };
        if self.0.contains(&id) {
            id = with_sum(&id, path, 64);
        }
        self.0.insert(id.clone());
        id
    }
}

fn with_sum(slug: &str, path: &str, digits: usize) -> String {
    let upper: Vec<u8> = path.encode_utf16().map(upcase).flat_map(u16::to_le_bytes).collect();
    let sum = sha256_of(&upper);
    let slug = slug.get(..slug.len().min(LONGEST)).unwrap_or(slug).trim_end_matches('-');
    let mut id = slug.to_owned();
    // Writing to a String cannot fail.
    let _ = write!(id, "-{}", sum.get(..digits).unwrap_or(&sum));
    id
}

/// Returns the words of a text in kebab-case.
pub(super) fn slug(text: &str) -> String {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_path_and_a_sum_where_paths_look_alike() {
        let id = |path: &str| Ids::default().of(Role::System, path);
        assert_eq!(id(r"CurrentControlSet\Services\BITS\Parameters"), "system-services-bits-parameters");
        assert_ne!(id(r"CurrentControlSet\Services\A-B"), id(r"CurrentControlSet\Services\A B"));
        assert_ne!(id(r"CurrentControlSet\Services\A\B"), id(r"CurrentControlSet\Services\A-B"));
        assert_eq!(id(r"CurrentControlSet\Services\Ä-b"), id(r"CurrentControlSet\services\ä-B"));
        let mut ids = Ids::default();
        let first = ids.of(Role::System, "A");
        assert_ne!(ids.of(Role::System, r"CurrentControlSet\A"), first);
    }
}
