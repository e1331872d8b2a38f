//! The keys that a user gives: recovery passwords, passwords and .BEK files.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::guid::Guid;
use super::unwrap;
use crate::error::Problem;

/// The most lines with keys: each password costs a tenth of a second for each protector that it may open.
const MOST_KEYS: usize = 256;
/// The most bytes of a .BEK file; Windows writes 156.
const MOST_BEK_BYTES: u64 = 64 << 10;

/// The keys that a user gave, one a line; each is for every volume or bound to one.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    pub(super) keys: Vec<Key>,
}

/// A key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Key {
    /// Its line, from 1. A line with two possible meanings is two keys.
    pub(super) line: usize,
    /// The identifier of the key's volume, or of its protector.
    pub(super) bound: Option<Guid>,
    pub(super) secret: Secret,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Secret {
    /// The 128 bits of 48 digits.
    RecoveryPassword([u8; 16]),
    /// The identifier of a .BEK file's key, and the key.
    External(Guid, [u8; 32]),
    Password(String),
}

/// Never shows a secret.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.lines())
    }
}

impl Keys {
    /// Parses keys, one a line, and returns the problems of invalid lines.
    ///
    /// A line is a recovery password (48 digits in 8 groups), otherwise the path of a .BEK file relative to
    /// `base_folder`, otherwise a password. A prefix `{GUID}:` or `GUID:` binds the key to the volume, or to the
    /// protector, with this identifier. .BEK files are read here, so that keys can be sent to another process. A
    /// password is tried as typed, and without spaces at its ends.
    pub fn parse(text: &str, base_folder: &Path) -> (Self, Vec<Problem>) {
        let (mut keys, mut problems) = (Self::default(), Vec::new());
        for (line, text) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            if text.trim().is_empty() {
                continue;
            }
            if keys.lines() >= MOST_KEYS {
                let found = format!("more, from line {line} on");
                problems.push(Problem::of("keys", format!("at most {MOST_KEYS} keys"), found));
                break;
            }
            let (bound, text) = bound(text);
            match secrets(text, base_folder) {
                Ok(secrets) => keys.keys.extend(secrets.into_iter().map(|secret| Key { line, bound, secret })),
                Err((expected, found)) => {
                    problems.push(Problem::of(format!("line {line} of the keys"), expected, found));
                }
            }
        }
        (keys, problems)
    }

    /// Returns the number of lines with keys.
    pub fn lines(&self) -> usize {
        let mut lines: Vec<usize> = self.keys.iter().map(|key| key.line).collect();
        lines.dedup();
        lines.len()
    }
}

/// Splits off the identifier that a key is bound to.
fn bound(text: &str) -> (Option<Guid>, &str) {
    let start = text.trim_start();
    let parts = start.split_once(':').and_then(|(guid, rest)| Some((Guid::parse(guid.trim_end())?, rest)));
    parts.map_or((None, text), |(guid, rest)| (Some(guid), rest))
}

fn secrets(text: &str, base_folder: &Path) -> Result<Vec<Secret>, (String, String)> {
    let trimmed = text.trim();
    if let Some(bits) = recovery_password(trimmed)? {
        return Ok(vec![Secret::RecoveryPassword(bits)]);
    }
    let path = base_folder.join(trimmed);
    let named = Path::new(trimmed).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("bek"));
    if named || path.is_file() {
        match bek(&path) {
            Ok((id, key)) => return Ok(vec![Secret::External(id, key)]),
            // A password may also be the name of a file.
            Err(found) if named => return Err((format!("a .BEK file {trimmed:?}"), found)),
            Err(_) => {}
        }
    }
    let mut passwords = vec![Secret::Password(text.to_owned())];
    if trimmed != text {
        passwords.push(Secret::Password(trimmed.to_owned()));
    }
    Ok(passwords)
}

/// Reads a recovery password; `None` if the text does not look like one.
///
/// # Errors
/// It looks like one, but its digits are wrong: each group is a multiple of 11, of 16 bits.
fn recovery_password(text: &str) -> Result<Option<[u8; 16]>, (String, String)> {
    let groups: Vec<&str> = text.split(['-', ' ']).filter(|group| !group.is_empty()).collect();
    let joined = groups.concat();
    if joined.len() != 48 || !joined.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    if groups.len() != 1 && groups.iter().any(|group| group.len() != 6) {
        return Ok(None);
    }
    let mut bits = [0; 16];
    let pairs = joined.as_bytes().chunks(6).zip(bits.chunks_exact_mut(2));
    for (number, (digits, to)) in (1..).zip(pairs) {
        let value = digits
            .iter()
            .fold(0_u32, |value, digit| value.saturating_mul(10).saturating_add(u32::from(digit.saturating_sub(b'0'))));
        match u16::try_from(value / 11) {
            Ok(part) if value.is_multiple_of(11) => to.copy_from_slice(&part.to_le_bytes()),
            _ => {
                let expected = "a recovery password, of which each group of 6 digits is a multiple of 11 below 720896";
                return Err((expected.to_owned(), format!("a wrong number in group {number}: it was mistyped")));
            }
        }
    }
    Ok(Some(bits))
}

