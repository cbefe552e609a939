//! What is to be measured, by the command line.

use capstan_agent_node::JournalSync;
use std::time::Duration;

/// The names of the ways on the command line, in the order in which they are measured.
pub(crate) const WAYS: [&str; 3] = ["bare", "landlock", "full"];

/// Rounds of calls one at a time, unless said.
const ROUNDS: usize = 300;
/// How many calls are in flight, unless said.
const FLIGHTS: [usize; 4] = [1, 8, 64, 512];
/// How long each rate is measured, unless said.
const SPAN: Duration = Duration::from_secs(5);

/// What is to be measured.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) flights: Vec<usize>,
    pub(crate) span: Duration,
    pub(crate) journal: JournalSync,
    ways: Vec<String>,
}

impl Plan {
    /// That of a command line. `cargo bench` adds words of its own, which are passed over.
    pub(crate) fn of(arguments: &[String]) -> Self {
        let mut plan = Self { rounds: ROUNDS, flights: Vec::new(), span: SPAN, journal: JournalSync::On, ways: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut number = || arguments.next().and_then(|number| number.parse::<usize>().ok());
            match argument.as_str() {
                "--flights" => plan.flights.extend(number()),
                "--seconds" => plan.span = number().map_or(SPAN, |seconds: usize| Duration::from_secs(seconds as u64)),
                "--no-journal" => plan.journal = JournalSync::Off,
                "--way" => plan.ways.extend(arguments.next().cloned()),
                rounds => plan.rounds = rounds.parse().unwrap_or(plan.rounds),
            }
        }
        if plan.flights.is_empty() {
            plan.flights = FLIGHTS.into();
        }
        plan
    }

    /// Whether the rate of the way with this place in [`WAYS`] is to be measured.
    pub(crate) fn wants(&self, way: usize) -> bool {
        self.ways.is_empty() || self.ways.iter().any(|name| name == WAYS[way])
    }
}
