//! Conversations with a scripted model.

use super::*;
use capstan_types::history::Usage;
use futures::TryStreamExt;

const SCRIPT: &str = r#"{"version": 1, "steps": [
    {"answer": [{"type": "reasoning", "text": "I look."}, {"type": "call", "id": "c1", "tool": "exec_command", "arguments": {"cmd": "ls"}},
                {"type": "call", "id": "c2", "tool": "exec_command", "arguments": "{bad"}]},
    {"expect": [{"output_of": "c1", "contains": "Cargo.toml"}, {"output_of": "c2"}],
     "answer": [{"type": "message", "text": "Grüße an alle, die dies hier lesen."}], "usage": {"input_tokens": 9, "output_tokens": 4}},
    {"answer": [{"type": "message", "text": "second turn"}]}
]}"#;

fn model() -> ScriptedModel {
    ScriptedModel::new("s.json", Script::parse(SCRIPT, "s.json").unwrap())
}

fn prompt(entries: Vec<Entry>) -> Prompt {
    Prompt {
        model: "scripted".to_owned(),
        instructions: String::new(),
        entries,
        tools: Vec::new(),
        effort: None,
        output_schema: None,
        cache_key: String::new(),
    }
}

fn user() -> Entry {
    Entry::User { text: "go".to_owned(), images: Vec::new() }
}

fn output(id: &str, text: &str) -> Entry {
    Entry::CallOutput { model_call_id: id.to_owned(), output: text.to_owned() }
}

async fn ask(entries: Vec<Entry>) -> Result<Vec<ModelEvent>, ModelError> {
    model().step(prompt(entries)).await?.try_collect().await
}

fn answer(events: &[ModelEvent]) -> Answer {
    let Some(ModelEvent::Answered(answer)) = events.last() else { panic!("{events:?}") };
    answer.clone()
}

async fn after_first(outputs: [Entry; 2]) -> Vec<Entry> {
    let mut history = vec![user()];
    history.extend(answer(&ask(history.clone()).await.unwrap()).entries);
    history.extend(outputs);
    history
}

#[tokio::test]
async fn a_conversation_is_answered_step_by_step() {
    let mut history = after_first([output("c1", "Cargo.toml\nsrc"), output("c2", "bad arguments")]).await;
    assert_eq!(history[3], Entry::Call { model_call_id: "c2".into(), tool: "exec_command".into(), arguments: "{bad".into() });
    let events = ask(history.clone()).await.unwrap();
    let text = "Grüße an alle, die dies hier lesen.";
    let usage = Usage { input_tokens: 9, output_tokens: 4, ..Usage::default() };
    assert_eq!(answer(&events), Answer { entries: vec![Entry::Assistant { text: text.to_owned() }], usage });
    let deltas: Vec<&str> = events
        .iter()
        .filter_map(|event| if let ModelEvent::TextDelta(text) = event { Some(text.as_str()) } else { None })
        .collect();
    assert!(deltas.len() > 2 && deltas.concat() == text, "{deltas:?}");
    history.extend(answer(&events).entries);
    history.push(user());
    assert_eq!(answer(&ask(history).await.unwrap()).entries, [Entry::Assistant { text: "second turn".to_owned() }]);
}

#[tokio::test]
async fn the_same_history_gets_the_same_answer() {
    assert_eq!(ask(vec![user()]).await, ask(vec![user()]).await);
}

#[tokio::test]
async fn an_output_that_is_not_as_expected_is_quoted() {
    let history = after_first([output("c1", "README"), output("c2", "")]).await;
    assert_eq!(
        ask(history).await.unwrap_err().to_string(),
        "the script s.json does not fit at step 2: the output of c1 should contain \"Cargo.toml\", but it is \"README\""
    );
    let history = after_first([output("c1", "Cargo.toml"), output("c9", "")]).await;
    assert_eq!(
        ask(history).await.unwrap_err().to_string(),
        "the script s.json does not fit at step 2: it expects an output of c2, and there is none"
    );
}

#[tokio::test]
async fn a_long_output_is_quoted_from_both_ends() {
    let long = format!("head{}tail", "ä".repeat(5000));
    let history = after_first([output("c1", &long), output("c2", "")]).await;
    let said = ask(history).await.unwrap_err().to_string();
    assert!(said.contains("\"headä") && said.contains("ätail\"") && said.contains("… 4208 characters …"), "{said}");
}

#[tokio::test]
async fn a_script_that_has_run_out_says_so() {
    let history = vec![
        user(),
        Entry::Assistant { text: "1".into() },
        user(),
        Entry::Assistant { text: "2".into() },
        user(),
        Entry::Assistant { text: "3".into() },
        user(),
    ];
    let said = ask(history).await.unwrap_err().to_string();
    assert!(said.starts_with("the script s.json has 3 steps, and the conversation asks for step 4; "), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_delay_passes_before_the_first_word() {
    let script = r#"{"version": 1, "steps": [{"answer": [{"type": "message", "text": "x"}], "delay_ms": 5000}]}"#;
    let model = ScriptedModel::new("s", Script::parse(script, "s").unwrap());
    let start = tokio::time::Instant::now();
    let mut events = model.step(prompt(vec![user()])).await.unwrap();
    assert_eq!(events.next().await, Some(Ok(ModelEvent::TextDelta("x".to_owned()))));
    assert_eq!(start.elapsed(), Duration::from_secs(5));
}
