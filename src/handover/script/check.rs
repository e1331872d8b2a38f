//! A value that a script compares: what `reg query` prints of it, written so that cmd takes none of it for a command.
//!
//! Names and data are the evidence's. A name becomes an argument in quotes: only characters that mean nothing to cmd and
//! to reg are let in. Data become the text of a variable, in quotes too: a quote would end it, and an exclamation mark is read once more by Wine: both are not let in; a
//! percent sign is doubled, because that is how a script writes one. Both are compared with delayed expansion, which is
//! not read again. Whatever does not fit is refused with its reason.

use crate::registry::{DataType, RegistryValue};

/// What a line may hold. cmd reads lines of 8,191 characters.
const MOST: usize = 2_000;

/// A value, and what `reg query` must print of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Check {
    /// The key, as reg takes it.
    key: String,
    name: String,
    /// `None` where the value must be absent.
    line: Option<Line>,
}

/// A line that `reg query` prints of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    text: String,
    /// Some versions end a list with a separator.
    also: String,
    /// Digits of a number may be of either case.
    any_case: bool,
}

impl Check {
    /// Returns what to compare.
    ///
    /// # Errors
    /// Why it cannot be written into a script.
    pub(super) fn new(key: String, name: &str, value: Option<&RegistryValue>) -> Result<Self, String> {
        plain("key", &key)?;
        plain("value name", name)?;
        let line = value.map(|value| Line::new(name, value)).transpose()?;
        Ok(Self { key, name: name.to_owned(), line })
    }

    /// The lines of the script. They leave the subroutine that they stand in with 1 where the value is another.
    pub(super) fn write(&self, script: &mut Vec<String>) {
        script.push(set("KEY", &self.key));
        script.push(set("NAME", &self.name));
        match &self.line {
            Some(line) => {
                script.push(set("WANT", &line.text));
                script.push(set("ALSO", &line.also));
                script.push(set("CASE", if line.any_case { "/i" } else { "" }));
                script.push("call :expect".to_owned());
            }
            None => script.push("call :absent".to_owned()),
        }
        script.push("if errorlevel 1 exit /b 1".to_owned());
    }
}

impl Line {
    fn new(name: &str, value: &RegistryValue) -> Result<Self, String> {
        let any_case = matches!(value.data_type, DataType::DWORD | DataType::BINARY);
        let data = match value.data_type {
            DataType::SZ | DataType::EXPAND_SZ => text_of(value)?,
            DataType::MULTI_SZ => list_of(value)?.join(r"\0"),
            DataType::DWORD if value.bytes.len() == 4 => {
                format!("{:#x}", value.as_number().ok_or("its data are no number")?)
            }
            DataType::BINARY => value.raw_hex(),
            _ => return Err(format!("the script does not compare {} of {} bytes", value.data_type, value.bytes.len())),
        };
        if data.len() > MOST {
            return Err(format!("its data are longer than {MOST} characters"));
        }
        let text = format!("    {name}    {}    {data}", value.data_type);
        let also = if value.data_type == DataType::MULTI_SZ { format!(r"{text}\0") } else { text.clone() };
        Ok(Self { text, also, any_case })
    }
}

/// Returns the text, where a line of a script can hold it and its bytes are exactly that text.
fn text_of(value: &RegistryValue) -> Result<String, String> {
    let text = value.as_text().ok_or("its data are no well-formed text")?;
    let exact = RegistryValue::text(value.data_type, &text);
    if exact.bytes != value.bytes {
        return Err("its data hold more than the text".to_owned());
    }
    printable(&text)?;
    Ok(text)
}

fn list_of(value: &RegistryValue) -> Result<Vec<String>, String> {
    let list = value.as_list().ok_or("its data are no well-formed list")?;
    if RegistryValue::list(&list).bytes != value.bytes {
        return Err("its data hold more than the list".to_owned());
    }
    for text in &list {
        printable(text)?;
        if text.is_empty() || text.contains(r"\0") {
            return Err("reg query prints its list ambiguously".to_owned());
        }
    }
    Ok(list)
}

