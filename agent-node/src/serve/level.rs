//! How strong a sandbox the sessions of this node have: found by running one.

use crate::session::launcher::{Launcher, Program};
use crate::session::run::{self, RunError};
use bytes::Bytes;
use capstan_types::launch::Stdio;
use capstan_types::limits::SessionLimits;
use capstan_types::path::AbsPath;
use capstan_types::policy::{Level, SandboxPolicy};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// How long the session may take. It runs `true`.
const DEADLINE: Duration = Duration::from_secs(10);

/// What a session that may write to a directory below `scratch` reaches, and what it lacks. Where there can be no session, none, and why.
pub(super) async fn find(launcher: &Launcher, scratch: &Path) -> (Level, Vec<String>) {
    match run_one(launcher, scratch).await {
        Ok(found) => found,
        Err(reason) => {
            tracing::warn!(%reason, "a session could not be tried; the node is registered as one that enforces nothing");
            (Level::None, vec![reason])
        }
    }
}

async fn run_one(launcher: &Launcher, scratch: &Path) -> Result<(Level, Vec<String>), String> {
    let dir = scratch.join("level");
    let made = std::fs::create_dir_all(&dir).and_then(|()| dir.canonicalize());
    let place = AbsPath::new(made.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
    let program = Program {
        argv: vec!["true".to_owned()],
        cwd: place.clone(),
        env: BTreeMap::new(),
        stdio: Stdio::PipesNoInput,
        policy: SandboxPolicy::workspace_write(vec![place]),
        limits: SessionLimits::default(),
    };
    let outcome = run::to_end(launcher, program, Bytes::new(), 1, DEADLINE).await;
    // The session was its holder's, which has taken away what it had made there.
    let _ = std::fs::remove_dir_all(&dir);
    match outcome {
        Ok(outcome) => Ok((outcome.enforced.level, outcome.enforced.missing)),
        Err(RunError::Refused(refusal)) => Err(refusal.to_string()),
        Err(RunError::Unknown(reason)) => Err(reason),
    }
}
