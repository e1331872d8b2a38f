//! A ZIP archive as a file system: members in any order, each with its CRC-32 or its authentication code compared.

use std::io::{self, Read};
use std::sync::Arc;

use flate2::Crc;

use super::expanded::{Expanded, Map};
use super::index::{Facts, Growing, Index};
use super::limits::Limits;
use super::refused::{Cause, Refused, damaged};
use super::source::{Sequential, drain};
use super::told::Told;
use super::velociraptor;
use super::zip_crypto::{Seal, ZipCrypto, aes};
use super::zip_directory::{Encryption, Member, read, separator};
use super::zip_end::find;
use super::zip_method::decompress;
use crate::evidence::block::{Blocks, Part};
use crate::evidence::file_system::{Case, Content, Each, Entry, EntryKind, FileSystem, Head, Node, Vouched, head_of};
use crate::evidence::locator::Name;

/// A ZIP archive.
pub struct Zip {
    blocks: Blocks,
    password: Option<Vec<u8>>,
    index: Index,
    members: Vec<Member>,
    /// The files that Velociraptor stored without their holes, by their member's number, in order.
    sparse: Vec<(usize, Result<Sparse, String>)>,
    told: Vec<String>,
}

/// A file that is stored without its holes.
struct Sparse {
    map: Map,
    size: u64,
}

impl Zip {
    /// Reads the directory and the header of each member.
    ///
    /// # Errors
    /// Why the whole archive is unreadable: truncated, or a part of a split one.
    pub fn open(blocks: Blocks, password: Option<&str>, limits: Limits) -> Result<Self, Refused> {
        let mut told = Told::default();
        let end = find(&blocks, &mut told)?;
        let listed = read(&blocks, &end, limits, &mut told);
        let mut growing = Growing::new(limits);
        let mut members = Vec::with_capacity(listed.len());
        for listed in listed {
            let number = u32::try_from(members.len()).unwrap_or(u32::MAX);
            let size = if listed.kind == EntryKind::File { listed.member.size } else { 0 };
            let facts = Facts { kind: listed.kind, size, modified: listed.modified };
            if !growing.add(&listed.name, separator(&listed.name), facts, number) {
                break;
            }
            members.push(listed.member);
        }
        let (index, mut limited) = growing.finish();
        limited.extend(told.sentences());
        let password = password.map(|password| password.as_bytes().to_vec());
        let mut zip = Self { blocks, password, index, members, sparse: Vec::new(), told: limited };
        zip.expand();
        Ok(zip)
    }

    /// Finds the files that Velociraptor stored without their holes, and sets their full sizes.
    fn expand(&mut self) {
        let pairs: Vec<(Node, Node)> = velociraptor::pairs(&self.index).collect();
        let mut left = velociraptor::MOST_READ;
        for (file, index) in pairs {
            let Some(number) = self.index.member(file) else { continue };
            let Some(stored) = self.members.get(number).map(|member| member.size) else { continue };
            let size = self.index.entry(index).map_or(u64::MAX, |entry| entry.size);
            let read = if size > left {
                Some(Err("its index of sparse ranges is too large".to_owned()))
            } else {
                left = left.saturating_sub(size);
                self.stored(index)
                    .and_then(|mut content| {
                        let mut bytes = Vec::new();
                        content.read_to_end(&mut bytes)?;
                        Ok((bytes, content.finish()))
                    })
                    .map_or_else(
                        |error| Some(Err(format!("its index of sparse ranges cannot be read: {error}"))),
                        |(bytes, vouched)| match vouched {
                            Vouched::Unverified(why) => Some(Err(format!("its index of sparse ranges: {why}"))),
                            _ => velociraptor::ranges(&bytes, stored),
                        },
                    )
            };
            // Another program's .idx is an ordinary file.
            let Some(read) = read else { continue };
            let sparse = read.and_then(|(pairs, size)| Map::new(&pairs, size, stored).map(|map| Sparse { map, size }));
            if let Ok(sparse) = &sparse
                && let Some(entry) = self.index.entry_mut(file)
            {
                entry.size = sparse.size;
            }
            self.sparse.push((number, sparse));
        }
        self.sparse.sort_by_key(|(number, _)| *number);
    }

    fn member(&self, file: Node) -> io::Result<(usize, &Member)> {
        let number = self.index.member(file).ok_or_else(|| damaged("it is not a file"))?;
        let member = self.members.get(number).ok_or_else(|| damaged("it is not a file"))?;
        match &member.broken {
            Some(why) => Err(damaged(why.as_ref())),
            None => Ok((number, member)),
        }
    }

    fn sparse(&self, number: usize) -> io::Result<Option<&Sparse>> {
        let place = self.sparse.binary_search_by_key(&number, |(number, _)| *number);
        match place.ok().and_then(|place| self.sparse.get(place)) {
            Some((_, Ok(sparse))) => Ok(Some(sparse)),
            Some((_, Err(why))) => Err(damaged(why.clone())),
            None => Ok(None),
        }
    }

