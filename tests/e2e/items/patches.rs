//! Patches, in every form in which models send them.

use crate::expected::{Turn, told};
use crate::stage::Stage;
use capstan_tests::capstan::Run;
use capstan_tests::git::Tree;
use capstan_tests::responses_server::{Answer, Reply, Script};
use serde_json::{Value, json};
use std::fs;

const PATCH: &str = "*** Begin Patch\n*** Add File: new/file.txt\n+new\n*** Update File: old.txt\n@@\n one\n-two\n+three\n*** Delete \
                     File: gone.txt\n*** Update File: from.txt\n*** Move to: to.txt\n@@\n-a\n+b\n*** End Patch";

/// Runs one answer on a workspace of three files, then a message.
fn patched(answer: Reply) -> (Stage, Run) {
    let stage = Stage::playing(Script::new().then(answer).then(Answer::saying("done")));
    for (name, text) in [("old.txt", "one\ntwo\n"), ("gone.txt", "gone\n"), ("from.txt", "a\n")] {
        fs::write(stage.file(name), text).expect("a file can be written");
    }
    let run = stage.run(stage.exec());
    run.assert_code(0);
    stage.server.assert_played();
    (stage, run)
}

fn changes(stage: &Stage) -> Value {
    let path = |name: &str| stage.file(name).display().to_string();
    json!([
        {"path": path("new/file.txt"), "kind": "add"},
        {"path": path("old.txt"), "kind": "update"},
        {"path": path("gone.txt"), "kind": "delete"},
        {"path": path("from.txt"), "kind": "update", "capstan": {"moved_to": path("to.txt")}},
    ])
}

fn assert_applied(answer: Reply) {
    let (stage, run) = patched(answer);
    let turn = Turn::begun().change(&changes(&stage), "completed", None);
    assert_eq!(told(&run), turn.message("done").completed_after(2), "{run}");
    let nothing = tempfile::tempdir().expect("a temporary directory can be made");
    let expected = Tree::of(nothing.path()).with("new/file.txt", "new\n").with("old.txt", "one\nthree\n").with("to.txt", "b\n");
    Tree::of(&stage.workspace()).assert_is(&expected);
    let output = stage.output_of("c1");
    let said = "Success. Updated the following files:\nA new/file.txt\nM old.txt\nD gone.txt\nM from.txt -> to.txt";
    assert!(
        output.starts_with("Exit code: 0\nWall time: ") && output.ends_with(&format!(" seconds\nOutput:\n{said}")),
        "{output}"
    );
}

#[test]
fn a_patch_as_the_argument_of_a_function_is_applied() {
    assert_applied(Answer::calling("c1", "apply_patch", &json!({"input": PATCH})));
}

#[test]
fn a_patch_as_raw_text_is_applied() {
    assert_applied(Answer::new().call_with_text("c1", "apply_patch", PATCH).completed());
}

#[test]
fn a_patch_as_a_heredoc_of_a_shell_command_is_a_file_change_and_no_command() {
    let cmd = format!("apply_patch <<'EOF'\n{PATCH}\nEOF\n");
    assert_applied(Answer::calling("c1", "exec_command", &json!({"cmd": cmd})));
}

#[test]
fn a_patch_that_does_not_fit_changes_nothing_and_says_where() {
    let patch = PATCH.replace("-two", "-no such line");
    let (stage, run) = patched(Answer::calling("c1", "apply_patch", &json!({"input": patch})));
    let before = Tree::of(tempfile::tempdir().unwrap().path());
    let before = before.with("old.txt", "one\ntwo\n").with("gone.txt", "gone\n").with("from.txt", "a\n");
    Tree::of(&stage.workspace()).assert_is(&before);
    let change = run.items_of("file_change").remove(0);
    assert_eq!((&change["status"], &change["changes"]), (&json!("failed"), &changes(&stage)), "{run}");
    let reason = change["capstan"]["reason"].as_str().unwrap();
    assert!(reason.contains("old.txt") && reason.contains("no such line"), "{reason}");
    let output = stage.output_of("c1");
    assert!(output.starts_with("Exit code: 1\n") && output.contains(&format!("No file was changed: {reason}")), "{output}");
    assert_eq!(
        run.kinds()[2..],
        ["item.started file_change", "item.completed file_change", "item.completed agent_message", "turn.completed"]
    );
}

#[test]
fn a_patch_that_cannot_be_read_is_a_failed_change() {
    let (stage, run) = patched(Answer::calling("c1", "apply_patch", &json!({"input": "*** Begin Patch\nwhat?\n*** End Patch"})));
    let change = run.items_of("file_change").remove(0);
    assert_eq!((&change["status"], &change["changes"]), (&json!("failed"), &json!([])), "{run}");
    assert!(stage.output_of("c1").starts_with("apply_patch verification failed: "));
}
