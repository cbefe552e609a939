//! What this host can enforce, as the runner finds it: asked once when the node starts, and by `capstan doctor`.

use crate::config::RunnerPath;
use crate::session::runner::Runner;
use capstan_types::launch::Enforced;
use capstan_types::node::Fingerprint;
use std::io;
use std::path::{Path, PathBuf};

/// The runner did not say what this host can enforce. For the operator.
#[derive(Debug, thiserror::Error)]
#[error("the runner `{}` cannot be asked what this host enforces: {source}; check that it is there and fits this release", runner.display())]
pub struct ProbeError {
    runner: PathBuf,
    source: io::Error,
}

/// Asks the runner what this host can enforce.
///
/// # Errors
/// A runner that cannot be started, does not answer within 10 s, or answers something else.
pub async fn probe(runner: &RunnerPath) -> Result<Fingerprint, ProbeError> {
    let failed = |source| ProbeError { runner: runner.program.clone(), source };
    Runner::new(runner.clone()).probe().await.map_err(failed)
}

/// Runs a session that does nothing, with a workspace in `scratch`, and gives the proof of what was in force in it: the level that
/// sessions there reach, and what is missing for a stronger one. Leaves the files `work` and `proof.json` there.
///
/// # Errors
/// A runner that cannot be started, refuses the session, or does not end within 10 s.
pub async fn try_session(runner: &RunnerPath, scratch: &Path) -> Result<Enforced, ProbeError> {
    let failed = |source| ProbeError { runner: runner.program.clone(), source };
    let work = scratch.join("work");
    std::fs::create_dir_all(&work).map_err(failed)?;
    Runner::new(runner.clone()).try_out(&work, &scratch.join("proof.json")).await.map_err(failed)
}