    /// Opens a member's stored bytes, decompressed.
    fn stored(&self, file: Node) -> io::Result<Stored> {
        let (_, member) = self.member(file)?;
        let packed: Blocks = Arc::new(Part::new(Blocks::clone(&self.blocks), member.data, member.packed));
        if packed.size() < member.packed {
            return Err(damaged("the archive ends within it"));
        }
        let mut seal = None;
        let all = Sequential::new(Blocks::clone(&packed), 0);
        let plain: Box<dyn Read + Send> = match (member.encryption, &self.password) {
            (Encryption::None, _) => Box::new(all),
            (Encryption::Unknown, _) => {
                let reason = "it is encrypted by a method that is not supported";
                return Err(Refused::new(Cause::Unsupported, reason, "unpack it by hand: 7z x").into());
            }
            (_, None) => return Err(Refused::encrypted(false).into()),
            (Encryption::ZipCrypto(check), Some(password)) => Box::new(ZipCrypto::new(all, password, check)?),
            (Encryption::Aes { key, .. }, Some(password)) => {
                let (decrypted, sealed) = aes(&packed, key, password)?;
                seal = Some(sealed);
                Box::new(decrypted)
            }
        };
        let without_crc = matches!(member.encryption, Encryption::Aes { without_crc: true, .. });
        let inner = decompress(plain, member.method, member.flags, member.size)?;
        Ok(Stored {
            inner,
            computed: Crc::new(),
            left: member.size,
            crc: (!without_crc).then_some(member.crc),
            seal,
            weak: matches!(member.encryption, Encryption::ZipCrypto(_)),
            failed: member.doubtful.as_deref().map(str::to_owned),
        })
    }
}

/// A member's bytes, and the check at their end.
struct Stored {
    inner: Box<dyn Read + Send>,
    computed: Crc,
    left: u64,
    crc: Option<u32>,
    seal: Option<Seal>,
    /// Whether a wrong password may have passed the check, which has only one byte.
    weak: bool,
    failed: Option<String>,
}

impl Read for Stored {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match self.inner.read(buffer) {
            Ok(count) if count as u64 > self.left => {
                Err(damaged("it decompresses to more bytes than the archive says"))
            }
            Ok(0) if self.left > 0 && !buffer.is_empty() => {
                Err(damaged(format!("it decompresses to {} bytes less than the archive says", self.left)))
            }
            other => other,
        };
        match &read {
            Ok(count) => {
                self.computed.update(buffer.get(..*count).unwrap_or_default());
                self.left = self.left.saturating_sub(*count as u64);
            }
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.failed.get_or_insert(error.to_string());
            }
            Err(_) => {}
        }
        read
    }
}

impl Content for Stored {
    fn finish(&mut self) -> Vouched {
        // The member has stored any error.
        let _ = drain(self);
        let found = self.computed.sum();
        if self.failed.is_none()
            && let Some(crc) = self.crc.filter(|crc| *crc != found)
        {
            self.failed = Some(format!("its CRC-32 does not match: {crc:08x} stored, {found:08x} computed"));
        }
        if let Some(why) = &self.failed {
            let weak = if self.weak { "; or the password is wrong" } else { "" };
            return Vouched::Unverified(format!("{why}{weak}"));
        }
        match self.seal.as_ref().map(Seal::holds) {
            None => Vouched::by("CRC-32 (zip)"),
            Some(Ok(true)) => Vouched::by("HMAC-SHA-1 (zip)"),
            Some(Ok(false)) => Vouched::Unverified("its authentication code (HMAC-SHA-1) does not match".to_owned()),
            Some(Err(error)) => Vouched::Unverified(error.to_string()),
        }
    }
}

/// A member's bytes with their holes.
struct Whole<'m>(Expanded<'m, Stored>);

impl Read for Whole<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Content for Whole<'_> {
    fn finish(&mut self) -> Vouched {
        let read = drain(self);
        match (self.0.inner_mut().finish(), read) {
            (Vouched::Verified(by), Err(error)) => Vouched::Unverified(format!("{error} ({by} matches)")),
            (vouched, _) => vouched,
        }
    }
}

impl FileSystem for Zip {
    fn list(&self, folder: Node, each: Each<'_>) {
        self.index.list(folder, each);
    }

    fn scan(&self, each: Each<'_>) {
        self.index.scan(each);
    }

    fn look_up(&self, folder: Node, name: &Name, case: Case) -> Result<Vec<Entry>, String> {
        Ok(self.index.look_up(folder, name, case))
    }

    fn head(&self, file: Node) -> io::Result<Head> {
        let size = self.index.entry(file).map_or(0, |entry| entry.size);
        head_of(self.open(file)?.as_mut(), size)
    }

    fn open(&self, file: Node) -> io::Result<Box<dyn Content + '_>> {
        let (number, _) = self.member(file)?;
        let sparse = self.sparse(number)?;
        let stored = self.stored(file)?;
        Ok(match sparse {
            Some(Sparse { map, size }) => Box::new(Whole(Expanded::new(stored, Some(map), *size))),
            None => Box::new(stored),
        })
    }

    /// Returns a member that is stored uncompressed; only [`FileSystem::open`] compares its CRC-32.
    fn blocks(&self, file: Node) -> Option<Blocks> {
        let (number, member) = self.member(file).ok()?;
        let plain = member.method == 0 && member.encryption == Encryption::None && member.packed == member.size;
        let whole = plain && self.sparse(number).ok()?.is_none();
        whole.then(|| Arc::new(Part::new(Blocks::clone(&self.blocks), member.data, member.packed)) as Blocks)
    }

    fn defects(&self) -> Vec<String> {
        self.told.clone()
    }
}
