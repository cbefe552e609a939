//! People who look at sessions and act on them, without owning their threads.

use crate::id::{NodeId, SessionId, ThreadId};
use crate::session::Listed;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest name of a person, in bytes.
const LONGEST: usize = 200;

/// A person, as logs and a session's end name them: 1 to 200 bytes of printable text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Person(String);

/// A text that names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("whoever looks or acts is named by 1 to {LONGEST} bytes of printable text")]
pub struct PersonError;

impl FromStr for Person {
    type Err = PersonError;

    fn from_str(text: &str) -> Result<Self, PersonError> {
        let printable = !text.chars().any(char::is_control);
        if !text.trim().is_empty() && text.len() <= LONGEST && printable { Ok(Self(text.to_owned())) } else { Err(PersonError) }
    }
}

impl TryFrom<String> for Person {
    type Error = PersonError;

    fn try_from(text: String) -> Result<Self, PersonError> {
        text.parse()
    }
}

impl From<Person> for String {
    fn from(person: Person) -> Self {
        person.0
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who looks or acts. It is no [`crate::session::Authority`], and nothing makes one of it: an operator's act never passes for an owner's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// The person.
    pub by: Person,
    /// The coordinator that hands it on, if one does.
    pub via: Option<Person>,
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.by.fmt(f)
    }
}

/// A session of one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPlace {
    /// Whose it is.
    pub thread: ThreadId,
    /// The session.
    pub session: SessionId,
}

/// A session of any node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionName {
    /// The session on its node.
    pub place: SessionPlace,
    /// The node.
    pub node: NodeId,
}

/// A session in a list of several nodes'.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The node that has it.
    pub node: NodeId,
    /// What that says of it.
    pub listed: Listed,
    /// The number that the model of its thread knows it by, if that is known.
    pub number: Option<u32>,
}

impl Seen {
    /// What it is called by.
    #[must_use]
    pub fn name(&self) -> SessionName {
        let place = SessionPlace { thread: self.listed.thread, session: self.listed.session };
        SessionName { place, node: self.node.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_named_by_printable_text() {
        for good in ["a", "Jürgen (uid 1000)", &"x".repeat(LONGEST)] {
            assert_eq!(good.parse::<Person>().unwrap().to_string(), good);
        }
        for bad in ["", "  ", "a\nb", "a\u{1b}[2J", &"x".repeat(LONGEST + 1)] {
            assert_eq!(bad.parse::<Person>(), Err(PersonError), "{bad:?}");
        }
    }
}
