//! The hash of a file's content.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};

/// How much is read at once, in bytes.
const PIECE: usize = 256 << 10;

/// The SHA-256 of what is left of a file, as hexadecimal digits; `None` when it has more than `most` bytes.
pub(crate) fn sha256(mut file: &File, most: u64) -> io::Result<Option<String>> {
    let (mut hash, mut piece, mut read) = (Sha256::new(), vec![0; PIECE], 0_u64);
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(Some(digits(&hash.finalize()))),
            Ok(count) => {
                read += count as u64;
                if read > most {
                    return Ok(None);
                }
                hash.update(&piece[..count]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The SHA-256 of some bytes, as hexadecimal digits.
pub(crate) fn sha256_of(bytes: &[u8]) -> String {
    digits(&Sha256::digest(bytes))
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
