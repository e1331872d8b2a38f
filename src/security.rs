//! Security descriptors: the owner of an object, and the rights that its access list grants.
//!
//! Each key of a hive and each `Security` value of a service contains one in the self-relative form of MS-DTYP, section
//! 2.4.6. Access lists are in section 2.4.5, their entries in 2.4.4, and identifiers in 2.4.2.2. Section 2.5.3.2
//! describes how Windows decides.
//!
//! <https://learn.microsoft.com/openspecs/windows_protocols/ms-dtyp/7d4dac05-9cef-4563-a058-f108abecce1d>
//! <https://learn.microsoft.com/openspecs/windows_protocols/ms-dtyp/4f1bbcbb-814a-4c70-a11e-2a5b8779a6f9>

use sid::{CREATOR_GROUP, CREATOR_OWNER, OWNER_RIGHTS};

mod access_list;
mod sid;

pub use access_list::Entry;
use access_list::{entries, long, short};
pub use sid::{EVERYONE, Sid};

/// `KEY_SET_VALUE`: the right to create, set, or delete a value of a key.
///
/// <https://learn.microsoft.com/windows/win32/sysinfo/registry-key-security-and-access-rights>
pub const KEY_SET_VALUE: u32 = 0x0002;
/// `KEY_CREATE_SUB_KEY`: the right to create a key in a key. Same source.
pub const KEY_CREATE_SUB_KEY: u32 = 0x0004;

/// The meaning of the generic rights for a key: `GENERIC_READ` and `GENERIC_EXECUTE` are `KEY_READ`, `GENERIC_WRITE` is
/// `KEY_WRITE`, `GENERIC_ALL` is `KEY_ALL_ACCESS`. Same source, and MS-DTYP, section 2.4.3.
const GENERIC: [(u32, u32); 4] =
    [(0x8000_0000, 0x0002_0019), (0x4000_0000, 0x0002_0006), (0x2000_0000, 0x0002_0019), (0x1000_0000, 0x000f_003f)];

/// `SE_DACL_PRESENT`.
const DACL_PRESENT: u16 = 0x0004;
/// A decoded security descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The owner; `None` if the descriptor names none.
    pub owner: Option<Sid>,
    /// The entries that apply to the object itself, in order. `None` without an access list, which grants everybody all
    /// rights. An empty list grants nobody any right.
    pub access_list: Option<Vec<Entry>>,
}

impl Descriptor {
    /// Decodes a self-relative descriptor.
    ///
    /// # Errors
    /// Returns an error if the bytes are not a descriptor. The error states what is wrong with them.
    pub fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let control = short(bytes, 2).ok_or("it ends in the header")?;
        let at = |place| long(bytes, place).and_then(|at| usize::try_from(at).ok()).ok_or("it ends in the header");
        let (owner, list) = (at(4)?, at(16)?);
        let owner = match owner {
            0 => None,
            at => {
                let sid = bytes.get(at..).ok_or("its owner lies past its end")?;
                Some(Sid::decode(sid).ok_or("it ends in a security identifier")?)
            }
        };
        if control & DACL_PRESENT == 0 || list == 0 {
            return Ok(Self { owner, access_list: None });
        }
        let list = bytes.get(list..).ok_or("its access list lies past its end")?;
        Ok(Self { owner, access_list: Some(entries(list)?) })
    }

    /// Returns whether a holder of all these identifiers has every one of these rights to a key. The first entry that
    /// decides a right counts. A conditional entry denies but does not allow, as MS-DTYP, section 2.5.1.1, requires if
    /// a condition cannot be evaluated.
    pub fn grants(&self, holder: &[&str], rights: u32) -> bool {
        let Some(list) = &self.access_list else { return true };
        let holds = |sid: &str| holder.contains(&sid);
        let is_owner = self.owner.as_ref().is_some_and(|owner| holds(owner.as_str()));
        let mut wanted = rights;
        for entry in
            list.iter().filter(|entry| holds(entry.sid.as_str()) || is_owner && entry.sid.as_str() == OWNER_RIGHTS)
        {
            let mask = key_rights(entry.mask);
            if !entry.allows && mask & wanted != 0 {
                return false;
            }
            if entry.allows && !entry.conditional {
                wanted &= !mask;
            }
            if wanted == 0 {
                return true;
            }
        }
        false
    }

    /// Returns the identifiers whose own entries grant these rights to a key, in the order of the list. Each of them
    /// also counts as Everyone. Without an access list, returns Everyone.
    pub fn granted_to(&self, rights: u32) -> Vec<Sid> {
        let Some(list) = &self.access_list else { return vec![Sid::everyone()] };
        // These two stand for the creator of a key. Nobody holds them.
        let is_held = |sid: &Sid| ![CREATOR_OWNER, CREATOR_GROUP].contains(&sid.as_str());
        let mut granted: Vec<Sid> = Vec::new();
        for sid in list.iter().filter(|entry| entry.allows).map(|entry| &entry.sid).filter(|sid| is_held(sid)) {
            if !granted.contains(sid) && self.grants(&[sid.as_str(), EVERYONE], rights) {
                granted.push(sid.clone());
            }
        }
        granted
    }

    /// Returns the owner if ownership alone lets it change the access list (`WRITE_DAC`). An entry for OWNER RIGHTS
    /// replaces the usual rights of owners.
    ///
    /// <https://learn.microsoft.com/windows-server/identity/ad-ds/manage/understand-security-identifiers>
    pub fn owner_in_control(&self) -> Option<&Sid> {
        let is_limited = |list: &Vec<Entry>| list.iter().any(|entry| entry.sid.as_str() == OWNER_RIGHTS);
        self.owner.as_ref().filter(|_| !self.access_list.as_ref().is_some_and(is_limited))
    }
}

