//! Extended headers of tar: `length keyword=value` records. POSIX.1-2017, pax, "pax Extended Header", and GNU tar's
//! keywords for sparse files: <https://www.gnu.org/software/tar/manual/html_node/Sparse-Formats.html>.

/// The values of extended headers for a member; `None` if they do not set a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extended {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// Whole seconds since 1970.
    pub(super) modified: Option<u64>,
    /// The version of the sparse format, if the file is sparse.
    pub(super) sparse: Option<Sparse>,
    /// The size of the file with its holes.
    pub(super) real_size: Option<u64>,
    /// The name of a sparse file; `path` has a name that marks it as condensed.
    pub(super) real_name: Option<Vec<u8>>,
    /// Ranges: offset and size in the file.
    pub(super) ranges: Vec<(u64, u64)>,
    /// An offset whose size has not been read yet.
    offset: Option<u64>,
}

/// How the archive stores a sparse file's ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sparse {
    /// In the extended header: 0.0 and 0.1.
    InHeader,
    /// Before the file's bytes: 1.0.
    BeforeData,
    /// In an unknown way.
    Unknown,
}

impl Extended {
    /// Adds the records of an extended header.
    pub(super) fn read(&mut self, mut records: &[u8]) -> Result<(), String> {
        while !records.is_empty() {
            let space = records.iter().position(|byte| *byte == b' ').unwrap_or(0);
            let length = records.get(..space).and_then(decimal).and_then(|length| usize::try_from(length).ok());
            let record = length.and_then(|length| records.split_at_checked(length));
            let (record, rest) = record.ok_or("an extended header has a record without a length that fits")?;
            let record = record.get(space.saturating_add(1)..).and_then(|record| record.strip_suffix(b"\n"));
            let record = record.ok_or("an extended header has a record that does not end with a line")?;
            let sign =
                record.iter().position(|byte| *byte == b'=').ok_or("an extended header has a record without =")?;
            let (keyword, value) = record.split_at_checked(sign).unwrap_or_default();
            self.record(keyword, value.get(1..).unwrap_or_default())?;
            records = rest;
        }
        Ok(())
    }

    fn record(&mut self, keyword: &[u8], value: &[u8]) -> Result<(), String> {
        let number = || decimal(value).ok_or_else(|| format!("{} is not a number", String::from_utf8_lossy(keyword)));
        // An empty value cancels the value of a global header.
        let given = (!value.is_empty()).then(|| value.to_vec());
        match keyword {
            b"path" => self.path = given,
            b"linkpath" => self.link = given,
            b"size" => self.size = given.map(|_| number()).transpose()?,
            b"mtime" => self.modified = value.split(|byte| *byte == b'.').next().and_then(decimal),
            b"GNU.sparse.major" => {
                self.sparse = Some(match value {
                    b"0" => Sparse::InHeader,
                    b"1" => Sparse::BeforeData,
                    _ => Sparse::Unknown,
                });
            }
            b"GNU.sparse.minor" if self.sparse == Some(Sparse::BeforeData) && value != b"0" => {
                self.sparse = Some(Sparse::Unknown);
            }
            b"GNU.sparse.name" => self.real_name = given,
            b"GNU.sparse.realsize" | b"GNU.sparse.size" => {
                self.real_size = Some(number()?);
                self.sparse.get_or_insert(Sparse::InHeader);
            }
            b"GNU.sparse.numblocks" => {
                self.sparse.get_or_insert(Sparse::InHeader);
            }
            b"GNU.sparse.offset" => {
                self.offset = Some(number()?);
                self.sparse.get_or_insert(Sparse::InHeader);
            }
            b"GNU.sparse.numbytes" => {
                let offset = self.offset.take().ok_or("a sparse range has a size and no offset")?;
                self.ranges.push((offset, number()?));
            }
            b"GNU.sparse.map" => {
                self.sparse.get_or_insert(Sparse::InHeader);
                let mut numbers = value.split(|byte| *byte == b',').filter(|number| !number.is_empty()).map(decimal);
                while let Some(offset) = numbers.next() {
                    let pair = offset.zip(numbers.next().flatten());
                    self.ranges.push(pair.ok_or("the map of sparse ranges is not a list of pairs of numbers")?);
                }
            }
            // Solaris and star store sparse files in other ways.
            b"SCHILY.realsize" | b"SUN.holesdata" => {
                self.sparse.get_or_insert(Sparse::Unknown);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Returns a decimal number without a sign.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(records: &[u8]) -> Result<Extended, String> {
        let mut extended = Extended::default();
        extended.read(records).map(|()| extended)
    }

    #[test]
    fn records_have_a_length_a_keyword_and_any_bytes() {
        let extended = read(b"12 path=a\nb\n16 mtime=17.125\n11 size=70\n").unwrap();
        assert_eq!((extended.path.unwrap(), extended.modified, extended.size), (b"a\nb".to_vec(), Some(17), Some(70)));
        for wrong in [&b"9 path=a"[..], b"99 path=a\n", b"path=a\n", b" 5 a=\n", b"5 ab\n", b"10 size=x\n"] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn ranges_come_in_pairs() {
        let extended = read(b"27 GNU.sparse.map=0,5,17,3\n").unwrap();
        assert_eq!((extended.ranges, extended.sparse), (vec![(0, 5), (17, 3)], Some(Sparse::InHeader)));
        assert!(read(b"25 GNU.sparse.map=0,5,17\n").is_err());
        assert!(read(b"25 GNU.sparse.numbytes=5\n").is_err());
    }
}
