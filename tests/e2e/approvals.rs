//! What is allowed, what is declined and with which reason, and what the sandbox refuses by itself.

use crate::expected::{Turn, told};
use crate::stage::Stage;
use capstan_tests::capstan::Run;
use capstan_tests::responses_server::{Answer, Reply, Script, Step};
use serde_json::{Value, json};
use std::fs;
use std::sync::{Arc, Mutex};

fn playing(answer: Reply) -> Stage {
    Stage::playing(Script::new().then(answer).then(Answer::saying("done")))
}

fn command(cmd: &str) -> Reply {
    Answer::calling("c1", "exec_command", &json!({"cmd": cmd, "login": false}))
}

/// Runs in this sandbox, and gives the one command's item.
fn execution(stage: &Stage, sandbox: &str) -> (Run, Value) {
    let run = stage.run(stage.exec_with(sandbox));
    run.assert_code(0);
    let mut items = run.items_of("command_execution");
    assert_eq!(items.len(), 1, "{run}");
    (run, items.remove(0))
}

#[test]
fn a_command_that_asks_to_leave_the_sandbox_is_declined_when_nobody_can_be_asked() {
    let arguments =
        json!({"cmd": "touch left", "login": false, "sandbox_permissions": "require_escalated", "justification": "I want to."});
    let stage = playing(Answer::calling("c1", "exec_command", &arguments));
    let run = stage.run(stage.exec());
    let reason = "the approval policy is `never`, so nobody can grant escalated permissions; work inside the sandbox, or say in your answer \
                  what has to be done outside it";
    let turn = Turn::begun().command_not_run("/bin/bash -c 'touch left'", "declined", reason);
    assert_eq!(told(&run), turn.message("done").completed_after(2), "{run}");
    assert_eq!(stage.output_of("c1"), format!("exec_command was declined: {reason}"));
    assert_eq!(stage.text("left"), None);
    run.assert_code(0);
}

#[test]
fn a_policy_that_would_ask_declines_with_its_reason_because_nobody_is_there() {
    for (policy, permissions) in [("on-request", "require_escalated"), ("untrusted", "use_default")] {
        let arguments = json!({"cmd": "touch left", "login": false, "sandbox_permissions": permissions});
        let stage = playing(Answer::calling("c1", "exec_command", &arguments));
        let run = stage.run(stage.exec().arg("-c").arg(format!("approval_policy=\"{policy}\"")));
        run.assert_code(0);
        let item = run.items_of("command_execution").remove(0);
        assert_eq!((&item["status"], &item["exit_code"]), (&json!("declined"), &Value::Null), "{run}");
        assert!(item["capstan"]["reason"].as_str().is_some_and(|reason| reason.contains("ask")), "{run}");
        assert_eq!(stage.text("left"), None);
    }
}

#[test]
fn a_patch_outside_of_the_workspace_is_declined() {
    let patch = "*** Begin Patch\n*** Add File: ../outside.txt\n+x\n*** End Patch";
    let stage = playing(Answer::calling("c1", "apply_patch", &json!({"input": patch})));
    let run = stage.run(stage.exec());
    let reason =
        "`../outside.txt` is outside the writable roots, and the approval policy is `never`; change only files inside them";
    let outside = stage.home.root().join("outside.txt");
    let changes = json!([{"path": outside.display().to_string(), "kind": "add"}]);
    let turn = Turn::begun().change(&changes, "declined", Some(reason));
    assert_eq!(told(&run), turn.message("done").completed_after(2), "{run}");
    assert_eq!(stage.output_of("c1"), format!("apply_patch was declined: {reason}"));
    assert!(!outside.exists());
}

#[test]
fn a_patch_through_a_link_out_of_the_workspace_changes_nothing() {
    let patch = "*** Begin Patch\n*** Update File: link/victim.txt\n@@\n-safe\n+harmed\n*** End Patch";
    let stage = playing(Answer::calling("c1", "apply_patch", &json!({"input": patch})));
    let outside = stage.home.root().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("victim.txt"), "safe\n").unwrap();
    std::os::unix::fs::symlink(&outside, stage.file("link")).unwrap();
    let run = stage.run(stage.exec());
    run.assert_code(0);
    assert_eq!(run.items_of("file_change")[0]["status"], "failed", "{run}");
    assert_eq!(fs::read_to_string(outside.join("victim.txt")).unwrap(), "safe\n");
}

