//! Directories that stand where a protected name was missing, so that nothing else can come to be there.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// The permissions of a directory that was only made to be protected: nobody makes one like it by hand.
pub(super) const MARK: u32 = 0o1555;

/// Whether it is a directory that was only made to be protected.
pub(super) fn is_placeholder(found: &Metadata) -> bool {
    found.is_dir() && found.mode() & 0o7777 == MARK
}
