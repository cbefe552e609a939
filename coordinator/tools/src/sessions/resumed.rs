//! Reads a session that an earlier life of the thread started, however long its node is away.

use crate::host::{ExecHost, HostError, SessionEvent, SessionReader};
use async_trait::async_trait;
use capstan_types::id::SessionId;
use capstan_types::output::Seq;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// How often a node that is away is asked again, if nobody uses the session meanwhile.
const AGAIN: Duration = Duration::from_secs(10);

/// Whether a session's node can be asked of it, and who wants it asked.
#[derive(Debug, Default)]
pub(super) struct Away {
    why: Mutex<Option<String>>,
    asked: Notify,
}

impl Away {
    /// Why the node cannot be asked now, if so.
    pub(super) fn why(&self) -> Option<String> {
        self.lock().clone()
    }

    /// Somebody uses the session: a node that was away is asked again at once.
    pub(super) fn ask_again(&self) {
        if self.lock().is_some() {
            self.asked.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        // Each change is one assignment.
        self.why.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a session from a byte on. That its node does not answer ends nothing: the session may run on there.
#[derive(Debug)]
pub(super) struct ResumedReader {
    host: Arc<dyn ExecHost>,
    session: SessionId,
    next: Seq,
    reader: Option<Box<dyn SessionReader>>,
    away: Arc<Away>,
}

impl ResumedReader {
    pub(super) const fn new(host: Arc<dyn ExecHost>, session: SessionId, next: Seq, away: Arc<Away>) -> Self {
        Self { host, session, next, reader: None, away }
    }

    async fn event(&mut self) -> Result<SessionEvent, HostError> {
        if self.reader.is_none() {
            self.reader = Some(self.host.attach(self.session, self.next).await?);
            *self.away.lock() = None;
        }
        match &mut self.reader {
            Some(reader) => reader.next().await,
            None => Err(HostError::NoSession),
        }
    }
}

#[async_trait]
impl SessionReader for ResumedReader {
    async fn next(&mut self) -> Result<SessionEvent, HostError> {
        loop {
            let error = match self.event().await {
                Ok(event) => {
                    if let SessionEvent::Output(piece) = &event {
                        self.next = self.next.max(piece.end());
                    }
                    return Ok(event);
                }
                Err(error @ (HostError::Lost { .. } | HostError::Busy { .. })) => error,
                Err(error) => return Err(error),
            };
            self.reader = None;
            *self.away.lock() = Some(error.to_string());
            let _ = tokio::time::timeout(AGAIN, self.away.asked.notified()).await;
        }
    }
}
