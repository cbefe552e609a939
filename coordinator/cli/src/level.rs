//! The level of the sandbox that this host reaches, found by running a session.

use capstan_agent_node::{RunnerPath, try_session};
use capstan_types::launch::Enforced;

/// What is in force in a session whose workspace is a fresh temporary directory. Nothing of it is left.
///
/// # Errors
/// No directory can be made, or the session was refused: why, in one sentence.
pub async fn tried(runner: &RunnerPath) -> Result<Enforced, String> {
    let scratch = tempfile::tempdir().map_err(|error| format!("no temporary directory can be made: {error}"))?;
    try_session(runner, scratch.path()).await.map_err(|error| error.to_string())
}
