//! The verb's answers, to questions about real directories.

mod asked;
mod attacks;
mod content;
mod finding;
mod listing;
mod watching;
mod writing;
