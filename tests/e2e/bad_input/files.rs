//! Files and directories that are named on the command line.

use super::{Case, assert_told, told};
use capstan_tests::capstan::{Capstan, Home};
use capstan_tests::process::command;
use std::fs;
use std::time::Duration;

/// Nothing is waited for.
const AT_ONCE: Duration = Duration::from_secs(20);

#[test]
fn a_workspace_that_cannot_be_used_is_told() {
    let all = told(&[
        Case::of("a missing workspace", "exec -C /no/such --script ok.json hi"),
        Case::of("a workspace that is a file", "exec -C ok.json --script ok.json hi"),
        Case::of("a workspace in no repository", "exec -C / --script ok.json hi").code(1),
        Case::of("a missing directory to write", "exec --add-dir /no/such --script ok.json hi"),
        Case::of("a file for a message, in no directory", "exec --script ok.json -o /no/such/answer hi"),
        Case::of("a directory for a message", "exec --script ok.json -o .git hi"),
        Case::of("a missing token file", "exec --script ok.json --node 127.0.0.1:1 --node-token-file /no/such hi"),
        Case::of("a token file without a token", "exec --script ok.json --node 127.0.0.1:1 --node-token-file ok.json hi"),
    ]);
    insta::assert_snapshot!(all);
}

#[test]
fn an_image_or_schema_that_cannot_be_used_is_told() {
    let all = told(&[
        Case::of("a missing image", "exec --script ok.json hi -i /no/such.png"),
        Case::of("an image that is none", "exec --script ok.json hi -i ok.json"),
        Case::of("an image that is a directory", "exec --script ok.json hi -i .git"),
        Case::of("a prompt behind an image", "exec --script ok.json -i logo.png hi").file("logo.png", b"\x89PNG\r\n\x1a\n"),
        Case::of("an image without an end", "exec --script ok.json hi -i /dev/zero"),
        Case::of("a missing schema", "exec --script ok.json --output-schema /no/such hi"),
        Case::of("a schema without an end", "exec --script ok.json --output-schema /dev/zero hi"),
        Case::of("a schema that is a directory", "exec --script ok.json --output-schema .git hi"),
        Case::of("a schema that is no JSON", "exec --script ok.json --output-schema s.json hi").file("s.json", b"{\"type\": }"),
        Case::of("a schema that is no object", "exec --script ok.json --output-schema s.json hi").file("s.json", b"[1]"),
    ]);
    insta::assert_snapshot!(all);
}

fn script(what: &'static str, text: &'static [u8]) -> Case {
    Case::of(what, "exec --script s.json hi").file("s.json", text)
}

#[test]
fn a_malformed_script_is_told_with_its_place() {
    let all = told(&[
        Case::of("missing", "exec --script /no/such.json hi"),
        Case::of("a directory", "exec --script .git hi"),
        Case::of("a device without an end", "exec --script /dev/zero hi"),
        script("empty", b""),
        script("no text", b"\xff\xfe"),
        script("no object", b"[]"),
        script("cut off", b"{\"version\": 1,\n \"steps\": ["),
        script("another version", b"{\"version\": 2, \"steps\": []}"),
        script("no version", b"{\"steps\": []}"),
        script("no steps", b"{\"version\": 1, \"steps\": []}"),
        script("a misspelt field", b"{\"version\": 1, \"steps\": [{\"answr\": []}]}"),
        script("an empty answer", b"{\"version\": 1, \"steps\": [{\"answer\": []}]}"),
        script("a part that is not known", b"{\"version\": 1, \"steps\": [{\"answer\": [{\"type\": \"shout\"}]}]}"),
        script(
            "arguments of a wrong type",
            b"{\"version\": 1, \"steps\": [{\"answer\": [{\"type\": \"call\", \"id\": \"a\", \"tool\": \"t\", \"arguments\": 7}]}]}",
        ),
        script(
            "an expectation of nothing",
            b"{\"version\": 1, \"steps\": [{\"expect\": [{\"output_of\": \"a\"}], \"answer\": [{\"type\": \"message\", \"text\": \"\"}]}]}",
        ),
        script(
            "a pattern that is none",
            b"{\"version\": 1}\n{\"answer\": [{\"type\": \"call\", \"id\": \"a\", \"tool\": \"t\", \"arguments\": {}}]}\n\
              {\"expect\": [{\"output_of\": \"a\", \"matches\": \"(\"}], \"answer\": [{\"type\": \"message\", \"text\": \"\"}]}",
        ),
    ]);
    insta::assert_snapshot!(all);
}

/// A home with the script `script.json` beside it, which is the working directory.
fn scene() -> Home {
    let home = Home::new();
    crate::scripted::write(home.root(), &[crate::scripted::step([], [crate::scripted::says("done")])]);
    home
}

#[test]
fn a_pipe_in_place_of_a_file_is_not_waited_for() {
    let home = scene();
    let made = command("mkfifo").args(["-m", "600"]).arg(home.root().join("pipe")).status();
    assert!(made.expect("mkfifo can be started").success());
    for line in [
        "--script pipe",
        "--script script.json --output-schema pipe",
        "--script script.json -i pipe",
        "--script script.json --node 127.0.0.1:1 --node-token-file pipe",
    ] {
        let run = Capstan::exec(&home, "hi").args(line.split(' ')).in_dir(home.root()).deadline(AT_ONCE).run();
        run.assert_code(2);
        assert_told(&run);
        assert!(run.stderr.contains("it is not a regular file"), "{line}: {run}");
    }
}

#[test]
fn a_file_that_is_too_long_is_told() {
    let home = scene();
    fs::write(home.root().join("schema.json"), format!("{{}}{}", " ".repeat(1 << 20))).unwrap();
    // Without anything in it, so that it takes no room.
    fs::File::create(home.root().join("long.json")).and_then(|file| file.set_len((64 << 20) + 1)).unwrap();
    for (line, said) in [
        ("--script script.json --output-schema schema.json", "it has more than 1048576 bytes"),
        ("--script long.json", "it has more than 64 MiB"),
    ] {
        let run = Capstan::exec(&home, "hi").args(line.split(' ')).in_dir(home.root()).run();
        run.assert_code(2);
        assert_told(&run);
        assert!(run.stderr.contains(said), "{line}: {run}");
    }
}

#[test]
fn a_home_whose_name_is_no_text_is_refused_instead_of_another_one_used() {
    let home = scene();
    let named = "export CAPSTAN_HOME=$(printf '/x/\\377'); exec \"$0\" \"$@\"";
    let run = Capstan::exec(&home, "hi").args(["--script", "script.json"]).in_dir(home.root());
    let run = run.through(&["sh", "-c", named]).run();
    run.assert_code(2);
    assert_told(&run);
    assert!(run.stderr.starts_with("error: CAPSTAN_HOME is not UTF-8 text\n"), "{run}");
}

#[test]
fn a_directory_to_write_in_a_sandbox_that_writes_nothing_is_warned_of() {
    let home = scene();
    let exec = Capstan::exec(&home, "hi").args(["--script", "script.json", "-s", "read-only", "--add-dir", "/var/tmp"]);
    let run = exec.in_dir(home.root()).run();
    run.assert_code(0);
    let warnings: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert_eq!(warnings, ["warning: --add-dir has no effect in a read-only sandbox; pass -s workspace-write as well"], "{run}");
}
