//! Pictures for a prompt.

use crate::failure::Failure;
use crate::given_file;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use capstan_proto::convert::client_thread::{MAX_IMAGE, MAX_IMAGES, MOST_IMAGES};
use capstan_types::history::Image;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Reads pictures.
///
/// # Errors
/// They are too many, or too large together; or one cannot be used.
pub fn images(paths: &[PathBuf]) -> Result<Vec<Image>, Failure> {
    if paths.len() > MOST_IMAGES {
        return Err(Failure::bad_input(format!("{} images are given, and at most {MOST_IMAGES} are taken", paths.len()))
            .hint("leave some out, or give them to later turns"));
    }
    let (mut images, mut together) = (Vec::with_capacity(paths.len()), 0);
    for path in paths {
        let (image, size) = image(path)?;
        together += size;
        if together > MAX_IMAGES {
            let sentence = format!("the images have more than {} MiB together, which is the most for one turn", MAX_IMAGES >> 20);
            return Err(Failure::bad_input(sentence).hint("leave some out, make them smaller, or give them to later turns"));
        }
        images.push(image);
    }
    Ok(images)
}

/// Reads a picture, and gives its size in bytes. Its form is known by its first bytes, not by its name.
///
/// # Errors
/// It is no regular file, cannot be read, is too large, or is no picture that models take.
fn image(path: &Path) -> Result<(Image, usize), Failure> {
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
    Ok((Image { media_type: media_type.to_owned(), base64: STANDARD.encode(&bytes) }, bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Image, Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        image(file.path()).map(|(image, _)| image)
    }

    #[test]
    fn pictures_are_counted_and_weighed_together() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("large.gif");
        let mut large = b"GIF89a".to_vec();
        large.resize(MAX_IMAGE, 0);
        std::fs::write(&path, large).unwrap();
        let said = |count| images(&vec![path.clone(); count]).map(|images| images.len()).map_err(|failure| failure.sentence);
        assert_eq!(said(4), Ok(4));
        assert_eq!(said(5), Err("the images have more than 96 MiB together, which is the most for one turn".to_owned()));
        assert_eq!(said(33), Err("33 images are given, and at most 32 are taken".to_owned()));
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
