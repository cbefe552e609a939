//! A conversation that no longer fits its model's window is shortened.
//!
//! Its older part is replaced, in what the model is shown, by what the user said and a summary. It stays stored: one entry is added that
//! says what is shown instead, so that a crash in the middle leaves the conversation as it was. `limits` says how much may be shown,
//! `gauge` how much is, `choice` what stays, `words` how it is told; `summary` asks the model, `shorten` does it, and `fit` sees when.

pub mod choice;
pub mod fit;
pub mod gauge;
pub mod limits;
pub mod shorten;
pub mod summary;
pub mod words;
