//! Detects whom a service's security descriptor lets decide what the service runs.

use crate::baseline::Right;
use crate::registry::RegistryValue;
use crate::security::{Descriptor, Entry};

/// Returns a sentence if one of these trustees has one of these rights.
pub(super) fn granted(trustees: &[(String, String)], rights: &[Right], value: &RegistryValue) -> Option<String> {
    let list = match Descriptor::decode(&value.bytes).map(|descriptor| descriptor.access_list) {
        Ok(Some(list)) => list,
        Ok(None) => return Some("The descriptor has no access list: everybody may do everything.".to_owned()),
        Err(what) => return Some(format!("The data are not a security descriptor: {what}.")),
    };
    for (sid, name) in trustees {
        let held = rights_of(sid, &list);
        let mut named = rights.iter().filter(|right| held & (**right as u32) != 0).map(|right| name_of(*right));
        if let Some(first) = named.next() {
            let all: Vec<&str> = std::iter::once(first).chain(named).collect();
            return Some(format!("The descriptor grants {name} ({sid}) {}.", all.join(", ")));
        }
    }
    None
}

/// `SERVICE_QUERY_CONFIG`, `SERVICE_QUERY_STATUS`, `READ_CONTROL`, `GENERIC_READ`: the rights to see a service.
///
/// <https://learn.microsoft.com/windows/win32/services/service-security-and-access-rights>
const TO_SEE: u32 = 0x0001 | 0x0004 | 0x0002_0000 | 0x8000_0000;

/// Returns a sentence if an entry denies one of these trustees the right to see the service. No Windows tool then lists
/// the service.
///
/// J. Wright, "Red Team Tactics: Hiding Windows Services", SANS, 2020:
/// <https://www.sans.org/blog/red-team-tactics-hiding-windows-services/>
pub(super) fn hidden(from: &[(String, String)], value: &RegistryValue) -> Option<String> {
    let list = Descriptor::decode(&value.bytes).ok()?.access_list?;
    let denied =
        |sid: &str| list.iter().any(|entry| !entry.allows && entry.sid.as_str() == sid && entry.mask & TO_SEE != 0);
    let (sid, name) = from.iter().find(|(sid, _)| denied(sid))?;
    Some(format!(
        "The descriptor denies {name} ({sid}) the right to see the service: the tools of Windows do not list \
                  the service."
    ))
}

/// Returns the rights that the entries for a trustee grant. The first entry that decides a right counts. A conditional
/// allow entry counts as allow, because its condition may be true.
fn rights_of(sid: &str, list: &[Entry]) -> u32 {
    let (mut granted, mut denied) = (0, 0);
    for entry in list.iter().filter(|entry| entry.sid.as_str() == sid) {
        if entry.allows {
            granted |= entry.mask & !denied;
        } else {
            denied |= entry.mask & !granted;
        }
    }
    granted
}

fn name_of(right: Right) -> &'static str {
    match right {
        Right::ServiceChangeConfig => "SERVICE_CHANGE_CONFIG",
        Right::WriteDac => "WRITE_DAC",
        Right::WriteOwner => "WRITE_OWNER",
        Right::GenericAll => "GENERIC_ALL",
        Right::GenericWrite => "GENERIC_WRITE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::DataType;

    const RIGHTS: [Right; 5] =
        [Right::ServiceChangeConfig, Right::WriteDac, Right::WriteOwner, Right::GenericAll, Right::GenericWrite];

    fn trustees() -> Vec<(String, String)> {
        [("S-1-1-0", "Everyone"), ("S-1-5-32-545", "Users")].map(|(sid, name)| (sid.into(), name.into())).to_vec()
    }

    /// Returns a descriptor with these entries: kind, flags, mask, sub-authorities below authority 1 or 5.
    fn descriptor(entries: &[(u8, u8, u32, u8, &[u32])]) -> RegistryValue {
        let mut list = Vec::new();
        for (kind, flags, mask, authority, parts) in entries {
            let mut entry = mask.to_le_bytes().to_vec();
            entry.extend([1, u8::try_from(parts.len()).unwrap(), 0, 0, 0, 0, 0, *authority]);
            entry.extend(parts.iter().flat_map(|part| part.to_le_bytes()));
            list.extend([*kind, *flags]);
            list.extend(u16::try_from(entry.len() + 4).unwrap().to_le_bytes());
            list.extend(entry);
        }
        let mut bytes = vec![1, 0, 0x04, 0x80];
        bytes.extend([0_u32, 0, 0, 20].into_iter().flat_map(u32::to_le_bytes));
        bytes.extend([2, 0]);
        bytes.extend(u16::try_from(list.len() + 8).unwrap().to_le_bytes());
        bytes.extend(u32::try_from(entries.len()).unwrap().to_le_bytes());
        bytes.extend(list);
        RegistryValue { data_type: DataType::BINARY, bytes }
    }

    fn told(value: &RegistryValue) -> Option<String> {
        granted(&trustees(), &RIGHTS, value)
    }

    #[test]
    fn users_who_may_configure_a_service_are_named() {
        // Administrators may change the service; Users may start it.
        let usual = descriptor(&[(0, 0, 0xf01ff, 5, &[32, 544]), (0, 0, 0x0014, 5, &[32, 545])]);
        assert_eq!(told(&usual), None);
        let users = descriptor(&[(0, 0, 0x0016, 5, &[32, 545])]);
        assert_eq!(told(&users).unwrap(), "The descriptor grants Users (S-1-5-32-545) SERVICE_CHANGE_CONFIG.");
        let everyone = descriptor(&[(0, 0, 0x000c_0002, 1, &[0])]);
        let all = "The descriptor grants Everyone (S-1-1-0) SERVICE_CHANGE_CONFIG, WRITE_DAC, WRITE_OWNER.";
        assert_eq!(told(&everyone).unwrap(), all);
    }

    #[test]
    fn a_service_that_is_hidden_from_administrators_is_named() {
        let from = [("S-1-5-32-545".to_owned(), "Users".to_owned())];
        let denied = descriptor(&[(1, 0, 0x000d_0006, 5, &[32, 545])]);
        assert!(hidden(&from, &denied).unwrap().starts_with("The descriptor denies Users (S-1-5-32-545) the right"));
        assert_eq!(hidden(&from, &descriptor(&[(1, 0, 0x0010, 5, &[32, 545])])), None);
        assert_eq!(hidden(&from, &descriptor(&[(1, 0, 0x0004, 5, &[32, 544])])), None);
    }

    #[test]
    fn what_is_denied_first_or_only_inherited_is_not_granted() {
        assert_eq!(told(&descriptor(&[(1, 0, 2, 1, &[0]), (0, 0, 2, 1, &[0])])), None);
        assert!(told(&descriptor(&[(0, 0, 2, 1, &[0]), (1, 0, 2, 1, &[0])])).is_some());
        assert_eq!(told(&descriptor(&[(0, 8, 2, 1, &[0])])), None);
    }

    #[test]
    fn no_access_list_lets_everybody_in_and_what_is_cut_says_so() {
        let mut none = descriptor(&[]);
        none.bytes[2] = 0;
        assert!(told(&none).unwrap().contains("everybody"));
        let whole = descriptor(&[(0, 0, 0x0016, 5, &[32, 545])]);
        for length in 0..whole.bytes.len() {
            let cut = RegistryValue { bytes: whole.bytes[..length].to_vec(), ..whole.clone() };
            assert!(told(&cut).unwrap().contains("not a security descriptor"), "{length}");
        }
    }
}
