//! BitLocker volumes that the tests write, with the plain volume that decryption should return.
//!
//! They have the layout of Windows in states for which few samples exist: Vista's layout, partly encrypted volumes,
//! other sector sizes, removable volumes, conversions. bdemount and dislocker confirm that these volumes are valid.

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256};
use sha2::{Digest, Sha256};

/// Where the three metadata blocks are, and the first sectors.
pub(super) const BLOCKS: [usize; 3] = [0x10_0000, 0x18_0000, 0x20_0000];
pub(super) const RELOCATED: usize = 0x14_0000;
pub(super) const SIZE: usize = 0x30_0000;
const MASTER: [u8; 32] = [0x4d; 32];
const CLEAR: [u8; 32] = [0x43; 32];
pub(super) const EXTERNAL: [u8; 32] = [0x45; 32];
pub(super) const EXTERNAL_ID: [u8; 16] = [0xe1; 16];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Vista,
    Seven,
    ToGo,
}

/// What to write.
#[derive(Clone)]
pub(super) struct Spec {
    pub(super) kind: Kind,
    pub(super) method: u16,
    pub(super) sector: usize,
    pub(super) state: u16,
    pub(super) next_state: u16,
    /// Up to where it is encrypted; 0 for all of it.
    pub(super) encrypted: usize,
    pub(super) converting: u32,
    /// The numbers of the protectors: the first has a clear key or an external one.
    pub(super) protectors: Vec<u16>,
    /// The books of a conversion, of chunks of so many bytes.
    pub(super) conversion: Option<Conversion>,
}

#[derive(Clone)]
pub(super) struct Conversion {
    pub(super) chunk: usize,
    /// A region: start, end, and which of its chunks are encrypted.
    pub(super) regions: Vec<(usize, usize, Vec<bool>)>,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            kind: Kind::Seven,
            method: 0x8004,
            sector: 512,
            state: 4,
            next_state: 4,
            encrypted: SIZE,
            converting: 0,
            protectors: vec![0],
            conversion: None,
        }
    }
}

/// The volume, encrypted and plain.
pub(super) struct Volume {
    pub(super) bytes: Vec<u8>,
    pub(super) plain: Vec<u8>,
}

fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    bytes[at..at + what.len()].copy_from_slice(what);
}

/// Places of the books of a conversion.
pub(super) const BOOKS: [usize; 2] = [0x28_0000, 0x28_1000];
pub(super) const MAPS: usize = 0x28_2000;
pub(super) const LOGS: usize = 0x2a_0000;
pub(super) const LOG_BYTES: usize = 512 + 2 * LOG_STEP;
pub(super) const LOG_STEP: usize = 1024 + 0x1000;

impl Spec {
    fn vista(&self) -> bool {
        self.kind == Kind::Vista
    }

    /// Bytes at the beginning that are stored elsewhere.
    fn header(&self) -> usize {
        if self.vista() { 0 } else { 0x2000 }
    }

    fn is_encrypted(&self, at: usize) -> bool {
        if let Some(conversion) = &self.conversion {
            let region = conversion.regions.iter().find(|(start, end, _)| (*start..*end).contains(&at));
            return region.is_some_and(|(start, _, bits)| bits[(at - start) / conversion.chunk]);
        }
        match self.kind {
            Kind::Vista if at < 0x2000 => false,
            _ => self.state != 1 && (self.encrypted == 0 || at < self.encrypted),
        }
    }

