//! The workspace of a node that died, on another one.

use super::{Stage, image, steps, thread_of};
use std::path::Path;

#[test]
fn a_thread_goes_on_with_its_files_on_another_node_after_its_own_was_killed() {
    let mut stage = Stage::playing(&steps());
    let thread = thread_of(&stage.exec(&["Make it."]));
    let made = image(&stage.work());
    assert!(made.iter().any(|(path, ..)| path == Path::new(".git/HEAD")), "{:?}", made.len());
    let listed = stage.until_kept(&thread, 1);
    assert_eq!((listed[0]["reason"].as_str(), listed[0]["skipped"].as_u64()), (Some("turn"), Some(0)), "{listed:?}");
    let killed = stage.kill_node_of(&thread);
    let run = stage.exec(&["fork", &thread, "--workspace", "Change it."]);
    let fork = thread_of(&run);
    let there = stage.thread(&fork).record.settings;
    assert_ne!(there.node.expect("a node").to_string(), killed);
    let mut expected = made;
    // What its own turn has changed since.
    expected.retain(|(path, ..)| path != Path::new("large") && path != Path::new("tracked"));
    let mut now = image(there.cwd.as_path());
    now.retain(|(path, ..)| path != Path::new("new") && path != Path::new("tracked"));
    assert_eq!(now, expected);
    let read = |name: &str| std::fs::read_to_string(there.cwd.as_path().join(name)).expect("it is there");
    assert_eq!((read("tracked").as_str(), read("new").as_str()), ("three\n", "new\n"));
    // That of the turn it was forked at, that before a call which removes something, and that of its own turn.
    let listed = stage.until_kept(&fork, 3);
    let reasons: Vec<&str> = listed.iter().filter_map(|one| one["reason"].as_str()).collect();
    assert_eq!(reasons, ["turn", "risk", "turn"], "{listed:?}");
}
