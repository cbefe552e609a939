//! Paths of a tree, for people.

/// Of a name that is no text, what is not is replaced.
pub(crate) fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
