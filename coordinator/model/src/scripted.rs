//! A model that reads its answers from a script, for demonstrations and tests: everything but the model is real.
//!
//! Which step comes next is not remembered but counted, as the number of answers in the prompt's history. So a resumed thread goes on
//! where it was, several threads can share one scripted model, and a repeated request gets the same answer. An answer is a run of
//! reasoning, messages and calls; between two of them there is always an output or the user's next words. A history that was
//! compacted, or begun with another model, no longer tells the count: scripts are for threads of their own.

use crate::client::{Answer, ModelClient, ModelError, ModelEvent, Prompt};
use crate::script_file::{Expectation, Script, ScriptError, ScriptStep};
use async_trait::async_trait;
use capstan_types::history::Entry;
use futures::stream::{self, BoxStream, StreamExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How many characters a delta has: few, so that whoever shows them is put to use.
const DELTA_CHARS: usize = 12;

/// How much of an unexpected output is quoted, in characters from each end.
const QUOTED_CHARS: usize = 400;

/// A model that reads its answers from a script. Clones share it.
#[derive(Debug, Clone)]
pub struct ScriptedModel {
    name: String,
    script: Arc<Script>,
}

impl ScriptedModel {
    /// Reads the script from its file.
    ///
    /// # Errors
    /// The file cannot be read, or is no script.
    pub fn open(path: &Path) -> Result<Self, ScriptError> {
        Ok(Self::new(path.display().to_string(), Script::open(path)?))
    }

    /// A script that is at hand. The name is for errors.
    #[must_use]
    pub fn new(name: impl Into<String>, script: Script) -> Self {
        Self { name: name.into(), script: Arc::new(script) }
    }

    fn next_step(&self, history: &[Entry]) -> Result<&ScriptStep, ModelError> {
        let (name, number) = (&self.name, answers_in(history) + 1);
        let step = self.script.steps().get(number - 1).ok_or_else(|| {
            let steps = self.script.steps().len();
            ModelError::Script(format!(
                "the script {name} has {steps} steps, and the conversation asks for step {number}; add a step, or let the last one \
                 answer without calls"
            ))
        })?;
        let fault = step.expect.iter().find_map(|expected| fault(expected, history));
        match fault {
            None => Ok(step),
            Some(fault) => Err(ModelError::Script(format!("the script {name} does not fit at step {number}: {fault}"))),
        }
    }
}

#[async_trait]
impl ModelClient for ScriptedModel {
    async fn step(&self, prompt: Prompt) -> Result<BoxStream<'static, Result<ModelEvent, ModelError>>, ModelError> {
        let step = self.next_step(&prompt.entries)?;
        let events = events(step);
        let delay = Duration::from_millis(step.delay_ms);
        let thinking = stream::once(tokio::time::sleep(delay)).filter_map(|()| async { None });
        Ok(thinking.chain(stream::iter(events)).boxed())
    }
}

/// How many answers of a model a history holds.
pub(crate) fn answers_in(history: &[Entry]) -> usize {
    let answers = history.chunk_by(|before, after| is_answer(before) == is_answer(after));
    answers.filter(|run| run.first().is_some_and(is_answer)).count()
}

pub(crate) const fn is_answer(entry: &Entry) -> bool {
    match entry {
        Entry::Assistant { .. } | Entry::Reasoning { .. } | Entry::Call { .. } => true,
        Entry::Developer { .. }
        | Entry::User { .. }
        | Entry::CallOutput { .. }
        | Entry::Picture { .. }
        | Entry::Compacted { .. } => false,
    }
}

/// What is not as expected, if anything.
fn fault(expected: &Expectation, history: &[Entry]) -> Option<String> {
    let output = history.iter().rev().find_map(|entry| match entry {
        Entry::CallOutput { model_call_id, output } if *model_call_id == expected.output_of => Some(output),
        _ => None,
    });
    let (id, matcher) = (&expected.output_of, &expected.matcher);
    match output {
        None => Some(format!("it expects an output of {id}, and there is none")),
        Some(output) if matcher.accepts(output) => None,
        Some(output) => Some(format!("the output of {id} should {matcher}, but it is {:?}", quoted(output))),
    }
}

fn quoted(output: &str) -> String {
    let count = output.chars().count();
    if count <= 2 * QUOTED_CHARS {
        return output.to_owned();
    }
    let head: String = output.chars().take(QUOTED_CHARS).collect();
    let tail: String = output.chars().skip(count - QUOTED_CHARS).collect();
    format!("{head} … {} characters … {tail}", count - 2 * QUOTED_CHARS)
}

fn events(step: &ScriptStep) -> Vec<Result<ModelEvent, ModelError>> {
    let entries = step.entries();
    let deltas = entries.iter().flat_map(|entry| match entry {
        Entry::Assistant { text } => pieces(text).map(ModelEvent::TextDelta).collect::<Vec<_>>(),
        Entry::Reasoning { text, .. } => pieces(text).map(ModelEvent::ReasoningDelta).collect(),
        _ => Vec::new(),
    });
    let mut events: Vec<ModelEvent> = deltas.collect();
    events.push(ModelEvent::Answered(Answer { entries, usage: step.usage }));
    events.into_iter().map(Ok).collect()
}

fn pieces(text: &str) -> impl Iterator<Item = String> {
    let letters: Vec<char> = text.chars().collect();
    let pieces: Vec<String> = letters.chunks(DELTA_CHARS).map(|piece| piece.iter().collect()).collect();
    pieces.into_iter()
}

#[cfg(test)]
mod tests;
