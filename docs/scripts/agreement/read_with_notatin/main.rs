//! Prints a hive as notatin reads it, in the form of `tests/support/read_with_hivex.py`; with `--count` only how many
//! keys and values there are: `read_with_notatin [--count] HIVE [--with LOG]...`. The logs are replayed first. What
//! notatin notes beside the hive, its keys and its values goes to stderr, which is empty where it notes nothing.

use std::io::{BufWriter, Write, stderr, stdout};

use notatin::cell::Cell;
use notatin::log::Logs;
use notatin::parser::ParserIterator;
use notatin::parser_builder::ParserBuilder;

fn main() {
    let mut arguments = std::env::args().skip(1).peekable();
    let count = arguments.next_if_eq("--count").is_some();
    let mut builder = ParserBuilder::from_path(arguments.next().expect("name a hive"));
    while arguments.next_if_eq("--with").is_some() {
        builder.with_transaction_log(arguments.next().expect("name a log"));
    }
    assert_eq!(arguments.next(), None, "[--count] HIVE [--with LOG]... is expected");
    let parser = builder.build().unwrap_or_else(|error| {
        eprintln!("{error}");
        std::process::exit(1)
    });
    say(parser.get_parse_logs());
    let mut out = BufWriter::new(stdout().lock());
    let (mut keys, mut values) = (0, 0);
    let mut root: Option<String> = None;
    for key in ParserIterator::new(&parser).iter() {
        keys += 1;
        say(key.get_logs());
        // Its paths begin with the root's own name.
        let root = root.get_or_insert_with(|| key.path.clone());
        if !count {
            let path = key.path.strip_prefix(root.as_str()).unwrap_or(&key.path);
            let time = key.detail.last_key_written_date_and_time();
            writeln!(out, "key\t{path}\tclass \ttime {time}").unwrap();
        }
        for value in key.value_iter() {
            values += 1;
            say(value.get_logs());
            let bytes = value.detail.value_bytes().unwrap_or_default();
            if !count {
                write!(out, "value\t{}\t{}\t", value.detail.value_name(), value.detail.data_type_raw()).unwrap();
                for byte in bytes {
                    write!(out, "{byte:02x}").unwrap();
                }
                writeln!(out).unwrap();
            }
        }
    }
    if count {
        writeln!(out, "keys {keys} values {values}").unwrap();
    }
    out.flush().unwrap();
}

fn say(logs: &Logs) {
    if logs.has_logs() {
        writeln!(stderr(), "{logs}").unwrap();
    }
}
