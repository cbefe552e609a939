//! `capstan sessions`: people look at what runs on nodes, and act on it. They own no thread, and disturb none by looking.

mod attach;
mod ended;
mod find;
mod kill;
mod list;
mod logs;
mod place;
mod proof;
mod recording;
mod table;

use crate::args::{SessionsArgs, SessionsCommand};
use crate::failure::{Exit, Failure};
use crate::surroundings::Surroundings;

/// Runs the command.
///
/// # Errors
/// What was given cannot be used (exit code 2); the session is gone, or who has it cannot be reached (1).
pub fn run(args: &SessionsArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    match &args.command {
        SessionsCommand::List(args) => list::run(args, surroundings),
        SessionsCommand::Attach(args) => attach::run(args, surroundings),
        SessionsCommand::Logs(args) => logs::run(args, surroundings),
        SessionsCommand::Kill(args) => kill::run(args, surroundings),
    }
}
