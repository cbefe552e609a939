//! A start, with the journal before and behind it.
//!
//! What needs no runner is made ready while the intent is on its way to the disk.
//!
//! Invariant: the runner is asked only when the journal knows of the intent. So whatever a killed node leaves, its next life can say of
//! each try that nothing was started, find what was, or say that it does not know.

use crate::error::NodeError;
use crate::journal::{Entry, Intent, Journal};
use crate::node::load::gate::Gate;
use crate::session::launcher::{Launched, Launcher, Program};
use crate::session::metrics;
use crate::session::runner::LaunchError;
use capstan_types::id::SessionId;
use capstan_types::session::StartCall;
use std::time::Instant;

/// Starts a session, if there is room for it.
pub(crate) async fn start(gate: &Gate, launcher: &Launcher, journal: &Journal, call: StartCall) -> Result<Launched, NodeError> {
    let began = Instant::now();
    let launched = launch(gate, launcher, journal, call).await;
    metrics::asked(&launched, began.elapsed());
    launched
}

async fn launch(gate: &Gate, launcher: &Launcher, journal: &Journal, call: StartCall) -> Result<Launched, NodeError> {
    gate.admit(&call.cwd).map_err(|(short, retry_after)| NodeError::Short { said: short.to_string(), retry_after })?;
    let session = SessionId::generate();
    let intent = journal.submit(Entry::Asked(Box::new(Intent::new(session, journal.generation().0, &call))))?;
    let ready = launcher.prepare_admitted((call.authority.thread, session), Program::from(call)).await;
    intent.kept().await?;
    let launched = match ready {
        Ok(ready) => launcher.start(ready).await,
        Err(error) => Err((error, None)),
    };
    match launched {
        Ok(launched) => {
            let enforced = Some(Box::new(launched.enforced.clone()));
            journal.post(Entry::Runs { session, enforced }).await;
            Ok(launched)
        }
        Err((LaunchError::Refused(refusal), dir)) => {
            journal.post(Entry::Nothing { session }).await;
            drop(dir);
            Err(NodeError::Refused(refusal))
        }
        Err((LaunchError::Unknown(reason), dir)) => {
            // Before the directory goes: without it, and without this, the next life would take it that nothing was started.
            journal.note(Entry::Lost { session, reason: reason.clone() }).await;
            drop(dir);
            Err(NodeError::Unknown(reason))
        }
    }
}
