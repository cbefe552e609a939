//! The standard streams: whether they are terminals, and what is written how on them.

use crate::args::ColourChoice;
use crate::render::{Detail, Ink, Page};
use crate::surroundings::Surroundings;
use std::io::{self, IsTerminal};

/// The width of a page when nobody says.
const WIDTH: usize = 100;

/// No page is narrower: what would be left of the lines says nothing.
const NARROWEST: usize = 30;

/// One of the standard streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Results.
    Out,
    /// Progress and errors.
    Err,
}

impl Stream {
    /// Whether a person watches it.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Out => io::stdout().is_terminal(),
            Self::Err => io::stderr().is_terminal(),
        }
    }
}

/// Whether a stream is coloured.
#[must_use]
pub fn ink(choice: ColourChoice, stream: Stream, surroundings: &Surroundings) -> Ink {
    let wanted = match choice {
        ColourChoice::Always => true,
        ColourChoice::Never => false,
        ColourChoice::Auto => {
            let plain = surroundings.variable("NO_COLOR").is_some() || surroundings.variable("TERM") == Some("dumb");
            stream.is_terminal() && !plain
        }
    };
    if wanted { Ink::Ansi } else { Ink::Plain }
}

/// The page of a stream: everything on a terminal, a line for each step elsewhere.
#[must_use]
pub fn page(choice: ColourChoice, stream: Stream, surroundings: &Surroundings) -> Page {
    let detail = if stream.is_terminal() { Detail::Full } else { Detail::Brief };
    Page { ink: ink(choice, stream, surroundings), width: width(surroundings), detail }
}

/// How many characters fit into a line: the terminal's own width, else `COLUMNS`.
#[must_use]
pub fn width(surroundings: &Surroundings) -> usize {
    let named = || surroundings.variable("COLUMNS").and_then(|columns| columns.parse().ok());
    let own = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    own.or_else(named).unwrap_or(WIDTH).max(NARROWEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::path::AbsPath;

    fn surroundings(variables: &[(&str, &str)]) -> Surroundings {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Surroundings::new(variables, AbsPath::new("/").unwrap())
    }

    #[test]
    fn a_flag_decides_over_everything() {
        let plain = surroundings(&[("NO_COLOR", "1"), ("TERM", "dumb")]);
        assert_eq!(ink(ColourChoice::Always, Stream::Err, &plain), Ink::Ansi);
        assert_eq!(ink(ColourChoice::Never, Stream::Err, &surroundings(&[])), Ink::Plain);
        assert_eq!(ink(ColourChoice::Auto, Stream::Err, &plain), Ink::Plain);
    }

    #[test]
    fn a_page_is_never_too_narrow_to_say_anything() {
        assert!(width(&surroundings(&[("COLUMNS", "3")])) >= NARROWEST);
    }
}
