//! Records a model's answers as a script, so that a run with a real provider can be shown and tested again without one.
//!
//! After each answer the whole script is written anew, beside the file and then in its place: a run that is killed leaves a script of
//! the steps so far. What a script holds can all be seen in a prompt's history, so a resumed thread is recorded from its beginning.

use crate::client::{Answer, ModelClient, ModelError, ModelEvent, Prompt};
use crate::script_file::{Expectation, Part, Script, ScriptStep};
use crate::scripted::{answers_in, is_answer};
use async_trait::async_trait;
use capstan_types::history::{Entry, Usage};
use futures::stream::{BoxStream, StreamExt};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

mod excerpt;

/// A model whose answers are recorded. The first conversation that it is asked for is the one recorded; others pass by.
#[derive(Debug)]
pub struct Recorder {
    model: Arc<dyn ModelClient>,
    tape: Arc<Tape>,
}

#[derive(Debug)]
struct Tape {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    conversation: Option<String>,
    usages: BTreeMap<usize, Usage>,
}

impl Recorder {
    /// Records into this file, which an older recording in it outlives until the first answer.
    ///
    /// # Errors
    /// Nothing can be written there.
    pub fn create(model: Arc<dyn ModelClient>, path: &Path) -> io::Result<Self> {
        if path.is_dir() || path.file_name().is_none() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is not a file"));
        }
        // Better told now than after the first paid answer.
        let beside = beside(path);
        std::fs::write(&beside, "")?;
        std::fs::remove_file(&beside)?;
        Ok(Self { model, tape: Arc::new(Tape { path: path.to_owned(), state: Mutex::default() }) })
    }
}

#[async_trait]
impl ModelClient for Recorder {
    async fn step(&self, prompt: Prompt) -> Result<BoxStream<'static, Result<ModelEvent, ModelError>>, ModelError> {
        if !self.tape.is_recorded(&prompt.cache_key) {
            return self.model.step(prompt).await;
        }
        let history: Arc<[Entry]> = prompt.entries.as_slice().into();
        let events = self.model.step(prompt).await?;
        let tape = Arc::clone(&self.tape);
        let recorded = events.then(move |event| {
            let (tape, history) = (Arc::clone(&tape), Arc::clone(&history));
            async move {
                if let Ok(ModelEvent::Answered(answer)) = &event {
                    tape.write(&history, answer).await?;
                }
                event
            }
        });
        Ok(recorded.boxed())
    }
}

impl Tape {
    fn is_recorded(&self, conversation: &str) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.conversation.get_or_insert_with(|| conversation.to_owned()) == conversation
    }

    async fn write(&self, history: &[Entry], answer: &Answer) -> Result<(), ModelError> {
        let script = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.usages.insert(answers_in(history), answer.usage);
            script(history, &answer.entries, &state.usages)
        };
        let failed = |reason: String| {
            let path = self.path.display();
            ModelError::Script(format!("cannot write the recording {path}: {reason}; make room, or run without --record"))
        };
        let text = script.to_text().map_err(|error| failed(error.to_string()))?;
        let beside = beside(&self.path);
        let written = async {
            tokio::fs::write(&beside, text).await?;
            tokio::fs::rename(&beside, &self.path).await
        };
        written.await.map_err(|error| failed(error.to_string()))
    }
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

/// The script of a history and the answer that follows it.
fn script(history: &[Entry], answer: &[Entry], usages: &BTreeMap<usize, Usage>) -> Script {
    let mut steps: Vec<ScriptStep> = Vec::new();
    let mut expect = Vec::new();
    let runs = history.chunk_by(|before, after| is_answer(before) == is_answer(after));
    for run in runs.chain([answer]) {
        let parts: Vec<Part> = run.iter().filter_map(Part::of).collect();
        if parts.is_empty() {
            expect.extend(run.iter().filter_map(expectation));
        } else {
            let usage = usages.get(&steps.len()).copied().unwrap_or_default();
            steps.push(ScriptStep { expect: std::mem::take(&mut expect), answer: parts, usage, delay_ms: 0 });
        }
    }
    Script::of(steps)
}

fn expectation(entry: &Entry) -> Option<Expectation> {
    match entry {
        Entry::CallOutput { model_call_id, output } => {
            Some(Expectation { output_of: model_call_id.clone(), matcher: excerpt::stable(output) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
