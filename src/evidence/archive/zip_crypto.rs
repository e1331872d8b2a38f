//! The two encryptions of ZIP members: PKWARE's traditional one (APPNOTE.TXT, section 6.1), and WinZip's AES
//! (<https://www.winzip.com/en/support/aes-encryption/>).

use std::io::{self, Read};

use aes::cipher::{Block, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use hmac::{Hmac, Mac};
use sha1::Sha1;

use super::refused::{Refused, damaged};
use super::source::Sequential;
use crate::evidence::block::{Blocks, Part};

/// The table of CRC-32, which updates the keys of PKWARE's encryption.
const CRC: [u32; 256] = table();

#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "computed by the compiler")]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut at = 0_u32;
    while at < 256 {
        let mut value = at;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { value >> 1 ^ 0xedb8_8320 } else { value >> 1 };
            bit += 1;
        }
        table[at as usize] = value;
        at += 1;
    }
    table
}

fn crc(old: u32, byte: u8) -> u32 {
    let place = usize::from(old.to_le_bytes()[0] ^ byte);
    old >> 8 ^ CRC.get(place).copied().unwrap_or_default()
}

/// Decrypts PKWARE's traditional encryption.
pub(super) struct ZipCrypto<R> {
    inner: R,
    keys: (u32, u32, u32),
}

impl<R: Read> ZipCrypto<R> {
    /// Starts with the encryption header, whose last byte must be `check`.
    pub(super) fn new(mut inner: R, password: &[u8], check: u8) -> io::Result<Self> {
        let mut header = [0; 12];
        inner.read_exact(&mut header)?;
        let mut this = Self { inner, keys: (0x1234_5678, 0x2345_6789, 0x3456_7890) };
        for byte in password {
            this.update(*byte);
        }
        this.decrypt(&mut header);
        if header.last() == Some(&check) { Ok(this) } else { Err(Refused::encrypted(true).into()) }
    }

    fn update(&mut self, plain: u8) {
        let (first, second, third) = self.keys;
        let first = crc(first, plain);
        let second = second.wrapping_add(first & 0xff).wrapping_mul(134_775_813).wrapping_add(1);
        self.keys = (first, second, crc(third, second.to_be_bytes()[0]));
    }

    fn decrypt(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            let mask = (self.keys.2 | 2) & 0xffff;
            *byte ^= (mask.wrapping_mul(mask ^ 1) >> 8).to_le_bytes()[0];
            self.update(*byte);
        }
    }
}

impl<R: Read> Read for ZipCrypto<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.decrypt(buffer.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}

enum Cipher {
    Aes128(Box<Aes128>),
    Aes192(Box<Aes192>),
    Aes256(Box<Aes256>),
}

/// Decrypts WinZip's AES.
pub(super) struct Aes {
    inner: Sequential,
    cipher: Cipher,
    counter: u128,
    mask: [u8; 16],
    used: usize,
}

/// The authentication of a member that AES encrypts: the key, and the place of the encrypted bytes.
pub(super) struct Seal {
    key: Vec<u8>,
    encrypted: Blocks,
    code: [u8; 10],
}

/// Bytes of the authentication code behind the encrypted bytes.
const CODE: u64 = 10;
/// Rounds of PBKDF2, as WinZip prescribes.
const ROUNDS: u32 = 1_000;

/// Starts decrypting a member whose stored bytes are `stored`, with a key of `key` bytes.
pub(super) fn aes(stored: &Blocks, key: usize, password: &[u8]) -> io::Result<(Aes, Seal)> {
    let salt = key / 2;
    let start = (salt as u64).saturating_add(2);
    let size = stored.size().checked_sub(start.saturating_add(CODE));
    let size = size.ok_or_else(|| damaged("it is too short for its encryption"))?;
    let mut header = vec![0; salt.saturating_add(2)];
    stored.read_exact_at(&mut header, 0)?;
    let (salt, check) = header.split_at_checked(salt).unwrap_or_default();
    let mut keys = vec![0; key.saturating_mul(2).saturating_add(2)];
    pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, ROUNDS, &mut keys);
    let (cipher, rest) = keys.split_at_checked(key).unwrap_or_default();
    let (seal, verifier) = rest.split_at_checked(key).unwrap_or_default();
    if verifier != check {
        return Err(Refused::encrypted(true).into());
    }
    let wrong = |_| damaged("its encryption has a key of unknown size");
    let cipher = match key {
        16 => Cipher::Aes128(Box::new(Aes128::new_from_slice(cipher).map_err(wrong)?)),
        24 => Cipher::Aes192(Box::new(Aes192::new_from_slice(cipher).map_err(wrong)?)),
        _ => Cipher::Aes256(Box::new(Aes256::new_from_slice(cipher).map_err(wrong)?)),
    };
    let mut code = [0; 10];
    stored.read_exact_at(&mut code, start.saturating_add(size))?;
    let encrypted: Blocks = std::sync::Arc::new(Part::new(Blocks::clone(stored), start, size));
    let inner = Sequential::new(Blocks::clone(&encrypted), 0);
    let seal = Seal { key: seal.to_vec(), encrypted, code };
    Ok((Aes { inner, cipher, counter: 0, mask: [0; 16], used: 16 }, seal))
}

impl Read for Aes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        for byte in buffer.iter_mut().take(count) {
            if self.used == 16 {
                // The counter starts at 1, and is little-endian.
                self.counter = self.counter.wrapping_add(1);
                let bytes = self.counter.to_le_bytes();
                self.mask = match &self.cipher {
                    Cipher::Aes128(cipher) => one(cipher.as_ref(), bytes),
                    Cipher::Aes192(cipher) => one(cipher.as_ref(), bytes),
                    Cipher::Aes256(cipher) => one(cipher.as_ref(), bytes),
                };
                self.used = 0;
            }
            *byte ^= self.mask.get(self.used).copied().unwrap_or_default();
            self.used = self.used.saturating_add(1);
        }
        Ok(count)
    }
}

fn one<C: BlockCipherEncrypt<BlockSize = aes::cipher::consts::U16>>(cipher: &C, bytes: [u8; 16]) -> [u8; 16] {
    let mut block: Block<C> = bytes.into();
    cipher.encrypt_block(&mut block);
    block.into()
}

impl Seal {
    /// Reads the encrypted bytes again, and compares their code: HMAC-SHA-1, cut to 80 bits.
    pub(super) fn holds(&self) -> io::Result<bool> {
        let mut hmac = Hmac::<Sha1>::new_from_slice(&self.key).map_err(|_| damaged("its key has an unknown size"))?;
        let mut input = Sequential::new(Blocks::clone(&self.encrypted), 0);
        let mut buffer = vec![0; 64 << 10];
        loop {
            match input.read(&mut buffer)? {
                0 => return Ok(hmac.finalize().into_bytes().starts_with(&self.code)),
                count => hmac.update(buffer.get(..count).unwrap_or_default()),
            }
        }
    }
}
