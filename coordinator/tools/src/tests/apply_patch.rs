//! Patches as a tool: what is sent, and what the model and a person are told.

use super::fake::{Bench, Told, lost};
use crate::fault::ToolFault;
use crate::host::{HostError, PatchReport};
use capstan_types::call::Outcome;
use capstan_types::id::CallId;
use capstan_types::item::{FileChange, FileChangeKind, ItemBody, ItemId, ItemStatus};
use serde_json::json;

const PATCH: &str = "*** Begin Patch
*** Add File: src/new.rs
+fn new() {}
*** Update File: ./src/lib.rs
@@
-old
+new
*** Update File: a
*** Move to: b
*** Delete File: /w/gone
*** End Patch";

fn answer(bench: &Bench, answer: Result<PatchReport, HostError>) {
    bench.host.patching.lock().unwrap().push_back(answer);
}

fn applied() -> Result<PatchReport, HostError> {
    Ok(PatchReport::Applied { changes: Vec::new() })
}

#[tokio::test(start_paused = true)]
async fn a_patch_is_told_file_by_file() {
    let bench = Bench::new();
    answer(&bench, applied());
    let result = bench.call("apply_patch", json!({"input": PATCH})).await;
    insta::assert_snapshot!(result.output, @r"
    Exit code: 0
    Wall time: 0.0 seconds
    Output:
    Success. Updated the following files:
    A src/new.rs
    M ./src/lib.rs
    M a -> b
    D /w/gone
    ");
    assert_eq!(result.outcome, Outcome::Finished { end: None });
    let sent = bench.host.patches.lock().unwrap()[0].clone();
    assert_eq!((sent.patch.as_str(), sent.cwd.as_str(), sent.policy), (PATCH, "/w", bench.context.policy.clone()));

    let change = |path: &str, kind| FileChange { path: path.into(), kind };
    let changes = vec![
        change("/w/src/new.rs", FileChangeKind::Add),
        change("/w/src/lib.rs", FileChangeKind::Update { moved_to: None }),
        change("/w/a", FileChangeKind::Update { moved_to: Some("/w/b".into()) }),
        change("/w/gone", FileChangeKind::Delete),
    ];
    let body = |status| ItemBody::FileChange { call: CallId::from_u128(1), changes: changes.clone(), status, reason: None };
    let expected =
        [Told::Started(ItemId(0), body(ItemStatus::InProgress)), Told::Completed(ItemId(0), body(ItemStatus::Completed))];
    assert_eq!(bench.items.told(), expected);
}

#[tokio::test(start_paused = true)]
async fn the_patch_may_come_by_itself_or_under_its_other_name() {
    let bench = Bench::new();
    for arguments in [PATCH.to_owned(), format!("\n{PATCH}\n"), json!({"patch": PATCH}).to_string()] {
        answer(&bench, applied());
        let result = bench.try_call("apply_patch", arguments).await.unwrap();
        assert!(result.outcome.succeeded(), "{}", result.output);
    }
    let result = bench.call("apply_patch", json!({"input": PATCH, "force": true})).await;
    assert!(result.output.contains("unknown field `force`"), "{}", result.output);
}

#[tokio::test(start_paused = true)]
async fn a_patch_that_cannot_be_read_is_a_failed_change_and_is_not_sent() {
    let bench = Bench::new();
    let result = bench.call("apply_patch", json!({"input": "*** Begin Patch\n*** Add File: a\n+x"})).await;
    let reason = "a patch ends with the line `*** End Patch`, but this one ends with `+x`; send the whole patch again";
    assert_eq!(result.output, format!("apply_patch verification failed: {reason}"));
    assert!(matches!(result.outcome, Outcome::NotStarted { .. }));
    let told = bench.items.told();
    let Some(Told::Completed(_, ItemBody::FileChange { status, reason: told_reason, .. })) = told.last() else {
        panic!("{told:?}")
    };
    assert_eq!((*status, told_reason.as_deref()), (ItemStatus::Failed, Some(reason)));
}

#[tokio::test(start_paused = true)]
async fn a_refused_patch_says_why_and_that_nothing_changed() {
    let bench = Bench::new();
    answer(&bench, Ok(PatchReport::Refused { reason: "`src/new.rs` exists already".into() }));
    let result = bench.call("apply_patch", json!({"input": PATCH})).await;
    insta::assert_snapshot!(result.output, @r"
    Exit code: 1
    Wall time: 0.0 seconds
    Output:
    No file was changed: `src/new.rs` exists already
    ");
    assert!(!result.outcome.succeeded());
}

#[tokio::test(start_paused = true)]
async fn a_patch_whose_node_was_lost_has_an_unknown_outcome() {
    let bench = Bench::new();
    answer(&bench, Err(lost()));
    let result = bench.call("apply_patch", json!({"input": PATCH})).await;
    assert!(
        result.output.contains("while the patch was being applied; whether it was applied is not known"),
        "{}",
        result.output
    );
    assert!(matches!(result.outcome, Outcome::Unknown { session: None, .. }));
    answer(&bench, Err(HostError::Fenced));
    assert_eq!(bench.try_call("apply_patch", PATCH).await, Err(ToolFault::Fenced));
}
