//! A value that a script compares: the output of `reg query` for it, written so that cmd treats no part as a command.
//!
//! Names and data come from the evidence. A name becomes a quoted argument, so only characters without a meaning to cmd
//! and reg are allowed. Data become the text of a variable, also in quotes. A quote would end the text, and Wine reads
//! an exclamation mark once more, so both are refused. A percent sign is doubled, as a script requires. Both are
//! compared with delayed expansion, whose result is not parsed again. Everything else is refused with its reason.

use crate::registry::{DataType, RegistryValue};

/// The longest text in a line. cmd reads lines of 8,191 characters.
const MOST: usize = 2_000;

/// A value, and the line that `reg query` must print for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Check {
    /// The key in reg's spelling.
    key: String,
    name: String,
    /// `None` if the value must be absent.
    line: Option<Line>,
}

/// A line that `reg query` prints for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    text: String,
    /// The text with a separator at the end, which some versions print after a list.
    also: String,
    /// Whether the digits of a number may be in either case.
    any_case: bool,
}

impl Check {
    /// Returns the comparison for a value.
    ///
    /// # Errors
    /// Returns the reason if the value cannot be written into a script.
    pub(super) fn new(key: String, name: &str, value: Option<&RegistryValue>) -> Result<Self, String> {
        plain("key", &key)?;
        plain("value name", name)?;
        let line = value.map(|value| Line::new(name, value)).transpose()?;
        Ok(Self { key, name: name.to_owned(), line })
    }

    /// Adds the lines of the script. They leave their subroutine with 1 if the value differs.
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
                format!("{:#x}", value.as_number().ok_or("its data are not a number")?)
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

/// Returns the text of a value if a line of a script can contain it and the bytes are exactly that text.
fn text_of(value: &RegistryValue) -> Result<String, String> {
    let text = value.as_text().ok_or("its data are not well-formed text")?;
    let exact = RegistryValue::text(value.data_type, &text);
    if exact.bytes != value.bytes {
        return Err("its data hold more than the text".to_owned());
    }
    printable(&text)?;
    Ok(text)
}

fn list_of(value: &RegistryValue) -> Result<Vec<String>, String> {
    let list = value.as_list().ok_or("its data are not a well-formed list")?;
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

/// Checks that the text of a variable can contain the data.
fn printable(text: &str) -> Result<(), String> {
    match text.chars().find(|character| !matches!(character, ' '..='~') || "\"!".contains(*character)) {
        Some(character) => Err(format!("its data hold {character:?}, which a script cannot hold safely")),
        None => Ok(()),
    }
}

/// Checks that a name can be an argument.
fn plain(what: &str, name: &str) -> Result<(), String> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || r" _-.\(){}[],#+@$~".contains(character);
    if let Some(character) = name.chars().find(|character| !is_plain(*character)) {
        return Err(format!("its {what} holds {character:?}, which a script cannot hold safely"));
    }
    // reg reads a backslash before the closing quote as an escape.
    if name.is_empty() || name.starts_with(' ') || name.ends_with([' ', '\\']) || name.len() > MOST {
        return Err(format!("its {what} is empty, too long, or begins or ends in what a script cannot hold safely"));
    }
    Ok(())
}

/// Returns the line that sets a variable.
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