/// Returns the rights of a mask, generic ones mapped to those of keys.
fn key_rights(mask: u32) -> u32 {
    GENERIC.iter().fold(mask, |rights, (generic, meant)| if mask & generic == 0 { rights } else { rights | meant })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `INHERIT_ONLY_ACE`.
    const INHERIT_ONLY: u8 = 8;
    const SYSTEM: (u8, &[u32]) = (5, &[18]);
    const ADMINISTRATORS: (u8, &[u32]) = (5, &[32, 544]);
    const ALL: (u8, &[u32]) = (1, &[0]);

    fn sid((authority, parts): (u8, &[u32])) -> Vec<u8> {
        let mut sid = vec![1, u8::try_from(parts.len()).unwrap(), 0, 0, 0, 0, 0, authority];
        sid.extend(parts.iter().flat_map(|part| part.to_le_bytes()));
        sid
    }

    /// Returns an entry: its kind, flags, mask, the bytes before the identifier, and the identifier.
    fn ace(kind: u8, flags: u8, mask: u32, types: &[u8], whom: (u8, &[u32])) -> Vec<u8> {
        let body = [&mask.to_le_bytes()[..], types, &sid(whom)].concat();
        let size = u16::try_from(body.len() + 4).unwrap();
        [&[kind, flags][..], &size.to_le_bytes(), &body].concat()
    }

    /// Returns a descriptor that SYSTEM owns.
    fn bytes(entries: &[Vec<u8>]) -> Vec<u8> {
        let list = entries.concat();
        let mut bytes = vec![1, 0, 0x04, 0x80];
        bytes.extend([20_u32, 0, 0, 32].into_iter().flat_map(u32::to_le_bytes));
        bytes.extend(sid(SYSTEM));
        bytes.extend([2, 0]);
        bytes.extend(u16::try_from(list.len() + 8).unwrap().to_le_bytes());
        bytes.extend(u32::try_from(entries.len()).unwrap().to_le_bytes());
        bytes.extend(list);
        bytes
    }

    fn set(entries: &[Vec<u8>]) -> Vec<String> {
        let descriptor = Descriptor::decode(&bytes(entries)).unwrap();
        descriptor.granted_to(KEY_SET_VALUE).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn those_who_may_set_values_are_named_in_order() {
        let entries = [
            ace(0, 0, 0x000f_003f, &[], SYSTEM),
            ace(0, 2, 0x0002_0019, &[], ADMINISTRATORS),
            ace(0, 0, 0x0002, &[], (5, &[80, 1, 2])),
        ];
        assert_eq!(set(&entries), ["SYSTEM (S-1-5-18)", "S-1-5-80-1-2"]);
        assert_eq!(set(&[]), [""; 0]);
    }

    #[test]
    fn generic_rights_are_those_of_keys() {
        assert_eq!(set(&[ace(0, 0, 0x1000_0000, &[], SYSTEM)]).len(), 1);
        assert_eq!(set(&[ace(0, 0, 0x4000_0000, &[], SYSTEM)]).len(), 1);
        assert_eq!(set(&[ace(0, 0, 0x8000_0000, &[], SYSTEM)]).len(), 0);
        assert_eq!(set(&[ace(0, 0, 0x2000_0000, &[], SYSTEM)]).len(), 0);
        assert_eq!(set(&[ace(1, 0, 0x4000_0000, &[], SYSTEM), ace(0, 0, 2, &[], SYSTEM)]).len(), 0);
    }

    #[test]
    fn the_first_entry_that_decides_counts() {
        let (allow, deny) = (ace(0, 0, 2, &[], SYSTEM), ace(1, 0, 2, &[], SYSTEM));
        assert_eq!(set(&[allow.clone(), deny.clone()]).len(), 1);
        assert_eq!(set(&[deny, allow.clone()]).len(), 0);
        assert_eq!(set(&[ace(1, 0, 2, &[], ALL), allow.clone()]).len(), 0);
        assert_eq!(set(&[ace(1, INHERIT_ONLY, 2, &[], ALL), allow]).len(), 1);
        assert_eq!(set(&[ace(0, INHERIT_ONLY, 2, &[], SYSTEM)]).len(), 0);
    }

    /// A holder of two identifiers is denied what one of them is denied.
    #[test]
    fn a_holder_of_several_identifiers_is_judged_by_all() {
        let entries = [ace(1, 0, 2, &[], (5, &[11])), ace(0, 0, 2, &[], ADMINISTRATORS)];
        let descriptor = Descriptor::decode(&bytes(&entries)).unwrap();
        assert!(descriptor.grants(&["S-1-5-32-544"], KEY_SET_VALUE));
        assert!(!descriptor.grants(&["S-1-5-32-544", "S-1-5-11"], KEY_SET_VALUE));
        // Rights may come from several entries together.
        let entries = [ace(0, 0, 2, &[], SYSTEM), ace(0, 0, 4, &[], ADMINISTRATORS)];
        let descriptor = Descriptor::decode(&bytes(&entries)).unwrap();
        assert!(descriptor.grants(&["S-1-5-32-544", "S-1-5-18"], KEY_SET_VALUE | KEY_CREATE_SUB_KEY));
        assert!(!descriptor.grants(&["S-1-5-18"], KEY_SET_VALUE | KEY_CREATE_SUB_KEY));
    }

    #[test]
    fn entries_for_objects_and_on_conditions() {
        let guid = [7; 16];
        let plain = 0_u32.to_le_bytes();
        let typed = [&1_u32.to_le_bytes()[..], &guid].concat();
        let inherited = [&2_u32.to_le_bytes()[..], &guid].concat();
        assert_eq!(set(&[ace(5, 0, 2, &plain, SYSTEM)]).len(), 1);
        assert_eq!(set(&[ace(5, 0, 2, &inherited, SYSTEM)]).len(), 1);
        assert_eq!(set(&[ace(5, 0, 2, &typed, SYSTEM)]).len(), 0);
        assert_eq!(set(&[ace(6, 0, 2, &plain, SYSTEM), ace(0, 0, 2, &[], SYSTEM)]).len(), 0);
        assert_eq!(set(&[ace(6, 0, 2, &typed, SYSTEM), ace(0, 0, 2, &[], SYSTEM)]).len(), 1);
        // The condition cannot be evaluated here.
        assert_eq!(set(&[ace(9, 0, 2, &[], SYSTEM)]).len(), 0);
        assert_eq!(set(&[ace(10, 0, 2, &[], SYSTEM), ace(0, 0, 2, &[], SYSTEM)]).len(), 0);
        assert_eq!(set(&[ace(12, 0, 2, &plain, SYSTEM), ace(0, 0, 2, &[], SYSTEM)]).len(), 0);
        // Audit entries.
        assert_eq!(set(&[ace(2, 0, 2, &[], SYSTEM), ace(17, 0, 2, &[], SYSTEM)]).len(), 0);
    }

    #[test]
    fn owners() {
        let decoded = |entries: &[Vec<u8>]| Descriptor::decode(&bytes(entries)).unwrap();
        assert_eq!(decoded(&[]).owner_in_control().unwrap().as_str(), "S-1-5-18");
        let limited = decoded(&[ace(0, 0, 0x0002_0000, &[], (3, &[4]))]);
        assert_eq!(limited.owner_in_control(), None);
        assert!(limited.grants(&["S-1-5-18"], 0x0002_0000) && !limited.grants(&["S-1-5-19"], 0x0002_0000));
        let mut nobody = bytes(&[]);
        nobody[4] = 0;
        assert_eq!(Descriptor::decode(&nobody).unwrap().owner, None);
        assert_eq!(set(&[ace(0, 0, 2, &[], (3, &[0])), ace(0, 0, 2, &[], (3, &[1]))]).len(), 0);
    }

    #[test]
    fn no_access_list_lets_everybody_in() {
        let mut none = bytes(&[]);
        none[2] = 0;
        let descriptor = Descriptor::decode(&none).unwrap();
        assert_eq!(descriptor.granted_to(KEY_SET_VALUE)[0].to_string(), "Everyone (S-1-1-0)");
        assert!(descriptor.grants(&[], KEY_SET_VALUE));
        let mut null = bytes(&[]);
        null[16] = 0;
        assert_eq!(Descriptor::decode(&null).unwrap().access_list, None);
    }

    #[test]
    fn what_is_cut_is_no_descriptor() {
        let whole = bytes(&[ace(0, 0, 2, &[], SYSTEM), ace(5, 0, 2, &[0; 4], SYSTEM)]);
        for length in 0..whole.len() {
            assert!(Descriptor::decode(&whole[..length]).is_err(), "{length}");
        }
        // Wrong sizes and counts.
        for at in 0..whole.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = byte;
                let _ = Descriptor::decode(&bytes);
            }
        }
        let mut endless = bytes(&[]);
        endless[36] = 0xff;
        assert_eq!(Descriptor::decode(&endless), Err("it ends in an entry"));
    }
}
