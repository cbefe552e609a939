//! How much of the disk is not for output that is kept whole.

use super::sample;
use super::watermarks::Watermarks;
use capstan_types::load::Resource;
use std::path::Path;

/// How many bytes of the disk at `dir` sessions leave free when they keep their output whole: with as much the node still starts sessions.
/// It blocks for a system call. A disk that does not tell its size counts as large.
pub(crate) fn disk_reserve(watermarks: &Watermarks, dir: &Path) -> u64 {
    sample::space(dir).map_or(watermarks.disk, |room| watermarks.admit_from(Resource::Disk, room))
}
