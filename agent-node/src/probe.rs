//! What this host can enforce, as the runner finds it: asked once when the node starts, and by `capstan doctor`.

use crate::config::RunnerPath;
use crate::session::runner::Runner;
use capstan_types::node::Fingerprint;
use std::io;
use std::path::PathBuf;

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
