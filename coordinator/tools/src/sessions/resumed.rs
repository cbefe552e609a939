//! Reads a session on although its node goes away for a while.

use crate::host::{ExecHost, HostError, SessionEvent, SessionReader};
use async_trait::async_trait;
use capstan_types::id::SessionId;
use capstan_types::output::Seq;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The first wait before a node that is away is asked again, if nobody uses the session meanwhile. Each wait is twice the one before.
const SOON: Duration = Duration::from_secs(1);

/// The longest such wait.
const AGAIN: Duration = Duration::from_secs(10);

/// How long after a session's own clock must have ended it a node that stays away is still asked: one that came back just before that, and has
/// taken the session in, is asked at least once.
const GRACE: Duration = Duration::from_secs(12);

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
    /// How long the session lives without an owner, if that is known.
    ownerless: Option<Duration>,
    attached: Instant,
    outage: Option<Outage>,
}

/// A time in which the session could not be read.
#[derive(Debug, Clone, Copy)]
struct Outage {
    since: Instant,
    /// How often the node was asked.
    asked: u32,
}

impl ResumedReader {
    /// A reader of a session of an earlier life of the thread: its node is asked for ever.
    pub(super) fn new(host: Arc<dyn ExecHost>, session: SessionId, next: Seq, away: Arc<Away>) -> Self {
        Self { host, session, next, reader: None, away, ownerless: None, attached: Instant::now(), outage: None }
    }

    /// A reader that goes on with what `reader` reads of a session which has just started. A node that stays away for so long that the session has
    /// been ended for want of an owner is given up.
    pub(super) fn of(reader: Box<dyn SessionReader>, ownerless: Duration, new: Self) -> Self {
        Self { reader: Some(reader), ownerless: Some(ownerless), ..new }
    }

    async fn event(&mut self) -> Result<SessionEvent, HostError> {
        if self.reader.is_none() {
            self.reader = Some(self.host.attach(self.session, self.next).await?);
            self.attached = Instant::now();
            *self.away.lock() = None;
        }
        match &mut self.reader {
            Some(reader) => reader.next().await,
            None => Err(HostError::NoSession),
        }
    }

    /// How long to wait now that the session could not be read; `None` when the node is given up.
    fn pause(&mut self) -> Option<Duration> {
        let now = Instant::now();
        let held = self.reader.take().is_some() && now - self.attached > GRACE;
        // One that takes the reader in and breaks off at once is as good as away.
        let outage = self.outage.filter(|_| !held).unwrap_or(Outage { since: now, asked: 0 });
        self.outage = Some(Outage { asked: outage.asked.saturating_add(1), ..outage });
        let wait = AGAIN.min(SOON.saturating_mul(1 << outage.asked.min(8)));
        let Some(ownerless) = self.ownerless else { return Some(wait) };
        let left = (outage.since + ownerless + GRACE).saturating_duration_since(now);
        (!left.is_zero()).then_some(wait.min(left))
    }
}

#[async_trait]
impl SessionReader for ResumedReader {
    async fn next(&mut self) -> Result<SessionEvent, HostError> {
        loop {
            let error = match self.event().await {
                Ok(event) => {
                    self.outage = None;
                    if let SessionEvent::Output(piece) = &event {
                        self.next = self.next.max(piece.end());
                    }
                    return Ok(event);
                }
                Err(error @ (HostError::NoSession | HostError::Fenced)) => return Err(error),
                Err(error) => error,
            };
            let Some(wait) = self.pause() else { return Err(error) };
            *self.away.lock() = Some(error.to_string());
            let _ = tokio::time::timeout(wait, self.away.asked.notified()).await;
        }
    }
}
