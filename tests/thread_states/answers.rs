//! A model that answers when a case lets it.

use async_trait::async_trait;
use capstan_model::{Answer, ModelClient, ModelError, ModelEvent, Prompt};
use capstan_types::history::{Entry, Usage};
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Requests that wait for their answers. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    asked: Vec<(Vec<Entry>, oneshot::Sender<Vec<Entry>>)>,
    calls: u32,
}

/// What the model answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum With {
    Message,
    Plan,
    Command,
}

impl Answers {
    /// What the model is told in the request that waits, if one does.
    pub(crate) fn asked(&self) -> Option<Vec<Entry>> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody waits any more for the answer to a request of a turn that was interrupted, or of a coordinator that died.
        waiting.asked.retain(|(_, reply)| !reply.is_closed());
        waiting.asked.first().map(|(entries, _)| entries.clone())
    }

    /// Answers the request that waits.
    pub(crate) fn answer(&self, with: With) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.calls += 1;
        let id = format!("call_{}", waiting.calls);
        let call = |tool: &str, arguments: String| Entry::Call { model_call_id: id.clone(), tool: tool.to_owned(), arguments };
        let entry = match with {
            With::Message => Entry::Assistant { text: "said".to_owned() },
            With::Plan => call("update_plan", r#"{"plan":[{"step":"a","status":"pending"}]}"#.to_owned()),
            With::Command => call("exec_command", format!(r#"{{"cmd":"echo {id} >> log","login":false,"yield_time_ms":30000}}"#)),
        };
        let (_, reply) = waiting.asked.remove(0);
        reply.send(vec![entry]).expect("somebody waits for it");
    }
}

#[async_trait]
impl ModelClient for Answers {
    async fn step(&self, prompt: Prompt) -> Result<BoxStream<'static, Result<ModelEvent, ModelError>>, ModelError> {
        let (reply, answer) = oneshot::channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).asked.push((prompt.entries, reply));
        let answered = stream::once(async move {
            let entries = answer.await.map_err(|_| ModelError::Unavailable("the case is over".to_owned()))?;
            Ok(ModelEvent::Answered(Answer { entries, usage: Usage { input_tokens: 1, ..Usage::default() } }))
        });
        Ok(answered.boxed())
    }
}
