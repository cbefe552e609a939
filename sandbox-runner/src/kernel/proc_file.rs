//! Files that the kernel makes up as they are read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What most of them hold. The kernel makes such a file anew for each read, so that one large read is several times cheaper than the many
/// growing ones by which a file of unknown length is read.
const MOST: usize = 4096;

/// All of `path`, as text.
pub(crate) fn read(path: impl AsRef<Path>) -> io::Result<String> {
    let mut text = Vec::with_capacity(MOST);
    // By way of `take`, for a bare file asks for its length first, and these have none.
    File::open(path)?.take(u64::MAX).read_to_end(&mut text)?;
    String::from_utf8(text).map_err(|_| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_any_length_is_read_whole() {
        for path in ["/proc/self/status", "/proc/self/maps", "/proc/kallsyms"] {
            let again = std::fs::read_to_string(path).unwrap();
            assert_eq!(read(path).unwrap().lines().count(), again.lines().count(), "{path}");
        }
        assert!(read("/proc/self/missing").is_err());
    }
}
