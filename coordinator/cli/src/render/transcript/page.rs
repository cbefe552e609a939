//! How much room a transcript has, and how much of it it uses.

use crate::render::ink::{Ink, Role};
use crate::render::text;

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Everything that a person watching may want.
    Full,
    /// A line for each step, for logs.
    Brief,
}

/// The page that a transcript is written on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Whether it has colours.
    pub ink: Ink,
    /// How many characters fit into a line.
    pub width: usize,
    /// What is shown.
    pub detail: Detail,
}

impl Page {
    /// A clean line under its heading: indented, clipped, in the colour of its role.
    pub(super) fn indented(&self, role: Option<Role>, line: &str) -> String {
        format!("  {}", self.ink.paint_as(role, text::clipped(line, self.width.saturating_sub(2))))
    }
}
