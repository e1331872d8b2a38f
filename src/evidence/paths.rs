//! How processes of this program pass paths to each other: as text, or as bytes where a path is no Unicode.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Passed<'p> {
    Text(std::borrow::Cow<'p, str>),
    Bytes(Vec<u8>),
}

impl<'p> From<&'p Path> for Passed<'p> {
    fn from(path: &'p Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.into()),
            None => Self::Bytes(path.as_os_str().as_bytes().to_vec()),
        }
    }
}

impl From<Passed<'_>> for PathBuf {
    fn from(passed: Passed<'_>) -> Self {
        match passed {
            Passed::Text(text) => Self::from(text.into_owned()),
            Passed::Bytes(bytes) => Self::from(OsString::from_vec(bytes)),
        }
    }
}

/// Writes a path.
///
/// # Errors
/// The error of the format.
pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    Passed::from(path).serialize(serializer)
}

/// Reads a path.
///
/// # Errors
/// The error of the format.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    Passed::deserialize(deserializer).map(PathBuf::from)
}

/// Paths in a list, or one that may be missing.
pub mod many {
    use super::{Deserialize, Deserializer, Passed, PathBuf, Serializer};

    /// Writes paths.
    ///
    /// # Errors
    /// The error of the format.
    pub fn serialize<'p, S, L>(paths: &'p L, serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
        &'p L: IntoIterator<Item = &'p PathBuf>,
    {
        serializer.collect_seq(paths.into_iter().map(|path| Passed::from(path.as_path())))
    }

    /// Reads paths.
    ///
    /// # Errors
    /// The error of the format.
    pub fn deserialize<'de, D, L>(deserializer: D) -> Result<L, D::Error>
    where
        D: Deserializer<'de>,
        L: super::Listed,
    {
        let all = Vec::<Passed<'_>>::deserialize(deserializer)?;
        Ok(L::of(all.into_iter().map(PathBuf::from)))
    }
}

/// What holds paths.
pub trait Listed {
    /// Keeps these paths.
    fn of(paths: impl Iterator<Item = PathBuf>) -> Self;
}

impl Listed for Vec<PathBuf> {
    fn of(paths: impl Iterator<Item = PathBuf>) -> Self {
        paths.collect()
    }
}

impl Listed for Option<PathBuf> {
    fn of(mut paths: impl Iterator<Item = PathBuf>) -> Self {
        paths.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct All {
        #[serde(with = "super")]
        one: PathBuf,
        #[serde(with = "super::many")]
        many: Vec<PathBuf>,
        #[serde(with = "super::many")]
        none: Option<PathBuf>,
        #[serde(with = "super::many")]
        some: Option<PathBuf>,
    }

    #[test]
    fn a_path_of_any_bytes_arrives_as_it_was() {
        let odd = PathBuf::from(OsString::from_vec(b"a\xff/b".to_vec()));
        let plain = PathBuf::from("mnt/päth");
        let all = All { one: odd.clone(), many: vec![plain.clone(), odd.clone()], none: None, some: Some(odd) };
        let text = serde_json::to_string(&all).unwrap();
        assert!(text.contains("mnt/päth"));
        assert_eq!(serde_json::from_str::<All>(&text).unwrap(), all);
    }
}
