//! A conversation that fills its model's window is shortened, and the work goes on.

mod asked;
mod killed;

use crate::stage::Stage;
use crate::stored::Stored;
use capstan_tests::capstan::Capstan;
use capstan_tests::responses_server::{Answer, RecordedRequest, Reply, Script, Usage};
use capstan_types::history::Entry;
use serde_json::{Value, json};

/// What marks a summary in a conversation.
const SUMMARY: &str = "<summary_of_earlier_work>";

/// A command whose output the model is told whole, in about 2,000 tokens.
fn wordy(id: &str) -> Answer {
    Answer::new().call(id, "exec_command", &json!({"cmd": format!("echo {id}; seq 10000 11400"), "yield_time_ms": 30_000}))
}

/// An answer to a prompt of so many tokens.
fn using(answer: Answer, input: u64) -> Reply {
    answer.completed_using(Usage { input, cached: 0, output: 10, reasoning: 0 })
}

fn saying(text: &str, input: u64) -> Reply {
    using(Answer::new().message(text), input)
}

fn overflow() -> Reply {
    Reply::refused(400, "context_length_exceeded", "Your input exceeds the context window of this model.")
}

/// `capstan exec` whose prompts are shortened from 10,000 tokens on.
fn exec(stage: &Stage) -> Capstan {
    stage.exec().args(["-m", "own-model", "-c", "model_auto_compact_token_limit=10000"])
}

/// The texts of a request's conversation, in order.
fn texts(request: &RecordedRequest) -> Vec<String> {
    let text = |item: &Value| {
        let parts = item["content"].as_array().into_iter().flatten().filter_map(|part| part["text"].as_str());
        let plain = [item["content"].as_str(), item["output"].as_str()];
        parts.chain(plain.into_iter().flatten()).collect::<String>()
    };
    request.input().iter().map(text).collect()
}

fn is_for_a_summary(request: &RecordedRequest) -> bool {
    request.tools().is_empty()
}

/// What people are told of shortened conversations.
fn told(run: &capstan_tests::capstan::Run) -> Vec<Value> {
    let items = run.lines().into_iter().filter(|line| line["item"]["type"] == "context_compaction");
    items.map(|line| line["item"].clone()).collect()
}

#[test]
fn a_turn_that_fills_the_window_several_times_goes_on_from_summaries() {
    let script = Script::new()
        .then(using(wordy("c1"), 4_000))
        .then(using(wordy("c2"), 9_000))
        .then(saying("First summary.", 500))
        .then(using(wordy("c3"), 4_500))
        .then(using(wordy("c4"), 9_500))
        .then(saying("Second summary.", 500))
        .then(saying("done", 4_000));
    let stage = Stage::playing(script);
    let run = stage.run(exec(&stage));
    run.assert_code(0);
    stage.server.assert_played();
    let requests = stage.server.requests();
    assert_eq!(requests.iter().map(is_for_a_summary).collect::<Vec<_>>(), [false, false, true, false, false, true, false]);
    assert!(texts(&requests[2]).concat().contains("c1"), "what is dropped is summed up");
    for (number, summary) in [(3, "First summary."), (6, "Second summary.")] {
        let texts = texts(&requests[number]);
        let all = texts.concat();
        assert!(texts[0].starts_with("<environment>"), "the environment is told again: {texts:#?}");
        assert!(texts.iter().any(|text| text == "Do it."), "the user's words stay: {texts:#?}");
        assert_eq!(all.matches(SUMMARY).count(), 1, "{texts:#?}");
        assert!(all.contains(summary) && all.len() < 20_000, "{texts:#?}");
        let ids = |kind: &str| {
            let items = requests[number].input().iter().filter(|item| item["type"] == kind);
            items.map(|item| item["call_id"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids("function_call"), ids("function_call_output"), "a call is parted from its output");
    }
    let told = told(&run);
    assert_eq!(told.len(), 2, "{run}");
    for item in &told {
        let tokens = |name: &str| item[name].as_u64().unwrap_or_default();
        assert!(tokens("before_tokens") >= 10_000 && tokens("after_tokens") < 9_000, "{item}");
        assert_eq!(item["summed_up"], true);
    }
    let stored = Stored::read(&stage.home);
    let outputs = stored.only().entries.iter().filter(|entry| matches!(entry, Entry::CallOutput { .. })).count();
    assert_eq!(outputs, 4, "what is not shown any more stays stored");
    assert_eq!(
        run.lines().last().map(|line| line["usage"]["input_tokens"].clone()),
        Some(json!(32_000)),
        "summaries are counted"
    );
}

#[test]
fn a_prompt_that_the_provider_finds_too_long_is_shortened_once_and_sent_again() {
    let script = Script::new()
        .then(using(wordy("c1"), 2_000))
        .then(overflow())
        .then(saying("A summary.", 500))
        .then(saying("done", 1_000));
    let stage = Stage::playing(script);
    let run = stage.run(exec(&stage));
    run.assert_code(0);
    stage.server.assert_played();
    let last = texts(&stage.server.requests()[3]).concat();
    assert!(last.contains("A summary.") && !last.contains("10700\n10701"), "{last}");
    assert_eq!(told(&run).len(), 1, "{run}");
}

#[test]
fn a_prompt_that_stays_too_long_fails_the_turn_with_what_to_do() {
    let script = Script::new().then(using(wordy("c1"), 2_000)).then(overflow()).then(saying("A summary.", 500)).then(overflow());
    let stage = Stage::playing(script);
    let run = stage.run(exec(&stage));
    run.assert_code(1);
    stage.server.assert_played();
    assert!(run.stdout.contains("also when it is shortened") && run.stdout.contains("set model_context_window"), "{run}");
    let stage = Stage::playing(Script::new().then(overflow()));
    let run = stage.run(exec(&stage));
    run.assert_code(1);
    assert!(run.stdout.contains("nothing in it that could be left out"), "{run}");
}

#[test]
fn a_model_that_gives_no_summary_holds_nobody_up() {
    let script = Script::new()
        .then(using(wordy("c1"), 9_000))
        .then(Reply::refused(400, "invalid_prompt", "I do not sum up."))
        .then(saying("done", 2_000));
    let stage = Stage::playing(script);
    let run = stage.run(exec(&stage));
    run.assert_code(0);
    stage.server.assert_played();
    assert_eq!(told(&run)[0]["summed_up"], false, "{run}");
    let last = texts(&stage.server.requests()[2]).concat();
    assert!(last.contains("No summary could be made.") && last.contains("seq 10000"), "{last}");
}
