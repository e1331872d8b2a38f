//! Writing, compared with the cases.

use hivemend::reg_file::{self, Alteration, Dialect, Document, KeyPath, Operation, Reason};
use sha2::{Digest, Sha256};

use super::{bytes_of_hex, cases, parse_case, units};

fn units_of_hex(text: &str) -> Vec<u16> {
    bytes_of_hex(text).as_chunks().0.iter().map(|&unit| u16::from_le_bytes(unit)).collect()
}

#[test]
fn every_emit_case_has_its_text() {
    for case in cases("emit_cases") {
        let id = &case["id"];
        let value = &case["value"];
        let data_type = u32::try_from(value["type"].as_u64().unwrap()).unwrap();
        let bytes = bytes_of_hex(value["data_hex"].as_str().unwrap());
        let mut document = Document::default();
        document.push(Operation::SetValue {
            key: KeyPath::from(r"HKEY_LOCAL_MACHINE\SOFTWARE\x"),
            name: units_of_hex(value["name_utf16le_hex"].as_str().unwrap()),
            data_type,
            bytes: bytes.clone(),
        });
        let written = reg_file::emit_text(&document, Dialect::Regedit5);
        let expect = &case["expect"];
        if let Some(reason) = expect["reason"].as_str() {
            assert_eq!(written.unwrap_err().reason.to_string(), reason, "{id}");
            continue;
        }
        let lines: Vec<_> = expect["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        let head = "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\x]\r\n";
        assert_eq!(written.unwrap(), format!("{head}{}\r\n\r\n", lines.join("\r\n")), "{id}");
        let restored = reg_file::regedit_restores(data_type, &bytes);
        match case["regedit_roundtrip"].as_str().unwrap().split([' ', ':', '(']).next().unwrap() {
            "exact" => assert_eq!(restored, Ok(()), "{id}"),
            "undefined" => assert_eq!(restored, Err(Alteration::OddLength), "{id}"),
            "regedit_appends_nul" => assert_eq!(restored, Err(Alteration::TerminatorAdded), "{id}"),
            "unsafe" => assert_eq!(restored, Err(Alteration::Link), "{id}"),
            other => panic!("{id}: no such outcome: {other}"),
        }
    }
}

/// Read, the document says something; written again, it is the same file to the byte.
#[test]
fn every_document_case_is_written_as_it_was_read() {
    for case in cases("document_cases") {
        let id = &case["id"];
        let text = case["text"].as_str().unwrap();
        let bytes: Vec<u8> = [0xfeff].into_iter().chain(units(text)).flat_map(u16::to_le_bytes).collect();
        let reading = reg_file::parse(&bytes);
        assert_eq!(reading.diagnostics, [], "{id}");
        let written = reg_file::emit(&reading.into_document().unwrap(), Dialect::Regedit5).unwrap();
        assert_eq!(written, bytes, "{id}");
        assert_eq!(written.len(), usize::try_from(case["bytes"].as_u64().unwrap()).unwrap(), "{id}");
        let digest = bytes_of_hex(case["sha256_utf16le_bom"].as_str().unwrap());
        assert_eq!(Sha256::digest(&written)[..], digest, "{id}");
    }
}

/// What the strict reader takes from others, the emitter can say too: all but the comments, of which it is choosier,
/// and values named twice.
#[test]
fn every_accepted_parse_case_can_be_written_again() {
    for case in cases("parse_cases").iter().filter(|case| case["strict"] != "reject") {
        let mut document = reg_file::parse(&parse_case(case).0).into_document().unwrap();
        document.comments.clear();
        match reg_file::emit(&document, Dialect::Regedit5) {
            Ok(written) => {
                let again = reg_file::parse(&written).into_document().unwrap();
                let plain = |document: Document| document.operations.into_iter().map(|entry| entry.operation);
                assert!(plain(again).eq(plain(document)), "{}", case["id"]);
            }
            Err(refusal) => assert_eq!((&case["id"], refusal.reason), (&"P18".into(), Reason::NamedTwice)),
        }
    }
}
