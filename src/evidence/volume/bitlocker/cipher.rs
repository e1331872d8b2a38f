//! The encryption of sectors: AES-CBC, with the Elephant diffuser or without, and AES-XTS.
//!
//! libbde's format document, "Encryption methods"; N. Ferguson, "AES-CBC + Elephant diffuser", 2006, for the diffuser;
//! IEEE 1619 for XTS.

use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256, Block};

use super::diffuser;

/// An encryption method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Method(pub(super) u16);

impl Method {
    /// Returns the name, as `manage-bde` and `bdeinfo` print it; `None` for an unknown method.
    pub(super) fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x8000 => "AES-CBC 128-bit with Elephant diffuser",
            0x8001 => "AES-CBC 256-bit with Elephant diffuser",
            0x8002 => "AES-CBC 128-bit",
            0x8003 => "AES-CBC 256-bit",
            0x8004 => "AES-XTS 128-bit",
            0x8005 => "AES-XTS 256-bit",
            _ => return None,
        })
    }

    /// Returns the name, or words for an unknown number.
    pub(super) fn words(self) -> String {
        self.name().map_or_else(|| format!("unknown method {:#06x}", self.0), str::to_owned)
    }
}

/// AES with one of its key sizes.
#[derive(Clone)]
enum Aes {
    Small(Box<Aes128>),
    Large(Box<Aes256>),
}

impl Aes {
    /// Creates a cipher with a key of 16 or 32 bytes.
    fn new(key: &[u8]) -> Option<Self> {
        let small = || Aes128::new_from_slice(key).ok().map(|aes| Self::Small(Box::new(aes)));
        Aes256::new_from_slice(key).ok().map(|aes| Self::Large(Box::new(aes))).or_else(small)
    }

    fn encrypt(&self, number: u128) -> u128 {
        let mut block = Block::from(number.to_le_bytes());
        match self {
            Self::Small(aes) => aes.encrypt_block(&mut block),
            Self::Large(aes) => aes.encrypt_block(&mut block),
        }
        u128::from_le_bytes(block.into())
    }

    fn decrypt(&self, bytes: &mut [u8]) {
        let (blocks, _) = Block::slice_as_chunks_mut(bytes);
        match self {
            Self::Small(aes) => aes.decrypt_blocks(blocks),
            Self::Large(aes) => aes.decrypt_blocks(blocks),
        }
    }
}

/// Decrypts sectors.
#[derive(Clone)]
pub(super) struct Cipher {
    mode: Mode,
    /// Bytes of a sector: 512 to 4096.
    sector: usize,
}

#[derive(Clone)]
enum Mode {
    Cbc(Aes),
    /// With the key of the sector keys.
    Elephant(Aes, Aes),
    /// With the key of the tweaks.
    Xts(Aes, Aes),
}

impl Cipher {
    /// Creates a cipher with a volume's key; `None` for an unknown method, or a key that is too short for it.
    pub(super) fn new(method: Method, key: &[u8], sector: usize) -> Option<Self> {
        let aes = |start: usize, size: usize| Aes::new(key.get(start..start.checked_add(size)?)?);
        let mode = match method.0 {
            0x8000 => Mode::Elephant(aes(0, 16)?, aes(32, 16)?),
            0x8001 => Mode::Elephant(aes(0, 32)?, aes(32, 32)?),
            0x8002 => Mode::Cbc(aes(0, 16)?),
            0x8003 => Mode::Cbc(aes(0, 32)?),
            0x8004 => Mode::Xts(aes(0, 16)?, aes(16, 16)?),
            0x8005 => Mode::Xts(aes(0, 32)?, aes(32, 32)?),
            _ => return None,
        };
        Some(Self { mode, sector })
    }

    /// Returns the same cipher for sectors of another size.
    pub(super) fn sized(&self, sector: usize) -> Self {
        Self { mode: self.mode.clone(), sector }
    }

    /// Decrypts whole sectors in place; the first is stored at `offset` of the volume, in bytes.
    pub(super) fn decrypt(&self, sectors: &mut [u8], offset: u64) {
        let size = u64::try_from(self.sector).unwrap_or(u64::MAX);
        let offsets = (0_u64..).map(|number| offset.saturating_add(number.saturating_mul(size)));
        if let Mode::Elephant(aes, tweak) = &self.mode {
            return self.elephant(aes, tweak, sectors, offset);
        }
        for (sector, offset) in sectors.chunks_exact_mut(self.sector).zip(offsets) {
            match &self.mode {
                Mode::Cbc(aes) | Mode::Elephant(aes, _) => cbc(aes, sector, offset),
                Mode::Xts(aes, tweak) => {
                    xts(aes, sector, tweak.encrypt(u128::from(offset.checked_div(size).unwrap_or_default())));
                }
            }
        }
    }

