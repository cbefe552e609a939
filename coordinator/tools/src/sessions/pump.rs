//! The task that reads one session from its start to its end.

use super::record::{Ending, Record};
use crate::fault::ToolFault;
use crate::host::{HostError, SessionEvent, SessionReader};
use crate::items::ItemSink;
use capstan_types::id::SessionId;
use std::sync::Arc;

/// What the task works with.
#[derive(Debug)]
pub(super) struct Pump {
    /// The session.
    pub(super) session: SessionId,
    /// Where what is read is noted.
    pub(super) record: Arc<Record>,
    /// Where output and the end are told as they come.
    pub(super) items: Arc<dyn ItemSink>,
}

impl Pump {
    /// Reads until nothing more can come, completes the item, and only then notes the end, so that who sees the end may trust that
    /// the item is stored.
    pub(super) async fn run(self, reader: Box<dyn SessionReader>) {
        let ending = self.read(reader).await;
        if let Ok(ending) = &ending
            && self.record.complete(ending, self.items.as_ref()).await.is_err()
        {
            // The turn that started the session is over. The call that is told of the end completes the item.
            tracing::debug!(session = %self.session, "a session ended after its turn");
        }
        self.record.end(ending);
    }

    async fn read(&self, mut reader: Box<dyn SessionReader>) -> Result<Ending, ToolFault> {
        loop {
            match reader.next().await {
                Ok(SessionEvent::Output(piece)) => self.items.output(self.record.item(), self.record.take_in(&piece)),
                Ok(SessionEvent::Ended { end, .. }) => return Ok(Ending::Ended(end)),
                Ok(SessionEvent::Denied(denial)) => self.record.deny(&denial),
                Ok(SessionEvent::Started { .. }) => {}
                Err(HostError::Fenced) => return Err(ToolFault::Fenced),
                // The reader has tried to find the session again until it was over, or must have been ended for want of an owner.
                Err(error) => return Ok(Ending::Lost { reason: error.to_string(), after: self.record.age() }),
            }
        }
    }
}
