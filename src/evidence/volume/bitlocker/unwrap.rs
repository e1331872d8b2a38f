//! From a user's secret to the key of a volume: passwords are stretched, keys decrypted and authenticated.

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use sha2::{Digest, Sha256};

use super::super::guid::Guid;
use super::entries::{Sealed, entries, kind, open_key, role};
use crate::evidence::disk::field::le32;

/// The number of rounds of a stretched password. libbde's format document, "Recovery key".
const ROUNDS: u64 = 0x10_0000;

/// Returns the key of a password and a salt: the password's hash, hashed a million times.
pub(super) fn stretch(hash: &[u8; 32], salt: &[u8; 16]) -> [u8; 32] {
    let mut chain = [0; 88];
    if let Some((_, rest)) = chain.split_first_chunk_mut::<32>() {
        for (to, from) in rest.iter_mut().zip(hash.iter().chain(salt)) {
            *to = *from;
        }
    }
    for count in 0..ROUNDS {
        if let Some(end) = chain.last_chunk_mut() {
            *end = count.to_le_bytes();
        }
        let last = Sha256::digest(chain);
        if let Some(start) = chain.first_chunk_mut::<32>() {
            *start = last.into();
        }
    }
    chain.first_chunk().copied().unwrap_or_default()
}

/// Returns the hash of the 128 bits of a recovery password.
pub(super) fn of_recovery_password(bits: &[u8; 16]) -> [u8; 32] {
    Sha256::digest(bits).into()
}

/// Returns the hash of a password: its UTF-16, hashed twice.
pub(super) fn of_password(password: &str) -> [u8; 32] {
    let units: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
    Sha256::digest(Sha256::digest(units)).into()
}

/// Decrypts a key; `None` if `with` is the wrong key.
///
/// RFC 3610 with a nonce of 12 bytes and a MAC of 16, without additional authenticated data.
fn unseal(sealed: &Sealed, with: &[u8; 32]) -> Option<Vec<u8>> {
    let cipher = Aes256::new(with.into());
    let encrypt = |mut block: [u8; 16]| {
        let block_ref: &mut aes::Block = (&mut block).into();
        cipher.encrypt_block(block_ref);
        block
    };
    let block = |flags: u8, number: u32| {
        let mut block = [0; 16];
        let number = number.to_be_bytes();
        let parts = [flags].into_iter().chain(sealed.nonce).chain(number.into_iter().skip(1));
        for (to, from) in block.iter_mut().zip(parts) {
            *to = from;
        }
        block
    };
    let mut data = sealed.data.clone();
    let length = u32::try_from(data.len()).ok().filter(|length| *length < 1 << 16)?;
    for (number, chunk) in (1..).zip(data.chunks_mut(16)) {
        let stream = encrypt(block(2, number));
        chunk.iter_mut().zip(stream).for_each(|(byte, key)| *byte ^= key);
    }
    // Flags: 16 bytes of MAC, 3 bytes of length.
    let mut mac = encrypt(block(0x3a, length));
    for chunk in data.chunks(16) {
        mac.iter_mut().zip(chunk).for_each(|(byte, plain)| *byte ^= plain);
        mac = encrypt(mac);
    }
    let stream = encrypt(block(2, 0));
    let differ = mac.iter().zip(stream).zip(sealed.mac).fold(0, |bits, ((a, b), c)| bits | (a ^ b ^ c));
    (differ == 0).then_some(data)
}

/// Decrypts a key, and returns its method and its bytes; `None` if `with` is the wrong key.
pub(super) fn key(sealed: &Sealed, with: &[u8; 32]) -> Option<(u16, Vec<u8>)> {
    let data = unseal(sealed, with)?;
    let read = entries(&data)?;
    let (method, key) = open_key(read.first()?)?;
    Some((method, key.to_vec()))
}

/// Returns the identifier of a .BEK file's key and the key; `None` if the file is not a .BEK file.
///
/// libbde's format document, "BitLocker External Key (BEK) file".
pub(super) fn bek(file: &[u8]) -> Option<(Guid, [u8; 32])> {
    let (size, version) = (usize::try_from(le32(file, 0)?).ok()?, le32(file, 4)?);
    let start = usize::try_from(le32(file, 8)?).ok()?;
    (version == 1 && start >= 48 && size <= file.len()).then_some(())?;
    let found = entries(file.get(start..size)?)?;
    let external = found.iter().find(|entry| entry.role == role::EXTERNAL_KEY && entry.kind == kind::EXTERNAL)?;
    let inner = entries(external.data.get(24..)?)?;
    let key = inner.iter().find_map(open_key).and_then(|(_, key)| key.try_into().ok())?;
    Some((Guid::at(external.data, 0)?, key))
}
