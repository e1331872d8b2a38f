//! Wine's regedit, which was written with tests that also pass on Windows. It imports what we write, and the resulting
//! `system.reg` is compared byte for byte. We also read its exports. Ignored if Wine is not installed (`wine`).
//!
//! Tested with Wine 8.0. [`wine_stores`] and [`wine_exports`] have all differences from Windows.

use hivemend::reg_file::{self, Alteration, CodePage, Dialect, regedit_restores};

use crate::values::{Values, assert_same, random_values, text_of, values_of};

mod applied;
mod handover;
mod models;
mod patches;
pub(crate) mod prefix;
mod raw;
mod recorded;
mod script;
mod shown;

use prefix::wine;

/// At least this many values each way.
const COUNT: usize = 600;

/// What Wine stores of a value that it imports; `None` where that is not known, or does not bear trying.
///
/// Otherwise than Windows:
/// * A text of an odd number of bytes: Wine 8.0 stores other bytes, and crashes at a single one.
/// * REG_LINK it stores as any other type, where the name is not that of a link. Windows was not seen.
pub(crate) fn wine_stores(data_type: u32, bytes: &[u8]) -> Option<Vec<u8>> {
    match regedit_restores(data_type, bytes) {
        Ok(()) | Err(Alteration::Link) => Some(bytes.to_vec()),
        // regedit of Windows does so too.
        Err(Alteration::TerminatorAdded) => Some([bytes, &[0, 0]].concat()),
        Err(_) => None,
    }
}

/// Whether Wine exports a value as it is. regedit of Windows, too, cuts REG_SZ at the first NUL.
///
/// * REG_SZ is always exported as text: what is not all of a text, or none, is lost; a NUL that is not there is taken for
///   granted, and a line end becomes an escape that Windows does not know.
/// * REG_DWORD that has data is always exported as a number, whatever is missing from it taken from elsewhere.
fn wine_exports(data_type: u32, bytes: &[u8]) -> bool {
    let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|&unit| u16::from_le_bytes(unit)).collect();
    match data_type {
        1 => {
            let text = String::from_utf16(&units).ok();
            let ends_once = text.as_ref().is_some_and(|text| text.find('\0').map(|end| end + 1) == Some(text.len()));
            ends_once && bytes.len().is_multiple_of(2) && text.is_some_and(|text| !text.contains(['\r', '\n']))
        }
        4 => matches!(bytes.len(), 0 | 4),
        _ => true,
    }
}

/// Random values that Wine can import.
fn importable(below: &str, dialect: Dialect) -> Values {
    let mut values = random_values(COUNT + 200, below, dialect);
    values.retain(|_, (data_type, bytes)| wine_stores(*data_type, bytes).is_some());
    assert!(values.len() >= COUNT, "only {} values", values.len());
    values
}

/// The values as Wine should have stored them.
fn as_stored(mut values: Values) -> Values {
    for (data_type, bytes) in values.values_mut() {
        *bytes = wine_stores(*data_type, bytes).unwrap();
    }
    values
}

#[test]
fn wine_stores_600_random_values_byte_for_byte() {
    let Some(wine) = wine() else { return };
    let key = r"HKEY_LOCAL_MACHINE\SOFTWARE\hivemend\imported";
    let values = importable(key, Dialect::Regedit5);
    wine.import(&text_of(&values, Dialect::Regedit5));
    assert_same(&wine.stored_below(key), &as_stored(values), "system.reg");
}

#[test]
fn wine_stores_600_random_values_of_regedit4_byte_for_byte() {
    let Some(wine) = wine() else { return };
    // The file cannot name its code page: Wine takes the one of the locale.
    let pages = wine.export(r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Control\Nls\CodePage");
    let pages = values_of(reg_file::parse(&pages).into_document().unwrap());
    let is_acp = |name: &[u16]| String::from_utf16_lossy(name) == "ACP";
    let (_, (_, page)) = pages.into_iter().find(|((_, name), _)| is_acp(name)).unwrap();
    assert_eq!(page, "1252\0".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());

    let key = r"HKEY_LOCAL_MACHINE\SOFTWARE\hivemend\imported by REGEDIT4";
    let dialect = Dialect::Regedit4(CodePage::WINDOWS_1252);
    let values = importable(key, dialect);
    wine.import(&text_of(&values, dialect));
    assert_same(&wine.stored_below(key), &as_stored(values), "system.reg");
}

#[test]
fn what_wine_exports_of_600_random_values_is_read_byte_for_byte() {
    let Some(wine) = wine() else { return };
    let key = r"HKEY_LOCAL_MACHINE\SOFTWARE\hivemend\exported";
    let mut values = random_values(COUNT + 300, key, Dialect::Regedit5);
    values.retain(|_, (data_type, bytes)| wine_exports(*data_type, bytes));
    assert!(values.len() >= COUNT, "only {} values", values.len());
    wine.put(&values);
    assert_same(&wine.stored_below(key), &values, "system.reg, before Wine has read it");
    let exported = wine.export(key);
    assert_same(&values_of(reg_file::parse(&exported).into_document().unwrap()), &values, "exported");
}

/// Not our values: those with which Wine makes a registry.
#[test]
fn what_wine_exports_of_its_own_software_is_read_byte_for_byte() {
    let Some(wine) = wine() else { return };
    let key = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft";
    let exported = wine.export(key);
    let found = values_of(reg_file::parse(&exported).into_document().unwrap());
    let mut expected = wine.stored_below(key);
    // regedit follows links, and does not show them.
    let is_link = |name: &[u16]| String::from_utf16_lossy(name) == "SymbolicLinkValue";
    expected.retain(|(_, name), (data_type, bytes)| wine_exports(*data_type, bytes) && !is_link(name));
    assert!(expected.len() > 1000, "only {} values", expected.len());
    // What is not in the file is behind a link, or lost when Wine ends.
    let found: Values = found.into_iter().filter(|(place, _)| expected.contains_key(place)).collect();
    assert_same(&found, &expected, key);
}
