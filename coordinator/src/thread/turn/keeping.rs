//! What a turn keeps of the workspace: a diff of what it changed, and the whole as a checkpoint.

use super::Turn;
use crate::thread::log::Draft;
use crate::thread::saving::{self, Saved};
use crate::thread::step::TurnStop;
use crate::thread::workspace::Before;
use capstan_types::call::Call;
use capstan_types::event::EventBody;

impl Turn<'_> {
    /// Tells the diff and has the workspace saved, side by side: what is to be recorded of that with the turn's end.
    pub(super) async fn keep(&self, before: Before, again: bool) -> Option<Draft> {
        let interrupt = &self.handle.interrupt;
        let is_touched = before.is_touched();
        let saving = async {
            match is_touched {
                true => saving::at_end(self.context, self.id, again, interrupt).await,
                false => Saved::Nothing,
            }
        };
        let (diff, saved) = tokio::join!(before.diff(interrupt), saving);
        if let Some(diff) = diff {
            self.context.log.tell_surely(Some(self.id), EventBody::TurnDiff { diff }).await;
        }
        self.told(saved)
    }

    /// Has the workspace saved before calls of which one may destroy something.
    pub(super) async fn keep_before(&self, calls: &[Call]) -> Result<(), TurnStop> {
        let saved = saving::before_calls(self.context, calls, &self.handle.interrupt).await;
        match self.told(saved) {
            Some(draft) => Ok(self.context.log.record(vec![draft]).await?),
            None => Ok(()),
        }
    }

    fn told(&self, saved: Saved) -> Option<Draft> {
        match saved {
            Saved::New(checkpoint) => Some(Draft::Event(Some(self.id), EventBody::CheckpointSaved { checkpoint })),
            Saved::Nothing => None,
            Saved::Failed(message) => Some(self.warning(message)),
        }
    }
}
