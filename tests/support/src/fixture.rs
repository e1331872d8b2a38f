//! Compiles `fixtures/<windows>/<case>/*.reg` to hives; `fixtures/README.md` describes the format.
//!
//! The name of a case has both parts: `windows-7-bits-disabled` is `fixtures/windows-7/bits-disabled`. `windows-7`
//! alone is the clean case, `fixtures/windows-7/clean`. Cases in `fixtures/other` have no Windows in their names.
//!
//! The same text always gives the same bytes, on every machine.

use std::fs;
use std::path::{Path, PathBuf};

use hivemend::reg_file::{self, Document, Operation};

use crate::apply::{apply_one, descend};
use crate::builder::{Entry, Hive, Key, descriptor, log};

/// The roles of the hives that a case may have. They are also the file names.
pub const ROLES: [&str; 2] = ["SOFTWARE", "SYSTEM"];

/// A compiled case.
#[derive(Clone, Debug)]
pub struct Case {
    /// The folder's name.
    pub name: String,
    /// The hives of the case, in the order of [`ROLES`].
    pub hives: Vec<(&'static str, Hive)>,
    /// The hives of the case that it is based on.
    bases: Vec<(&'static str, Hive)>,
}

/// The folder of cases that do not belong to one Windows.
const OTHER: &str = "other";
/// The case of each Windows without deviations.
const CLEAN: &str = "clean";

/// Returns the names of all cases, sorted.
///
/// # Errors
/// Returns an error if the fixtures are missing.
pub fn names() -> Result<Vec<String>, String> {
    let mut names: Vec<String> = cases()?.into_iter().map(|(name, _)| name).collect();
    names.sort();
    Ok(names)
}

/// Returns the folder of a case.
///
/// # Errors
/// Returns an error if the case does not exist.
pub fn folder_of(case: &str) -> Result<PathBuf, String> {
    let mut found = cases()?.into_iter().filter(|(name, _)| name == case).map(|(_, folder)| folder);
    match (found.next(), found.next()) {
        (Some(folder), None) => Ok(folder),
        (Some(one), Some(other)) => Err(format!("{} and {} have one name", one.display(), other.display())),
        (None, _) => Err(format!("fixtures: no case is called {case}")),
    }
}

/// Returns the name and the folder of each case.
fn cases() -> Result<Vec<(String, PathBuf)>, String> {
    let mut cases = Vec::new();
    for (group, folder) in folders(&folder())? {
        for (case, folder) in folders(&folder)? {
            let name = match (group.as_str(), case.as_str()) {
                (OTHER, case) => case.to_owned(),
                (group, CLEAN) => group.to_owned(),
                (group, case) => format!("{group}-{case}"),
            };
            cases.push((name, folder));
        }
    }
    Ok(cases)
}

/// Returns the folders in a folder, with their names.
fn folders(folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    Ok(folders.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path()))).collect())
}

/// Compiles a case.
///
/// # Errors
/// Returns an error if the case, or one that it is based on, does not follow the format. The error has the file, the
/// line, and the reason.
pub fn compile(case: &str) -> Result<Case, String> {
    let (mut hives, mut bases) = (Vec::new(), Vec::new());
    for role in ROLES {
        if folder_of(case)?.join(format!("{role}.reg")).exists() {
            let (hive, base) = compile_with_base(case, role)?;
            hives.push((role, hive));
            bases.extend(base.map(|base| (role, base)));
        }
    }
    if hives.is_empty() {
        return Err(format!("fixtures: {case} has no hive"));
    }
    Ok(Case { name: case.to_owned(), hives, bases })
}

/// Returns the key where a hive of this role is loaded.
pub fn root_of(role: &str) -> String {
    format!(r"HKEY_LOCAL_MACHINE\{role}")
}

/// What to do if files with the same names and other bytes exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Write nothing. Files with the same bytes are accepted, so that a command can be repeated.
    Refuse,
    /// Replace them, and the hives and logs of an earlier run.
    Replace,
}

