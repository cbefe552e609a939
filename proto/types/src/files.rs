//! Files of a workspace, as tools and clients are given them: what is asked of the runner's `files` verb, and what it answers.
//!
//! The verb runs as the program of a session, so that the sandbox decides what it may touch. A [`document::FilesDocument`] is the first line of its
//! input; what it answers comes in frames (see [`frame`]).

pub mod document;
pub mod frame;
pub mod path;
pub mod raw_text;
pub mod report;
