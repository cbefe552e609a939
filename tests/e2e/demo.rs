//! `capstan demo` and `capstan doctor`: the first commands of a newcomer.

mod doctor;
mod ordinary_user;
mod shown;

use capstan_tests::capstan::{Capstan, Home, Run};
use capstan_tests::{process, wait};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// What the test prints when it passes.
const GREEN: &str = "all 5 checks pass";

/// Runs `capstan demo` with a directory of its own for temporary files, and shows that it left nothing in it and no process.
fn demo(home: &Home, prepare: impl FnOnce(Capstan) -> Capstan) -> Run {
    let temporary = temporary(home);
    fs::create_dir_all(&temporary).expect("a directory can be made");
    let capstan = Capstan::new(home).arg("demo").env("TMPDIR", &temporary.display().to_string());
    let run = prepare(capstan).run();
    run.assert_code(0);
    assert_left_nothing(home, &run);
    run
}

fn temporary(home: &Home) -> PathBuf {
    home.root().join("tmp")
}

fn assert_left_nothing(home: &Home, run: &Run) {
    let left: Vec<_> = temporary(home).read_dir().expect("the directory is there").flatten().map(|entry| entry.path()).collect();
    assert!(left.is_empty(), "{left:?}\n{run}");
    let left = || process::at(home.root());
    wait::until_true(Duration::from_secs(10), &format!("no process left; now {:#?}", left()), || left().is_empty());
}