    /// Decrypts sectors with the Elephant diffuser, a few at a time so that they stay in the processor's cache.
    fn elephant(&self, aes: &Aes, tweak: &Aes, sectors: &mut [u8], offset: u64) {
        let size = u64::try_from(self.sector).unwrap_or(u64::MAX);
        let mut offset = offset;
        for some in sectors.chunks_mut(self.sector.saturating_mul(diffuser::LANES)) {
            let place = |number: u64| offset.saturating_add(number.saturating_mul(size));
            for (sector, number) in some.chunks_exact_mut(self.sector).zip(0..) {
                cbc(aes, sector, place(number));
            }
            diffuser::decrypt(some, self.sector);
            for (sector, number) in some.chunks_exact_mut(self.sector).zip(0..) {
                let number = u128::from(place(number));
                let key = [number, number | 0x80 << 120].map(|number| tweak.encrypt(number));
                for (chunk, key) in sector.chunks_exact_mut(16).zip(key.into_iter().cycle()) {
                    xor(chunk, key);
                }
            }
            offset = offset.saturating_add(some.len() as u64);
        }
    }
}

/// XORs 16 bytes.
fn xor(chunk: &mut [u8], with: u128) {
    if let Ok(bytes) = <&mut [u8; 16]>::try_from(chunk) {
        *bytes = (u128::from_le_bytes(*bytes) ^ with).to_le_bytes();
    }
}

/// Decrypts a sector with AES-CBC, whose initialisation vector is the encrypted place of the sector.
fn cbc(aes: &Aes, sector: &mut [u8], offset: u64) {
    let mut before = [0; 4096];
    let before = before.get_mut(..sector.len()).unwrap_or_default();
    before.copy_from_slice(sector);
    aes.decrypt(sector);
    let first = aes.encrypt(u128::from(offset)).to_le_bytes();
    let chain = std::iter::once(&first[..]).chain(before.chunks_exact(16));
    for (chunk, previous) in sector.chunks_exact_mut(16).zip(chain) {
        xor(chunk, previous.try_into().map_or(0, u128::from_le_bytes));
    }
}

fn xts(aes: &Aes, sector: &mut [u8], first: u128) {
    let tweak = |sector: &mut [u8]| {
        let mut tweak = first;
        for chunk in sector.chunks_exact_mut(16) {
            xor(chunk, tweak);
            tweak = (tweak << 1) ^ if tweak >> 127 == 1 { 0x87 } else { 0 };
        }
    };
    tweak(sector);
    aes.decrypt(sector);
    tweak(sector);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// Checks IEEE 1619-2007, annex B, vector 4: data unit 0 of 512 bytes that count from 0 to 255 twice.
    #[test]
    fn xts_is_that_of_its_standard() {
        let key = hex("2718281828459045235360287471352631415926535897932384626433832795");
        let cipher = Cipher::new(Method(0x8004), &key, 512).unwrap();
        let start = "27a7479befa1d476489f308cd4cfa6e2a96e4bbe3208ff25287dd3819616e89cc78cf7f5e543445f8333d8fa7f560000";
        let mut sector = hex(start);
        sector.resize(512, 0);
        cipher.decrypt(&mut sector, 0);
        assert!(sector[..48].iter().copied().eq(0..48), "{sector:x?}");
    }

    #[test]
    fn sectors_are_decrypted_each_by_its_place_and_size() {
        for method in 0x8000..=0x8005 {
            let key: Vec<u8> = (0..64).collect();
            for size in [512, 4096] {
                let cipher = Cipher::new(Method(method), &key, size).unwrap();
                let many: Vec<u8> = (0..4 * size).map(|at| u8::try_from(at % 251).unwrap()).collect();
                let mut whole = many.clone();
                cipher.decrypt(&mut whole, 8192);
                for (number, sector) in many.chunks(size).enumerate() {
                    let mut sector = sector.to_vec();
                    cipher.decrypt(&mut sector, 8192 + (number * size) as u64);
                    assert!(sector == whole[number * size..][..size], "{method:x} {size} {number}");
                }
                assert_ne!(whole[..16], many[..16]);
            }
        }
    }

    #[test]
    fn unknown_methods_and_short_keys_are_refused() {
        assert!(Cipher::new(Method(0x8006), &[0; 64], 512).is_none());
        assert!(Cipher::new(Method(0x8005), &[0; 63], 512).is_none());
        assert_eq!(Method(0).words(), "unknown method 0x0000");
    }
}
