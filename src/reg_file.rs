//! The `.reg` format.
//!
//! regedit never reports a dropped line, so reading has two results: what the file does ([`Reading::effect`]) and
//! whether it is reliable ([`Reading::verdict`], [`Reading::into_document`]). Text is always UTF-16 units and data are
//! raw bytes, because names and data in a hive need not be valid Unicode.
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
//! Writing omits nothing. Content that an importer would lose or misread causes a [`Refusal`], and [`regedit_restores`]
//! states in advance which data regedit would change.
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
//!
//! Version 5.00 is UTF-16 and can contain any text. `REGEDIT4` is text in the importing machine's ANSI code page, which
//! the file cannot name. Such a file is written for one [`CodePage`], and [`parse_with`] reads it with that page. Line
//! ends, NULs, and invisible characters are written in hex, as bytes of the page. Characters that the page lacks cannot
//! be written in `REGEDIT4` in any form.
//!
//! ```
//! use hivemend::reg_file::{self, CodePage, Dialect, Document, KeyPath, Operation, ReadOptions, Reason};
//!
//! let mut document = Document::default();
//! let bytes = "Привет\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
//! let greeting = Operation::SetValue { key: KeyPath::from(r"HKEY_USERS\a"), name: vec![], data_type: 1, bytes };
//! document.push(greeting.clone());
//! let russian = CodePage::new(1251)?;
//! let written = reg_file::emit(&document, Dialect::Regedit4(russian))?;
//! assert_eq!(written, b"REGEDIT4\r\n\r\n[HKEY_USERS\\a]\r\n@=\"\xcf\xf0\xe8\xe2\xe5\xf2\"\r\n\r\n");
//! let reading = reg_file::parse_with(&written, &ReadOptions { code_page: Some(russian), ..ReadOptions::default() });
//! assert_eq!(reading.into_document()?.operations[1].operation, greeting);
//!
//! let western = CodePage::WINDOWS_1252;
//! let refusal = reg_file::emit(&document, Dialect::Regedit4(western)).unwrap_err();
//! assert_eq!(refusal.reason, Reason::NotInCodePage(western));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `examples/reg-file.rs` is a program that uses only this module.

mod code_page;
mod collect;
mod diagnostic;
mod dialect;
mod document;
mod emit;
mod encoding;
mod expressible;
mod hex_data;
mod hivexregedit;
mod importer;
mod key_line;
mod key_path;
mod legible;
mod lines;
mod merge;
mod names;
mod names_seen;
mod parse;
mod pieces;
mod plain;
mod quoted;
mod reader;
mod reading;
mod restore;
mod scanner;
mod sink;
mod text_data;
mod value_line;
mod value_text;
mod writer;

pub use code_page::{CodePage, UnknownCodePage};
pub use diagnostic::{Code, Diagnostic, Rejection, Severity, Verdict};
pub use dialect::Dialect;
pub use document::{Comment, Document, Entry, Operation};
pub use emit::{Refusal, comment_text, emit, emit_text, refusals};
pub use encoding::Encoding;
pub use expressible::{Reason, check_operation};
pub(crate) use hivexregedit::names as hivex_names;
pub use importer::{Importer, Importers, UnknownImporter};
pub use key_path::KeyPath;
pub(crate) use merge::{Section, SetValue, Step};
pub(crate) use pieces::TooLong;
pub(crate) use plain::find;
pub(crate) use reader::{HivexregeditReader, RegeditReader};
pub use reader::{parse, parse_text, parse_with};
pub use reading::{ReadOptions, Reading, Version};
pub use restore::{Alteration, regedit_restores};
pub(crate) use sink::{Sink, Text};
pub use writer::Writer;
