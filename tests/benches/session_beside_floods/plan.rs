//! What is to be measured, by the command line.

use capstan_types::policy::Level;
use std::time::Duration;

/// What is to be measured.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Normal sessions, and floods.
    pub(crate) sessions: usize,
    /// How long each turn takes.
    pub(crate) span: Duration,
    /// How often it is measured alone and beside floods.
    pub(crate) turns: u32,
    levels: Vec<Level>,
}

impl Plan {
    /// That of a command line. `cargo bench` adds words of its own, which are passed over.
    pub(crate) fn of(arguments: &[String]) -> Self {
        let mut plan = Self { sessions: 50, span: Duration::from_secs(3), turns: 2, levels: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut number = || arguments.next().and_then(|number| number.parse::<u32>().ok());
            match argument.as_str() {
                "--seconds" => plan.span = number().map_or(plan.span, |seconds| Duration::from_secs(seconds.into())),
                "--turns" => plan.turns = number().unwrap_or(plan.turns).max(1),
                "--way" => plan.levels.extend(arguments.next().and_then(|name| name.parse::<Level>().ok())),
                sessions => plan.sessions = sessions.parse().unwrap_or(plan.sessions),
            }
        }
        plan
    }

    /// The levels, in the order in which they are measured.
    pub(crate) fn levels(&self) -> Vec<Level> {
        if self.levels.is_empty() { vec![Level::Landlock, Level::Full] } else { self.levels.clone() }
    }
}
