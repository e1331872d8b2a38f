//! Names of the later parts of something: a segment, a volume, an extent.

/// Returns the name of the first part, which the user should name as evidence, for the name of a later part; `None` for
/// any other name.
///
/// A name proves nothing: the caller checks whether the first part lies beside this one, and whether this one is a
/// text.
pub fn first_part(name: &str) -> Option<String> {
    let (stem, end) = name.rsplit_once('.')?;
    if stem.is_empty() {
        return None;
    }
    let digits =
        |text: &str| (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.to_owned());
    let lower = end.to_ascii_lowercase();
    // .E02 to .E99 and the like. Extensions of letters alone are also those of many other formats.
    for kind in ["e", "ex", "l", "lx", "s"] {
        if let Some(number) = lower.strip_prefix(kind).and_then(digits).filter(|number| number.len() == 2) {
            let kind = end.get(..kind.len()).unwrap_or_default();
            return (number.as_str() > "01").then(|| format!("{stem}.{kind}01"));
        }
    }
    if let Some(number) = lower.strip_prefix("ad").and_then(digits).filter(|number| number.len() <= 3) {
        return (number != "1").then(|| format!("{stem}.{}1", end.get(..2).unwrap_or_default()));
    }
    // Four digits can also be a year.
    if let Some(number) = digits(end).filter(|number| number.len() == 3) {
        return (number.as_str() > "001").then(|| format!("{stem}.001"));
    }
    // The directory of a split ZIP archive is in its last part, the .zip.
    if lower.strip_prefix('z').and_then(digits).is_some_and(|number| number.len() == 2) {
        return Some(format!("{stem}.zip"));
    }
    if lower.strip_prefix('r').and_then(digits).is_some_and(|number| number.len() == 2) {
        return Some(format!("{stem}.rar"));
    }
    match lower.as_str() {
        "rar" | "exe" => {
            let (stem, part) = stem.rsplit_once('.')?;
            let number =
                part.get(..4).filter(|part| part.eq_ignore_ascii_case("part")).and(part.get(4..)).and_then(digits)?;
            let first = format!("{:0>width$}", 1, width = number.len());
            let word = part.get(..4).unwrap_or_default();
            (number != first).then(|| format!("{stem}.{word}{first}.{end}"))
        }
        "vmdk" => {
            let (stem, part) = stem.rsplit_once('-')?;
            let numbered =
                |kind: char| part.strip_prefix(kind).and_then(digits).is_some_and(|number| number.len() == 3);
            let named =
                ["flat", "delta", "sesparse", "rdm", "rdmp"].iter().any(|known| part.eq_ignore_ascii_case(known));
            (named || numbered('s') || numbered('f')).then(|| format!("{stem}.{end}"))
        }
        "swm" => {
            let first = stem.trim_end_matches(|letter: char| letter.is_ascii_digit());
            (first != stem && !first.is_empty()).then(|| format!("{first}.{end}"))
        }
        _ => None,
    }
}
