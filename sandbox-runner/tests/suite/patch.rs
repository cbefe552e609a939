//! The `patch` verb as a node runs it: the program of a session, held by its sandbox.

use crate::session::{Launch, abs, runner};
use capstan_types::control::Request;
use capstan_types::launch::Stdio as Streams;
use capstan_types::patch_report::{PatchDocument, PatchResult};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

fn patched(cwd: &Path, writable: &Path, body: &str) -> PatchResult {
    let patch = format!("*** Begin Patch\n{body}\n*** End Patch\n");
    let document = serde_json::to_vec(&PatchDocument { cwd: abs(cwd), patch, undo_only: false }).unwrap();
    let launch = Launch::new(&[env!("CARGO_BIN_EXE_capstan-sandbox"), "patch"]).writing(writable).stdio(Streams::Pipes);
    let session = launch.start();
    let mut client = session.attach(0);
    client.send(&Request::Input(document.into()));
    client.send(&Request::CloseInput);
    serde_json::from_str(&client.read_to_end().text()).unwrap()
}

#[test]
fn a_patch_changes_the_workspace_and_cannot_leave_it() {
    let (work, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(work.path().join("mine"), "one\n").unwrap();
    fs::write(outside.path().join("theirs"), "one\n").unwrap();
    std::os::unix::fs::symlink(outside.path().join("theirs"), work.path().join("link")).unwrap();
    let done = patched(work.path(), work.path(), "*** Update File: mine\n-one\n+1\n*** Add File: d/new\n+x");
    assert!(matches!(done, PatchResult::Applied(changes) if changes.len() == 2));
    assert_eq!(fs::read_to_string(work.path().join("mine")).unwrap(), "1\n");
    let theirs = outside.path().join("theirs");
    let new = outside.path().join("new");
    for body in [
        format!("*** Update File: {}\n-one\n+2", theirs.display()),
        "*** Update File: link\n-one\n+2".to_owned(),
        format!("*** Delete File: {}", theirs.display()),
        format!("*** Add File: {}\n+x", new.display()),
        format!("*** Update File: mine\n*** Move to: {}\n-1\n+2", new.display()),
    ] {
        let PatchResult::Refused(reason) = patched(work.path(), work.path(), &body) else {
            panic!("it was applied: {body}");
        };
        assert!(reason.contains("perhaps by the sandbox") && reason.ends_with("Nothing was changed"), "{reason}");
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "one\n");
        assert!(!new.exists());
        assert_eq!(fs::read_to_string(work.path().join("mine")).unwrap(), "1\n");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
        assert_eq!(fs::read_dir(work.path()).unwrap().count(), 3, "something was left behind");
    }
}

#[test]
fn a_patch_that_cannot_be_read_is_refused_in_words_and_a_bad_document_is_a_mistake() {
    let work = tempfile::tempdir().unwrap();
    assert!(matches!(patched(work.path(), work.path(), "*** Nonsense"), PatchResult::Refused(reason) if !reason.is_empty()));
    let mut child = runner("patch").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"{}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty() && String::from_utf8(output.stderr).unwrap().contains("not valid"));
}
