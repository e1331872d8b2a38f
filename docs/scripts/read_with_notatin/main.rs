//! Prints a hive as notatin reads it, in the form of `tests/support/read_with_hivex.py`. With `--with LOG`, after it has
//! replayed that transaction log.

use std::fmt::Write as _;

use notatin::parser::ParserIterator;
use notatin::parser_builder::ParserBuilder;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let hive = arguments.next().expect("name a hive");
    let mut builder = ParserBuilder::from_path(hive);
    while arguments.next().is_some_and(|argument| argument == "--with") {
        builder.with_transaction_log(arguments.next().expect("name a log"));
    }
    let parser = builder.build().unwrap_or_else(|error| {
        eprintln!("{error}");
        std::process::exit(1)
    });
    let mut root: Option<String> = None;
    let mut text = String::new();
    for key in ParserIterator::new(&parser).iter() {
        // Its paths begin with the root's own name.
        let root = root.get_or_insert_with(|| key.path.clone());
        let path = key.path.strip_prefix(root.as_str()).unwrap_or(&key.path);
        writeln!(text, "key\t{path}\tclass \ttime {}", key.detail.last_key_written_date_and_time()).unwrap();
        for value in key.value_iter() {
            write!(text, "value\t{}\t{}\t", value.detail.value_name(), value.detail.data_type_raw()).unwrap();
            for byte in value.detail.value_bytes().unwrap_or_default() {
                write!(text, "{byte:02x}").unwrap();
            }
            text.push('\n');
        }
    }
    print!("{text}");
}
