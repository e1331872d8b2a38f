//! The text that lists the parts of a VMDK image.

/// The most bytes of a descriptor. VMware's have some KiB.
pub(super) const LARGEST: usize = 1 << 20;

/// The content of a descriptor.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Descriptor {
    /// The identifier that children store, in lower case.
    pub(super) id: String,
    /// The identifier of its parent, if it has one.
    pub(super) parent: Option<String>,
    /// The path of its parent.
    pub(super) parent_name: Option<String>,
    pub(super) extents: Vec<Extent>,
}

/// A part of the disk.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// The size in sectors of 512 bytes.
    pub(super) sectors: u64,
    /// `SPARSE`, `FLAT`, `ZERO` ...
    pub(super) kind: String,
    pub(super) name: String,
    /// The start of a flat extent in its file, in sectors.
    pub(super) start: u64,
}

impl Descriptor {
    /// Reads a descriptor; the error is the line that is not understood.
    pub(super) fn read(text: &[u8]) -> Result<Self, String> {
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        let text = String::from_utf8_lossy(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text));
        let mut descriptor = Self::default();
        for line in text.lines().map(str::trim) {
            if let Some((name, value)) = line.split_once('=').filter(|(name, _)| !name.contains('"')) {
                let value = value.trim().trim_matches('"');
                match name.trim().to_ascii_lowercase().as_str() {
                    "cid" => descriptor.id = value.to_ascii_lowercase(),
                    "parentcid" => {
                        let value = value.to_ascii_lowercase();
                        descriptor.parent = Some(value).filter(|value| value != "ffffffff");
                    }
                    "parentfilenamehint" => descriptor.parent_name = Some(value.to_owned()),
                    _ => {}
                }
            } else if ["RW ", "RDONLY ", "NOACCESS "].iter().any(|access| line.starts_with(access)) {
                descriptor.extents.push(extent(line).ok_or_else(|| line.to_owned())?);
            }
        }
        Ok(descriptor)
    }
}

/// Parses `RW 4192256 SPARSE "disk-s001.vmdk"`, `RW 4192256 FLAT "disk-flat.vmdk" 0`, `RW 63 ZERO`.
fn extent(line: &str) -> Option<Extent> {
    let mut words = line.splitn(4, ' ').filter(|word| !word.is_empty());
    let (access, sectors, kind) = (words.next()?, words.next()?.parse().ok()?, words.next()?.to_owned());
    let rest = words.next().unwrap_or_default();
    if access == "NOACCESS" {
        return None;
    }
    let (name, start) = match rest.trim().strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None if kind == "ZERO" => ("", ""),
        None => return None,
    };
    // The other words describe the real disk behind the extent.
    let start = match start.split_whitespace().next() {
        Some(start) => start.parse().ok()?,
        None => 0,
    };
    Some(Extent { sectors, kind, name: name.to_owned(), start })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_is_read_as_vmware_writes_it() {
        let text = b"# Disk DescriptorFile\r\nversion=1\r\nCID=ABCD0123\r\nparentCID=0000ffff\r\n\
            createType=\"twoGbMaxExtentFlat\"\r\nparentFileNameHint=\"C:\\VMs\\a = b.vmdk\"\r\n# Extent description\r\n\
            RW 4192256 FLAT \"my disk-f001.vmdk\" 128\r\nRW 63 ZERO\r\nRDONLY 77 SPARSE \"x=y.vmdk\"\r\n\
            ddb.adapterType = \"ide\"\r\n\0\0garbage";
        let extent =
            |sectors, kind: &str, name: &str, start| Extent { sectors, kind: kind.into(), name: name.into(), start };
        let expected = Descriptor {
            id: "abcd0123".into(),
            parent: Some("0000ffff".into()),
            parent_name: Some(r"C:\VMs\a = b.vmdk".into()),
            extents: vec![
                extent(4_192_256, "FLAT", "my disk-f001.vmdk", 128),
                extent(63, "ZERO", "", 0),
                extent(77, "SPARSE", "x=y.vmdk", 0),
            ],
        };
        assert_eq!(Descriptor::read(text).unwrap(), expected);
        assert_eq!(Descriptor::read(b"CID=1\nparentCID=ffffffff\n").unwrap().parent, None);
        for wrong in
            ["RW x SPARSE \"a\"", "RW 5 SPARSE a", "NOACCESS 5 FLAT \"a\" 0", "RW 5 FLAT \"a\" b", "RW 5 FLAT \"a"]
        {
            assert_eq!(Descriptor::read(wrong.as_bytes()).unwrap_err(), wrong);
        }
    }
}