impl Case {
    /// Returns the hives as files: name and bytes.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        self.hives.iter().map(|(role, hive)| ((*role).to_owned(), hive.to_bytes())).collect()
    }

    /// Returns the files of a Windows that lost its power: the hives of the base, dirty, and the changes of the case in
    /// transaction logs. A hive without changes is clean.
    ///
    /// # Errors
    /// Returns an error if the case has no base.
    pub fn interrupted(&self) -> Result<Vec<(String, Vec<u8>)>, String> {
        if self.bases.is_empty() {
            return Err(format!("{} is based on no other case", self.name));
        }
        let mut files = Vec::new();
        for (role, hive) in &self.hives {
            let base = self.bases.iter().find(|(of, _)| of == role).map_or(hive, |(_, base)| base);
            files.extend(log::interrupted(role, base, hive));
        }
        Ok(files)
    }

    /// Writes [`Case::files`] as [`write()`] does.
    ///
    /// # Errors
    /// Returns an error if another file exists or if a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        write(folder, &self.files(), Existing::Refuse)
    }

    /// Writes [`Case::interrupted`] as [`write()`] does.
    ///
    /// # Errors
    /// Returns the same errors as [`Case::write`], and an error if the case has no base.
    pub fn write_dirty(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        write(folder, &self.interrupted()?, Existing::Refuse)
    }
}

/// Writes files to the folder of the hives in a mounted Windows, `Windows/System32/config` below `folder`.
///
/// # Errors
/// Returns an error if another file exists and must not be replaced, or if a file cannot be written.
pub fn write(folder: &Path, files: &[(String, Vec<u8>)], existing: Existing) -> Result<Vec<PathBuf>, String> {
    let config = folder.join("Windows").join("System32").join("config");
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(&config).map_err(|error| failed(&config, error))?;
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| config.join(name)).collect();
    let is_other = |path: &Path, bytes: &[u8]| path.exists() && !fs::read(path).is_ok_and(|old| old == bytes);
    let all = || paths.iter().zip(files.iter().map(|(_, bytes)| bytes));
    if existing == Existing::Refuse
        && let Some((path, _)) = all().find(|(path, bytes)| is_other(path, bytes))
    {
        return Err(format!("{}: another file is there already; --overwrite replaces it", path.display()));
    }
    if existing == Existing::Replace {
        let entries = fs::read_dir(&config).map_err(|error| failed(&config, error))?;
        let is_ours = |name: &str| ROLES.iter().any(|role| name == *role || name.starts_with(&format!("{role}.LOG")));
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if is_ours(name) && !paths.contains(&path) {
                fs::remove_file(&path).map_err(|error| failed(&path, error))?;
            }
        }
    }
    for (path, bytes) in all() {
        fs::write(path, bytes).map_err(|error| failed(path, error))?;
    }
    Ok(paths)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// One file that was read: its operations and its directives.
struct Layer {
    /// The name of the file in errors.
    name: String,
    document: Document,
    /// The parsed `;! hive` line: line and header.
    header: Option<Header>,
    base: Option<String>,
    /// The index of an operation, and the time of the key that it opens.
    times: Vec<(usize, u64)>,
    /// The index of an operation, and the change to the key that it opens after all files are applied.
    tricks: Vec<(usize, Trick)>,
}

/// A property of a key that no `.reg` file can express.
enum Trick {
    /// Renames the key.
    Name(Vec<u16>),
    /// Renames a value.
    ValueName { from: Vec<u16>, to: Vec<u16> },
    /// The key has no security descriptor.
    LacksSecurity,
    /// The key has a security descriptor of its own.
    Security(Vec<u8>),
}

#[derive(Clone)]
struct Header {
    root: String,
    minor: u32,
    written: u64,
    sequence: (u32, u32),
}

/// Returns a hive of a case, and the hive that it is based on if that exists.
fn compile_with_base(case: &str, role: &str) -> Result<(Hive, Option<Hive>), String> {
    // The case comes first, then its base.
    let mut layers = vec![Layer::read(case, role)?];
    while let Some(base) = layers.last().and_then(|layer| layer.base.clone()) {
        if layers.len() > 3 {
            return Err(format!("{case}, {role}: bases upon bases"));
        }
        layers.push(Layer::read(&base, role)?);
    }
    let base = match layers.get(1..) {
        Some(below @ [_, ..]) => Some(build(below, case, role)?),
        _ => None,
    };
    Ok((build(&layers, case, role)?, base))
}