    pub(super) fn build(&self) -> Volume {
        let mut plain = plain(self.sector);
        let metadata = if self.vista() { 0x4000 } else { 0x1_0000 };
        let mut hidden: Vec<(usize, usize)> = BLOCKS.map(|block| (block, metadata)).into();
        if !self.vista() {
            hidden.push((RELOCATED, self.header()));
        }
        if let Some(conversion) = &self.conversion {
            hidden.extend(BOOKS.map(|book| (book, self.sector)));
            for number in 0..conversion.regions.len() {
                hidden.push((MAPS + number * 0x1000, 0x600));
                hidden.push((LOGS + number * 0x8000, LOG_BYTES));
            }
        }
        for (at, size) in &hidden {
            plain[*at..*at + *size].fill(0);
        }
        let mut bytes = plain.clone();
        bytes.copy_within(..self.header(), RELOCATED.min(SIZE - self.header()));
        let volume_key: Vec<u8> = (0..64).map(|at: u8| at.wrapping_mul(37) ^ 0x5a).collect();
        for at in (0..SIZE).step_by(self.sector).filter(|at| self.is_encrypted(*at)) {
            encrypt(self.method, &volume_key, &mut bytes[at..at + self.sector], at as u64);
        }
        if self.vista() {
            plain[..self.sector].copy_from_slice(&bytes[..self.sector]);
            put(&mut bytes, 3, b"-FVE-FS-");
            put(&mut bytes, 56, &(BLOCKS[0] as u64 / 4096).to_le_bytes());
        } else {
            self.boot(&mut bytes);
        }
        if let Some(conversion) = &self.conversion {
            books(conversion, self.sector, &mut bytes);
        }
        let block = self.block(&volume_key);
        for place in BLOCKS {
            put(&mut bytes, place, &block);
        }
        Volume { bytes, plain }
    }

    /// Writes the boot sector of Windows 7 and later, and noise after it.
    fn boot(&self, bytes: &mut [u8]) {
        bytes[..0x2000].fill(0x77);
        bytes[..512].fill(0);
        put(bytes, 0, &[0xeb, 0x58, 0x90]);
        put(bytes, 3, if self.kind == Kind::ToGo { b"MSWIN4.1" } else { b"-FVE-FS-" });
        put(bytes, 11, &u16::try_from(self.sector).unwrap().to_le_bytes());
        bytes[13] = u8::try_from(4096 / self.sector).unwrap();
        put(bytes, 510, &[0x55, 0xaa]);
        let at = if self.kind == Kind::ToGo { 0x1a8 } else { 0xa0 };
        let guid = if self.conversion.is_some() {
            *b"\x3b\x4d\xa8\x92\x80\xdd\x0e\x4d\x9e\x4e\xb1\xe3\x28\x4e\xae\xd8"
        } else {
            *b"\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01"
        };
        put(bytes, at, &guid);
        for (number, place) in BLOCKS.iter().chain(self.conversion.iter().flat_map(|_| &BOOKS)).enumerate() {
            put(bytes, at + 16 + 8 * number, &(*place as u64).to_le_bytes());
        }
    }

