//! A turn whose coordinator ended in its middle goes on where its stored records leave it.
//!
//! An answer that was not stored is asked for again; a stored one is not. Of each call of the last answer `fate` decides what becomes of it, purely;
//! `truth` says what the model is told where an outcome is not known.

pub mod fate;
pub mod truth;
pub mod unfinished;

pub use unfinished::{MOST_TIMES, Stage, Unfinished};
