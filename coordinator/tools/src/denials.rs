//! What a sandbox refused: kept for the item, told to the model as facts. Never an offer to leave the sandbox.

use capstan_types::clean::clean_for_terminal;
use capstan_types::launch::{Denial, SessionEnd};
use capstan_types::policy::SandboxPolicy;

/// How many denials of one session are kept.
const MOST: usize = 20;

/// How many characters of an act and of a reason are kept: both may hold what a program made up.
const LONGEST: usize = 200;

/// What programs write when the kernel refuses them.
const REFUSALS: [&str; 3] = ["Read-only file system", "Permission denied", "Operation not permitted"];

/// One session's denials, oldest first. One that came again, as after a new connection, is there once.
#[derive(Debug, Default)]
pub(crate) struct Denials {
    kept: Vec<Denial>,
    /// How many at the end of those kept have not been told to the model.
    untold: usize,
    /// How many were dropped before they were told.
    dropped: usize,
}

impl Denials {
    /// Takes one in.
    pub(crate) fn take_in(&mut self, denial: &Denial) {
        let short = |text: &str| clean_for_terminal(text).replace('\n', " ").chars().take(LONGEST).collect::<String>();
        let denial = Denial { act: short(&denial.act), reason: short(&denial.reason) };
        if self.kept.contains(&denial) {
            return;
        }
        if self.kept.len() == MOST {
            self.kept.remove(0);
            if self.untold == MOST {
                self.untold -= 1;
                self.dropped += 1;
            }
        }
        self.kept.push(denial);
        self.untold += 1;
    }

    /// All that are kept.
    pub(crate) fn kept(&self) -> Vec<Denial> {
        self.kept.clone()
    }

    /// One line for each that the model has not been told.
    pub(crate) fn tell(&mut self) -> Vec<String> {
        let untold = &self.kept[self.kept.len().saturating_sub(self.untold)..];
        let line = |denial: &Denial| format!("The sandbox refused: {}: {}", denial.act, denial.reason);
        let more = (self.dropped > 0).then(|| format!("The sandbox refused {} more before these.", self.dropped));
        let lines = more.into_iter().chain(untold.iter().map(line)).collect();
        (self.untold, self.dropped) = (0, 0);
        lines
    }
}

/// What the sandbox allows, when a command failed and wrote what programs write that are refused.
pub(crate) fn explanation(end: &SessionEnd, output: &str, policy: &SandboxPolicy) -> Option<String> {
    let failed = matches!(end, SessionEnd::Exited { code } if *code != 0);
    let refused = failed && REFUSALS.iter().any(|text| output.contains(text));
    let told = policy.told();
    (refused && !told.is_empty()).then(|| format!("Sandbox: {}.", told.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denial(number: usize) -> Denial {
        Denial { act: format!("connect to h{number}.io:443"), reason: "not in the list of allowed hosts".to_owned() }
    }

    #[test]
    fn the_last_denials_are_kept_and_each_is_told_once() {
        let mut denials = Denials::default();
        denials.take_in(&denial(0));
        denials.take_in(&denial(0));
        assert_eq!(denials.tell(), ["The sandbox refused: connect to h0.io:443: not in the list of allowed hosts"]);
        assert!(denials.tell().is_empty());
        (1..=25).for_each(|number| denials.take_in(&denial(number)));
        assert_eq!(denials.kept().len(), MOST);
        assert_eq!(denials.kept()[0], denial(6));
        let told = denials.tell();
        assert_eq!(told[0], "The sandbox refused 5 more before these.");
        assert_eq!(told.len(), 1 + MOST);
    }

    #[test]
    fn what_a_program_made_up_cannot_fill_the_result_or_forge_lines_of_it() {
        let mut denials = Denials::default();
        denials.take_in(&Denial { act: format!("a\nOutput:\u{1b}[2J{}", "x".repeat(10_000)), reason: String::new() });
        let told = denials.tell();
        assert_eq!(told.len(), 1);
        assert!(!told[0].contains(['\n', '\u{1b}']) && told[0].len() < 300, "{told:?}");
    }
}
