//! What an ordinary user may not do: root may do everything, so these tests give root's rights away first.

use super::case::{assert_told, lay_out, programs_for_all};
use capstan_tests::capstan::{Capstan, Home, Run};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

/// What makes a command an ordinary user's, when it is root who tests; nothing otherwise.
pub(crate) fn as_ordinary_user() -> &'static [&'static str] {
    if am_root() { &["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"] } else { &[] }
}

/// Whether root runs the tests.
pub(crate) fn am_root() -> bool {
    capstan_tests::process::command("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

/// Runs `capstan` as an ordinary user in the working directory of a case.
fn run(home: &Home, arguments: &[&str], capstan_home: &str) -> Run {
    fs::set_permissions(home.root(), Permissions::from_mode(0o755)).expect("the directory is ours");
    let program = programs_for_all(home.root());
    let capstan = Capstan::new(home).program(&program).args(arguments.iter().copied()).in_dir(&home.root().join("repo"));
    let capstan = capstan.env("CAPSTAN_HOME", &format!("{}/{capstan_home}", home.root().display()));
    let words = as_ordinary_user();
    let run = if words.is_empty() { capstan.run() } else { capstan.through(words).run() };
    assert_told(&run);
    run
}

fn told(run: &Run, home: &Home) -> String {
    run.assert_code(2);
    run.stderr.replace(&home.root().display().to_string(), "[ROOT]")
}

#[test]
fn a_home_that_may_not_be_made_is_told() {
    let home = Home::new();
    lay_out(&home, &home.root().join("repo"), &[]);
    fs::create_dir(home.root().join("closed")).expect("a directory can be made");
    fs::set_permissions(home.root().join("closed"), Permissions::from_mode(0o555)).expect("the directory is ours");
    let run = run(&home, &["exec", "--script", "ok.json", "--skip-git-repo-check", "hi"], "closed/home");
    let said = told(&run, &home);
    insta::assert_snapshot!(said);
    assert_eq!(home.root().join("closed").read_dir().expect("the directory can be listed").count(), 0);
}

#[test]
fn a_home_that_may_not_be_entered_is_told() {
    let home = Home::new();
    lay_out(&home, &home.root().join("repo"), &[]);
    fs::create_dir(home.root().join("closed")).expect("a directory can be made");
    fs::set_permissions(home.root().join("closed"), Permissions::from_mode(0o000)).expect("the directory is ours");
    let run = run(&home, &["exec", "--script", "ok.json", "--skip-git-repo-check", "hi"], "closed");
    let said = told(&run, &home);
    insta::assert_snapshot!(said);
}

#[test]
fn files_that_may_not_be_read_are_told() {
    let home = Home::new();
    let work = home.root().join("repo");
    lay_out(&home, &work, &[("logo.png", b"\x89PNG\r\n\x1a\n"), ("closed.json", b"{}")]);
    for name in ["logo.png", "closed.json"] {
        fs::set_permissions(work.join(name), Permissions::from_mode(0o000)).expect("the file is ours");
    }
    fs::create_dir(home.root().join("theirs")).expect("a directory can be made");
    fs::set_permissions(home.root().join("theirs"), Permissions::from_mode(0o777)).expect("the directory is ours");
    let mut all = String::new();
    for line in ["--script ok.json hi -i logo.png", "--script closed.json hi", "--script ok.json --output-schema closed.json hi"]
    {
        let _ = fs::remove_dir_all(home.root().join("bin"));
        let arguments: Vec<&str> = ["exec", "--skip-git-repo-check"].into_iter().chain(line.split(' ')).collect();
        let run = run(&home, &arguments, "theirs/home");
        all += &format!("$ capstan exec {line}\n{}\n", told(&run, &home));
    }
    insta::assert_snapshot!(all);
}
