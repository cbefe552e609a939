//! The one seam between the statements and a database: values in, rows of cells out.
//!
//! The statements are written once, in the SQL that SQLite and PostgreSQL share, with parameters `$1`, `$2`, … Invariant: no text of a
//! user's is ever a part of a statement; it goes by way of a value.

use super::fault::Fault;
use crate::error::StoreError;
use std::future::Future;

/// A value for a parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    /// Text without NUL: identifiers, JSON.
    Text(&'a str),
    /// The same, or NULL.
    MaybeText(Option<&'a str>),
    /// Text that may hold NUL, which PostgreSQL keeps only as bytes.
    Words(&'a str),
    /// The same, or NULL.
    MaybeWords(Option<&'a str>),
    /// A number.
    Number(i64),
    /// The same, or NULL.
    MaybeNumber(Option<i64>),
}

/// A value from a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Null,
    Number(i64),
    Text(String),
}

/// A row.
#[derive(Debug, Clone)]
pub(crate) struct Row(pub(crate) Vec<Cell>);

impl Row {
    pub(crate) fn number(&self, index: usize) -> Result<i64, Fault> {
        match self.0.get(index) {
            Some(Cell::Number(number)) => Ok(*number),
            other => Err(unexpected(index, other)),
        }
    }

    pub(crate) fn maybe_number(&self, index: usize) -> Result<Option<i64>, Fault> {
        if self.0.get(index) == Some(&Cell::Null) { Ok(None) } else { self.number(index).map(Some) }
    }

    pub(crate) fn text(&self, index: usize) -> Result<&str, Fault> {
        match self.0.get(index) {
            Some(Cell::Text(text)) => Ok(text),
            other => Err(unexpected(index, other)),
        }
    }

    pub(crate) fn maybe_text(&self, index: usize) -> Result<Option<&str>, Fault> {
        if self.0.get(index) == Some(&Cell::Null) { Ok(None) } else { self.text(index).map(Some) }
    }
}

fn unexpected(index: usize, cell: Option<&Cell>) -> Fault {
    Fault::Refused(StoreError::Failed(format!("column {index} of a row in the store is {cell:?}; restore the store from a copy")))
}

/// Something that can be asked.
pub(crate) trait Ask: Send {
    /// Runs a statement; returns its rows.
    fn rows(&mut self, statement: &str, values: &[Value<'_>]) -> impl Future<Output = Result<Vec<Row>, Fault>> + Send;
}

/// Something that can be asked and changed: a connection inside a transaction.
pub(crate) trait Sql: Ask {
    /// Runs a statement; returns how many rows it changed.
    fn execute(&mut self, statement: &str, values: &[Value<'_>]) -> impl Future<Output = Result<u64, Fault>> + Send;
}
