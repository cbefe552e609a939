//! Who may do what: decided in one place, for every tool.

use super::fake::{Bench, Told};
use crate::host::PatchReport;
use crate::invocation::{Decision, Question};
use capstan_types::call::Outcome;
use capstan_types::item::{ItemBody, ItemStatus};
use capstan_types::policy::{ApprovalPolicy, SandboxPolicy};
use serde_json::{Value, json};

fn escalated() -> Value {
    json!({"cmd": "docker ps", "sandbox_permissions": "require_escalated", "justification": "needs docker", "prefix_rule": ["docker"]})
}

fn no() -> Decision {
    Decision::Decline { reason: "rejected by the user".into() }
}

#[tokio::test(start_paused = true)]
async fn never_declines_an_escalation_and_starts_nothing() {
    let bench = Bench::new();
    let result = bench.call("exec_command", escalated()).await;
    assert!(result.output.starts_with("exec_command was declined: the approval policy is `never`"), "{}", result.output);
    assert!(matches!(result.outcome, Outcome::Declined { .. }));
    assert!(bench.host.starts.lock().unwrap().is_empty());
    let item = bench.items.completed_command();
    assert_eq!((item.status, item.command.as_str()), (ItemStatus::Declined, "/bin/bash -lc 'docker ps'"));
}

#[tokio::test(start_paused = true)]
async fn an_accepted_escalation_leaves_the_sandbox_for_that_one_call() {
    let (bench, person) = Bench::with_person(ApprovalPolicy::OnRequest, Decision::Accept);
    bench.host.will_start().exit(0);
    bench.host.will_start().exit(0);
    bench.call("exec_command", escalated()).await;
    bench.call("exec_command", json!({"cmd": "docker ps"})).await;
    let policies: Vec<_> = bench.host.starts.lock().unwrap().iter().map(|start| start.policy.clone()).collect();
    assert_eq!(policies, [SandboxPolicy::full_access(), bench.context.policy.clone()]);
    let asked =
        Question { tool: "exec_command".into(), action: "/bin/bash -lc 'docker ps'".into(), reason: "needs docker".into() };
    assert_eq!(*person.asked.lock().unwrap(), [asked]);
}

#[tokio::test(start_paused = true)]
async fn a_yes_to_an_ordinary_command_keeps_the_sandbox() {
    let (bench, person) = Bench::with_person(ApprovalPolicy::Untrusted, Decision::Accept);
    bench.host.will_start().exit(0);
    bench.call("exec_command", json!({"cmd": "ls"})).await;
    assert_eq!(bench.host.starts.lock().unwrap()[0].policy, bench.context.policy);
    assert_eq!(person.asked.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_no_is_told_to_the_model_with_its_reason() {
    let (bench, _person) = Bench::with_person(ApprovalPolicy::Untrusted, no());
    let result = bench.call("exec_command", json!({"cmd": "ls"})).await;
    assert_eq!(result.output, "exec_command was declined: rejected by the user");
    assert_eq!(result.outcome, Outcome::Declined { reason: "rejected by the user".into() });
}

#[tokio::test(start_paused = true)]
async fn a_person_is_shown_what_a_terminal_would_hide() {
    let (bench, person) = Bench::with_person(ApprovalPolicy::Untrusted, no());
    bench.call("exec_command", json!({"cmd": "echo \u{202e}evil\u{1b}[2K"})).await;
    assert_eq!(person.asked.lock().unwrap()[0].action, "/bin/bash -lc 'echo \\u{202e}evil'");
}

#[tokio::test(start_paused = true)]
async fn looking_and_planning_ask_nobody_but_writing_to_a_session_does() {
    let (bench, person) = Bench::with_person(ApprovalPolicy::Untrusted, Decision::Accept);
    let session = bench.host.will_start();
    bench.call("exec_command", json!({"cmd": "bash", "tty": true, "yield_time_ms": 250})).await;
    session.write(b"$ ");
    bench.call("write_stdin", json!({"session_id": 1000})).await;
    bench.call("update_plan", json!({"plan": []})).await;
    assert_eq!(person.asked.lock().unwrap().len(), 1);
    bench.call("write_stdin", json!({"session_id": 1000, "chars": "rm x\n"})).await;
    assert_eq!(person.asked.lock().unwrap()[1].action, r#"write "rm x\n" to session 1000: /bin/bash -lc bash"#);
}

const OUTSIDE: &str = "*** Begin Patch\n*** Add File: ok.txt\n+x\n*** Delete File: ../etc/passwd\n*** End Patch";

#[tokio::test(start_paused = true)]
async fn a_patch_that_leaves_the_writable_roots_is_declined_before_it_is_sent() {
    let bench = Bench::new();
    let result = bench.call("apply_patch", json!({"input": OUTSIDE})).await;
    assert!(
        result.output.starts_with("apply_patch was declined: `../etc/passwd` is outside the writable roots"),
        "{}",
        result.output
    );
    assert!(bench.host.patches.lock().unwrap().is_empty());
    let told = bench.items.told();
    assert!(
        matches!(&told[..], [Told::Started(..), Told::Completed(_, ItemBody::FileChange { status: ItemStatus::Declined, .. })]),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_move_out_of_the_writable_roots_counts_as_a_write_there() {
    let bench = Bench::new();
    let patch = "*** Begin Patch\n*** Update File: a\n*** Move to: /etc/a\n*** End Patch";
    let result = bench.call("apply_patch", json!({"input": patch})).await;
    assert!(result.output.contains("`/etc/a` is outside the writable roots"), "{}", result.output);
}

#[tokio::test(start_paused = true)]
async fn an_accepted_patch_outside_is_applied_without_the_sandbox() {
    let (bench, person) = Bench::with_person(ApprovalPolicy::OnRequest, Decision::Accept);
    bench.host.patching.lock().unwrap().push_back(Ok(PatchReport::Applied { changes: Vec::new() }));
    bench.call("apply_patch", json!({"input": OUTSIDE})).await;
    assert_eq!(bench.host.patches.lock().unwrap()[0].policy, SandboxPolicy::full_access());
    assert_eq!(person.asked.lock().unwrap()[0].action, "apply a patch:\nA ok.txt\nD ../etc/passwd");
}

#[tokio::test(start_paused = true)]
async fn a_read_only_thread_patches_nothing() {
    let mut bench = Bench::new();
    bench.context.policy = SandboxPolicy::read_only();
    let patch = "*** Begin Patch\n*** Add File: a\n+x\n*** End Patch";
    let result = bench.call("apply_patch", json!({"input": patch})).await;
    assert!(matches!(result.outcome, Outcome::Declined { .. }));
}
