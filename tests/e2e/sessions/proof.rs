//! What is printed of a session that has ended is held against what its holder left, and what is missing or wrong is found.

use super::{SOON, Stand};
use capstan_tests::capstan::Run;
use capstan_tests::wait;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Numbered lines, more than head and tail keep, and an end when it is told to.
const MUCH: &str = "seq 1000000 1400000; until [ -e go ]; do sleep 0.05; done; exit 3";

/// All that [`MUCH`] writes.
fn written() -> String {
    (1_000_000..=1_400_000).map(|number| format!("{number}\n")).collect()
}

/// The directory of that name somewhere below `dir`.
fn find(dir: &Path, name: &str) -> Option<PathBuf> {
    fs::read_dir(dir)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .find_map(|path| if path.file_name().is_some_and(|found| found == name) { Some(path) } else { find(&path, name) })
}

/// Lets the session end, and gives the directory of its files.
fn ended(stand: &Stand) -> PathBuf {
    stand.touch("go");
    wait::until_true(SOON, "the session's end", || stand.session()["state"] == "ended");
    find(&stand.home.path(), &stand.id()).expect("the session's directory")
}

fn change(file: &Path, at: u64) {
    let file = File::options().read(true).write(true).open(file).expect("the file is there");
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("it is that long");
    file.write_all_at(&[byte[0] ^ 1], at).expect("it can be written");
}

fn assert_says(run: &Run, code: i32, sentences: &[&str]) {
    run.assert_code(code);
    assert!(sentences.iter().all(|sentence| run.stderr.contains(sentence)), "{run}");
}

#[test]
fn logs_find_what_was_changed_and_say_what_holds() {
    let stand = Stand::on_pipes(MUCH);
    let id = stand.id();
    assert_says(&stand.run(["logs", &id, "--verify"]), 1, &["the output cannot be verified: the session runs"]);
    let dir = ended(&stand);
    let whole = stand.run(["logs", &id, "--verify"]);
    assert_says(&whole, 0, &["the session has ended: exit 3\n", "the output is whole and unchanged: its hash is "]);
    assert_says(&stand.run(["logs", &id, "--verify", "--from", "9"]), 1, &["it was read from byte 9 on"]);
    // It is found without having been asked for.
    for file in ["head", "tail"] {
        change(&dir.join(file), 1_000);
        let run = stand.run(["logs", &id]);
        assert_says(&run, 1, &["the session has ended: exit 3\n", "the output is not what the session wrote"]);
        change(&dir.join(file), 1_000);
        stand.run(["logs", &id]).assert_code(0);
    }
    let head = File::options().write(true).open(dir.join("head")).expect("the file is there");
    head.set_len(1 << 19).expect("it can be cut");
    assert_says(&stand.run(["logs", &id]), 1, &["bytes of the output that was kept are missing, from byte "]);
    assert!(!whole.stderr.contains("kept whole"), "{whole}");
    stand.end();
}

#[test]
fn output_that_was_kept_whole_is_printed_whole() {
    let stand = Stand::keeping_all(MUCH);
    let (id, all) = (stand.id(), written());
    wait::until_true(SOON, "all of the output", || stand.session()["output_bytes"] == all.len());
    let running = stand.run(["logs", &id, "--all"]);
    running.assert_code(0);
    assert!(running.stdout == all, "what the session has written so far is not whole");
    let dir = ended(&stand);
    let whole = stand.run(["logs", &id, "--all", "--verify"]);
    let kept = format!("all of its {} bytes were kept whole: their SHA-256 is ", all.len());
    assert_says(&whole, 0, &[&kept, "the output is whole and unchanged"]);
    assert!(whole.stdout == all, "it is not what was written");
    assert!(stand.run(["logs", &id, "--all", "--from", "1500000"]).stdout == all[1_500_000..], "it begins elsewhere");
    // Head and tail are what they always were.
    assert_says(&stand.run(["logs", &id, "--verify"]), 0, &["bytes were not kept: from 1048576 up to", "whole and unchanged"]);
    change(&dir.join("all"), 1_500_000);
    assert_says(&stand.run(["logs", &id, "--all"]), 1, &["the output is not what the session wrote"]);
    stand.end();
}
