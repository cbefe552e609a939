//! What a thread changed there, back here.

use super::{Stage, thread_of};
use capstan_tests::git::Tree;
use std::fs;
use std::path::Path;

#[test]
fn what_the_turn_changed_there_is_here_when_it_ends_and_what_was_not_committed_stays() {
    let stage = Stage::running("sed -i s/one/ONE/ a.txt; printf '\\000\\001' > n.bin; chmod +x b/c.txt; rm .gitignore", 1);
    stage.write("mine.txt", "not committed\n");
    let before = Tree::of(stage.mine.dir());
    let run = stage.exec(&["--on", "*"]);
    run.assert_code(0);
    assert!(run.stderr.contains("changed 4 files:\n  D .gitignore\n  M a.txt\n  M b/c.txt\n  A n.bin\n"), "{run}");
    assert_eq!(stage.read("a.txt"), "ONE\n");
    let differences = Tree::of(stage.mine.dir()).differences(&before);
    assert_eq!(differences.len(), 4, "{differences:?}");
}

#[test]
fn what_does_not_fit_any_more_is_kept_as_a_file_and_said() {
    // Ignored, so that it is no part of the change.
    let stage = Stage::running("sed -i s/one/theirs/ a.txt; while [ ! -e go.o ]; do sleep 0.05; done", 1);
    let running = stage.exec_of(&["--on", "*"]).start();
    let started = running.until_line("a command that runs", |line| line["type"] == "item.started");
    let there = started["item"]["capstan"]["cwd"].as_str().expect("the workspace on the node").to_owned();
    stage.write("a.txt", "mine\n");
    fs::write(Path::new(&there).join("go.o"), "").expect("a file can be written");
    let run = running.wait();
    run.assert_code(1);
    let thread = thread_of(&run);
    let kept = stage.person.path().join(format!("patches/{thread}.patch"));
    assert!(run.stderr.contains("the patch does not fit 1 file: a.txt (the same lines were changed here)"), "{run}");
    assert!(run.stderr.contains(&format!("it is kept as {}", kept.display())), "{run}");
    assert!(fs::read_to_string(kept).expect("the patch is there").contains("+theirs"));
    assert_eq!(stage.read("a.txt"), "mine\n");
    let merged = stage.capstan(&["apply", "--3way", &thread]);
    merged.assert_code(1);
    assert_eq!(stage.read("a.txt"), "<<<<<<< here\nmine\n=======\ntheirs\n>>>>>>> patch\n");
}

#[test]
fn nothing_is_brought_back_that_nobody_asked_for() {
    let stage = Stage::running("sed -i s/one/theirs/ a.txt", 1);
    for flags in [&["--upload"][..], &["--on", "*", "--no-apply"]] {
        stage.exec(flags).assert_code(0);
        assert_eq!(stage.read("a.txt"), "one\n");
    }
    stage.exec(&["--upload", "--apply"]).assert_code(0);
    assert_eq!(stage.read("a.txt"), "theirs\n");
}

#[test]
fn flags_that_do_not_go_together_are_said_in_a_sentence() {
    let stage = Stage::running("true", 1);
    let cases: [(&[&str], &str); 8] = [
        (&["--on", "*", "--git", "https://h.example/r.git"], "error: "),
        (&["--upload", "--empty"], "error: "),
        (&["--rev", "main"], "error: "),
        (&["--git", "https://user:pass@h.example/r.git"], "error: "),
        (&["--git", "https://h.example/r.git", "--history", "some"], "error: "),
        (
            &["--git", "https://h.example/r.git", "-C", "/abs"],
            "error: with --git, -C names a directory within the workspace that is made, and /abs is none\n",
        ),
        (
            &["--empty", "-C", ".."],
            "error: with --empty, -C names a directory within the workspace that is made, and .. is none\n",
        ),
        (&["--upload", "-C", "/"], "error: / is in no work tree of a git repository\n"),
    ];
    for (args, sentence) in cases {
        let run = stage.exec(args);
        run.assert_code(2);
        assert!(run.stderr.starts_with(sentence), "{args:?}: {run}");
    }
}
