//! The transcript for people: progress on standard error, the final message alone on standard output.

use crate::stage::Stage;
use capstan_tests::capstan::Capstan;
use capstan_tests::git::Repository;
use capstan_tests::responses_server::{Answer, Script};
use regex::Regex;
use serde_json::json;

/// The transcript without what differs from run to run.
fn settled(text: &str, stage: &Stage) -> String {
    let text = text.replace(&stage.workspace().display().to_string(), "WORKSPACE");
    let replace = |text: String, what: &str, by: &str| {
        Regex::new(what).expect("the expression is valid").replace_all(&text, by).into_owned()
    };
    let text = replace(text, "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "ID");
    let text = replace(text, r"in \d+(\.\d+)? (ms|s)\b", "in TIME");
    let text = replace(text, r"sandbox level (landlock|namespaces|full), as uid \d+", "sandbox level LEVEL, as uid UID");
    replace(text, "index [0-9a-f]+\\.\\.[0-9a-f]+", "index OLD..NEW")
}

/// A turn with one of everything, on a repository.
fn stage_of_a_whole_turn() -> Stage {
    let command = |cmd: &str| json!({"cmd": cmd, "login": false});
    let plan = json!({"plan": [{"step": "Look", "status": "completed"}, {"step": "Mend", "status": "in_progress"}]});
    let patch = "*** Begin Patch\n*** Update File: a.txt\n@@\n one\n-two\n+three\n*** End Patch";
    let look = Answer::new().reasoning("I think first.", "sealed").message("I look.");
    let script = Script::new()
        .then(look.call("c1", "exec_command", &command("cat a.txt; exit 4")).completed())
        .then(Answer::new().call("c2", "update_plan", &plan).call("c3", "launch_rockets", &json!({})).completed())
        .then(Answer::calling("c4", "apply_patch", &json!({"input": patch})))
        .then(Answer::saying("It is mended.\nAll of it."));
    let stage = Stage::playing(script);
    let _ = Repository::with_files(&stage.workspace(), &[("a.txt", "one\ntwo\n")]);
    stage
}

fn exec(stage: &Stage) -> Capstan {
    stage.exec_for_people().args(["-c", "tools.update_plan=true"])
}

#[test]
fn a_log_gets_a_line_for_each_step_and_standard_output_the_message_alone() {
    let stage = stage_of_a_whole_turn();
    let run = stage.run(exec(&stage));
    run.assert_code(0);
    assert_eq!(run.stdout, "It is mended.\nAll of it.\n");
    insta::assert_snapshot!(settled(&run.stderr, &stage));
}

#[test]
fn a_person_at_a_terminal_sees_the_plan_the_reasoning_and_the_diff_too() {
    let stage = stage_of_a_whole_turn();
    let shown = exec(&stage).args(["--color", "never"]).run_in_terminal();
    assert_eq!(shown.code, 0, "{}", shown.text);
    insta::assert_snapshot!(settled(&shown.text, &stage));
}

#[test]
fn colours_are_all_that_moves_a_terminal() {
    let stage = stage_of_a_whole_turn();
    let shown = exec(&stage).run_in_terminal();
    assert!(shown.text.contains("\u{1b}["), "{}", shown.text);
    let plain = Regex::new("\u{1b}\\[[0-9;]*m").expect("the expression is valid").replace_all(&shown.text, "");
    assert!(!plain.contains('\u{1b}'), "{plain}");
}

#[test]
fn a_turn_that_fails_leaves_standard_output_empty() {
    let stage = Stage::playing(Script::new().then(Answer::new().message("half").incomplete("max_output_tokens")));
    let run = stage.run(stage.exec_for_people());
    run.assert_code(1);
    assert_eq!(run.stdout, "");
    let error = "error: the provider ended the answer early: the model reached its limit of output tokens (max_output_tokens)\n";
    assert!(run.stderr.ends_with(error), "{run}");
}
