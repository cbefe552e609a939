//! Which versions of the protocol between coordinators and nodes work together: the same, one older and one newer, so that a cluster can be
//! brought to another release one process at a time.

use std::fmt;

/// The version that this release speaks. It is raised when a node and a coordinator of the release before could not work together without knowing of
/// each other's.
pub const CURRENT: u32 = 2;

/// The version of releases that do not say which they speak.
const UNSAID: u32 = 1;

/// How another process's version stands to ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skew {
    /// It is the same.
    None,
    /// It is one older or newer, and the two work together.
    One {
        /// What the other speaks.
        theirs: u32,
    },
    /// It is too old.
    TooOld {
        /// What the other speaks.
        theirs: u32,
    },
    /// It is too new.
    TooNew {
        /// What the other speaks.
        theirs: u32,
    },
}

impl Skew {
    /// The skew of a process that says that it speaks `said`; 0 says nothing.
    #[must_use]
    pub const fn of(said: u32) -> Self {
        Self::between(said, CURRENT)
    }

    const fn between(said: u32, ours: u32) -> Self {
        let theirs = if said == 0 { UNSAID } else { said };
        match (theirs.checked_sub(ours), ours.saturating_sub(theirs)) {
            (Some(0), _) => Self::None,
            (Some(1), _) | (None, 1) => Self::One { theirs },
            (Some(_), _) => Self::TooNew { theirs },
            (None, _) => Self::TooOld { theirs },
        }
    }

    /// Whether the two work together.
    #[must_use]
    pub const fn is_bearable(self) -> bool {
        matches!(self, Self::None | Self::One { .. })
    }
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => write!(f, "it speaks protocol {CURRENT}, as this coordinator does"),
            Self::One { theirs } => {
                write!(
                    f,
                    "it speaks protocol {theirs} and this coordinator {CURRENT}, which work together; bring both to one release"
                )
            }
            Self::TooOld { theirs } => {
                write!(
                    f,
                    "it speaks protocol {theirs}, and this coordinator works with {} to {}; update the node",
                    CURRENT - 1,
                    CURRENT + 1
                )
            }
            Self::TooNew { theirs } => write!(
                f,
                "it speaks protocol {theirs}, and this coordinator works with {} to {}; update the coordinators",
                CURRENT - 1,
                CURRENT + 1
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_version_apart_works_and_two_do_not() {
        let skews = [0, 1, 2, 3, 4, 5, 6].map(|said| Skew::between(said, 4));
        let (too_old, too_new) = (|theirs| Skew::TooOld { theirs }, |theirs| Skew::TooNew { theirs });
        assert_eq!(
            skews,
            [too_old(1), too_old(1), too_old(2), Skew::One { theirs: 3 }, Skew::None, Skew::One { theirs: 5 }, too_new(6)]
        );
        assert!(Skew::of(0).is_bearable(), "releases that do not say are one older");
    }

    #[test]
    fn a_skew_says_what_to_do() {
        assert!(Skew::TooOld { theirs: 1 }.to_string().ends_with("update the node"));
        assert!(Skew::TooNew { theirs: 9 }.to_string().ends_with("update the coordinators"));
    }
}
