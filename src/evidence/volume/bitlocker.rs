//! BitLocker volumes, read as Windows shows them after unlocking.
//!
//! Supported is everything that Windows Vista to 11 write: AES-CBC with and without the Elephant diffuser, AES-XTS;
//! volumes that are wholly or partly encrypted, suspended, or decrypted again; removable ones ("To Go"). They are
//! unlocked by a recovery password, a password, a .BEK file, or without a key if a suspended volume has a clear key.
//!
//! An authentication code proves each key, and CRC-32 and SHA-256 prove the metadata: a wrong key never gives bytes. If
//! it is unclear whether sectors are encrypted, reading them fails.
//!
//! <https://github.com/libyal/libbde/blob/main/documentation/BitLocker%20Drive%20Encryption%20(BDE)%20format.asciidoc>

use std::sync::Arc;

use crate::error::Problem;
use crate::evidence::block::Blocks;

mod boot;
mod bytes;
mod cipher;
mod conversion;
mod diffuser;
mod entries;
mod keys;
mod layout;
mod metadata;
mod unlock;
mod unwrap;
mod view;

pub use boot::is_bitlocker;
pub use keys::Keys;

use boot::Boot;
use cipher::{Cipher, Method};
use layout::Layout;
use metadata::{Checksum, Metadata};
use unlock::{Refusal, Trials, Unlocked};
use view::View;

/// The result of opening a BitLocker volume.
pub enum Opened {
    /// A key unlocked the volume.
    Unlocked {
        /// The volume's bytes, decrypted.
        blocks: Blocks,
        /// The kind of the unlocked protector, in Windows' words.
        with: String,
        /// The volume's facts.
        facts: Facts,
    },
    /// The volume is not encrypted any more, or not yet.
    Decrypted {
        /// The volume's bytes, with its first sectors back in their place.
        blocks: Blocks,
        /// The volume's facts.
        facts: Facts,
    },
    /// No key unlocks the volume.
    Locked(Locked),
}

/// The facts that a BitLocker volume states without a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The volume's identifier, as `manage-bde` and `bdeinfo` print it: a GUID without braces.
    pub identifier: String,
    /// The names of the computer and of the volume, and the date of the encryption, in the language of its Windows.
    pub description: Option<String>,
    /// The encryption method; `None` for a decrypted volume.
    pub method: Option<String>,
    /// The state: "encrypted", "decrypted" and so on.
    pub state: String,
    /// Whether this is a removable volume beside a small FAT volume for computers without BitLocker (BitLocker To Go).
    pub to_go: bool,
    /// The protectors of the volume's key.
    pub protectors: Vec<Protection>,
    /// Defects of its metadata, with offsets in bytes from the volume's start; one copy of the metadata is valid.
    pub problems: Vec<Problem>,
}

/// A protector of a volume's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// The identifier that Windows shows when it asks for a recovery password: a GUID without braces.
    pub identifier: String,
    /// The protector's kind, in Windows' words.
    pub kind: String,
}

/// A volume that stays locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// The volume's facts.
    pub facts: Facts,
    /// The start of the volume, in bytes from the start of its disk.
    pub offset: u64,
    /// Why it stays locked.
    pub why: String,
    /// What to do.
    pub advice: String,
}

