//! Whether a name that has changed is one that is left out.

use super::leaves_out;
use crate::beneath::Top;
use crate::walk::{left_above, parent};
use capstan_tree_files::Left;
use capstan_types::files::document::LeaveOut;
use capstan_types::files::path::FilePath;
use std::collections::HashMap;

/// How many directories' patterns are kept.
const KEPT: usize = 256;

/// The patterns of directories in which something has changed, read anew from time to time.
#[derive(Debug)]
pub(super) struct Ignored {
    leave: LeaveOut,
    read: HashMap<FilePath, Left>,
}

impl Ignored {
    pub(super) fn new(leave: LeaveOut) -> Self {
        Self { leave, read: HashMap::new() }
    }

    /// Forgets the patterns: they may have changed.
    pub(super) fn renew(&mut self) {
        self.read.clear();
    }

    pub(super) fn includes(&mut self, top: &Top, path: &FilePath, is_directory: bool) -> bool {
        if !leaves_out(self.leave) {
            return false;
        }
        if self.read.len() > KEPT {
            self.renew();
        }
        let left = self.read.entry(parent(path)).or_insert_with(|| left_above(top, path));
        left.is_left(path.as_bytes(), is_directory)
    }
}
