//! A disk that is full: before anything runs, and in the middle of a turn. What was stored stays readable, on the full disk too.
//!
//! The disk is a small one in memory, which only root may mount; without root these tests fail and say so.

use super::case::assert_told;
use crate::scripted::{command, contains, says, step, write};
use crate::stored::Stored;
use capstan_tests::capstan::{Capstan, Home};
use capstan_tests::process;
use capstan_tests::small_disk::SmallDisk;
use capstan_tests::wait;
use std::fs;
use std::time::Duration;

#[test]
fn a_disk_that_fills_up_fails_the_turn_and_keeps_what_was_stored() {
    let home = Home::new();
    let disk = SmallDisk::mount(&home.path());
    fs::create_dir(home.root().join("repo")).expect("a directory can be made");
    let long = "A long message. ".repeat(20_000);
    let mut steps = vec![step([], [says("I begin."), command("call_0", "echo began")])];
    for number in 1..12_u32 {
        let before = format!("call_{}", number - 1);
        steps.push(step([contains(&before, "began")], [says(&long), command(&format!("call_{number}"), "echo began")]));
    }
    steps.push(step([contains("call_11", "began")], [says("done")]));
    let script = write(home.root(), &steps);
    let exec = Capstan::exec(&home, "Do it.").args(["-s", "workspace-write", "--script"]).arg(script);
    let run = exec.in_dir(&home.root().join("repo")).run();

    run.assert_code(1);
    let sentence =
        "the disk that holds the store is full; free some space and resume the thread: nothing that was stored is lost";
    assert_eq!(run.failure().as_deref(), Some(sentence), "{run}");
    assert_eq!(run.stderr.lines().filter(|line| line.starts_with("error: ")).collect::<Vec<_>>(), [format!("error: {sentence}")]);
    assert!(!run.stderr.contains("panicked") && !run.stderr.contains("fault"), "{run}");
    let left = || process::at(home.root());
    wait::until_true(Duration::from_secs(5), &format!("no process left; now {:#?}\n{run}", left()), || left().is_empty());

    // What was told is stored, and can be read where there is no room to write.
    let stored = Stored::read(&home);
    let kinds = stored.only().kinds();
    let told = run.items().len();
    assert!(told >= 4 && kinds.iter().filter(|kind| kind.starts_with("completed ")).count() > told, "{kinds:?}\n{run}");
    let filling = disk.fill();
    assert_eq!(Stored::read(&home), stored);
    fs::remove_file(filling).expect("the file is ours");
}

#[test]
fn a_disk_that_is_full_before_anything_runs_is_told() {
    let home = Home::new();
    let disk = SmallDisk::mount(&home.path());
    let _filling = disk.fill();
    let script = write(home.root(), &[step([], [says("done")])]);
    let run = Capstan::exec(&home, "Do it.").arg("--script").arg(script).run();
    run.assert_code(2);
    assert_told(&run);
    let said = run.stderr.replace(&home.root().display().to_string(), "[ROOT]");
    insta::assert_snapshot!(said);
}

#[test]
fn an_ephemeral_run_needs_no_room_for_its_thread() {
    let home = Home::new();
    let _disk = SmallDisk::mount(&home.path());
    let long = "A long message. ".repeat(20_000);
    let steps: Vec<_> = (0..12).map(|number| step([], [says(&long), command(&format!("call_{number}"), "true")])).collect();
    let steps = [steps, vec![step([], [says("done")])]].concat();
    let script = write(home.root(), &steps);
    let run = Capstan::exec(&home, "Do it.").args(["--ephemeral", "--script"]).arg(script).run();
    run.assert_code(0);
    assert_eq!(run.final_message().as_deref(), Some("done"));
    assert!(!home.path().join("capstan.db").exists());
}