    /// A metadata block with what validates it.
    pub(super) fn block(&self, volume_key: &[u8]) -> Vec<u8> {
        let mut entries = entry(7, 2, &"A COMPUTER\0".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
        if !self.vista() {
            let relocated = [(RELOCATED as u64).to_le_bytes(), (self.header() as u64).to_le_bytes()].concat();
            entries.extend(entry(15, 15, &relocated));
        }
        for (number, kind) in (1_u8..).zip(&self.protectors) {
            let id = if *kind == 0x0200 { EXTERNAL_ID } else { [number; 16] };
            let mut data = [&id[..], &[0; 10], &kind.to_le_bytes()].concat();
            match kind {
                0 => {
                    data.extend(entry(0, 1, &[&[0, 0x20, 0, 0], &CLEAR[..]].concat()));
                    data.extend(entry(0, 5, &seal(number, &CLEAR, &key(0x2003, &MASTER))));
                }
                0x0200 => data.extend(entry(0, 5, &seal(number, &EXTERNAL, &key(0x2003, &MASTER)))),
                _ => {
                    data.extend(entry(0, 3, &[&[0, 0x10, 0, 0], &[number; 16][..]].concat()));
                    data.extend(entry(0, 5, &seal(number, &[0x99; 32], &key(0x2003, &MASTER))));
                }
            }
            entries.extend(entry(2, 8, &data));
        }
        if self.state != 1 {
            let length = match self.method {
                0x8002 => 16,
                0x8003 | 0x8004 => 32,
                _ => 64,
            };
            entries.extend(entry(3, 5, &seal(100, &MASTER, &key(self.method, &volume_key[..length]))));
        }
        let mut block = vec![0; 64 + 48];
        put(&mut block, 0, b"-FVE-FS-");
        put(&mut block, 10, &[if self.vista() { 1 } else { 2 }, 0]);
        put(&mut block, 12, &self.state.to_le_bytes());
        put(&mut block, 14, &self.next_state.to_le_bytes());
        // Of Vista's volumes dislocker needs the size here.
        put(&mut block, 16, &(self.encrypted as u64).to_le_bytes());
        put(&mut block, 24, &self.converting.to_le_bytes());
        put(&mut block, 28, &u32::try_from(0x2000 / self.sector).unwrap().to_le_bytes());
        for (number, place) in BLOCKS.iter().enumerate() {
            put(&mut block, 32 + 8 * number, &(*place as u64).to_le_bytes());
        }
        let last = if self.vista() { MIRROR } else { RELOCATED as u64 };
        put(&mut block, 56, &last.to_le_bytes());
        let size = u32::try_from(48 + entries.len()).unwrap().to_le_bytes();
        for (at, number) in [(64, size), (68, [1, 0, 0, 0]), (72, [48, 0, 0, 0]), (76, size), (96, [9, 0, 0, 0])] {
            put(&mut block, at, &number);
        }
        put(&mut block, 80, &[0xb1; 16]);
        put(&mut block, 100, &self.method.to_le_bytes());
        block.extend(entries);
        block.resize(block.len().next_multiple_of(16), 0);
        let units = if self.vista() { block.len() } else { block.len() / 16 };
        put(&mut block, 8, &u16::try_from(units).unwrap().to_le_bytes());
        finish(block, self.state == 1)
    }
}

/// Adds what validates a block.
pub(super) fn finish(mut block: Vec<u8>, open: bool) -> Vec<u8> {
    let (crc, sum) = (crc32(&block), Sha256::digest(&block));
    let sealed = if open {
        entry(0, 1, &[&[5, 0x20, 0, 0], &sum[..]].concat())
    } else {
        entry(0, 5, &seal(200, &MASTER, &key(0x2005, &sum)))
    };
    let size = u16::try_from(8 + sealed.len()).unwrap().to_le_bytes();
    block.extend([&size[..], &[2, 0], &crc.to_le_bytes(), &sealed].concat());
    block
}

/// The cluster of the second copy of the $MFT in the plain volume.
pub(super) const MIRROR: u64 = 2;

/// A volume with the boot sector of NTFS and bytes that differ everywhere.
fn plain(sector: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut plain: Vec<u8> = (0..SIZE)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_le_bytes()[3]
        })
        .collect();
    put(&mut plain, 0, &[0xeb, 0x52, 0x90]);
    put(&mut plain, 3, b"NTFS    ");
    put(&mut plain, 11, &u16::try_from(sector).unwrap().to_le_bytes());
    plain[13] = u8::try_from(4096 / sector).unwrap();
    plain[14..40].fill(0);
    put(&mut plain, 40, &(SIZE as u64 / sector as u64 - 1).to_le_bytes());
    put(&mut plain, 48, &4_u64.to_le_bytes());
    put(&mut plain, 56, &MIRROR.to_le_bytes());
    put(&mut plain, 64, &[0xf6, 0, 0, 0, 1, 0, 0, 0]);
    put(&mut plain, 510, &[0x55, 0xaa]);
    plain
}

fn entry(role: u16, kind: u16, data: &[u8]) -> Vec<u8> {
    let size = u16::try_from(8 + data.len()).unwrap();
    let mut entry: Vec<u8> = [size, role, kind, 1].into_iter().flat_map(u16::to_le_bytes).collect();
    entry.extend(data);
    entry
}

