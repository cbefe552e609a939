//! What a turn costs, when it pauses, and who answers instead.

use crate::expected::told;
use crate::stage::Stage;
use crate::stored::Stored;
use capstan_tests::responses_server::{Answer, Reply, Script};
use serde_json::{Value, json};

/// An answer that runs a command, and uses 100 tokens of which 40 were kept, and writes 10.
fn looking() -> Reply {
    Answer::calling("c1", "exec_command", &json!({"cmd": "echo seen"}))
}

/// 60 × 1 + 40 × 0.1 + 10 × 10 millionths of a dollar an answer.
const PRICE: &str = "prices={ scripted-model = { input = 1, cached_input = 0.1, output = \"10\" } }";

fn last(run: &capstan_tests::capstan::Run) -> Value {
    run.lines().pop().expect("a run prints something")
}

#[test]
fn a_turn_pauses_at_its_budget_after_its_calls_and_ends_with_code_3() {
    let stage = Stage::playing(Script::new().then(looking()));
    let run = stage.run(stage.exec().args(["-m", "scripted-model", "-c", PRICE, "--budget-usd", "0.0001"]));
    run.assert_code(3);
    assert!(run.stderr.contains("its budget is used up ($0.000164 of $0.0001)"), "{run}");
    assert!(run.stderr.contains("capstan exec resume"), "{run}");
    let end = last(&run);
    assert_eq!((&end["type"], &end["capstan"]["paused"]), (&json!("turn.failed"), &json!(true)), "{run}");
    assert_eq!(end["capstan"]["turn"]["cost_micro_usd"], json!(164), "{run}");
    let stored = Stored::read(&stage.home);
    let kinds = stored.only().kinds();
    assert_eq!(kinds.last().map(String::as_str), Some("turn paused"), "{kinds:?}");
    assert!(stored.only().open_calls.is_empty(), "a call was cut off");
    stage.server.assert_played();
}

#[test]
fn what_a_turn_costs_is_told_beside_its_usage() {
    let stage = Stage::playing(Script::new().then(looking()).then(Answer::saying("seen")));
    let run = stage.run(stage.exec().args(["-m", "scripted-model", "-c", PRICE, "--budget-tokens", "1000"]));
    run.assert_code(0);
    let end = last(&run);
    assert_eq!(end["usage"]["input_tokens"], json!(200));
    let turn = &end["capstan"]["turn"];
    assert_eq!((&turn["cost_usd"], &turn["model_answers"]), (&json!("0.000328"), &json!(2)), "{run}");
    assert_eq!(end["capstan"]["thread"], *turn, "the thread has no other turn");
}

#[test]
fn a_person_is_told_what_a_turn_costs_or_that_nobody_knows() {
    let stage = Stage::playing(Script::new().then(Answer::saying("seen")).then(Answer::saying("seen")));
    let run = stage.run(stage.exec_for_people().args(["-m", "scripted-model", "-c", PRICE]));
    assert!(run.stderr.contains(" · $0.000164\n"), "{run}");
    let run = stage.run(stage.exec_for_people().args(["-m", "scripted-model"]));
    assert!(run.stderr.contains("no price is known for scripted-model\n"), "{run}");
}

#[test]
fn a_model_that_is_refused_is_replaced_and_that_is_said() {
    let refused = Reply::refused(404, "model_not_found", "There is no such model");
    let stage = Stage::playing(Script::new().then(refused).then(looking()).then(Answer::saying("seen")));
    let run = stage.run(stage.exec().args(["-m", "gone", "-c", "model_fallbacks=[\"other\"]"]));
    run.assert_code(0);
    let said = run.lines().into_iter().find(|line| line["item"]["type"] == "error").expect("it is said");
    let said = said["item"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(said.starts_with("gone of ") && said.ends_with("answers for the rest of the turn"), "{said}");
    let models: Vec<Value> = stage.server.requests().iter().map(|request| request.body["model"].clone()).collect();
    assert_eq!(models, [json!("gone"), json!("other"), json!("other")]);
}

#[test]
fn a_budget_of_no_amount_is_bad_input() {
    let stage = Stage::playing(Script::new());
    for words in [["--budget-usd", "much"], ["--budget-tokens", "-1"], ["-c", "budget.usd=\"1,50\""], ["-c", "prices.m.input=1"]]
    {
        let run = stage.run(stage.exec().args(words));
        run.assert_code(2);
        assert_eq!(told(&run), Vec::<Value>::new(), "{run}");
    }
}
