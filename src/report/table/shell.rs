//! Commands in POSIX shell syntax, in lines that fit the page.

use crate::registry::hex;
use crate::report::escape::is_unseen;

/// Returns an argument, quoted if the shell would change it. Options, and text of only letters, digits and
/// `_./:=@%+,-`, are not quoted. Invisible characters, and bytes that are not UTF-8, are written as `$'\x1b'`.
///
/// ```
/// use hivemend::report::table::quoted;
/// assert_eq!(quoted(b"mnt/Windows"), "mnt/Windows");
/// assert_eq!(quoted(b"it's here"), r"'it'\''s here'");
/// assert_eq!(quoted(b"a\x1b"), r"$'a\x1b'");
/// ```
pub fn quoted(argument: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./:=@%+,-".contains(byte);
    let text = std::str::from_utf8(argument).ok().filter(|text| !text.chars().any(is_unseen));
    match text {
        Some(text) if !text.is_empty() && argument.iter().all(plain) => text.to_owned(),
        Some(text) => format!("'{}'", text.replace('\'', r"'\''")),
        None => {
            let mut quoted = String::from("$'");
            for byte in argument {
                match byte {
                    b'\'' | b'\\' => quoted.extend(['\\', char::from(*byte)]),
                    0x20..0x7f => quoted.push(char::from(*byte)),
                    _ => {
                        quoted.push_str("\\x");
                        quoted.push_str(&hex(&[*byte]));
                    }
                }
            }
            quoted.push('\'');
            quoted
        }
    }
}

/// Returns a path as an argument. A leading dash is protected from being read as an option.
///
/// ```
/// assert_eq!(hivemend::report::table::quoted_path(b"-v"), "./-v");
/// ```
pub fn quoted_path(path: &[u8]) -> String {
    let dashed = path.starts_with(b"-");
    format!("{}{}", if dashed { "./" } else { "" }, quoted(path))
}

/// Returns the words of a command in lines of at most `width` columns. Each line but the last ends in a backslash, so
/// that a shell reads one command. A word that is longer than a line gets a line of its own.
pub(super) fn lines(words: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in words {
        // Two columns are reserved for the blank and the backslash.
        let wide = line.chars().count().saturating_add(word.chars().count()).saturating_add(3);
        if !line.is_empty() && wide > width {
            lines.push(format!("{line} \\"));
            line.clear();
            line.push_str("  ");
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_cut_between_words() {
        let words = ["hivemend", "audit", "mnt/one", "--patch", "DIR"].map(str::to_owned);
        assert_eq!(lines(&words, 80), ["hivemend audit mnt/one --patch DIR"]);
        assert_eq!(lines(&words, 26), ["hivemend audit mnt/one \\", "  --patch DIR"]);
    }

    #[test]
    fn what_a_shell_would_read_is_the_argument() {
        for argument in [&b"plain"[..], b"with blank", b"it's", b"$HOME `id` \"x\" *", b"", b"\xff\x1b'\\", b"a\nb"] {
            let output =
                std::process::Command::new("bash").args(["-c", &format!("printf %s {}", quoted(argument))]).output();
            let Ok(output) = output else { return };
            assert_eq!(output.stdout, argument, "{}", quoted(argument));
        }
    }
}
