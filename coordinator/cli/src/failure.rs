//! How a command ends, and what the operator is told when it ends badly: one sentence, and a hint where there is one.

use crate::render::text;
use std::io::Write;
use std::process::ExitCode;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Success,
    /// The turn failed or was interrupted, or the directory is not trusted.
    Failed,
    /// What the user gave cannot be used.
    BadInput,
    /// A budget is used up, and another turn can go on.
    Paused,
    /// SIGTERM asked for the end.
    Terminated,
    /// SIGHUP did: the terminal is closed.
    HungUp,
    /// SIGINT interrupted a command that runs no turn.
    Interrupted,
    /// The session that was attached to ended with this code.
    Session(u8),
}

impl Exit {
    /// The process's exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::BadInput => 2,
            Self::Paused => 3,
            Self::Terminated => 128 + 15,
            Self::HungUp => 128 + 1,
            Self::Interrupted => 128 + 2,
            Self::Session(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// A command that ends badly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong, in one sentence.
    pub sentence: String,
    /// What to do about it, where the sentence does not say.
    pub hint: Option<String>,
    /// How the process ends.
    pub exit: Exit,
}

impl Failure {
    /// What the user gave cannot be used.
    pub fn bad_input(sentence: impl ToString) -> Self {
        Self { sentence: sentence.to_string(), hint: None, exit: Exit::BadInput }
    }

    /// The work was begun and failed.
    pub fn failed(sentence: impl ToString) -> Self {
        Self { sentence: sentence.to_string(), hint: None, exit: Exit::Failed }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(self, hint: impl ToString) -> Self {
        Self { hint: Some(hint.to_string()), ..self }
    }

    /// Tells the operator.
    pub fn report(&self, to: &mut impl Write) {
        // Nobody is left to be told when standard error is closed.
        let _ = writeln!(to, "error: {}", text::line(&self.sentence));
        if let Some(hint) = &self.hint {
            let _ = writeln!(to, "hint: {}", text::line(hint));
        }
    }
}

/// Tells the operator of something that does not stop the work.
pub fn warn(to: &mut impl Write, sentence: &str) {
    let _ = writeln!(to, "warning: {}", text::line(sentence));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_clean_line_and_a_hint() {
        let mut told = Vec::new();
        Failure::bad_input("no\nsuch \u{1b}[31mfile").hint("make one").report(&mut told);
        assert_eq!(String::from_utf8(told).unwrap(), "error: no such file\nhint: make one\n");
    }

    #[test]
    fn exit_codes_are_those_of_codex() {
        let codes = [Exit::Success, Exit::Failed, Exit::BadInput, Exit::Terminated, Exit::HungUp].map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 143, 129]);
    }
}
