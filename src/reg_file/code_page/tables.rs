//! The supported code pages, and the sources of their tables.
//!
//! The tables of `encoding_rs` are those of the WHATWG's Encoding Standard. Each was compared, byte by byte and pair by
//! pair, with Microsoft's as the Unicode consortium publishes them (`MAPPINGS/VENDORS/MICSFT`, in the form of Python's
//! codecs). They differ in the ranges below, which are left undefined, and in the control characters 80 to 9f, which
//! Microsoft's own conversion also has (`WindowsBestFit`). Private-use characters are left undefined in every page,
//! because they differ between machines.

use std::ops::RangeInclusive;

use encoding_rs::Encoding;

/// The source of a code page's table.
pub(super) enum Source {
    /// The characters of the bytes 80 to ff.
    Table(&'static str),
    /// An encoding, and the bytes or byte pairs that have another meaning, or none, in Windows.
    Encoding { encoding: &'static Encoding, others: &'static [RangeInclusive<u16>] },
}

const fn same(encoding: &'static Encoding) -> Source {
    Source::Encoding { encoding, others: &[] }
}

const fn but(encoding: &'static Encoding, others: &'static [RangeInclusive<u16>]) -> Source {
    Source::Encoding { encoding, others }
}

/// The OEM pages come first. regedit uses them when it runs in the DOS of Windows 95 and 98.
pub(super) static PAGES: [(u16, Source); 20] = [
    (437, Source::Table(OEM_437)),
    (850, Source::Table(OEM_850)),
    (852, Source::Table(OEM_852)),
    (855, Source::Table(OEM_855)),
    (857, Source::Table(OEM_857)),
    (866, same(encoding_rs::IBM866)),
    (874, same(encoding_rs::WINDOWS_874)),
    (932, same(encoding_rs::SHIFT_JIS)),
    (936, but(encoding_rs::GBK, GB18030_ONLY)),
    (949, same(encoding_rs::EUC_KR)),
    (950, but(encoding_rs::BIG5, HONG_KONG)),
    (1250, same(encoding_rs::WINDOWS_1250)),
    (1251, same(encoding_rs::WINDOWS_1251)),
    (1252, same(encoding_rs::WINDOWS_1252)),
    (1253, same(encoding_rs::WINDOWS_1253)),
    (1254, same(encoding_rs::WINDOWS_1254)),
    // Microsoft's published table has no entry for ca.
    (1255, but(encoding_rs::WINDOWS_1255, &[0xca..=0xca])),
    (1256, same(encoding_rs::WINDOWS_1256)),
    (1257, same(encoding_rs::WINDOWS_1257)),
    (1258, same(encoding_rs::WINDOWS_1258)),
];

/// Byte pairs of GB 18030 that Windows' GBK lacks or assigns to other characters.
const GB18030_ONLY: &[RangeInclusive<u16>] = &[
    0x8000..=0x80ff,
    0xa2e3..=0xa2e3,
    0xa3a0..=0xa3a0,
    0xa6d9..=0xa6df,
    0xa6ec..=0xa6ed,
    0xa6f3..=0xa6f3,
    0xa8bc..=0xa8bc,
    0xa8bf..=0xa8bf,
    0xa989..=0xa995,
    0xfe50..=0xfea0,
];

/// The Hong Kong supplement and other additions to Big5, which Windows treats as user-defined characters.
const HONG_KONG: &[RangeInclusive<u16>] =
    &[0x8000..=0xa0ff, 0xa3c0..=0xa3e0, 0xc6a1..=0xc8fe, 0xf9fe..=0xf9fe, 0xfa00..=0xffff];

// The OEM pages in Microsoft's published form (`MAPPINGS/VENDORS/MICSFT/PC`).

/// The United States.
const OEM_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
/// Western Europe.
const OEM_850: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";
/// Central Europe.
const OEM_852: &str = "ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×čáíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐└┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀ÓßÔŃńňŠšŔÚŕŰýÝţ´\u{ad}˝˛ˇ˘§÷¸°¨˙űŘř■\u{a0}";
/// Cyrillic.
const OEM_855: &str = "ђЂѓЃёЁєЄѕЅіІїЇјЈљЉњЊћЋќЌўЎџЏюЮъЪаАбБцЦдДеЕфФгГ«»░▒▓│┤хХиИ╣║╗╝йЙ┐└┴┬├─┼кК╚╔╩╦╠═╬¤лЛмМнНоОп┘┌█▄Пя▀ЯрРсСтТуУжЖвВьЬ№\u{ad}ыЫзЗшШэЭщЩчЧ§■\u{a0}";
/// Turkey.
const OEM_857: &str = "ÇüéâäàåçêëèïîıÄÅÉæÆôöòûùİÖÜø£ØŞşáíóúñÑĞğ¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ºªÊËÈ\u{fffd}ÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµ\u{fffd}×ÚÛÙìÿ¯´\u{ad}±\u{fffd}¾¶§÷¸°¨·¹³²■\u{a0}";
