//! The compression methods of members of ZIP archives. APPNOTE.TXT, section 4.4.5.

use std::io::{self, BufReader, Read};

use deflate64::Deflate64Decoder;
use flate2::read::DeflateDecoder;
use lzma_rust2::LzmaReader;
use ppmd_rust::{Ppmd8Decoder, RestoreMethod};

use super::field::{le16, le32};
use super::refused::{Cause, Refused, damaged};
use super::stream::Codec;

/// Memory for one member's dictionary, in bytes.
const MOST_DICTIONARY: u32 = 256 << 20;

/// Starts decompressing a member of `size` bytes, by this method, with these general purpose flags.
pub(super) fn decompress(
    mut packed: Box<dyn Read + Send>,
    method: u16,
    flags: u16,
    size: u64,
) -> io::Result<Box<dyn Read + Send>> {
    Ok(match method {
        0 => packed,
        8 => Box::new(DeflateDecoder::new(packed)),
        9 => Box::new(Deflate64Decoder::with_buffer(BufReader::new(packed))),
        12 => Box::new(Codec::Bzip2.decompress(packed)),
        14 => {
            // A version of two bytes, the size of the properties, and the properties, section 5.8.8.
            let mut header = [0; 9];
            packed.read_exact(&mut header)?;
            let dictionary = le32(&header, 5);
            if le16(&header, 2) != 5 {
                return Err(damaged("its LZMA header is damaged"));
            }
            if dictionary > MOST_DICTIONARY {
                return Err(too_large("LZMA", dictionary.into()));
            }
            // Bit 1 of the flags means that a mark, and not the size, ends the data.
            let known = if flags & 2 != 0 { u64::MAX } else { size };
            let properties = header.get(4).copied().unwrap_or_default();
            let lzma = LzmaReader::new_with_props(BufReader::new(packed), known, properties, dictionary, None);
            Box::new(lzma.map_err(|_| damaged("its LZMA header is damaged"))?)
        }
        20 | 93 => Box::new(Codec::Zstd.decompress(packed)),
        95 => Box::new(Codec::Xz.decompress(packed)),
        98 => {
            // The order, the memory in MiB, and how the model restarts, section 5.10.
            let mut header = [0; 2];
            packed.read_exact(&mut header)?;
            let header = u32::from(le16(&header, 0));
            let (order, memory) = ((header & 15).saturating_add(1), (header >> 4 & 255).saturating_add(1) << 20);
            let restore = RestoreMethod::from(header >> 12);
            if restore == RestoreMethod::Unsupported || order < 2 {
                return Err(damaged("its PPMd header is damaged"));
            }
            let ppmd = Ppmd8Decoder::new(BufReader::new(packed), order, memory, restore);
            Box::new(ppmd.map_err(|_| damaged("its PPMd data are damaged"))?)
        }
        other => {
            let reason = format!("it is compressed by method {other}{}, which is not supported", named(other));
            return Err(Refused::new(Cause::Unsupported, reason, "unpack it by hand: 7z x").into());
        }
    })
}

fn named(method: u16) -> &'static str {
    match method {
        1 => " (shrunk)",
        2..=5 => " (reduced)",
        6 => " (imploded)",
        94 => " (MP3)",
        96 => " (JPEG)",
        97 => " (WavPack)",
        _ => "",
    }
}

fn too_large(what: &str, bytes: u64) -> io::Error {
    let reason = format!("its {what} dictionary of {bytes} bytes is larger than {MOST_DICTIONARY}");
    Refused::new(Cause::Limit, reason, "unpack it by hand: 7z x").into()
}
