//! Recordings, and playing them.

use super::*;
use crate::scripted::ScriptedModel;
use futures::TryStreamExt;

const SCRIPT: &str = r#"{"version": 1, "steps": [
    {"answer": [{"type": "reasoning", "text": "I look."},
                {"type": "call", "id": "c1", "tool": "exec_command", "arguments": {"cmd": "ls", "a": 1}},
                {"type": "call", "id": "c2", "tool": "exec_command", "arguments": "{ \"cmd\": \"ls\" }"},
                {"type": "call", "id": "c3", "tool": "exec_command", "arguments": "{bad"}], "usage": {"output_tokens": 4}},
    {"answer": [{"type": "message", "text": "done"}], "usage": {"output_tokens": 2}},
    {"answer": [{"type": "message", "text": "again"}]}
]}"#;

fn scripted() -> Arc<dyn ModelClient> {
    Arc::new(ScriptedModel::new("s", Script::parse(SCRIPT, "s").unwrap()))
}

fn user() -> Entry {
    Entry::User { text: "go".to_owned(), images: Vec::new() }
}

async fn ask(model: &dyn ModelClient, history: &mut Vec<Entry>, cache_key: &str) -> Result<Answer, ModelError> {
    let prompt = Prompt {
        model: "m".to_owned(),
        instructions: String::new(),
        entries: history.clone(),
        tools: Vec::new(),
        effort: None,
        output_schema: None,
        cache_key: cache_key.to_owned(),
    };
    let events: Vec<ModelEvent> = model.step(prompt).await?.try_collect().await?;
    let Some(ModelEvent::Answered(answer)) = events.into_iter().last() else { panic!("no answer") };
    history.extend(answer.entries.clone());
    Ok(answer)
}

/// A conversation of two turns, with the outputs that its tools gave.
async fn converse(model: &dyn ModelClient, outputs: &[&str; 3]) -> Result<Vec<Entry>, ModelError> {
    let mut history = vec![user()];
    ask(model, &mut history, "thread").await?;
    for (number, output) in outputs.iter().enumerate() {
        history.push(Entry::CallOutput { model_call_id: format!("c{}", number + 1), output: (*output).to_owned() });
    }
    ask(model, &mut history, "thread").await?;
    history.push(user());
    ask(model, &mut history, "thread").await?;
    Ok(history)
}

const OUTPUTS: [&str; 3] = ["Wall time: 1 s\nOutput:\nCargo.toml\nsrc\n", "fine", "bad arguments"];

#[tokio::test]
async fn a_recording_can_be_played() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("run.json");
    let recorder = Recorder::create(scripted(), &path).unwrap();
    let first = converse(&recorder, &OUTPUTS).await.unwrap();
    let replayed = ScriptedModel::open(&path).unwrap();
    let later = ["Wall time: 2 s\nOutput:\nCargo.toml\nsrc\nmore\n", "fine", "bad arguments"];
    let second = converse(&replayed, &later).await.unwrap();
    let answers = |history: &[Entry]| history.iter().filter(|entry| is_answer(entry)).cloned().collect::<Vec<_>>();
    assert_eq!(answers(&first), answers(&second));
    assert_eq!(Script::open(&path).unwrap().steps()[0].usage.output_tokens, 4);
    let error = converse(&replayed, &["Output:\nnothing", "fine", "bad arguments"]).await.unwrap_err();
    assert!(error.to_string().contains("should contain \"Cargo.toml\""), "{error}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1, "temporary files are left");
}

#[tokio::test]
async fn each_answer_is_on_disk_before_it_is_acted_on() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("run.json");
    let recorder = Recorder::create(scripted(), &path).unwrap();
    assert!(!path.exists());
    ask(&recorder, &mut vec![user()], "thread").await.unwrap();
    assert_eq!(Script::open(&path).unwrap().steps().len(), 1);
}

#[tokio::test]
async fn a_resumed_thread_is_recorded_from_its_beginning() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("run.json");
    let mut history = vec![user(), Entry::Assistant { text: "before".to_owned() }, user()];
    ask(&Recorder::create(scripted(), &path).unwrap(), &mut history, "thread").await.unwrap();
    let script = Script::open(&path).unwrap();
    assert_eq!(script.steps()[0].answer, [Part::Message { text: "before".to_owned() }]);
    assert_eq!(script.steps().len(), 2);
}

#[tokio::test]
async fn another_conversation_passes_by() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("run.json");
    let recorder = Recorder::create(scripted(), &path).unwrap();
    ask(&recorder, &mut vec![user()], "thread").await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let mut other = vec![user(), Entry::Assistant { text: "other".to_owned() }, user()];
    ask(&recorder, &mut other, "another").await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_recording_that_cannot_be_written_ends_the_step_with_a_reason() {
    let home = tempfile::tempdir().unwrap();
    assert!(Recorder::create(scripted(), home.path()).is_err());
    assert!(Recorder::create(scripted(), &home.path().join("no/such/run.json")).is_err());
    let folder = home.path().join("folder");
    std::fs::create_dir(&folder).unwrap();
    let recorder = Recorder::create(scripted(), &folder.join("run.json")).unwrap();
    std::fs::remove_dir(&folder).unwrap();
    let said = ask(&recorder, &mut vec![user()], "thread").await.unwrap_err().to_string();
    assert!(said.starts_with("cannot write the recording ") && said.contains("without --record"), "{said}");
}
