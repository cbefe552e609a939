//! Colours on a terminal, and none anywhere else.

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Text as it is.
    Plain,
    /// With ANSI colours.
    Ansi,
}

/// What a piece of text is for. It decides the colour, so that the same thing looks the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Less important than the rest.
    Faint,
    /// More important than the rest.
    Strong,
    /// It went well.
    Good,
    /// It failed.
    Bad,
    /// It needs attention.
    Warning,
    /// A command line.
    Command,
    /// A line that a change adds.
    Added,
    /// A line that a change removes.
    Removed,
    /// A place in a file.
    Place,
}

impl Role {
    const fn code(self) -> &'static str {
        match self {
            Self::Faint => "2",
            Self::Strong | Self::Command => "1",
            Self::Good | Self::Added => "32",
            Self::Bad | Self::Removed => "31",
            Self::Warning => "33",
            Self::Place => "36",
        }
    }
}

impl Ink {
    /// The text in the colour of its role. The text must be clean already.
    #[must_use]
    pub fn paint(self, role: Role, text: &str) -> String {
        match self {
            Self::Ansi if !text.is_empty() => format!("\u{1b}[{}m{text}\u{1b}[0m", role.code()),
            Self::Ansi | Self::Plain => text.to_owned(),
        }
    }

    /// The text in the colour of its role, if it has one.
    #[must_use]
    pub fn paint_as(self, role: Option<Role>, text: String) -> String {
        match role {
            Some(role) => self.paint(role, &text),
            None => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_ink_leaves_text_as_it_is() {
        assert_eq!(Ink::Plain.paint(Role::Bad, "x"), "x");
        assert_eq!(Ink::Ansi.paint(Role::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(Ink::Ansi.paint(Role::Bad, ""), "");
    }
}