#[test]
fn a_read_only_sandbox_refuses_to_write_and_lets_read() {
    let stage = playing(command("cat there && echo x > made"));
    fs::write(stage.file("there"), "here\n").unwrap();
    let (run, item) = execution(&stage, "read-only");
    let output = "here\n/bin/bash: line 1: made: Read-only file system\n";
    assert_eq!((&item["aggregated_output"], &item["exit_code"]), (&json!(output), &json!(1)), "{run}");
    assert_eq!(stage.text("made"), None);
}

#[test]
fn a_read_only_sandbox_declines_patches() {
    let patch = "*** Begin Patch\n*** Add File: made\n+x\n*** End Patch";
    let stage = playing(Answer::calling("c1", "apply_patch", &json!({"input": patch})));
    let run = stage.run(stage.exec_with("read-only"));
    run.assert_code(0);
    assert_eq!(run.items_of("file_change")[0]["status"], "declined", "{run}");
    assert_eq!(stage.text("made"), None);
}

#[test]
fn a_workspace_write_sandbox_keeps_writes_in_the_workspace() {
    let stage = playing(command("echo x > made; echo x > ../outside; echo x > ../added/made; ls .."));
    fs::create_dir(stage.home.root().join("added")).unwrap();
    let added = stage.home.root().join("added");
    let run = stage.run(stage.exec().arg("--add-dir").arg(&added));
    run.assert_code(0);
    assert_eq!(stage.text("made").as_deref(), Some("x\n"), "{run}");
    assert!(added.join("made").exists() && !stage.home.root().join("outside").exists(), "{run}");
}

/// Connects to the model's own server, which listens on this machine.
fn connecting(stage: &Stage) -> String {
    format!("exec 3<>/dev/tcp/127.0.0.1/{} && echo connected", stage.server.address().port())
}

fn run_connecting(sandbox: &str) -> (Stage, Value) {
    let address = Arc::new(Mutex::new(String::new()));
    let known = Arc::clone(&address);
    let first = Step::decided(move |_| command(&known.lock().expect("no thread panics with the text")));
    let stage = Stage::playing(Script::new().then(first).then(Answer::saying("done")));
    *address.lock().expect("no thread panics with the text") = connecting(&stage);
    let (_, item) = execution(&stage, sandbox);
    (stage, item)
}

#[test]
fn there_is_no_network_in_a_sandbox_not_even_to_this_machine() {
    for sandbox in ["read-only", "workspace-write"] {
        let (stage, item) = run_connecting(sandbox);
        assert_eq!(item["exit_code"], 1, "{item}");
        assert!(item["aggregated_output"].as_str().is_some_and(|output| !output.contains("connected")), "{item}");
        assert!(item["capstan"]["enforced"]["network_closed"] == true, "{item}");
        // Two requests of the coordinator, which may use one connection.
        assert!(stage.server.connections() <= 2);
    }
}

#[test]
fn full_access_lets_connect_and_write_anywhere() {
    let (_, item) = run_connecting("danger-full-access");
    assert_eq!((&item["aggregated_output"], &item["exit_code"]), (&json!("connected\n"), &json!(0)), "{item}");
    let stage = playing(command("echo x > ../outside"));
    let (run, _) = execution(&stage, "danger-full-access");
    assert!(stage.home.root().join("outside").exists(), "{run}");
    let escalated = json!({"cmd": "echo x > ../outside", "login": false, "sandbox_permissions": "require_escalated"});
    let stage = playing(Answer::calling("c1", "exec_command", &escalated));
    let run = stage.run(stage.exec_bypassing());
    run.assert_code(0);
    assert!(stage.home.root().join("outside").exists(), "{run}");
}