fn key(method: u16, key: &[u8]) -> Vec<u8> {
    entry(0, 1, &[&method.to_le_bytes(), &[0, 0], key].concat())
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// AES-CCM: nonce, MAC and encrypted bytes.
fn seal(number: u8, with: &[u8; 32], data: &[u8]) -> Vec<u8> {
    let cipher = Aes256::new(with.into());
    let encrypt = |block: [u8; 16]| -> [u8; 16] {
        let mut block = block.into();
        cipher.encrypt_block(&mut block);
        block.into()
    };
    let nonce = [number; 12];
    let block = |flags: u8, number: usize| {
        let mut block = [0; 16];
        block[0] = flags;
        block[1..13].copy_from_slice(&nonce);
        block[13..].copy_from_slice(&u32::try_from(number).unwrap().to_be_bytes()[1..]);
        block
    };
    let mut mac = encrypt(block(0x3a, data.len()));
    for chunk in data.chunks(16) {
        mac.iter_mut().zip(chunk).for_each(|(a, b)| *a ^= b);
        mac = encrypt(mac);
    }
    let stream = |number| encrypt(block(2, number));
    let mac: Vec<u8> = mac.iter().zip(stream(0)).map(|(a, b)| a ^ b).collect();
    let chunks = data.chunks(16).enumerate();
    let data =
        chunks.flat_map(|(number, chunk)| chunk.iter().zip(stream(number + 1)).map(|(a, b)| a ^ b).collect::<Vec<_>>());
    [&nonce[..], &mac, &data.collect::<Vec<_>>()].concat()
}

fn block(key: &[u8], block: u128) -> u128 {
    let mut block = block.to_le_bytes().into();
    match key.len() {
        16 => Aes128::new_from_slice(key).unwrap().encrypt_block(&mut block),
        _ => Aes256::new_from_slice(key).unwrap().encrypt_block(&mut block),
    }
    u128::from_le_bytes(block.into())
}

/// Encrypts a sector, the plain way.
fn encrypt(method: u16, key: &[u8], sector: &mut [u8], offset: u64) {
    let (first, second) = match method {
        0x8000 => (&key[..16], &key[32..48]),
        0x8002 => (&key[..16], &key[..0]),
        0x8003 => (&key[..32], &key[..0]),
        0x8004 => (&key[..16], &key[16..32]),
        _ => (&key[..32], &key[32..64]),
    };
    if method >= 0x8004 {
        let mut tweak = block(second, u128::from(offset / sector.len() as u64));
        for chunk in sector.chunks_mut(16) {
            let number = u128::from_le_bytes(chunk.try_into().unwrap());
            chunk.copy_from_slice(&(block(first, number ^ tweak) ^ tweak).to_le_bytes());
            tweak = (tweak << 1) ^ (0x87 * (tweak >> 127));
        }
        return;
    }
    if method < 0x8002 {
        let keys =
            [u128::from(offset), u128::from(offset) | 0x80 << 120].map(|number| block(second, number).to_le_bytes());
        sector.iter_mut().zip(keys.concat().iter().cycle()).for_each(|(byte, key)| *byte ^= key);
        let mut words: Vec<u32> = sector.chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
        let n = words.len();
        for (cycles, near, far, turns) in [(5, n - 2, n - 5, [9, 0, 13, 0]), (3, 2, 5, [0, 10, 0, 25])] {
            for at in (0..cycles).flat_map(|_| (0..n).rev()) {
                let added = words[(at + near) % n] ^ words[(at + far) % n].rotate_left(turns[at % 4]);
                words[at] = words[at].wrapping_sub(added);
            }
        }
        sector.chunks_mut(4).zip(words).for_each(|(bytes, word)| bytes.copy_from_slice(&word.to_le_bytes()));
    }
    let mut chain = block(first, u128::from(offset));
    for chunk in sector.chunks_mut(16) {
        chain = block(first, u128::from_le_bytes(chunk.try_into().unwrap()) ^ chain);
        chunk.copy_from_slice(&chain.to_le_bytes());
    }
}

/// Writes the CRC-32 of `size` bytes from `at` on to `place` of them.
pub(super) fn sum(bytes: &mut [u8], at: usize, size: usize, place: usize) {
    put(bytes, at + place, &[0; 4]);
    let sum = crc32(&bytes[at..at + size]).to_le_bytes();
    put(bytes, at + place, &sum);
}

fn books(conversion: &Conversion, sector: usize, bytes: &mut [u8]) {
    let count = conversion.regions.len();
    let size = 56 + 8 * count;
    for book in BOOKS {
        bytes[book..book + sector].fill(0);
        put(bytes, book, b"FVE-EOW\0\x38\0");
        put(bytes, book + 10, &u16::try_from(size).unwrap().to_le_bytes());
        for (at, number) in [(12, sector), (16, sector), (20, conversion.chunk), (24, LOG_BYTES), (32, count)] {
            put(bytes, book + at, &u32::try_from(number).unwrap().to_le_bytes());
        }
        let places = BOOKS.into_iter().chain((0..count).map(|number| MAPS + number * 0x1000));
        for (number, place) in places.enumerate() {
            put(bytes, book + 40 + 8 * number, &(place as u64).to_le_bytes());
        }
        sum(bytes, book, size, 36);
    }
    for (number, (start, end, bits)) in conversion.regions.iter().enumerate() {
        let (map, log) = (MAPS + number * 0x1000, LOGS + number * 0x8000);
        bytes[map..map + 0x600].fill(0);
        bytes[log..log + LOG_BYTES].fill(0);
        put(bytes, map, b"FVE-EOWBM\0\x3c\0");
        for (at, value) in [(12, 0x600), (16, number), (44, 0x200), (48, 0x400), (52, 0x200)] {
            put(bytes, map + at, &u32::try_from(value).unwrap().to_le_bytes());
        }
        for (at, value) in [(20, *start), (28, end - start), (36, log)] {
            put(bytes, map + at, &(value as u64).to_le_bytes());
        }
        sum(bytes, map, 0x200, 56);
        // The first record is the older one, and the opposite.
        for (record, sequence) in [(map + 0x200, 6_u8), (map + 0x400, 7)] {
            put(bytes, record, b"FVE-EOWBR\0\x24\0");
            put(bytes, record + 12, &0x200_u32.to_le_bytes());
            put(bytes, record + 16, &u32::try_from(bits.len()).unwrap().to_le_bytes());
            bytes[record + 20] = sequence;
            for (place, bit) in bits.iter().enumerate() {
                bytes[record + 36 + place / 8] |= u8::from(*bit == (sequence == 7)) << (place % 8);
            }
            sum(bytes, record, 0x200, 32);
        }
        put(bytes, log, b"OLRDHEVF2\0\x01\0\x02\0");
        put(bytes, log + 30, &u32::try_from(LOG_STEP).unwrap().to_le_bytes());
    }
}

/// A .BEK file with the external key.
pub(super) fn bek() -> Vec<u8> {
    let inner = entry(0, 1, &[&[2, 0x20, 0, 0], &EXTERNAL[..]].concat());
    let external = entry(6, 9, &[&EXTERNAL_ID[..], &[0; 8], &inner].concat());
    let mut file = vec![0; 48];
    let size = u32::try_from(48 + external.len()).unwrap().to_le_bytes();
    for (at, number) in [(0, size), (4, [1, 0, 0, 0]), (8, [48, 0, 0, 0]), (12, size)] {
        put(&mut file, at, &number);
    }
    put(&mut file, 16, &EXTERNAL_ID);
    file.extend(external);
    file
}
