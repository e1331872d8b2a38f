//! Finds the user's key that unlocks a volume.

use sha2::{Digest, Sha256};

use super::super::guid::Guid;
use super::cipher::{Cipher, Method};
use super::entries::{Kind, Protector};
use super::keys::{Key, Keys, Secret};
use super::metadata::{Checksum, Metadata};
use super::unwrap;

/// The most passwords to stretch for a volume; each takes a tenth of a second.
const MOST_STRETCHES: usize = 512;

/// A key that unlocks the volume.
pub(super) struct Unlocked {
    pub(super) cipher: Cipher,
    /// Its method.
    pub(super) method: Method,
    /// The kind of protector that the key opened.
    pub(super) with: String,
}

/// Why a volume is not unlocked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No key unlocks it; the reason.
    Locked(String),
    /// A key unlocks it, but something else does not match: expected, found.
    Damaged(&'static str, String),
}

/// Tries keys, and remembers the stretched ones.
pub(super) struct Trials<'a> {
    keys: &'a Keys,
    /// Hash, salt and the stretched key.
    stretched: Vec<([u8; 32], [u8; 16], [u8; 32])>,
}

impl<'a> Trials<'a> {
    pub(super) fn new(keys: &'a Keys) -> Self {
        Self { keys, stretched: Vec::new() }
    }

    /// Unlocks a volume by one of its metadata blocks; the cipher is for sectors of 512 bytes.
    pub(super) fn unlock(&mut self, metadata: &Metadata) -> Result<Unlocked, Refusal> {
        let mut damage = None;
        // Keys that cost nothing come first.
        for kind in [Kind::Clear, Kind::External, Kind::RecoveryPassword, Kind::Password] {
            for protector in metadata.protectors.iter().filter(|one| one.kind() == kind) {
                if let Some(master) = self.master(metadata, protector) {
                    match open(metadata, &master) {
                        Ok((method, cipher)) => return Ok(Unlocked { cipher, method, with: protector.words() }),
                        Err(refusal) => damage = Some(refusal),
                    }
                }
            }
        }
        Err(damage.unwrap_or_else(|| Refusal::Locked(self.why(metadata))))
    }

    /// Returns the master key from one protector.
    fn master(&mut self, metadata: &Metadata, protector: &Protector) -> Option<[u8; 32]> {
        if protector.kind() == Kind::Clear {
            return protector.clear.and_then(|key| unseal(protector, &key));
        }
        let keys = self.keys;
        keys.keys.iter().filter(|key| is_for(key, metadata, protector)).find_map(|key| {
            let hash = match &key.secret {
                Secret::External(_, key) => return unseal(protector, key),
                Secret::RecoveryPassword(bits) => unwrap::of_recovery_password(bits),
                Secret::Password(text) => unwrap::of_password(text),
            };
            protector.salts.iter().find_map(|salt| unseal(protector, &self.stretch(&hash, salt)?))
        })
    }

    fn stretch(&mut self, hash: &[u8; 32], salt: &[u8; 16]) -> Option<[u8; 32]> {
        if let Some((.., key)) = self.stretched.iter().find(|(one, other, _)| one == hash && other == salt) {
            return Some(*key);
        }
        (self.stretched.len() < MOST_STRETCHES).then_some(())?;
        let key = unwrap::stretch(hash, salt);
        self.stretched.push((*hash, *salt, key));
        Some(key)
    }

    /// Describes why no key unlocks the volume.
    fn why(&self, metadata: &Metadata) -> String {
        let count = self.keys.lines();
        let protectors = &metadata.protectors;
        let openable = protectors.iter().any(|protector| protector.kind() != Kind::Other);
        let tried = protectors.iter().any(|one| self.keys.keys.iter().any(|key| is_for(key, metadata, one)));
        let mut why = match count {
            _ if protectors.is_empty() => "it has no protectors".to_owned(),
            _ if !openable => "only the computer on which it was encrypted can open it".to_owned(),
            0 => "no key was given".to_owned(),
            1 if !tried => "the key is not for this volume and its kinds of protectors".to_owned(),
            _ if !tried => format!("none of the {count} keys is for this volume and its kinds of protectors"),
            1 => "the key does not open it".to_owned(),
            _ => format!("none of the {count} keys opens it"),
        };
        if tried && protectors.iter().any(|protector| protector.other_stretch) {
            why.push_str("; one of its protectors is made in FIPS mode, which is not supported");
        }
        if self.stretched.len() >= MOST_STRETCHES {
            why = format!("{why}; only {MOST_STRETCHES} keys and protectors were tried: bind keys to volumes");
        }
        why
    }
}

/// Returns whether a key may open a protector: it is of the protector's kind, and bound to no other volume.
fn is_for(key: &Key, metadata: &Metadata, protector: &Protector) -> bool {
    let bound = |id: Guid| id == metadata.id || id == protector.id;
    let fits = match (&key.secret, protector.kind()) {
        (Secret::External(id, _), Kind::External) => *id == protector.id,
        (Secret::RecoveryPassword(_), Kind::RecoveryPassword) | (Secret::Password(_), Kind::Password) => true,
        _ => false,
    };
    fits && key.bound.is_none_or(bound)
}

/// Decrypts the master key; `None` if `with` is the wrong key.
fn unseal(protector: &Protector, with: &[u8; 32]) -> Option<[u8; 32]> {
    protector.master.iter().find_map(|sealed| unwrap::key(sealed, with)?.1.try_into().ok())
}

/// Decrypts the key of the sectors, and compares the checksum of the metadata.
fn open(metadata: &Metadata, master: &[u8; 32]) -> Result<(Method, Cipher), Refusal> {
    let Some((method, key)) = metadata.volume_keys.iter().find_map(|sealed| unwrap::key(sealed, master)) else {
        let expected = "a sector key that the master key decrypts";
        return Err(Refusal::Damaged(expected, format!("{} that it does not decrypt", metadata.volume_keys.len())));
    };
    if let Some(Checksum::Sealed(sealed)) = &metadata.checksum {
        let sum = Sha256::digest(&metadata.bytes);
        if unwrap::key(sealed, master).is_none_or(|(_, kept)| kept != sum.as_slice()) {
            return Err(Refusal::Damaged("metadata that match their SHA-256", "another SHA-256".to_owned()));
        }
    }
    let method = Method(method);
    let cipher = Cipher::new(method, &key, 512);
    let found = || format!("{} with a key of {} bytes", method.words(), key.len());
    cipher.map(|cipher| (method, cipher)).ok_or_else(|| Refusal::Damaged("AES-CBC or AES-XTS and its key", found()))
}
