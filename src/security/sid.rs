//! Security identifiers, and the names of those that every Windows has.

use std::fmt;

/// Everyone, which everybody holds.
pub const EVERYONE: &str = "S-1-1-0";
/// In an inherited entry: the owner of the object that inherits it.
pub(super) const CREATOR_OWNER: &str = "S-1-3-0";
/// In an inherited entry: the group of the object that inherits it.
pub(super) const CREATOR_GROUP: &str = "S-1-3-1";
/// The current owner.
pub(super) const OWNER_RIGHTS: &str = "S-1-3-4";

/// Well-known identifiers, with their names in the dialogs of Windows.
///
/// <https://learn.microsoft.com/windows-server/identity/ad-ds/manage/understand-security-identifiers>,
/// MS-DTYP, section 2.4.2.4. TrustedInstaller's is the same on every machine, because it is computed from the service's
/// name.
const NAMES: [(&str, &str); 28] = [
    (EVERYONE, "Everyone"),
    ("S-1-2-0", "LOCAL"),
    ("S-1-2-1", "CONSOLE LOGON"),
    (CREATOR_OWNER, "CREATOR OWNER"),
    (CREATOR_GROUP, "CREATOR GROUP"),
    (OWNER_RIGHTS, "OWNER RIGHTS"),
    ("S-1-5-2", "NETWORK"),
    ("S-1-5-3", "BATCH"),
    ("S-1-5-4", "INTERACTIVE"),
    ("S-1-5-6", "SERVICE"),
    ("S-1-5-7", "ANONYMOUS LOGON"),
    ("S-1-5-11", "Authenticated Users"),
    ("S-1-5-12", "RESTRICTED"),
    ("S-1-5-13", "TERMINAL SERVER USER"),
    ("S-1-5-18", "SYSTEM"),
    ("S-1-5-19", "LOCAL SERVICE"),
    ("S-1-5-20", "NETWORK SERVICE"),
    ("S-1-5-32-544", "Administrators"),
    ("S-1-5-32-545", "Users"),
    ("S-1-5-32-546", "Guests"),
    ("S-1-5-32-547", "Power Users"),
    ("S-1-5-32-549", "Server Operators"),
    ("S-1-5-32-551", "Backup Operators"),
    ("S-1-5-32-556", "Network Configuration Operators"),
    ("S-1-5-80-0", "ALL SERVICES"),
    ("S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464", r"NT SERVICE\TrustedInstaller"),
    ("S-1-15-2-1", "ALL APPLICATION PACKAGES"),
    ("S-1-15-2-2", "ALL RESTRICTED APPLICATION PACKAGES"),
];

/// A security identifier, such as `S-1-5-32-545`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sid(String);

impl Sid {
    /// Decodes the packet form (MS-DTYP, section 2.4.2.2) at the start of the bytes; `None` if they are too short.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (revision, count) = (bytes.first()?, usize::from(*bytes.get(1)?));
        let authority = bytes.get(2..8)?.iter().fold(0_u64, |sum, byte| sum.wrapping_shl(8) | u64::from(*byte));
        let parts = bytes.get(8..)?.as_chunks::<4>().0.get(..count)?;
        let parts: Vec<String> = parts.iter().map(|part| format!("-{}", u32::from_le_bytes(*part))).collect();
        Some(Self(format!("S-{revision}-{authority}{}", parts.concat())))
    }

    pub(super) fn everyone() -> Self {
        Self(EVERYONE.to_owned())
    }

    /// Returns the identifier as text: `S-1-5-32-545`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name, if it is the same on every Windows.
    pub fn name(&self) -> Option<&'static str> {
        NAMES.iter().find(|(sid, _)| *sid == self.0).map(|(_, name)| *name)
    }
}

impl fmt::Display for Sid {
    /// Writes `Users (S-1-5-32-545)`, or only the identifier if it has no known name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => f.write_str(&self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_printed_as_windows_does() {
        let trusted = [80, 956_008_885, 3_418_522_649, 1_831_038_044, 1_853_292_631, 2_271_478_464_u32];
        let mut bytes = vec![1, 6, 0, 0, 0, 0, 0, 5];
        bytes.extend(trusted.iter().flat_map(|part| part.to_le_bytes()));
        let sid = Sid::decode(&bytes).unwrap();
        assert_eq!(sid.name(), Some(r"NT SERVICE\TrustedInstaller"));
        assert!(sid.to_string().ends_with("(S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)"));
        assert_eq!(Sid::decode(&bytes[..31]), None);
        let stranger = Sid::decode(&[1, 1, 0, 0, 0, 1, 0, 5, 9, 0, 0, 0]).unwrap();
        assert_eq!(stranger.to_string(), "S-1-65541-9");
    }
}