/// Data that the text of a variable can hold.
fn printable(text: &str) -> Result<(), String> {
    match text.chars().find(|character| !matches!(character, ' '..='~') || "\"!".contains(*character)) {
        Some(character) => Err(format!("its data hold {character:?}, which a script cannot hold safely")),
        None => Ok(()),
    }
}

/// A name that can be an argument.
fn plain(what: &str, name: &str) -> Result<(), String> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || r" _-.\(){}[],#+@$~".contains(character);
    if let Some(character) = name.chars().find(|character| !is_plain(*character)) {
        return Err(format!("its {what} holds {character:?}, which a script cannot hold safely"));
    }
    // reg takes a backslash before the closing quote for a quote.
    if name.is_empty() || name.starts_with(' ') || name.ends_with([' ', '\\']) || name.len() > MOST {
        return Err(format!("its {what} is empty, too long, or begins or ends in what a script cannot hold safely"));
    }
    Ok(())
}

/// Returns a line that sets a variable.
fn set(variable: &str, text: &str) -> String {
    format!("set \"{variable}={}\"", text.replace('%', "%%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(name: &str, value: Option<&RegistryValue>) -> Result<String, String> {
        let mut script = Vec::new();
        Check::new(r"HKLM\X\Y Z".to_owned(), name, value)?.write(&mut script);
        Ok(script.join("\n"))
    }

    fn text(text: &str) -> RegistryValue {
        RegistryValue::text(DataType::EXPAND_SZ, text)
    }

    #[test]
    fn what_is_compared_is_what_reg_prints() {
        let path = lines("ImagePath", Some(&text(r"%SystemRoot%\a & b.exe -k c^"))).unwrap();
        assert!(path.contains("set \"WANT=    ImagePath    REG_EXPAND_SZ    %%SystemRoot%%\\a & b.exe -k c^\"\n"));
        let number = lines("Start", Some(&RegistryValue::dword(0x1f))).unwrap();
        assert!(number.contains("set \"WANT=    Start    REG_DWORD    0x1f\"\n") && number.contains("CASE=/i"));
        let list = lines("A", Some(&RegistryValue::list(&["b".to_owned(), "c".to_owned()]))).unwrap();
        assert!(
            list.contains("WANT=    A    REG_MULTI_SZ    b\\0c\"")
                && list.contains("ALSO=    A    REG_MULTI_SZ    b\\0c\\0\"")
        );
        assert!(lines("A", None).unwrap().ends_with("call :absent\nif errorlevel 1 exit /b 1"));
    }

    #[test]
    fn what_could_be_a_command_is_refused() {
        for name in
            ["a\"b", "a%b", "a!b", "a^b", "a&b", "a|b", "a>b", "a\nb", "a\u{e9}", "", "a\\", " a", "a ", "/v", "a'"]
        {
            assert!(lines(name, None).is_err(), "{name:?}");
        }
        for data in ["a\"b", "a\nb", "a\rb", "a\tb", "a\u{e9}", "a\0b", "a\u{202e}", "a!b"] {
            assert!(lines("A", Some(&text(data))).is_err(), "{data:?}");
        }
        let mut longer = text("a");
        longer.bytes.extend([0, 0]);
        assert!(lines("A", Some(&longer)).is_err());
        assert!(lines("A", Some(&text(&"a".repeat(MOST + 1)))).is_err());
        assert!(lines("A", Some(&RegistryValue { data_type: DataType(11), bytes: vec![0; 8] })).is_err());
        assert!(lines("A", Some(&RegistryValue { data_type: DataType::DWORD, bytes: vec![0; 3] })).is_err());
        let odd = RegistryValue::list(&["a".to_owned(), r"b\0c".to_owned()]);
        assert!(lines("A", Some(&odd)).is_err());
    }
}
