//! The async runtime of a command.

use crate::failure::Failure;
use std::future::Future;
use std::time::Duration;

/// How long tasks that are left over may take to notice that the command has ended.
const LEFTOVERS: Duration = Duration::from_millis(500);

/// Runs a command to its end.
///
/// # Errors
/// The command's own, or the runtime does not start.
pub fn block_on<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::bad_input(format!("no threads can be started: {error}")))?;
    let ended = runtime.block_on(command);
    // A plain drop would wait for blocking work without a deadline.
    runtime.shutdown_timeout(LEFTOVERS);
    ended
}
