//! Starts that go on although nobody waits for them any more: a call may be interrupted while its node is starting its session.
//!
//! Invariant: a session that starts is either in the table for somebody to end, or is ended as soon as it is known.

use super::live::LiveSession;
use crate::host::HostError;
use capstan_types::id::CallId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tracing::Instrument as _;

/// How long the end of a call waits for its start. One that takes longer is ended when it is known, and nobody waits for that.
const PATIENCE: Duration = Duration::from_secs(3);

/// The starts on their way, by their calls.
#[derive(Debug, Default)]
pub(super) struct Starting(Mutex<BTreeMap<CallId, Start>>);

#[derive(Debug)]
struct Start {
    /// Who has given it up.
    unwanted: Arc<OnceLock<String>>,
    /// Closed when it is over.
    over: watch::Receiver<()>,
    // It holds a place in the table, and with it the table: for as long as a start may take, and no longer.
    _task: JoinSet<()>,
}

impl Starting {
    /// Waits for a start. Dropping the future leaves it to [`Starting::give_up`].
    pub(super) async fn wait<F>(&self, call: CallId, start: F) -> Result<Arc<LiveSession>, HostError>
    where
        F: Future<Output = Result<Arc<LiveSession>, HostError>> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let (running, over) = watch::channel(());
        let unwanted = Arc::<OnceLock<String>>::default();
        let given_up = Arc::clone(&unwanted);
        let mut task = JoinSet::new();
        let start = async move {
            let _running = running;
            let started = start.await;
            if let (Ok(live), Some(by)) = (&started, given_up.get()) {
                live.kill(by).await;
            }
            let _ = tell.send(started);
        };
        task.spawn(start.in_current_span());
        {
            let mut all = self.lock();
            all.retain(|_, start| start.over.has_changed().is_ok());
            all.insert(call, Start { unwanted, over, _task: task });
        }
        // It fails only when the task has died.
        let started = told.await.unwrap_or(Err(HostError::NoSession));
        self.lock().remove(&call);
        started
    }

    /// Nobody wants what this call starts: waits a moment until it is in the table, and has it ended if that takes longer.
    pub(super) async fn give_up(&self, call: CallId, by: &str) {
        let start = self.lock().get(&call).map(|start| (Arc::clone(&start.unwanted), start.over.clone()));
        let Some((unwanted, mut over)) = start else { return };
        let _ = unwanted.set(by.to_owned());
        let _ = tokio::time::timeout(PATIENCE, over.changed()).await;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<CallId, Start>> {
        // A panic cannot leave the map half changed: every change of it is one call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
