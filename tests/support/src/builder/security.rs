//! Builds security descriptors from text.

/// Returns a self-relative descriptor with its owner and the entries of its discretionary list, which also apply to
/// subkeys. Identifiers are written as `S-1-5-32-544`. The group is SYSTEM.
pub fn descriptor(owner: &str, entries: &[Entry<'_>]) -> Vec<u8> {
    let mut list = Vec::new();
    for entry in entries {
        let sid = sid(entry.sid);
        list.extend([u8::from(!entry.allows), 2]);
        list.extend(u16::try_from(8 + sid.len()).expect("an entry is short").to_le_bytes());
        list.extend(entry.mask.to_le_bytes());
        list.extend(sid);
    }
    let (owner, group) = (sid(owner), sid("S-1-5-18"));
    let at = |place: usize| u32::try_from(place).expect("a descriptor is short").to_le_bytes();
    let mut bytes = vec![1, 0, 0x04, 0x80]; // revision; self-relative, with a discretionary list
    bytes.extend(at(20 + 8 + list.len())); // where the owner is
    bytes.extend(at(20 + 8 + list.len() + owner.len())); // the group
    bytes.extend(at(0)); // no system list
    bytes.extend(at(20)); // where the discretionary list is
    bytes.extend([2, 0]); // its revision
    bytes.extend(u16::try_from(8 + list.len()).expect("a list is short").to_le_bytes());
    bytes.extend(at(entries.len()));
    bytes.extend(list);
    bytes.extend(owner);
    bytes.extend(group);
    bytes
}

/// An entry of a discretionary list.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Whether the entry allows the rights. If not, it denies them.
    pub allows: bool,
    /// The rights.
    pub mask: u32,
    /// The trustee.
    pub sid: &'a str,
}

/// Returns the descriptor of all keys without their own. Administrators own the keys; they and SYSTEM have all rights,
/// and users may read.
pub(super) fn usual() -> Vec<u8> {
    let entry = |mask, sid| Entry { allows: true, mask, sid };
    let entries =
        [entry(0x000F_003F, "S-1-5-18"), entry(0x000F_003F, "S-1-5-32-544"), entry(0x0002_0019, "S-1-5-32-545")];
    descriptor("S-1-5-32-544", &entries)
}

/// Returns the packet form of an identifier.
fn sid(text: &str) -> Vec<u8> {
    let mut numbers = text.split('-').skip(1).map(|part| part.parse::<u32>().expect("a number"));
    let mut next = || numbers.next().expect("S-1-5-...");
    let (revision, authority) = (next(), next());
    let parts: Vec<u32> = numbers.collect();
    let byte = |number: u32| u8::try_from(number).expect("a small number");
    let mut sid = vec![byte(revision), u8::try_from(parts.len()).expect("few parts"), 0, 0];
    sid.extend(authority.to_be_bytes());
    sid.extend(parts.iter().flat_map(|part| part.to_le_bytes()));
    sid
}
