//! The least that keeping something durably can cost: one write, one wait for the disk.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// About what one append of [`super::work`] holds.
const BYTES: usize = 1024;

/// The mean of `times` writes.
pub(crate) fn write(path: &Path, times: u32) -> Duration {
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("the file can be made");
    let bytes = [b'x'; BYTES];
    let began = Instant::now();
    for _ in 0..times {
        file.write_all(&bytes).expect("it can be written");
        file.sync_data().expect("it reaches the disk");
    }
    began.elapsed() / times
}
