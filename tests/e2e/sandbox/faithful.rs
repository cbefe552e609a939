//! A command in the sandbox is to its caller what it is without: its exit code, its signals, every byte of its streams.

use super::Scene;
use capstan_tests::capstan::{Capstan, binary};
use capstan_tests::process::{Signal, mentioning};
use capstan_tests::wait;
use std::fs;
use std::time::Duration;

const GONE_WITHIN: Duration = Duration::from_secs(10);

#[test]
fn every_exit_code_is_the_commands() {
    let scene = Scene::new();
    for code in (0..=255).step_by(17).chain([1, 2, 100, 125, 126, 127, 128, 137, 143, 254]) {
        scene.run(&[], &["sh", "-c", &format!("exit {code}")]).assert_code(code);
    }
}

#[test]
fn a_signal_that_ends_the_command_is_told_as_a_shell_tells_it() {
    let scene = Scene::new();
    for signal in [1, 2, 6, 9, 11, 13, 15] {
        scene.run(&[], &["sh", "-c", &format!("kill -{signal} $$")]).assert_code(128 + signal);
    }
}

#[test]
fn a_program_that_is_not_there_or_cannot_be_executed_has_its_own_code() {
    let scene = Scene::new();
    for (program, code) in [("/no/such/program", 127), ("no-such-program", 127), ("/etc/passwd", 126)] {
        let run = scene.run(&[], &[program]);
        run.assert_code(code);
        assert!(run.stderr.contains(program) && run.stderr.lines().count() == 1, "{run}");
    }
}

#[test]
fn every_byte_passes_through_both_ways() {
    let scene = Scene::new();
    let bytes: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let out = scene.home.root().join("out");
    let redirect = format!("exec \"$0\" \"$@\" > '{}'", out.display());
    let cat = Capstan::new(&scene.home).program(&binary("capstan")).args(["sandbox", "--", "cat"]).in_dir(&scene.work());
    let run = cat.through(&["sh", "-c", &redirect]).stdin(bytes.clone()).run();
    run.assert_code(0);
    assert!(fs::read(out).expect("the output is there") == bytes, "{run}");
}

#[test]
fn the_two_outputs_stay_apart_and_an_empty_input_ends_at_once() {
    let run = Scene::new().run(&[], &["sh", "-c", "cat; echo out; echo err >&2"]);
    run.assert_code(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("out\n", "err\n"));
}

#[test]
fn a_request_to_terminate_reaches_the_command_which_may_end_as_it_likes() {
    let scene = Scene::new();
    let script = "trap 'echo caught; exit 7' TERM; echo '{\"ready\":1}'; while :; do sleep 0.05; done";
    let running = scene.sandbox(&[], &["sh", "-c", script]).start();
    running.until_line("the command runs", |line| line["ready"] == 1);
    running.send(Signal::Terminate);
    let run = running.wait();
    run.assert_code(7);
    assert!(run.stdout.ends_with("caught\n"), "{run}");
}

#[test]
fn what_the_command_left_running_ends_with_it() {
    let run = Scene::new().run(&[], &["sh", "-c", "setsid sleep 71.0003211 & sleep 71.0003211 & echo left"]);
    run.assert_code(0);
    assert_eq!(run.stdout, "left\n");
    assert!(mentioning("71.0003211").is_empty(), "{:#?}", mentioning("71.0003211"));
}

#[test]
fn a_sandbox_that_is_killed_leaves_nothing() {
    let scene = Scene::new();
    let script = "trap '' TERM HUP INT; setsid sleep 71.0003212 & echo '{\"ready\":1}'; sleep 71.0003212";
    let running = scene.sandbox(&["-s", "workspace-write"], &["sh", "-c", script]).start();
    running.until_line("the command runs", |line| line["ready"] == 1);
    assert!(!mentioning("71.0003212").is_empty());
    let _ = running.crash();
    let left = || mentioning("71.0003212");
    wait::until_true(GONE_WITHIN, "no process left", || left().is_empty());
}
