//! What a turn changed, shown and undone by `capstan threads`; and patches in the middle of what a command does.

use super::{Daemon, exec, workspace};
use crate::scripted::{call, command, contains, exited, says, step, write};
use capstan_tests::capstan::{Capstan, Home, Run};
use serde_json::{Value, json};
use std::fs;

const APPLY: &str =
    "echo begins\napply_patch <<'EOF'\n*** Begin Patch\n*** Update File: a.txt\n-one\n+two\n*** End Patch\nEOF\necho ends";

fn steps() -> Vec<Value> {
    let login = call("patch", "exec_command", &json!({ "cmd": APPLY, "login": true, "yield_time_ms": 30_000 }));
    vec![
        step(
            [],
            [
                login,
                command(
                    "more",
                    "echo three > b.txt; printf '%s' '*** Begin Patch\n*** Add File: c/d.txt\n+x\n*** End Patch' | apply_patch",
                ),
            ],
        ),
        step([exited("patch", 0), contains("patch", "ends"), exited("more", 0), contains("more", "A c/d.txt")], [says("done")]),
    ]
}

fn threads(daemon: &Daemon, args: &[&str]) -> Run {
    Capstan::new(&daemon.home).arg("threads").args(args.iter().copied()).run()
}

/// The thread of a turn that has changed a file, and made two.
fn changed(daemon: &Daemon) -> String {
    fs::write(daemon.file("a.txt"), "one\n").expect("a file can be written");
    let run = daemon.exec().run();
    run.assert_code(0);
    assert_eq!(fs::read_to_string(daemon.file("a.txt")).expect("it is there"), "two\n", "{run}");
    thread_of(&run)
}

fn thread_of(run: &Run) -> String {
    run.lines()[0]["thread_id"].as_str().expect("a thread").to_owned()
}

#[test]
fn a_turn_is_shown_and_undone_and_the_undo_is_undone_also_after_the_coordinator_died() {
    let daemon = Daemon::playing(&steps());
    let thread = changed(&daemon);
    let diff = threads(&daemon, &["diff", &thread]);
    diff.assert_code(0);
    for part in ["-one\n+two\n", "+++ b/b.txt", "+++ b/c/d.txt"] {
        assert!(diff.stdout.contains(part), "{diff}");
    }
    let daemon = daemon.killed_and_started_again();
    let undone = threads(&daemon, &["undo", &thread]);
    undone.assert_code(0);
    assert!(
        undone.stdout.starts_with("brought back 3 files:\n  a.txt\n  b.txt\n  c/d.txt\nto take this back: capstan threads undo "),
        "{undone}"
    );
    assert_eq!(fs::read_to_string(daemon.file("a.txt")).expect("it is there"), "one\n");
    assert!(!daemon.file("b.txt").exists() && !daemon.file("c").exists());
    let saved = undone.stdout.trim().rsplit(' ').next().expect("a name").to_owned();
    threads(&daemon, &["undo", &thread, &saved]).assert_code(0);
    assert_eq!(fs::read_to_string(daemon.file("c/d.txt")).expect("it is there"), "x\n");
}

#[test]
fn what_a_person_changed_since_is_named_and_kept_until_that_is_forced() {
    let daemon = Daemon::playing(&steps());
    let thread = changed(&daemon);
    fs::write(daemon.file("b.txt"), "mine\n").expect("a file can be written");
    let refused = threads(&daemon, &["undo", &thread]);
    refused.assert_code(1);
    assert!(refused.stderr.contains("nothing was undone: 1 file changed since the turn ended: b.txt"), "{refused}");
    assert_eq!(fs::read_to_string(daemon.file("b.txt")).expect("it is there"), "mine\n");
    threads(&daemon, &["undo", &thread, "--force"]).assert_code(0);
    assert!(!daemon.file("b.txt").exists());
}

#[test]
fn a_thread_that_changed_nothing_has_nothing_to_be_undone() {
    let daemon = Daemon::playing(&[step([], [says("nothing to do")])]);
    let run = exec(&daemon.home).args(["--coordinator", daemon.socket()]).run();
    let nothing = threads(&daemon, &["undo", &thread_of(&run)]);
    nothing.assert_code(2);
    assert!(nothing.stderr.contains("no turn of this thread changed its workspace here"), "{nothing}");
    threads(&daemon, &["diff", "nonsense"]).assert_code(2);
    let checkpoints = daemon.home.path().join("node");
    assert!(
        !fs::exists(checkpoints.join("checkpoints").join(thread_of(&run))).expect("it can be looked at"),
        "a turn that only spoke was noted"
    );
}

/// A turn of `capstan exec` that runs no coordinator besides itself.
fn of_a_command(more: &[&str]) -> (Home, Run) {
    let home = Home::new();
    fs::create_dir(workspace(&home)).expect("a directory can be made");
    fs::write(workspace(&home).join("a.txt"), "one\n").expect("a file can be written");
    write(home.root(), &steps());
    let script = home.root().join("script.json");
    let run = exec(&home).arg("--script").arg(&script).args(more.iter().copied()).run();
    run.assert_code(0);
    (home, run)
}

#[test]
fn what_a_command_did_is_shown_and_undone_without_a_coordinator_and_by_one_that_was_started_since() {
    let (home, run) = of_a_command(&[]);
    let (thread, a) = (thread_of(&run), workspace(&home).join("a.txt"));
    let alone = |args: &[&str]| Capstan::new(&home).arg("threads").args(args.iter().copied()).run();
    let diff = alone(&["diff", &thread]);
    diff.assert_code(0);
    assert!(diff.stdout.contains("-one\n+two\n"), "{diff}");
    let undone = alone(&["undo", &thread]);
    undone.assert_code(0);
    assert_eq!(fs::read_to_string(&a).expect("it is there"), "one\n", "{undone}");
    let saved = undone.stdout.trim().rsplit(' ').next().expect("a name").to_owned();
    let daemon = Daemon::start(home, &[]);
    threads(&daemon, &["undo", &thread, &saved]).assert_code(0);
    assert_eq!(fs::read_to_string(&a).expect("it is there"), "two\n");
}

#[test]
fn of_a_thread_that_is_not_kept_or_not_any_more_no_content_is_kept_either() {
    let (home, _) = of_a_command(&["--ephemeral"]);
    assert_eq!(entries(&home, "node/checkpoints") + entries(&home, "node/0/scratch"), 0);
    let (home, run) = of_a_command(&[]);
    assert_eq!(entries(&home, "node/checkpoints"), 1);
    Capstan::new(&home).args(["threads", "delete", "--yes", &thread_of(&run)]).run().assert_code(0);
    assert_eq!(entries(&home, "node/checkpoints"), 0);
    let (home, run) = of_a_command(&[]);
    let daemon = Daemon::start(home, &[]);
    threads(&daemon, &["delete", "--yes", &thread_of(&run)]).assert_code(0);
    assert_eq!(entries(&daemon.home, "node/checkpoints"), 0);
}

fn entries(home: &Home, dir: &str) -> usize {
    fs::read_dir(home.path().join(dir)).map_or(0, Iterator::count)
}
