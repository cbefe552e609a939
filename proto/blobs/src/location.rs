//! Where blobs lie, as people write it.

use crate::error::LocationError;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A directory or a bucket.
///
/// ```
/// use capstan_blobs::Location;
/// assert_eq!("s3://bucket/a/b".parse(), Ok(Location::Bucket { name: "bucket".into(), prefix: "a/b".into() }));
/// assert_eq!("/srv/blobs".parse(), Ok(Location::Directory("/srv/blobs".into())));
/// assert!("blobs".parse::<Location>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// An absolute path. Hosts share it by a network file system, or there is one host.
    Directory(PathBuf),
    /// A bucket that speaks S3. Its endpoint, region and keys are in the environment, under the names that every program of AWS reads.
    Bucket {
        /// The bucket's name.
        name: String,
        /// What all names begin with. May be empty.
        prefix: String,
    },
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || LocationError::Form(text.to_owned());
        if let Some(bucket) = text.strip_prefix("s3://") {
            let (name, prefix) = bucket.split_once('/').unwrap_or((bucket, ""));
            let is_name = (3..=63).contains(&name.len())
                && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'));
            let prefix = prefix.trim_matches('/').to_owned();
            let is_prefix = prefix.is_empty() || prefix.split('/').all(|step| !matches!(step, "" | "." | ".."));
            return if is_name && is_prefix { Ok(Self::Bucket { name: name.to_owned(), prefix }) } else { Err(wrong()) };
        }
        let path = Path::new(text.strip_prefix("file://").unwrap_or(text));
        if path.is_absolute() { Ok(Self::Directory(path.to_owned())) } else { Err(wrong()) }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => write!(formatter, "{}", path.display()),
            Self::Bucket { name, prefix } if prefix.is_empty() => write!(formatter, "s3://{name}"),
            Self::Bucket { name, prefix } => write!(formatter, "s3://{name}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_no_store_is_refused_with_the_forms() {
        for text in ["", "blobs", "./blobs", "s3://", "s3://UPPER", "s3://ab", "s3://bucket/../x", "http://x/y", "s3:/bucket"] {
            let error = text.parse::<Location>().unwrap_err();
            assert!(error.to_string().contains("s3://NAME/PREFIX"), "{text}: {error}");
        }
        for text in ["/srv/x", "s3://bucket", "s3://bucket/a"] {
            assert_eq!(text.parse::<Location>().unwrap().to_string(), text);
        }
        assert_eq!("s3://bucket/a/".parse::<Location>().unwrap().to_string(), "s3://bucket/a");
    }
}
