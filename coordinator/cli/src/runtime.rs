//! The async runtime of a command.

use crate::failure::Failure;
use std::future::Future;
use std::time::Duration;
use tokio::runtime::Builder;

/// How long tasks that are left over may take to notice that the command has ended.
const LEFTOVERS: Duration = Duration::from_millis(500);

/// Runs a command to its end.
///
/// # Errors
/// The command's own, or the runtime does not start.
pub fn block_on<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    run(&mut Builder::new_multi_thread(), command)
}

/// [`block_on`] for a command in which one thing happens after another. With one worker beside the command's own thread nothing is handed
/// from processor to processor: in a step of a turn that takes longer than the work, and keeps the sessions from their processors.
///
/// # Errors
/// As [`block_on`].
pub fn block_on_one_turn<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    run(Builder::new_multi_thread().worker_threads(1), command)
}

fn run<T>(builder: &mut Builder, command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime =
        builder.enable_all().build().map_err(|error| Failure::bad_input(format!("no threads can be started: {error}")))?;
    let ended = runtime.block_on(command);
    // A plain drop would wait for blocking work without a deadline.
    runtime.shutdown_timeout(LEFTOVERS);
    ended
}
