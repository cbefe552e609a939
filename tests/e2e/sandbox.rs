//! `capstan sandbox`: a command of the user's own, with the user's own environment, but without Capstan's home.

use capstan_tests::capstan::{Capstan, Home, Run};
use std::fs;

const SECRET: &str = "a whole conversation";

fn scene() -> Home {
    let home = Home::new();
    fs::write(home.path().join("capstan.db"), SECRET).expect("a file can be written");
    fs::create_dir(home.root().join("work")).expect("a directory can be made");
    home
}

fn sandboxed(home: &Home, flags: &[&str], command: &[&str]) -> Run {
    let words = [&["sandbox"], flags, &["--"], command].concat();
    Capstan::new(home).args(words).in_dir(&home.root().join("work")).env("OWN_VARIABLE", "inherited").run()
}

#[test]
fn a_command_cannot_read_the_home_and_has_the_whole_environment() {
    let home = scene();
    let store = home.path().join("capstan.db").display().to_string();
    for flags in [&[][..], &["-s", "read-only"], &["-s", "workspace-write"], &["run", "-s", "read-only"]] {
        let run = sandboxed(&home, flags, &["sh", "-c", "echo $OWN_VARIABLE; cat \"$0\"; echo \"code $?\"", &store]);
        run.assert_code(0);
        assert_eq!(run.stdout, "inherited\ncode 1\n", "{flags:?}: {run}");
        assert!(run.stderr.contains("Permission denied"), "{flags:?}: {run}");
    }
    let run = sandboxed(&home, &["-s", "danger-full-access"], &["cat", &store]);
    assert_eq!(run.stdout, SECRET, "{run}");
}

#[test]
fn the_home_below_the_users_directory_is_hidden_as_well() {
    let home = scene();
    let below = home.user_dir().join(".capstan");
    fs::create_dir_all(&below).unwrap();
    fs::write(below.join("capstan.db"), SECRET).unwrap();
    let store = below.join("capstan.db").display().to_string();
    let run = Capstan::new(&home).args(["sandbox", "--", "cat", &store]).env("CAPSTAN_HOME", "").run();
    run.assert_code(1);
    assert_eq!(run.stdout, "", "{run}");
}

#[test]
fn a_home_that_does_not_exist_yet_is_no_hindrance() {
    let home = scene();
    let run = Capstan::new(&home).args(["sandbox", "--", "true"]).env("CAPSTAN_HOME", "/no/such/home").run();
    run.assert_code(0);
}

#[test]
fn a_directory_to_write_that_holds_the_home_is_refused_in_one_sentence() {
    let home = scene();
    let root = home.root().display().to_string();
    let run = sandboxed(&home, &["-s", "workspace-write", "--writable", &root], &["true"]);
    run.assert_code(125);
    let hidden = home.path().display().to_string();
    let expected = format!("the writable directory `{root}` holds `{hidden}`, which must stay hidden (CAPSTAN_HOME is");
    assert!(run.stderr.contains(&expected) && run.stderr.lines().count() == 1, "{run}");
}
