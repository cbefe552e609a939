//! Pictures for a prompt.

use crate::failure::Failure;
use crate::given_file;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use capstan_proto::convert::client_thread::MAX_IMAGE;
use capstan_types::history::Image;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Reads a picture. Its form is known by its first bytes, not by its name.
///
/// # Errors
/// It is no regular file, cannot be read, is too large, or is no picture that models take.
pub fn image(path: &Path) -> Result<Image, Failure> {
    let refused = |reason: String| Failure::bad_input(format!("the image {} cannot be used: {reason}", path.display()));
    let mut bytes = Vec::new();
    let limit = MAX_IMAGE as u64 + 1;
    given_file::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(|error| {
        let hint = match error.kind() {
            // Most often this is the prompt.
            ErrorKind::NotFound => "give the prompt before -i, which takes every word after it for a file",
            _ => "name a file that you may read",
        };
        refused(error.to_string()).hint(hint)
    })?;
    if bytes.len() > MAX_IMAGE {
        return Err(refused(format!("it has more than {} MiB", MAX_IMAGE >> 20)));
    }
    let media_type = Image::kind_of(&bytes).ok_or_else(|| refused("it is no PNG, JPEG, GIF or WebP picture".to_owned()))?;
    Ok(Image { media_type: media_type.to_owned(), base64: STANDARD.encode(&bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Image, Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        image(file.path())
    }

    #[test]
    fn a_picture_is_known_by_its_first_bytes() {
        assert_eq!(read(b"\x89PNG\r\n\x1a\nrest").unwrap().media_type, "image/png");
        assert_eq!(read(b"RIFF\x01\x02\x03\x04WEBPVP8 ").unwrap().media_type, "image/webp");
        assert_eq!(read(b"GIF89a").unwrap().base64, "R0lGODlh");
        assert!(read(b"#!/bin/sh").unwrap_err().sentence.ends_with("it is no PNG, JPEG, GIF or WebP picture"));
    }

    #[test]
    fn a_picture_that_is_missing_or_too_large_is_refused() {
        let failure = image(Path::new("/no/such.png")).unwrap_err();
        assert!(failure.sentence.starts_with("the image /no/such.png cannot be used: "), "{failure:?}");
        let mut large = b"\xff\xd8\xff".to_vec();
        large.resize(MAX_IMAGE + 1, 0);
        assert!(read(&large).unwrap_err().sentence.ends_with("it has more than 20 MiB"));
    }
}