/// Opens a volume that [`is_bitlocker`] recognises, and that begins `offset` bytes from the start of its disk.
///
/// # Errors
/// The volume is unreadable, has no valid metadata or contradictory ones, was left half converted, or is encrypted in
/// an unknown way. Offsets are from the volume's start.
pub fn open(volume: &Blocks, offset: u64, keys: &Keys) -> Result<Opened, Problem> {
    let mut first = [0; 512];
    let read = volume.read_exact_at(&mut first, 0);
    read.map_err(|error| Problem::at(0, "a first sector that can be read", error.to_string()))?;
    let boot = boot::read(&first).ok_or_else(|| Problem::at(0, "the boot sector of a BitLocker volume", "another"))?;
    let found = metadata::read(volume, &boot);
    let mut blocks: Vec<&Metadata> = found.sound.iter().collect();
    let problem = |(place, expected, what): &(u64, &'static str, String)| Problem::at(*place, *expected, what.as_str());
    let mut problems: Vec<Problem> = found.damaged.iter().map(problem).collect();
    blocks.retain(|block| sums_up(block, &mut problems));
    blocks.dedup_by(|one, other| one.bytes == other.bytes);
    let Some(&metadata) = blocks.first() else {
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let advice = "copy the disk again, or repair the volume with repair-bde of Windows";
        return Err(Problem::at(0, "a sound BitLocker metadata block, of three", all.join("; ")).advise(advice));
    };
    if blocks.len() > 1 {
        let expected = "identical BitLocker metadata blocks";
        problems.push(Problem::at(metadata.places[0], expected, "different ones; the first sound one is used"));
    }
    let facts = facts(metadata, boot.to_go, problems);
    let (sizes, sure) = layout::sectors(&boot, metadata)?;
    if metadata.state == layout::DECRYPTED && metadata.volume_keys.is_empty() {
        let sector = sizes.first().copied().unwrap_or(512);
        return Ok(Opened::Decrypted { blocks: view(volume, &boot, &blocks, sector, None)?, facts });
    }
    refuse_unknown(metadata)?;
    let mut trials = Trials::new(keys);
    let mut refusal = None;
    for place in 0..blocks.len() {
        let rest = blocks.get(place..).unwrap_or_default();
        let Some(block) = rest.first() else { break };
        match trials.unlock(block) {
            Ok(Unlocked { cipher, method, with }) => {
                let facts = Facts { method: Some(method.words()), ..facts };
                for sector in sizes {
                    let blocks = match view(volume, &boot, rest, sector, Some(&cipher)) {
                        Ok(blocks) => blocks,
                        Err(problem) if sure => return Err(problem),
                        Err(_) => continue,
                    };
                    let mut first = [0; 512];
                    if sure || (blocks.read_exact_at(&mut first, 0).is_ok() && layout::says(&first, sector)) {
                        return Ok(Opened::Unlocked { blocks, with, facts });
                    }
                }
                let found =
                    "a different one, or none, in its boot sector, and no file system that shows which is correct";
                return Err(Problem::at(11, "the sector size that the metadata state", found));
            }
            Err(other) => refusal = refusal.or(Some(other)),
        }
    }
    match refusal {
        Some(Refusal::Damaged(expected, found)) => {
            let advice = "copy the disk again, or repair the volume with repair-bde of Windows";
            Err(Problem::at(metadata.places[0], expected, found).advise(advice))
        }
        Some(Refusal::Locked(why)) => Ok(Opened::Locked(Locked { facts, offset, why, advice: advice(offset) })),
        None => Err(Problem::at(metadata.places[0], "a metadata block", "none")),
    }
}

/// Returns whether the SHA-256 of a block without keys matches, if the block has one.
fn sums_up(block: &Metadata, problems: &mut Vec<Problem>) -> bool {
    use sha2::{Digest, Sha256};
    let Some(Checksum::Open(kept)) = block.checksum else { return true };
    let right = Sha256::digest(&block.bytes).as_slice() == kept;
    if !right {
        problems.push(Problem::at(block.places[0], "metadata that match their SHA-256", "another SHA-256"));
    }
    right
}

/// Refuses a volume that no key could unlock.
fn refuse_unknown(metadata: &Metadata) -> Result<(), Problem> {
    let at = metadata.places[0];
    let expected = "a volume that Windows encrypted with AES-CBC or AES-XTS";
    if metadata.volume_keys.is_empty() || metadata.method == 0 {
        let found = "no sector key: the drive may encrypt by itself (hardware encryption, eDrive)";
        let advice = "read the drive where Windows unlocked it";
        return Err(Problem::at(at, expected, found).advise(advice));
    }
    let method = Method(metadata.method);
    match method.name() {
        Some(_) => Ok(()),
        None => Err(Problem::at(at, expected, method.words()).advise("copy the files from it under Windows")),
    }
}

fn facts(metadata: &Metadata, to_go: bool, problems: Vec<Problem>) -> Facts {
    let protection = |one: &entries::Protector| Protection { identifier: one.id.to_string(), kind: one.words() };
    Facts {
        identifier: metadata.id.to_string(),
        description: metadata.description.clone(),
        method: (metadata.method != 0).then(|| Method(metadata.method).words()),
        state: layout::state(metadata.state),
        to_go,
        protectors: metadata.protectors.iter().map(protection).collect(),
        problems,
    }
}

fn view(
    volume: &Blocks,
    boot: &Boot,
    blocks: &[&Metadata],
    sector: u64,
    cipher: Option<&Cipher>,
) -> Result<Blocks, Problem> {
    let layout = Layout::new(volume, boot, blocks, sector)?;
    let mirror = blocks.first().map_or(0, |metadata| metadata.relocated_to);
    let cipher = cipher.map(|cipher| cipher.sized(usize::try_from(sector).unwrap_or(usize::MAX)));
    Ok(Arc::new(View { volume: Arc::clone(volume), layout, cipher, sector, mirror }))
}

/// Returns the advice on unlocking the volume with a key, here or with other programs.
fn advice(offset: u64) -> String {
    format!(
        "give its recovery password, password or .BEK file with --recovery-key-file, or decrypt the volume at byte \
         {offset} of the disk with `dislocker-file -O {offset} -V DISK -p -- OUT`, `bdemount -o {offset} -r PASSWORD DISK \
         FOLDER`, or `losetup -r -o {offset} -f DISK` and `cryptsetup bitlkOpen --readonly`"
    )
}