/// Reads a .BEK file; the error describes what was found instead.
fn bek(path: &Path) -> Result<(Guid, [u8; 32]), String> {
    let regular = path.metadata().map_err(|error| error.to_string())?;
    if !regular.is_file() {
        return Err("no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(MOST_BEK_BYTES.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MOST_BEK_BYTES {
        return Err(format!("more than {MOST_BEK_BYTES} bytes"));
    }
    unwrap::bek(&bytes).ok_or_else(|| "a file without a key in it".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "471207-278498-422125-177177-561902-537405-468006-693451";

    fn parse(text: &str) -> (Vec<Key>, Vec<String>) {
        let (keys, problems) = Keys::parse(text, Path::new("/nowhere"));
        (keys.keys, problems.iter().map(ToString::to_string).collect())
    }

    fn one(text: &str) -> Key {
        let (mut keys, problems) = parse(text);
        assert_eq!((keys.len(), problems), (1, vec![]), "{text}");
        keys.remove(0)
    }

    #[test]
    fn a_recovery_password_is_known_with_its_dashes_or_without() {
        let spaced = GOOD.replace('-', " ");
        let plain = GOOD.replace('-', "");
        let Secret::RecoveryPassword(bits) = one(GOOD).secret else { panic!() };
        assert_eq!(bits[..4], [0x55, 0xa7, 0xe6, 0x62]);
        for text in [&spaced, &plain, &format!("\u{feff}  {GOOD} \r\n\r\n")] {
            assert!(one(text).secret == Secret::RecoveryPassword(bits), "{text}");
        }
    }

    #[test]
    fn a_mistyped_recovery_password_is_told_without_being_shown() {
        for (wrong, group) in [(GOOD.replace("422125", "422126"), 3), (GOOD.replace("693451", "720896"), 8)] {
            let (keys, problems) = parse(&wrong);
            assert!(keys.is_empty() && problems.len() == 1);
            assert!(
                problems[0].contains(&format!("in group {group}")) && !problems[0].contains("4221"),
                "{problems:?}"
            );
        }
        assert!(matches!(one("471207-278498").secret, Secret::Password(text) if text == "471207-278498"));
        assert!(matches!(one(&GOOD.replace("-422125", "4-22125")).secret, Secret::Password(_)));
    }

    #[test]
    fn a_key_is_bound_by_an_identifier_in_front() {
        let id = "bf4cf543-fdab-4dcd-8409-718f3334c6bd";
        for text in [format!("{id}:pass:word"), format!("{{{}}}:pass:word", id.to_uppercase())] {
            let key = one(&text);
            assert!(key.secret == Secret::Password("pass:word".to_owned()), "{text}");
            assert_eq!(key.bound.unwrap().to_string(), id);
        }
        assert!(matches!(one(&format!("{id}: {GOOD}")).secret, Secret::RecoveryPassword(_)));
        assert_eq!(one("bf4cf543:password").bound, None);
    }

    #[test]
    fn spaces_around_a_password_may_belong_to_it() {
        let (keys, _) = parse("  secret \nother");
        let passwords: Vec<_> = keys.iter().map(|key| (key.line, key.secret.clone())).collect();
        let password = |line, text: &str| (line, Secret::Password(text.to_owned()));
        assert!(passwords == [password(1, "  secret "), password(1, "secret"), password(2, "other")]);
        assert_eq!(Keys::parse("  secret \nother", Path::new("")).0.lines(), 2);
    }

    #[test]
    fn a_bek_file_is_read_here_and_a_missing_large_or_foreign_one_is_told() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path();
        let mut bek = vec![0; 48 + 8 + 24 + 8 + 4 + 32];
        bek[0] = u8::try_from(bek.len()).unwrap();
        (bek[4], bek[8], bek[48], bek[50], bek[52], bek[56]) = (1, 48, 76, 6, 9, 77);
        (bek[80], bek[84]) = (44, 1);
        bek[92..].fill(5);
        std::fs::write(folder.join("good.BEK"), &bek).unwrap();
        std::fs::write(folder.join("secret"), "text").unwrap();
        std::fs::write(folder.join("foreign.bek"), &bek[..100]).unwrap();
        std::fs::write(folder.join("large.bek"), vec![0; (64 << 10) + 1]).unwrap();
        std::fs::create_dir_all(folder.join("folder.bek")).unwrap();
        let text = "good.BEK\nsecret\nforeign.bek\nlarge.bek\nfolder.bek\nmissing.bek\n";
        let (keys, problems) = Keys::parse(text, folder);
        let mut id = Guid::default();
        id.0[0] = 77;
        assert!(keys.keys[0].secret == Secret::External(id, [5; 32]));
        assert!(keys.keys[1].secret == Secret::Password("secret".to_owned()));
        assert_eq!(keys.keys.len(), 2);
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let endings = ["a file without a key in it", "more than 65536 bytes", "no regular file"];
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told.iter().zip(endings).all(|(told, end)| told.ends_with(end)), "{told:?}");
        let sent: Keys = serde_json::from_str(&serde_json::to_string(&keys).unwrap()).unwrap();
        assert!(sent == keys);
        assert_eq!(format!("{keys:?}"), "2 keys");
    }

    #[test]
    fn there_is_an_end_of_keys() {
        let (keys, problems) = parse(&"password\n".repeat(1000));
        assert_eq!((keys.len(), problems.len()), (MOST_KEYS, 1));
    }
}
