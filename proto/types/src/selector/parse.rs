//! Reads selectors.

use super::{Demand, Requirement};
use crate::label::{LabelError, LabelKey, LabelValue};
use std::collections::BTreeSet;

/// The most bytes of a selector.
const LONGEST: usize = 4096;

/// A text that is not a selector. For whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// A part of it makes no sense.
    #[error("`{part}` is not a part of a selector; write KEY=VALUE, KEY!=VALUE, KEY in (A,B), KEY notin (A,B), KEY or !KEY")]
    Part {
        /// The part.
        part: String,
    },
    /// Brackets that do not close.
    #[error("a bracket in `{0}` is not closed, or was not opened")]
    Brackets(String),
    /// A key or a value is none.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// It is too long.
    #[error("a selector of more than {LONGEST} bytes is not read")]
    TooLong,
}

pub(super) fn selector(text: &str) -> Result<Vec<Requirement>, SelectorError> {
    if text.len() > LONGEST {
        return Err(SelectorError::TooLong);
    }
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    split(text)?.into_iter().map(|part| requirement(part.trim())).collect()
}

/// At the commas that are in no brackets.
fn split(text: &str) -> Result<Vec<&str>, SelectorError> {
    let unbalanced = || SelectorError::Brackets(text.chars().take(80).collect());
    let (mut parts, mut start, mut inside) = (Vec::new(), 0, false);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | ')' if inside == (letter == '(') => return Err(unbalanced()),
            '(' => inside = true,
            ')' => inside = false,
            ',' if !inside => {
                parts.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    if inside { Err(unbalanced()) } else { Ok(parts) }
}

fn requirement(part: &str) -> Result<Requirement, SelectorError> {
    if let Some(list) = part.strip_suffix(')') {
        return set(part, list);
    }
    if let Some((key, value)) = part.split_once("!=") {
        return Ok(Requirement { key: key.trim().parse()?, demand: Demand::NotIn([value.trim().parse()?].into()) });
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Ok(Requirement { key: key.trim().parse()?, demand: Demand::In([value.trim().parse()?].into()) });
    }
    let (key, demand) = part.strip_prefix('!').map_or((part, Demand::Exists), |key| (key.trim(), Demand::Missing));
    match key.parse::<LabelKey>() {
        Ok(key) => Ok(Requirement { key, demand }),
        Err(_) => Err(malformed(part)),
    }
}

/// `list` is `part` without its last bracket.
fn set(part: &str, list: &str) -> Result<Requirement, SelectorError> {
    let (head, values) = list.split_once('(').ok_or_else(|| malformed(part))?;
    let mut words = head.split_whitespace();
    let (Some(key), Some(word), None) = (words.next(), words.next(), words.next()) else { return Err(malformed(part)) };
    let key = key.parse()?;
    let values = values.split(',').map(|value| value.trim().parse()).collect::<Result<BTreeSet<LabelValue>, _>>()?;
    match word {
        "in" => Ok(Requirement { key, demand: Demand::In(values) }),
        "notin" => Ok(Requirement { key, demand: Demand::NotIn(values) }),
        _ => Err(malformed(part)),
    }
}

fn malformed(part: &str) -> SelectorError {
    SelectorError::Part { part: part.chars().take(80).collect() }
}
