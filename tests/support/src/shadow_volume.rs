//! Writes a volume with shadow copies, as far as a reader examines what Windows would store on the disk.
//!
//! Every sector of the live volume and of every saved block states where it came from.

use hivemend::evidence::block::BlockRead;

/// The bytes of a block.
pub const BLOCK: usize = 0x4000;
/// The identifier of all structures of VSS.
const VSS: [u8; 16] = [0x6b, 0x87, 0x08, 0x38, 0x76, 0xc1, 0x48, 0x4e, 0xb7, 0xae, 0x04, 0x04, 0x6e, 0x6c, 0xc7, 0x52];

/// A descriptor of a saved block. The numbers are block numbers.
#[derive(Clone, Debug)]
pub enum Saved {
    /// The whole block.
    Whole(u64),
    /// Single sectors. If a block already has some, the new ones are stored with them.
    Sectors(u64, u32),
    /// The block with the first number is stored at the second one.
    Moved(u64, u64),
    /// A block with the flag "not used".
    NotUsed(u64),
    /// The four words of a descriptor, unchanged.
    Raw([u64; 4]),
}

/// A shadow copy.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// The time of its creation: 100 ns since 1601.
    pub created: u64,
    /// Its number in the catalog.
    pub sequence: u64,
    /// The flags in the catalog.
    pub flags: u64,
    /// The blocks that were saved.
    pub saved: Vec<Saved>,
    /// Blocks that were not in use.
    pub unused: Vec<u64>,
    /// Blocks that were not in use in the previous shadow copy, if it has such a bitmap.
    pub previously_unused: Option<Vec<u64>>,
}

/// The places of the structures of a shadow copy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Places {
    /// The header of the store.
    pub header: usize,
    /// The list of saved blocks.
    pub list: usize,
    /// The ranges of the store.
    pub ranges: usize,
    /// The bitmap of unused blocks.
    pub bitmap: usize,
    /// The bitmap of the previous shadow copy; 0 if there is none.
    pub previous_bitmap: usize,
}

/// A volume, and the places of its structures.
pub struct Volume {
    /// All of its bytes.
    pub bytes: Vec<u8>,
    /// The place of the catalog.
    pub catalog: usize,
    /// The places of the structures of each shadow copy.
    pub stores: Vec<Places>,
}

/// Returns a GUID that contains a number.
pub fn guid(number: u16) -> [u8; 16] {
    let [low, high] = number.to_le_bytes();
    [low, high, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, low]
}

/// Returns a volume of `live` blocks, and the blocks of the shadow copies. The catalog lists them in the given order.
pub fn build(live: u64, stores: &[Store]) -> Volume {
    let mut volume = Volume { bytes: Vec::new(), catalog: 0, stores: Vec::new() };
    for block in 0..live {
        volume.bytes.extend((0..32).flat_map(|sector| origin(0, block, sector)));
    }
    let mut entries = Vec::new();
    for (number, store) in (1_u16..).zip(stores) {
        let places = volume.store(number, store);
        volume.stores.push(places);
        entries.push(entry(2, number, [0; 5], &[(32, store.sequence), (40, store.flags), (48, store.created)]));
        let at = |place: usize| place as u64;
        let five = [places.list, places.header, places.ranges, places.bitmap, places.previous_bitmap].map(at);
        entries.push(entry(3, number, five, &[]));
    }
    let size = volume.bytes.len() + BLOCK * entries.len().div_ceil(127).max(1);
    for entry in entries.iter_mut().step_by(2) {
        entry[8..16].copy_from_slice(&(size as u64).to_le_bytes());
    }
    volume.catalog = volume.chain(2, &entries.concat(), 128);
    volume.boot(size);
    volume
}

fn entry(kind: u64, number: u16, places: [u64; 5], more: &[(usize, u64)]) -> Vec<u8> {
    let mut entry = vec![0; 128];
    let [list, header, ranges, bitmap, previous] = places;
    let fields = [(0, kind), (8, list), (32, header), (40, ranges), (48, bitmap), (72, previous)];
    for (at, value) in fields.iter().chain(more) {
        entry[*at..*at + 8].copy_from_slice(&value.to_le_bytes());
    }
    entry[16..32].copy_from_slice(&guid(number));
    entry
}

/// Returns a sector that states its origin: the live volume (0) or a store's saved blocks, block, and sector.
fn origin(store: u64, block: u64, sector: u64) -> impl Iterator<Item = u8> {
    (0..64).flat_map(move |word| (0x11 << 56 | word << 48 | store << 32 | block << 8 | sector).to_le_bytes())
}

