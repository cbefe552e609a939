//! Checkpoints of a thread, listed, compared, and brought back by hand.

use super::{Stage, image, steps, thread_of};
use std::fs;

#[test]
fn any_turn_can_be_brought_back_and_what_nobody_saved_is_not_given_up_unasked() {
    let stage = Stage::playing(&steps());
    let thread = thread_of(&stage.exec(&["Make it."]));
    let first = image(&stage.work());
    stage.exec(&["resume", &thread, "Change it."]).assert_code(0);
    let second = image(&stage.work());
    let listed = stage.until_kept(&thread, 2);
    let name = |at: usize| listed[at]["name"].as_str().expect("a name").to_owned();
    let compared = stage.threads(&["compare", &thread, &name(0), &name(1)]);
    compared.assert_code(0);
    assert_eq!(compared.stdout, "removed  large\nadded    new\nchanged  tracked\n");
    fs::write(stage.work().join("mine"), "work of a person").expect("a file can be written");
    let refused = stage.threads(&["restore", &thread, &name(0)]);
    refused.assert_code(1);
    assert!(refused.stderr.contains("nothing was brought back: 1 file changed since the last checkpoint: mine"), "{refused}");
    let forced = stage.threads(&["restore", &thread, &name(0), "--force"]);
    forced.assert_code(0);
    assert_eq!(image(&stage.work()), first, "{forced}");
    let back = forced.stdout.trim().rsplit(' ').next().expect("a name").to_owned();
    stage.threads(&["restore", "--force", &thread, &back]).assert_code(0);
    fs::remove_file(stage.work().join("mine")).expect("it is back");
    assert_eq!(image(&stage.work()), second);
    // By the turn, and a turn that changed nothing is none.
    let turn = listed[0]["turn"].as_str().expect("a turn").to_owned();
    stage.threads(&["restore", "--force", &thread, &turn]).assert_code(0);
    assert_eq!(image(&stage.work()), first);
    let nothing = stage.threads(&["restore", &thread, "nonsense"]);
    nothing.assert_code(2);
    assert!(nothing.stderr.contains("has no checkpoint `nonsense`"), "{nothing}");
}
