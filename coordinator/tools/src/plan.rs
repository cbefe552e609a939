//! The plan that a turn shows: one item, started by the first plan and changed by the later ones.

use crate::items::{ItemSink, SinkClosed};
use capstan_types::item::{ItemBody, ItemId, PlanStep};
use tokio::sync::Mutex;

/// The plan of one thread's running turn.
#[derive(Debug, Default)]
pub struct PlanState {
    shown: Mutex<Option<(ItemId, Vec<PlanStep>)>>,
}

impl PlanState {
    /// The plan of a turn that another coordinator began: its item, and what that shows.
    #[must_use]
    pub fn again(item: ItemId, steps: Vec<PlanStep>) -> Self {
        Self { shown: Mutex::new(Some((item, steps))) }
    }

    /// Shows a plan.
    ///
    /// # Errors
    /// The turn's records can no longer be stored.
    pub(crate) async fn show(&self, steps: Vec<PlanStep>, items: &dyn ItemSink) -> Result<(), SinkClosed> {
        let mut shown = self.shown.lock().await;
        let body = ItemBody::TodoList { steps: steps.clone() };
        let id = match shown.as_ref() {
            Some((id, _)) => {
                items.updated(*id, body).await?;
                *id
            }
            None => items.started(body).await?,
        };
        *shown = Some((id, steps));
        Ok(())
    }

    /// Completes the plan's item, if there is one. To be called when the turn ends, while its records can still be stored.
    ///
    /// # Errors
    /// The turn's records can no longer be stored.
    pub async fn complete(&self, items: &dyn ItemSink) -> Result<(), SinkClosed> {
        match self.shown.lock().await.take() {
            Some((id, steps)) => items.completed(id, ItemBody::TodoList { steps }).await,
            None => Ok(()),
        }
    }
}
