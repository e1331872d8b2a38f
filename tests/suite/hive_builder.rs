//! The hive builder itself: its output is parsed by hand here, and by other people's readers.
//!
//! These tests must not use hivemend's own reader, because that reader is tested with the output of the builder.

mod oracles;
mod structure;

use crate::builder::{Hive, reg_type, units, utf16le};

/// Nested keys, every type, names beyond Latin-1, a class, big data, thousands of subkeys, nothing at all.
pub(crate) fn everything() -> Hive {
    let mut hive = Hive::new("$$$PROTO.HIV");
    hive.file_name = units(r"\SystemRoot\System32\Config\SOFTWARE");
    (hive.primary_sequence, hive.secondary_sequence) = (41, 41);

    let notify = hive.root.create(r"Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\SensLogn");
    notify.last_written = 128_500_000_000_000_000;
    notify.set_sz("DLLName", "WlNotify.dll").set_sz("Logon", "SensLogonEvent").set_dword("MaxWait", 600);

    let types = hive.root.create("All types");
    types.class = Some(units("Klasse mit ß und Ω"));
    types.set_sz("", "the default value");
    for data_type in (reg_type::NONE..=reg_type::QWORD).chain([0x1234, 0xFFFF_0011]) {
        types.set(&format!("type {data_type:08x}"), data_type, &[1, 2, 3, 4, 5, 6, 7, 8]);
    }
    types.set_expand_sz("expand", r"%SystemRoot%\system32\svchost.exe -k netsvcs");
    types.set_multi_sz("multi", &["BITS", "wuauserv", "日本語"]).set_multi_sz("multi, none", &[]);
    types.set_qword("qword", 0x0102_0304_0506_0708).set_dword("dword", 0xDEAD_BEEF);

    let sizes = hive.root.create("Sizes");
    for size in [0, 4, 5, 8, 100, 4060, 4061, 4096, 16_343, 16_344, 16_345, 20_000, 32_688, 40_000, 70_000] {
        let data: Vec<u8> = (0..size).map(|place: u32| (place % 251).to_le_bytes()[0]).collect();
        sizes.set_binary(&format!("{size:05} bytes"), &data);
    }
    sizes.set("no text", reg_type::SZ, &[]);

    let names = hive.root.create("Names");
    for name in ["ASCII", "Ärger", "ÿ", "Ωμέγα", "日本語", "𝄞 clef", "a", "B", "c_", "c-", "cA"] {
        names.create(name).set_sz(name, name);
    }
    names.create(r"Ωμέγα\below\it").set("odd", reg_type::SZ, &utf16le(&units("unterminated")));

    let many = hive.root.create("Many");
    for number in 0..3000 {
        many.create(&format!("Key{:04}", number * 7 % 3000)).set_dword("number", number);
    }
    hive
}
