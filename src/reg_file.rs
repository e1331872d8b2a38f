//! The `.reg` format.
//!
//! regedit never says that it dropped a line, so reading has two answers: what the file does ([`Reading::effect`]) and
//! whether it may be relied on ([`Reading::verdict`], [`Reading::into_document`]). Text is UTF-16 units and data is raw
//! bytes throughout, because names and data in a hive need not be valid Unicode.
//!
//! ```
//! use hivemend::reg_file::{self, Operation};
//!
//! let text = "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\n\"Current\"=dword:00000001\n";
//! let document = reg_file::parse_text(text).into_document()?;
//! let Operation::SetValue { data_type, bytes, .. } = &document.operations[1].operation else { panic!() };
//! assert_eq!((*data_type, &bytes[..]), (4, &[1, 0, 0, 0][..]));
//! # Ok::<(), hivemend::reg_file::Rejection>(())
//! ```
//!
//! Writing leaves nothing out: what an importer would lose or misread is a [`Refusal`], and [`regedit_restores`] tells
//! beforehand which data come back changed.
//!
//! ```
//! use hivemend::reg_file::{self, Dialect, Document, KeyPath, Operation};
//!
//! let mut document = Document::default();
//! document.comment("for Windows XP");
//! let key = KeyPath::from(r"HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\BITS");
//! document.push(Operation::SetValue { key, name: "Start".encode_utf16().collect(), data_type: 4, bytes: vec![3, 0, 0, 0] });
//! assert_eq!(
//!     reg_file::emit_text(&document, Dialect::Regedit5)?.lines().skip(2).collect::<Vec<_>>(),
//!     ["; for Windows XP", r"[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\BITS]", "\"Start\"=dword:00000003", ""],
//! );
//! # Ok::<(), reg_file::Refusal>(())
//! ```

mod code_page;
mod diagnostic;
mod dialect;
mod document;
mod emit;
mod encoding;
mod expressible;
mod hex_data;
mod key_line;
mod key_path;
mod legible;
mod lines;
mod names;
mod names_seen;
mod parse;
mod quoted;
mod restore;
mod scanner;
mod text_data;
mod value_line;
mod value_text;
mod writer;

pub use code_page::{CodePage, UnknownCodePage};
pub use diagnostic::{Code, Diagnostic, Rejection, Severity, Verdict};
pub use dialect::Dialect;
pub use document::{Comment, Document, Entry, Operation};
pub use emit::{Refusal, comment_text, emit, emit_text};
pub use encoding::Encoding;
pub use expressible::{Reason, check_operation};
pub use key_path::KeyPath;
pub use parse::{ReadOptions, Reading, Version, parse, parse_text, parse_with};
pub(crate) use parse::{lines_of, text_of};
pub use restore::{Alteration, regedit_restores};
pub use writer::Writer;
