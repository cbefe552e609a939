//! What a thread changed there, back here.

use super::{Stage, thread_of};
use capstan_tests::git::Tree;

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
    let stage = Stage::running("sed -i s/one/theirs/ a.txt; while [ ! -e /tmp/none ] && [ -e go ]; do sleep 0.05; done", 1);
    stage.write("b/c.txt", "mine\n");
    let run = stage.exec(&["--on", "*", "--no-apply"]);
    run.assert_code(0);
    assert_eq!(stage.read("a.txt"), "one\n");
    stage.write("a.txt", "mine\n");
    let thread = thread_of(&run);
    let refused = stage.capstan(&["apply", &thread]);
    refused.assert_code(1);
    assert!(refused.stderr.contains("the patch does not fit 1 file: a.txt (the same lines were changed here)"), "{refused}");
    assert_eq!((stage.read("a.txt").as_str(), stage.read("b/c.txt").as_str()), ("mine\n", "mine\n"));
    let merged = stage.capstan(&["apply", "--3way", &thread]);
    merged.assert_code(1);
    assert_eq!(stage.read("a.txt"), "<<<<<<< here\nmine\n=======\ntheirs\n>>>>>>> patch\n");
}

#[test]
fn flags_that_do_not_go_together_are_said_in_a_sentence() {
    let stage = Stage::running("true", 1);
    let cases: [(&[&str], &str); 9] = [
        (&["--on", "zone=nowhere"], ""),
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
    for (args, sentence) in cases.iter().skip(1) {
        let run = stage.exec(args);
        run.assert_code(2);
        assert!(run.stderr.starts_with(sentence), "{args:?}: {run}");
    }
}
