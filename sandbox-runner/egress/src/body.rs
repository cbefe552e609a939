//! The body of a request on its way through: exactly what its head announces, so that no second request follows it.

use crate::request::Body;
use std::io::{self, BufRead, Read, Write};

/// The longest line that announces a chunk, its end included: 16 digits.
const LONGEST_SIZE_LINE: u64 = 18;

/// Copies one body, and nothing behind it.
pub(crate) fn copy(body: Body, from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    match body {
        Body::Length(length) => exactly(length, from, to),
        Body::Chunked => chunks(from, to),
    }
}

fn exactly(length: u64, from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    let copied = io::copy(&mut from.by_ref().take(length), to)?;
    if copied == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Chunks without extensions and without trailers: sizes in plain hexadecimal, each line with its whole end.
fn chunks(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    loop {
        let mut line = Vec::new();
        from.by_ref().take(LONGEST_SIZE_LINE).read_until(b'\n', &mut line)?;
        let digits = line.strip_suffix(b"\r\n").filter(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let size = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).ok_or(io::ErrorKind::InvalidData)?;
        let mut end = [0; 2];
        if size == 0 {
            from.read_exact(&mut end)?;
        } else {
            to.write_all(&line)?;
            exactly(size, from, to)?;
            from.read_exact(&mut end)?;
        }
        if &end != b"\r\n" {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if size == 0 {
            return to.write_all(b"0\r\n\r\n");
        }
        to.write_all(&end)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(body: Body, text: &str) -> Option<String> {
        let mut out = Vec::new();
        copy(body, &mut text.as_bytes(), &mut out).ok()?;
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn nothing_behind_a_body_is_copied() {
        assert_eq!(copied(Body::Length(3), "abcGET /").as_deref(), Some("abc"));
        let chunks = "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";
        assert_eq!(copied(Body::Chunked, &format!("{chunks}GET /")).as_deref(), Some(chunks));
    }

    #[test]
    fn chunks_in_any_other_form_are_refused() {
        for text in [
            "",
            "3",
            "3\r\nab",
            "3\nabc\n0\n\n",
            "+3\r\nabc\r\n",
            "0x3\r\nabc\r\n",
            "3;x=y\r\nabc\r\n",
            " 3\r\nabc\r\n",
            "3\r\nabcd\r\n0\r\n\r\n",
            "0\r\nX: y\r\n\r\n",
            "\r\n",
            "11111111111111111\r\n",
            "0\r\n\n",
        ] {
            assert_eq!(copied(Body::Chunked, text), None, "{text:?}");
        }
        assert_eq!(copied(Body::Length(3), "ab"), None);
    }
}