/// Returns the origin of a sector of a shadow copy, in words.
pub fn told(snapshot: &dyn BlockRead, block: u64, sector: u64) -> String {
    let mut bytes = [0; 512];
    if let Err(error) = snapshot.read_exact_at(&mut bytes, block * BLOCK as u64 + sector * 512) {
        return error.to_string();
    }
    if bytes == [0; 512] {
        return "zeros".into();
    }
    let word = u64::from_le_bytes(*bytes.first_chunk().unwrap());
    let (store, block, sector) = (word >> 32 & 0xffff, word >> 8 & 0xff_ffff, word & 0xff);
    assert!(bytes.iter().copied().eq(origin(store, block, sector)), "a sector of several origins at {block}.{sector}");
    if store == 0 { format!("live {block}.{sector}") } else { format!("store {store} {block}.{sector}") }
}

impl Volume {
    fn end(&self) -> usize {
        self.bytes.len()
    }

    /// Adds a chain of blocks with `entries` of `size` bytes, and returns the offset of the first block.
    fn chain(&mut self, record: u32, entries: &[u8], size: usize) -> usize {
        let (first, room) = (self.end(), (BLOCK - 128) / size * size);
        let count = entries.len().div_ceil(room).max(1);
        for i in 0..count {
            let (start, next) = (self.end(), if i + 1 < count { self.end() + BLOCK } else { 0 });
            self.bytes.extend(VSS);
            self.bytes.extend(1_u32.to_le_bytes());
            self.bytes.extend(record.to_le_bytes());
            for offset in [i * BLOCK, start, next] {
                self.bytes.extend((offset as u64).to_le_bytes());
            }
            self.bytes.resize(start + 128, 0);
            self.bytes.extend(entries.chunks(room).nth(i).unwrap_or_default());
            self.bytes.resize(start + BLOCK, 0);
        }
        first
    }

    fn store(&mut self, number: u16, store: &Store) -> Places {
        let mut header = vec![0; 128];
        header[16..32].copy_from_slice(&guid(number + 100));
        header[32..48].copy_from_slice(&guid(number + 200));
        header[56..60].copy_from_slice(&0x0042_0009_u32.to_le_bytes());
        let mut places = Places { header: self.chain(4, &header, 128), ..Places::default() };
        let first = self.end();
        let mut descriptors: Vec<u8> = Vec::new();
        let mut with_sectors = Vec::new();
        for saved in &store.saved {
            let (end, size) = (self.end() as u64, BLOCK as u64);
            let (words, block) = match *saved {
                Saved::Whole(block) => ([block * size, end - first as u64, end, 0x88], Some(block)),
                Saved::NotUsed(block) => ([block * size, end - first as u64, end, 4], Some(block)),
                Saved::Moved(from, to) => ([from * size, to * size, 0, 1], None),
                Saved::Raw(words) => (words, None),
                Saved::Sectors(block, bits) => {
                    let bits = u64::from(bits) << 32 | 2;
                    let known = with_sectors.iter().find(|(known, _)| *known == block);
                    if let Some((_, data)) = known {
                        ([block * size, 1, *data, bits], None)
                    } else {
                        with_sectors.push((block, end));
                        ([block * size, end - first as u64, end, bits], Some(block))
                    }
                }
            };
            descriptors.extend(words.iter().flat_map(|word| word.to_le_bytes()));
            if let Some(block) = block {
                self.bytes.extend((0..32).flat_map(|sector| origin(u64::from(number), block, sector)));
            }
        }
        let ranges = [first as u64, 0, self.end() as u64 - first as u64];
        places.list = self.chain(3, &descriptors, 32);
        let ranges = if ranges[2] == 0 { [0; 3] } else { ranges };
        places.ranges = self.chain(5, &ranges.map(u64::to_le_bytes).concat(), 24);
        places.bitmap = self.chain(6, &bits(&store.unused), BLOCK - 128);
        if let Some(unused) = &store.previously_unused {
            places.previous_bitmap = self.chain(6, &bits(unused), BLOCK - 128);
        }
        places
    }

    /// Writes the fields of the boot sector that libvshadow reads, and the header of VSS.
    fn boot(&mut self, size: usize) {
        let sectors = (size as u64 / 512).to_le_bytes();
        for (at, bytes) in [(0, &b"\xeb\x52\x90NTFS    \x00\x02\x08"[..]), (0x28, &sectors), (0x1fe, b"\x55\xaa")] {
            self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        }
        // libvshadow reads a volume's size from here.
        self.bytes[0x30..0x38].copy_from_slice(&4_u64.to_le_bytes());
        self.bytes[0x40] = 0xf6;
        self.bytes[0x44] = 1;
        let header = &mut self.bytes[0x1e00..0x2000];
        header.fill(0);
        header[..16].copy_from_slice(&VSS);
        header[16] = 1;
        header[20] = 1;
        for (at, value) in [(24, 0x1e00), (32, 0x1e00), (48, self.catalog as u64)] {
            header[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        header[64..80].copy_from_slice(&guid(0xff));
        header[80..96].copy_from_slice(&guid(0xff));
    }
}

fn bits(blocks: &[u64]) -> Vec<u8> {
    let mut bits = vec![0; BLOCK - 128];
    for block in blocks {
        bits[usize::try_from(block / 8).unwrap()] |= 1 << (block % 8);
    }
    bits
}
