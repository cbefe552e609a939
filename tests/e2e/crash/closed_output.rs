//! The reader of standard output goes away, as in `capstan exec … | head -1`.

use super::{SOON, Scene};
use crate::scripted::{command, contains, says, step, write};
use capstan_tests::capstan::Capstan;
use serde_json::Value;

/// Many lines: the pipe must break while the turn goes on.
fn steps() -> Vec<Value> {
    let mut steps = vec![step([], [command("call_0", "seq 10")])];
    for number in 1..8_u32 {
        let before = format!("call_{}", number - 1);
        steps.push(step(
            [contains(&before, "10")],
            [says(&"so ".repeat(9_000)), command(&format!("call_{number}"), "seq 10; sleep 0.2")],
        ));
    }
    steps.push(step([contains("call_7", "10")], [says("done")]));
    steps
}

/// Runs it before this reader of its standard output, and gives what that printed and the exit code of the run.
fn cut(scene: &Scene, capstan: Capstan, reader: &str) -> (String, String) {
    let pipe = format!("\"$0\" \"$@\" | {reader}; echo \"code ${{PIPESTATUS[0]}}\"");
    let run = capstan.through(&["bash", "-c", &pipe]).run();
    assert!(!run.stderr.contains("panicked") && !run.stderr.contains("fault") && !run.stderr.contains("Broken pipe"), "{run}");
    scene.until_nothing_runs(SOON);
    let (line, code) = run.stdout.trim_end().rsplit_once("code ").unwrap_or_else(|| panic!("no code: {run}"));
    (line.trim_end().to_owned(), code.to_owned())
}

#[test]
fn json_lines_without_a_reader_end_the_turn_and_leave_no_orphan() {
    let scene = Scene::new();
    let (line, code) = cut(&scene, scene.exec(&steps()), "head -n 1");
    assert!(line.starts_with("{\"type\":\"thread.started\""), "{line}");
    assert_eq!(code, "1");
    assert_eq!(scene.stored().only().kinds().last().map(String::as_str), Some("turn interrupted"));
}

#[test]
fn a_transcript_without_a_reader_of_its_message_ends_in_order() {
    let scene = Scene::new();
    let script = write(scene.home.root(), &steps());
    let exec = Capstan::new(&scene.home).args(["exec", "--skip-git-repo-check", "-s", "workspace-write", "Do it.", "--script"]);
    let (line, _) = cut(&scene, exec.arg(script).in_dir(&scene.home.root().join("work")), "true");
    assert_eq!(line, "");
    assert_eq!(scene.stored().only().kinds().last().map(String::as_str), Some("turn completed"));
}
