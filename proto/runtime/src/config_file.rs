//! Configuration as layers of TOML tables: files below, `-c key=value` on top.
//!
//! A layer is read without knowing what its keys mean, so that a newer release's file can be merged by an older one; what is unknown is
//! found afterwards by [`unknown_keys`], and whether that is a warning or an error is the program's choice.

mod known_keys;
mod layers;
mod overrides;

pub use known_keys::unknown_keys;
pub use layers::merge;
pub use overrides::{Override, OverrideError};

use std::path::{Path, PathBuf};
use std::{fs, io};
use toml::Table;

/// Why a configuration file cannot be used. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigFileError {
    /// The file is there and cannot be read.
    #[error("cannot read the configuration file {}: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is not TOML.
    #[error("the configuration file {} is malformed at line {line}, column {column}: {reason}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
}

/// Reads a TOML file. A file that is missing is an empty one.
///
/// # Errors
/// [`ConfigFileError`], with the place in the file.
pub fn read(path: &Path) -> Result<Table, ConfigFileError> {
    match fs::read_to_string(path) {
        Ok(text) => parse(&text, path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Table::new()),
        Err(error) => Err(ConfigFileError::Unreadable { path: path.to_owned(), reason: error.to_string() }),
    }
}

/// Reads TOML text that came from `path`, a name for error messages only.
///
/// # Errors
/// [`ConfigFileError::Syntax`].
pub fn parse(text: &str, path: &Path) -> Result<Table, ConfigFileError> {
    text.parse::<Table>().map_err(|error| {
        let (line, column) = place(text, error.span().map_or(0, |span| span.start));
        ConfigFileError::Syntax { path: path.to_owned(), line, column, reason: error.message().trim().to_owned() }
    })
}

/// The line and column of a byte offset, both from 1.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}

#[cfg(test)]
mod tests;
