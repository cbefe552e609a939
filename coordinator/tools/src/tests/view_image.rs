//! A picture of the workspace, and what is none.

use super::fake::{Bench, Told, lost};
use crate::effects::Hold;
use crate::host::HostError;
use capstan_types::call::{Outcome, ReplayClass};
use capstan_types::file_read::FileRead;
use capstan_types::item::{ItemBody, ItemStatus};
use serde_json::json;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.toolbox = crate::Toolbox::standard(false).with_pictures();
    bench
}

/// What the model is told of a file that the node reads like this.
async fn told(read: Result<FileRead, HostError>) -> String {
    let bench = bench();
    bench.host.reading.lock().unwrap().push_back(read);
    let result = bench.call("view_image", json!({"path": "shot.png"})).await;
    assert!(result.picture.is_none() && matches!(result.outcome, Outcome::NotStarted { .. }), "{result:?}");
    let Some(Told::Completed(_, ItemBody::ToolCall { status, output, .. })) = bench.items.told().pop() else { panic!("no item") };
    assert_eq!((status, &output), (ItemStatus::Failed, &result.output));
    result.output
}

fn content(bytes: &[u8], size: u64) -> Result<FileRead, HostError> {
    Ok(FileRead::Content { bytes: bytes.to_vec(), size })
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_read_under_the_policy_of_the_thread_and_follows_the_output() {
    let bench = bench();
    bench.host.reading.lock().unwrap().push_back(content(PNG, PNG.len() as u64));
    let result = bench.call("view_image", json!({"path": "a/../shot.png"})).await;
    assert_eq!(result.output, "The picture /w/shot.png (image/png) follows.");
    let picture = result.picture.expect("there is a picture");
    assert_eq!((picture.media_type.as_str(), picture.base64.as_str()), ("image/png", "iVBORw0KGgpyZXN0"));
    let asked = bench.host.reads.lock().unwrap().pop().expect("the node was asked");
    assert_eq!((asked.path.as_str(), asked.max_bytes, asked.policy), ("/w/shot.png", 5 << 20, bench.context.policy.clone()));
    assert_eq!(bench.toolbox.replay_class("view_image", "{}"), ReplayClass::Pure);
    assert_eq!(bench.toolbox.effects("view_image", "{}").on_workspace(), Hold::Share);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_picture_is_refused_with_what_to_do() {
    let refused = Ok(FileRead::Refused { reason: "is not a regular file".into() });
    let said = [
        (Ok(FileRead::Missing), "there is no file `/w/shot.png`, or sessions may not see it; look for it with exec_command"),
        (refused, "`/w/shot.png` is not a regular file"),
        (
            content(b"#!/bin/sh", 9),
            "`/w/shot.png` is no PNG, JPEG, GIF or WebP picture; convert it first, or read it with exec_command",
        ),
        (
            content(PNG, 6 << 20),
            "`/w/shot.png` has 6291456 bytes, and at most 5242880 are shown; make a smaller copy and view that",
        ),
        (Err(lost()), "node n1 did not report what came of it: reset"),
    ];
    for (read, sentence) in said {
        assert_eq!(told(read).await, format!("view_image: {sentence}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_sees_no_pictures_is_not_offered_any() {
    let bench = Bench::new();
    assert_eq!(bench.call("view_image", json!({"path": "x"})).await.output, "unsupported call: view_image");
}
