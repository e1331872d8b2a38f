//! Files under the names that they had on their machine, where a store has given them others.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The files of one folder of another machine, as far as the user lists them. A clone is cheap: every image in the folder
/// has one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Files", into = "Files")]
pub struct Listed(Arc<Files>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Files {
    /// The position of each name in `paths`; `None` where several files are listed with that name.
    names: BTreeMap<String, Option<usize>>,
    /// Where the files are on this machine.
    #[serde(with = "super::paths::many")]
    paths: Vec<PathBuf>,
}

impl From<Files> for Listed {
    fn from(files: Files) -> Self {
        Self(Arc::new(files))
    }
}

impl From<Listed> for Files {
    fn from(listed: Listed) -> Self {
        Arc::unwrap_or_clone(listed.0)
    }
}

impl Listed {
    /// Returns the files, each with its name on its machine.
    pub fn of(files: impl Iterator<Item = (String, PathBuf)>) -> Self {
        let mut listed = Files::default();
        for (name, path) in files {
            let place = listed.paths.len();
            listed.paths.push(path);
            listed.names.entry(name).and_modify(|known| *known = None).or_insert(Some(place));
        }
        listed.into()
    }

    /// Returns where the file with this name is; `None` if it is not listed.
    ///
    /// # Errors
    /// Several files are listed with this name.
    pub fn file(&self, name: &str) -> io::Result<Option<&Path>> {
        match self.0.names.get(name) {
            None => Ok(None),
            Some(place) => match place.and_then(|place| self.0.paths.get(place)) {
                Some(path) => Ok(Some(path)),
                None => Err(io::Error::other("several files are listed with this original name")),
            },
        }
    }

    /// Returns the names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.names.keys().map(String::as_str)
    }

    /// Returns where the files are on this machine.
    pub fn paths(&self) -> &[PathBuf] {
        &self.0.paths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_several_files_have_names_none() {
        let files = [("a.E01", "store/1"), ("a.E02", "store/2"), ("a.E02", "store/3")];
        let listed = Listed::of(files.iter().map(|(name, path)| ((*name).to_owned(), PathBuf::from(path))));
        assert_eq!(listed.file("a.E01").unwrap(), Some(Path::new("store/1")));
        assert_eq!(listed.file("a.E03").unwrap(), None);
        assert!(listed.file("a.E02").is_err());
        assert_eq!((listed.names().count(), listed.paths().len()), (2, 3));
        let passed: Listed = serde_json::from_str(&serde_json::to_string(&listed).unwrap()).unwrap();
        assert_eq!(passed, listed);
    }
}
