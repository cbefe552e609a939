//! `-c key.path=value`: one value of the configuration, set on the command line.

use super::layers::merge;
use std::str::FromStr;
use toml::{Table, Value};

/// A single setting. The value is read as TOML, and as plain text when it is not, so that `-c model=o3` needs no second layer of quotes.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// The key's parts; never empty, and no part is.
    path: Vec<String>,
    value: Value,
}

/// Why a `-c` argument was refused. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// There is no `=`.
    #[error("`{0}` sets nothing; write -c KEY=VALUE, such as -c model_reasoning_effort=high")]
    NoValue(String),
    /// The key is empty, has an empty part, or an open quote.
    #[error("`{0}` does not begin with a key; write parts joined by dots, and quote a part that holds a dot: a.\"b.c\".d=VALUE")]
    Key(String),
}

impl Override {
    /// The override as a layer of its own.
    #[must_use]
    pub fn into_layer(self) -> Table {
        let mut path = self.path.into_iter().rev();
        let mut layer = Table::new();
        if let Some(last) = path.next() {
            layer.insert(last, self.value);
        }
        path.fold(layer, |inner, key| Table::from_iter([(key, Value::Table(inner))]))
    }

    /// Sets the value in `table`. What stands in the way of a part of the key, being no table, is replaced; a table as the value is
    /// merged into the one that is there.
    pub fn apply(self, table: &mut Table) {
        merge(table, self.into_layer());
    }
}

impl FromStr for Override {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, OverrideError> {
        let (path, value) = split(text)?;
        Ok(Self { path, value: read_value(value.trim()) })
    }
}

/// Cuts off the key up to the first `=` that is not inside quotes.
fn split(text: &str) -> Result<(Vec<String>, &str), OverrideError> {
    let bad_key = || OverrideError::Key(text.to_owned());
    let mut path = Vec::new();
    let mut rest = text;
    loop {
        let (part, after) = take_part(rest).ok_or_else(bad_key)?;
        let ended = after.chars().next();
        match ended {
            Some('=' | '.') if part.is_empty() => return Err(bad_key()),
            None => return Err(OverrideError::NoValue(text.to_owned())),
            Some(_) => path.push(part),
        }
        rest = after.get(1..).unwrap_or_default();
        match ended {
            Some('=') => return Ok((path, rest)),
            Some('.') => {}
            Some(_) | None => return Err(bad_key()),
        }
    }
}

/// Takes one part of a key, bare or in quotes, and the blanks around it; `None` when a quote is not closed.
fn take_part(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''));
    let (part, rest) = match quote {
        Some(quote) => text.get(1..)?.split_once(quote)?,
        None => text.split_at(text.find(['.', '=']).unwrap_or(text.len())),
    };
    let part = if quote.is_some() { part } else { part.trim_end() };
    Some((part.to_owned(), rest.trim_start()))
}

fn read_value(text: &str) -> Value {
    text.parse::<Value>().unwrap_or_else(|_| Value::String(unquoted(text).to_owned()))
}

/// Without a pair of quotes around it: what a shell has left of a quoted text that is no TOML, such as `"C:\dir"`.
fn unquoted(text: &str) -> &str {
    let inside = |quote| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

#[cfg(test)]
mod tests;
