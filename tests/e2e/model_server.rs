//! A model's server that misbehaves: every way ends in a right list of items, one clear sentence and the right exit code.

mod answers;
mod connections;
mod refusals;
mod tools_kept;