/// Returns the hive that the layers describe. The last layer is applied first.
fn build(layers: &[Layer], case: &str, role: &str) -> Result<Hive, String> {
    let header = layers.iter().find_map(|layer| layer.header.clone());
    let header = header.ok_or_else(|| format!("{case}, {role}: no `;! hive` line"))?;
    let mut hive = Hive::new(&header.root);
    hive.minor = header.minor;
    hive.last_written = header.written;
    (hive.primary_sequence, hive.secondary_sequence) = header.sequence;
    hive.file_name = format!(r"\SystemRoot\System32\Config\{role}").encode_utf16().collect();
    hive.root.set_time(header.written);
    let root = root_of(role);
    for layer in layers.iter().rev() {
        for (index, entry) in layer.document.operations.iter().enumerate() {
            let failed = |message: String| format!("{}:{}: {message}", layer.name, entry.line);
            apply_one(&entry.operation, &root, &mut hive.root, header.written).map_err(failed)?;
            if let Some((_, time)) = layer.times.iter().find(|(before, _)| *before == index) {
                let below = entry.operation.key().names().get(2..).unwrap_or_default();
                descend(&mut hive.root, below, header.written).last_written = *time;
            }
        }
    }
    for layer in layers.iter().rev() {
        for (index, trick) in &layer.tricks {
            let failed = || format!("{}: a directive is about a key that is not there", layer.name);
            let names = layer.document.operations.get(*index).ok_or_else(failed)?.operation.key().names();
            trick.play(&mut hive.root, names.get(2..).unwrap_or_default()).ok_or_else(failed)?;
        }
    }
    Ok(hive)
}

impl Trick {
    /// Applies the change to the key at this path.
    fn play(&self, root: &mut Key, path: &[Vec<u16>]) -> Option<()> {
        let same =
            |a: &[u16], b: &[u16]| String::from_utf16_lossy(a).eq_ignore_ascii_case(&String::from_utf16_lossy(b));
        let key = path.iter().try_fold(root, |key, name| key.subkeys.iter_mut().find(|key| same(&key.name, name)))?;
        match self {
            Self::Name(name) => key.name.clone_from(name),
            Self::ValueName { from, to } => {
                let value = key.values.iter_mut().find(|value| value.name == *from)?;
                value.name.clone_from(to);
            }
            Self::LacksSecurity => key.lacks_security = true,
            Self::Security(descriptor) => key.security = Some(descriptor.clone()),
        }
        Some(())
    }
}

impl Layer {
    fn read(case: &str, role: &str) -> Result<Self, String> {
        let path = folder_of(case)?.join(format!("{role}.reg"));
        let name = path.strip_prefix(folder()).unwrap_or(&path);
        let name = format!("fixtures/{}", name.display());
        let text = fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
        let reading = reg_file::parse_text(&text);
        let document = reading.into_document().map_err(|rejection| format!("{name}: {rejection}"))?;
        let mut layer = Self {
            name,
            document: Document::default(),
            header: None,
            base: None,
            times: Vec::new(),
            tricks: Vec::new(),
        };
        for comment in &document.comments {
            let text = String::from_utf16_lossy(&comment.text);
            if let Some(directive) = text.strip_prefix('!') {
                let next = document.operations.get(comment.before).map(|entry| &entry.operation);
                let opens_key = matches!(next, Some(Operation::CreateKey { .. }));
                layer
                    .direct(directive.trim(), comment.before, opens_key)
                    .map_err(|message| format!("{}:{}: {message}", layer.name, comment.line))?;
            }
        }
        layer.document = document;
        Ok(layer)
    }

