//! The locations of findings in the file, the logs that wrote them, and impossible times of keys.

mod corpus;
mod logs;
mod places;
mod times;

use hivemend::examination::Options;
use hivemend::finding::{Finding, Location};

use crate::cases::Examined;

/// The length of a segment of big data.
const SEGMENT: usize = 16_344;

fn with_locations() -> Options {
    Options { locations: true, ..Options::default() }
}

fn findings(examined: &Examined) -> &[Finding] {
    &examined.installation().judgement.as_ref().unwrap().findings
}

fn word(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

/// The name of a record whose signature is at `at`: of a key node, or of a value.
fn name(bytes: &[u8], at: usize) -> String {
    let (length, flags, latin, start) = match &bytes[at..at + 2] {
        b"nk" => (72, 2, 0x20, 76),
        b"vk" => (2, 16, 1, 20),
        other => panic!("{other:?} at {at:#x}"),
    };
    let stored = &bytes[at + start..at + start + word(bytes, at + length)];
    if word(bytes, at + flags) & latin != 0 {
        return stored.iter().map(|byte| char::from(*byte)).collect();
    }
    let units: Vec<u16> = stored.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).unwrap()
}

/// The data that a location leads to, of so many bytes.
fn data(bytes: &[u8], location: &Location, length: usize) -> Vec<u8> {
    let starts = location.segments.clone().unwrap_or_else(|| location.data.into_iter().collect());
    let mut data = Vec::new();
    for start in starts {
        let wanted = (length - data.len()).min(if location.segments.is_some() { SEGMENT } else { length });
        data.extend(&bytes[usize::try_from(start).unwrap()..][..wanted]);
    }
    data
}

/// Asserts that these bytes have at a finding's places what the finding says.
fn is_there(bytes: &[u8], finding: &Finding, location: &Location) {
    let place = |offset: Option<u64>| offset.map(|offset| usize::try_from(offset).unwrap());
    let nk = place(location.nk).unwrap();
    let key = finding.key.as_deref().unwrap().rsplit('\\').next().unwrap();
    assert_eq!((&bytes[nk..nk + 2], name(bytes, nk).as_str()), (b"nk".as_slice(), key), "{}", finding.id);
    let Some(observed) = &finding.observed else {
        assert_eq!((location.vk, location.data), (None, None), "{}", finding.id);
        return;
    };
    let vk = place(location.vk).unwrap();
    assert_eq!(&bytes[vk..vk + 2], b"vk");
    assert_eq!(Some(name(bytes, vk)), finding.stored_name, "{}", finding.id);
    assert_eq!(data(bytes, location, observed.raw.len()), observed.raw, "{}", finding.id);
    assert_eq!(location.data.is_some(), !observed.raw.is_empty(), "{}", finding.id);
}
