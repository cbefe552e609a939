//! Directories that are missing above a file.

use crate::beneath::{Last, Top};
use capstan_types::files::path::FilePath;
use rustix::fs::{Mode, mkdirat};
use rustix::io::Errno;
use std::io;

/// Makes those above `path` that are missing.
pub(super) fn make(top: &Top, path: &FilePath) -> io::Result<()> {
    let steps: Vec<&[u8]> = path.steps().collect();
    for count in 1..steps.len() {
        let above = FilePath::new(&steps[..count].join(&b'/')).map_err(io::Error::other)?;
        // A link there is followed when the next one is made, or refused.
        let place = top.follow(&above, Last::Itself)?;
        match mkdirat(&*place.directory, &place.name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
