//! Reads any bytes as a .reg file in any code page, and prepares the result for people. Then what was read is written
//! in every dialect and read again, or refused.
#![no_main]

use hivemend::lint::{LintOptions, LintedFile, render};
use hivemend::reg_file::{CodePage, Dialect, Document, Importer, ReadOptions, emit, parse_with};
use hivemend::report::table::Style;
use libfuzzer_sys::fuzz_target;

/// Returns what the importer of a dialect reads from a file in that dialect.
fn read(written: &[u8], dialect: Dialect) -> Document {
    parse_with(written, &ReadOptions { importer: dialect.importer(), code_page: dialect.code_page() }).effect
}

fuzz_target!(|bytes: &[u8]| {
    // The last byte chooses the page, so that an ordinary file can be a seed.
    let choice = usize::from(bytes.last().copied().unwrap_or_default());
    let pages = CodePage::all().count();
    let page = CodePage::all().nth(choice % pages).unwrap();
    let options = ReadOptions { code_page: (choice & 0x80 == 0).then_some(page), ..ReadOptions::default() };
    let lint = LintOptions { code_page: options.code_page, ..LintOptions::default() };
    render(&[LintedFile::new("a.reg", bytes, &lint).unwrap()], &Style::default(), &mut Vec::new()).unwrap();
    let merge = parse_with(bytes, &ReadOptions { importer: Importer::Hivexregedit, ..options });
    assert!(merge.stop().is_none() || merge.effect.operations.is_empty());
    let document = parse_with(bytes, &options).effect;
    for dialect in [Dialect::Regedit5, Dialect::Regedit4(page), Dialect::Hivex] {
        if let Ok(written) = emit(&document, dialect) {
            assert_eq!(emit(&read(&written, dialect), dialect).unwrap(), written, "{dialect:?}");
        }
    }
});
