//! The importers of `.reg` files.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A program that imports `.reg` files. Each has a grammar of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Importer {
    /// regedit of Windows 2000 and later, which `reg import` matches.
    #[default]
    Regedit,
    /// `hivexregedit --merge` of libwin-hivex-perl, and `virt-win-reg --merge`, which uses the same module.
    Hivexregedit,
}

impl Importer {
    /// Every importer that is modelled.
    pub const ALL: [Self; 2] = [Self::Regedit, Self::Hivexregedit];

    /// Returns the stable name, as in `--importer` and the header of a patch.
    pub fn id(self) -> &'static str {
        match self {
            Self::Regedit => "regedit",
            Self::Hivexregedit => "hivexregedit",
        }
    }
}

impl fmt::Display for Importer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Importer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A name that no importer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected regedit or hivexregedit")]
pub struct UnknownImporter;

impl FromStr for Importer {
    type Err = UnknownImporter;

    fn from_str(text: &str) -> Result<Self, UnknownImporter> {
        Self::ALL.into_iter().find(|importer| importer.id() == text).ok_or(UnknownImporter)
    }
}

impl Serialize for Importer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

/// A set of importers that a diagnostic concerns.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Importers(u8);

impl Importers {
    /// Returns whether the set contains this importer.
    pub fn contains(self, importer: Importer) -> bool {
        self.0 & Self::from(importer).0 != 0
    }

    /// Returns the importers of both sets.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Returns the importers, in the order of [`Importer::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Importer> {
        Importer::ALL.into_iter().filter(move |&importer| self.contains(importer))
    }
}

impl From<Importer> for Importers {
    fn from(importer: Importer) -> Self {
        Self(match importer {
            Importer::Regedit => 1,
            Importer::Hivexregedit => 2,
        })
    }
}

impl fmt::Debug for Importers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn importers_go_by_their_names() {
        for importer in Importer::ALL {
            assert_eq!(importer.id().parse(), Ok(importer));
        }
        assert_eq!("reged".parse::<Importer>(), Err(UnknownImporter));
    }

    #[test]
    fn a_set_holds_what_was_put_into_it() {
        let regedit = Importers::from(Importer::Regedit);
        assert!(regedit.contains(Importer::Regedit) && !regedit.contains(Importer::Hivexregedit));
        let both = regedit.and(Importer::Hivexregedit.into());
        assert!(both.iter().eq(Importer::ALL));
        assert_eq!(format!("{both:?}"), "{Regedit, Hivexregedit}");
    }
}
