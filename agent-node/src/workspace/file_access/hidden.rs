//! Which names of a workspace are hidden from its thread.

use capstan_types::files::path::FilePath;
use capstan_types::path::AbsPath;
use std::os::unix::ffi::OsStrExt;

/// Those of `hidden` that lie below `top`, named from there. One that `top` itself lies in hides nothing of it: who is given a directory by name
/// is given it.
pub(super) fn below<'a>(top: &AbsPath, hidden: impl Iterator<Item = &'a AbsPath>) -> Vec<FilePath> {
    let mut below: Vec<_> = hidden
        .filter_map(|place| place.below(top))
        .filter_map(|path| FilePath::new(path.as_os_str().as_bytes()).ok())
        .filter(|path| !path.is_top())
        .collect();
    below.sort();
    below.dedup();
    below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_named_from_the_top() {
        let paths = ["/w/.env", "/w/a/b", "/w", "/", "/other", "/w/.env"].map(|text| AbsPath::new(text).unwrap());
        let named: Vec<_> = below(&AbsPath::new("/w").unwrap(), paths.iter()).iter().map(ToString::to_string).collect();
        assert_eq!(named, [".env", "a/b"]);
    }
}