    /// Applies a directive that precedes the operation `before`.
    fn direct(&mut self, directive: &str, before: usize, opens_key: bool) -> Result<(), String> {
        match directive.split_once(' ') {
            Some(("hive", rest)) if self.header.is_none() => self.header = Some(header(rest)?),
            Some(("base", base)) if self.base.is_none() => self.base = Some(base.trim().to_owned()),
            Some(("written", time)) if opens_key => self.times.push((before, file_time(time.trim())?)),
            Some(("name", name)) if opens_key => self.tricks.push((before, Trick::Name(escaped(name)?))),
            Some(("value-name", names)) if opens_key => {
                let (from, to) =
                    names.split_once("\" \"").ok_or_else(|| format!("two names expected, found {names}"))?;
                let (from, to) = (escaped(&format!("{from}\""))?, escaped(&format!("\"{to}"))?);
                self.tricks.push((before, Trick::ValueName { from, to }));
            }
            Some(("security", text)) if opens_key => self.tricks.push((before, Trick::Security(security(text)?))),
            None if directive == "no-security" && opens_key => self.tricks.push((before, Trick::LacksSecurity)),
            _ => return Err(format!("`;! {directive}` is no directive, out of place, or there twice")),
        }
        Ok(())
    }
}

/// Reads `"a\u0000b"`: a name in quotes, in which `\uXXXX` is a UTF-16 unit.
fn escaped(text: &str) -> Result<Vec<u16>, String> {
    let inner = text.trim().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let inner = inner.ok_or_else(|| format!("a name in quotes expected, found {text}"))?;
    let mut parts = inner.split("\\u");
    let mut units: Vec<u16> = parts.next().unwrap_or_default().encode_utf16().collect();
    for part in parts {
        let (digits, rest) = part.split_at_checked(4).ok_or_else(|| format!("four digits expected in {text}"))?;
        units.push(u16::from_str_radix(digits, 16).map_err(|error| format!("{digits}: {error}"))?);
        units.extend(rest.encode_utf16());
    }
    Ok(units)
}

/// Reads `owner=S-1-5-18 allow=f003f:S-1-5-18 deny=2:S-1-1-0`.
fn security(text: &str) -> Result<Vec<u8>, String> {
    let form = || format!("expected owner=SID and entries allow=HEX:SID or deny=HEX:SID, found {text}");
    let mut fields = text.split_whitespace();
    let owner = fields.next().and_then(|field| field.strip_prefix("owner=")).ok_or_else(form)?;
    let entry = |field| -> Option<Entry<'_>> {
        let (kind, rest) = str::split_once(field, '=')?;
        let (mask, sid) = rest.split_once(':')?;
        let mask = u32::from_str_radix(mask, 16).ok()?;
        matches!(kind, "allow" | "deny").then_some(Entry { allows: kind == "allow", mask, sid })
    };
    let entries: Vec<Entry<'_>> = fields.map(entry).collect::<Option<_>>().ok_or_else(form)?;
    Ok(descriptor(owner, &entries))
}

/// Reads `root="..." minor=5 written=... sequence=42/42`.
fn header(text: &str) -> Result<Header, String> {
    let form = || format!("expected root=\"...\" minor=N written=TIME sequence=N/N, found {text}");
    let (root, rest) = text.strip_prefix("root=\"").and_then(|rest| rest.split_once('"')).ok_or_else(form)?;
    let mut fields = rest.split_whitespace();
    let mut field = |name: &str| {
        fields.next().and_then(|field| field.strip_prefix(name)?.strip_prefix('=')).ok_or_else(form).map(str::to_owned)
    };
    let (minor, written, sequence) = (field("minor")?, field("written")?, field("sequence")?);
    let number = |text: &str| text.parse::<u32>().map_err(|error| format!("{text}: {error}"));
    let (primary, secondary) = sequence.split_once('/').ok_or_else(form)?;
    Ok(Header {
        root: root.to_owned(),
        minor: number(&minor)?,
        written: file_time(&written)?,
        sequence: (number(primary)?, number(secondary)?),
    })
}

/// Returns a UTC time in units of 100 ns since 1601.
fn file_time(text: &str) -> Result<u64, String> {
    const UNIX_EPOCH: i128 = 116_444_736_000_000_000;
    let time: jiff::Timestamp = text.parse().map_err(|error| format!("{text}: {error}"))?;
    let ticks = (time.as_nanosecond() / 100).checked_add(UNIX_EPOCH).and_then(|ticks| u64::try_from(ticks).ok());
    ticks.ok_or_else(|| format!("{text}: before 1601"))
}
