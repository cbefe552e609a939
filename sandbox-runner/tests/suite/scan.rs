//! The `scan` verb: what is protected below directories, and what has come to be there since.

use crate::session::runner;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Output, Stdio};

fn scan(args: &[&str]) -> Output {
    runner("scan").args(args).output().unwrap()
}

fn found(args: &[&str]) -> Value {
    let output = scan(args);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn tree(places: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    places.iter().for_each(|place| fs::create_dir_all(dir.path().join(place)).unwrap());
    dir
}

#[test]
fn protected_names_are_listed_with_those_that_were_named() {
    let dir = tree(&["a/.codex", "b/guarded", "c"]);
    let root = dir.path().to_str().unwrap();
    let at = |place: &str| json!(dir.path().join(place));
    assert_eq!(found(&[root]), json!({"found": [at("a/.codex")], "exhausted": false, "refused": []}));
    let mut both = found(&["--protect", "guarded", root])["found"].as_array().unwrap().clone();
    both.sort_by_key(Value::to_string);
    assert_eq!(both, [at("a/.codex"), at("b/guarded")]);
}

#[test]
fn what_has_come_to_be_since_a_time_is_renamed_and_what_was_there_is_not() {
    let dir = tree(&["old/.codex"]);
    let root = dir.path().to_str().unwrap();
    let changed = |place: &Path| {
        use std::os::unix::fs::MetadataExt;
        let found = fs::symlink_metadata(place).unwrap();
        i128::from(found.ctime()) * 1_000_000_000 + i128::from(found.ctime_nsec())
    };
    let after = |place: &Path| {
        // Until the clock of the file system has gone on, a new file would be as old as the last.
        let next = place.with_extension("next");
        crate::session::wait_until("the clock goes on", || {
            fs::write(&next, "").unwrap();
            changed(&next) > changed(place)
        });
        changed(&next).to_string()
    };
    let since = after(&dir.path().join("old/.codex"));
    assert_eq!(found(&["--since", &since, root])["refused"], json!([]));
    fs::create_dir_all(dir.path().join("new/.codex")).unwrap();
    let report = found(&["--since", &since, root]);
    assert!(report["refused"][0]["act"].as_str().unwrap().contains("new/.codex"), "{report}");
    assert!(dir.path().join("new/.codex.untrusted").is_dir() && dir.path().join("old/.codex").is_dir());
}

#[test]
fn a_line_that_names_nothing_to_scan_is_one_sentence_and_exit_code_2() {
    for (args, said) in [
        (&[][..], "name the directories"),
        (&["work"], "not the absolute path"),
        (&["--protect"], "needs a relative path"),
        (&["--since", "yesterday", "/tmp"], "needs a number"),
    ] {
        let output = scan(args);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), told.lines().count()), (Some(2), 1), "{args:?}");
        assert!(told.contains(said), "{args:?}: {told}");
    }
}

#[test]
fn one_that_stays_answers_each_line_by_what_is_there_by_then() {
    let dir = tree(&["a/.codex"]);
    let root = dir.path().to_str().unwrap();
    let at = |place: &str| json!(dir.path().join(place));
    let mut scanner = runner("scan").arg("--stay").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut orders, answers) = (scanner.stdin.take().unwrap(), BufReader::new(scanner.stdout.take().unwrap()));
    let mut answers = answers.lines().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let mut ask = |line: &str| {
        writeln!(orders, "{line}").unwrap();
        answers.next().unwrap()
    };
    let plain = json!([root]).to_string();
    assert_eq!(ask(&plain)["found"], json!([at("a/.codex")]));
    for senseless in ["", "7", "[]", r#"["relative"]"#, r#"["--since","x","/"]"#] {
        assert!(ask(senseless)["misuse"].is_string(), "{senseless}");
    }
    fs::create_dir(dir.path().join(".codex")).unwrap();
    let swept = ask(&json!(["--since", "0", root]).to_string());
    assert_eq!((&swept["found"], swept["refused"].as_array().unwrap().len()), (&json!([]), 2));
    assert_eq!(ask(&plain)["found"], json!([]));
    drop(orders);
    assert!(scanner.wait().unwrap().success());
}
