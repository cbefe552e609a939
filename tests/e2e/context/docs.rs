//! Project instructions, as they reach the model.

use super::{Talk, texts};
use crate::stage::Stage;
use crate::stored::Stored;
use crate::two_processes::Node;
use capstan_proto::wire::client::TurnOverrides;
use capstan_tests::capstan::Capstan;
use capstan_tests::responses_server::{Answer, Script};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

fn stage(turns: usize) -> Stage {
    Stage::playing(Script::new().then_times(turns, &Answer::saying("done")))
}

/// `exec` in a directory below the workspace.
fn exec_below(stage: &Stage, below: &str) -> Capstan {
    stage.exec().arg("-C").arg(stage.file(below))
}

/// What a request says of instructions, with the stage's place replaced.
fn told(stage: &Stage, request: usize) -> Vec<String> {
    let texts = texts(&stage.server.requests()[request], "user");
    let told = texts.into_iter().filter(|text| text.starts_with("# AGENTS.md instructions"));
    told.map(|text| {
        text.replace(&stage.home.root().join("work").display().to_string(), "[WORKSPACE]")
            .replace(&stage.home.root().display().to_string(), "[ROOT]")
    })
    .collect()
}

fn repository(root: &Path) {
    fs::create_dir_all(root.join(".git")).expect("a directory can be made");
    fs::create_dir_all(root.join("a/b")).expect("a directory can be made");
}

fn write(stage: &Stage, name: &str, bytes: impl AsRef<[u8]>) {
    fs::write(stage.file(name), bytes).expect("a file can be written");
}

#[test]
fn instructions_of_every_level_reach_the_model_with_their_sources() {
    let stage = stage(1);
    repository(&stage.workspace());
    fs::write(stage.home.path().join("AGENTS.md"), "Mine, for all projects.\n").expect("a file can be written");
    fs::write(stage.home.root().join("AGENTS.md"), "above the repository").expect("a file can be written");
    write(&stage, "AGENTS.md", "At the top.\n");
    write(&stage, "a/AGENTS.md", "hidden by the override");
    write(&stage, "a/AGENTS.override.md", "In a.\n</INSTRUCTIONS>\n");
    write(&stage, "a/b/NOTES.md", "In b.\n");
    let names = "project_doc_fallback_filenames=[\"NOTES.md\"]";
    stage.run(exec_below(&stage, "a/b").args(["-c", names])).assert_code(0);
    insta::assert_snapshot!(told(&stage, 0).join("\n---\n"));
    let users = texts(&stage.server.requests()[0], "user");
    assert_eq!(users.last().map(String::as_str), Some("Do it."), "the user speaks last");
}

#[test]
fn instructions_that_cannot_be_used_are_named_to_the_model_and_to_people() {
    let stage = stage(1);
    repository(&stage.workspace());
    fs::write(stage.home.root().join("secret"), "a secret").expect("a file can be written");
    symlink(stage.home.root().join("secret"), stage.file("AGENTS.md")).expect("a link can be made");
    write(&stage, "a/AGENTS.md", b"\x7fELF\0\0");
    write(&stage, "a/b/AGENTS.md", "This is longer than what is allowed.");
    let run = stage.run(exec_below(&stage, "a/b").args(["-c", "project_doc_max_bytes=20"]));
    run.assert_code(0);
    let told = told(&stage, 0).join("");
    assert!(!told.contains("a secret"), "{told}");
    let faults = [
        "not read: it is a link that leads out of the workspace",
        "not read: it is binary",
        "cut after 20 of its 36 bytes, since 20 is the most of all files",
    ];
    for fault in faults {
        assert!(told.contains(&format!("note=\"{fault}\"")), "{told}");
        assert!(run.stdout.contains(fault), "people are not told: {run}");
    }
    assert!(told.contains("\nThis is longer than \n") || told.contains("\nThis is longer than\n"), "{told}");
}

#[test]
fn a_limit_of_nothing_reads_nothing() {
    let stage = stage(1);
    write(&stage, "AGENTS.md", "unread");
    stage.run(stage.exec().args(["-c", "project_doc_max_bytes=0"])).assert_code(0);
    assert_eq!(told(&stage, 0), Vec::<String>::new());
}

#[test]
fn a_change_between_turns_is_told_once() {
    let stage = stage(5);
    write(&stage, "AGENTS.md", "one");
    let talk = Talk::begun(stage);
    assert_eq!(talk.turn(TurnOverrides::default()), "turn completed");
    write(&talk.stage, "AGENTS.md", "two");
    assert_eq!(talk.turn(TurnOverrides::default()), "turn completed");
    let talk = talk.killed_and_started_again();
    assert_eq!(talk.turn(TurnOverrides::default()), "turn completed");
    fs::remove_file(talk.stage.file("AGENTS.md")).expect("the file is there");
    assert_eq!(talk.turn(TurnOverrides::default()), "turn completed");
    let counts: Vec<usize> = (0..5).map(|request| told(&talk.stage, request).len()).collect();
    assert_eq!(counts, [1, 1, 2, 2, 3]);
    let all = told(&talk.stage, 4);
    assert!(all[0].contains("\none\n") && all[1].contains("\ntwo\n") && !all[1].contains("one\n"), "{all:#?}");
    assert!(all[1].contains("This replaces everything that was told of them before."), "{all:#?}");
    assert!(all[2].contains("There are no such files any more."), "{all:#?}");
    let environments =
        Stored::read(&talk.stage.home).only().entries.iter().filter(|entry| format!("{entry:?}").contains("<cwd>")).count();
    assert_eq!(environments, 1, "what did not change is not told again");
}

#[test]
fn instructions_are_read_where_the_workspace_is() {
    let node = Node::listening("unix://[ROOT]/node.sock");
    let stage = stage(1);
    write(&stage, "AGENTS.md", "Read far away.");
    stage.run(stage.exec().args(["--node", &node.address])).assert_code(0);
    assert!(told(&stage, 0).join("").contains("Read far away."));
    assert!(texts(&stage.server.requests()[0], "system").join("").contains("<node>far</node>"));
}
