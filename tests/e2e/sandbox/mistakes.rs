//! What cannot be is refused before anything starts, in one sentence that says what is wrong.

use super::Scene;
use std::fs;
use std::os::unix::fs::symlink;

/// Flags, the exit code, and what is said.
type Mistake<'a> = (&'a [&'a str], i32, &'a str);

const MISTAKES: [Mistake<'_>; 25] = [
    (&["-s", "workspace-write", "-w", "/no/such/place"], 125, "`/no/such/place` cannot be used: No such file"),
    (&["-s", "workspace-write", "-w", "/"], 125, "the writable directory `/` is `/`; choose danger-full-access"),
    (&["-s", "workspace-write", "-C", "/"], 125, "is `/`; choose danger-full-access"),
    (&["-s", "workspace-write", "-w", "/etc/passwd"], 125, "is not a directory"),
    (&["-s", "workspace-write", "-w", "/proc"], 125, "is the kernel's, not data"),
    (&["-r", "/no/such/place"], 125, "`/no/such/place` cannot be used: No such file"),
    (&["-C", "/no/such/place"], 2, "the directory `/no/such/place` of -C cannot be used: there is none"),
    (&["-l", "keep_all=1MiB"], 2, "for a node's sessions only"),
    (&["-w", "/var/tmp"], 2, "`--writable` means nothing with `-s read-only`"),
    (&["-s", "open"], 2, "`open` is not a sandbox mode; use read-only, workspace-write or danger-full-access"),
    (&["-n", "127.1"], 2, "127.1"),
    (&["-n", "http://crates.io"], 2, "http://crates.io"),
    (&["-n", ""], 2, "is not a host name"),
    (&["-l", "colour=1"], 2, "`colour` is not a limit; there are memory, processes, cpu"),
    (&["-l", "memory=much"], 2, "write a number of bytes"),
    (&["-l", "memory=1"], 2, "must be from"),
    (&["-l", "memory"], 2, "write NAME=VALUE"),
    (&["-l", "output=1MiB"], 2, "for a node's sessions only"),
    (&["--level", "strong"], 2, "`strong` is not a sandbox level; use landlock, namespaces or full"),
    (&["--level", "full", "--at-most", "landlock"], 2, "asks for more than"),
    (&["--protect", "../x"], 2, "a relative path without `..`"),
    (&["--proof", "/no/such/place/proof"], 125, "write the proof to `/no/such/place/proof`"),
    (&["--colour", "red"], 2, "`run` does not know `--colour`"),
    (&["-P", "none"], 2, "none"),
    (&["-P", ":read-only", "-s", "read-only"], 2, "exclude each other; leave out one of the two"),
];

#[test]
fn a_mistake_is_told_in_one_sentence_and_nothing_runs() {
    let scene = Scene::new();
    for (flags, code, said) in MISTAKES {
        let run = scene.run(flags, &["touch", "ran"]);
        let sentences: Vec<&str> = run.stderr.lines().filter(|line| !line.starts_with("hint: ")).collect();
        assert!(sentences.len() == 1 && sentences[0].contains(said), "{flags:?}: {run}");
        assert_eq!(run.status.code(), Some(code), "{flags:?}: {run}");
        assert!(run.stdout.is_empty() && !scene.work().join("ran").exists(), "{flags:?}: {run}");
    }
}

#[test]
fn a_command_line_without_a_command_is_a_mistake() {
    let run = Scene::new().run(&["-s", "read-only"], &[]);
    run.assert_code(2);
    assert!(run.stderr.contains("name the command to run, behind `--`"), "{run}");
}

#[test]
fn a_level_that_is_not_reached_is_refused_with_what_is_missing() {
    let scene = Scene::new();
    let file = scene.home.root().join("proof.json").display().to_string();
    // Without the right to make namespaces there is no more than landlock.
    let closed =
        ["unshare", "--user", "--map-root-user", "sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces; exec \"$0\" \"$@\""];
    let flags = ["--level", "namespaces", "--proof", &file];
    let run = scene.sandbox(&flags, &["touch", "ran"]).through(&closed).run();
    run.assert_code(125);
    assert!(run.stderr.contains("the sandbox level namespaces") && run.stderr.contains("is missing"), "{run}");
    assert_eq!(run.stderr.lines().count(), 1, "{run}");
    assert!(!scene.work().join("ran").exists());
    let proof = fs::read_to_string(&file).expect("the proof is there");
    assert!(proof.contains("\"refused\": \"") && proof.contains("the sandbox level namespaces"), "{proof}");
}

#[test]
fn a_link_that_leads_out_of_the_workspace_gives_the_directory_that_it_leads_to_and_no_other() {
    let scene = Scene::new();
    let (outside, beside) = (scene.home.root().join("outside"), scene.home.root().join("beside"));
    for dir in [&outside, &beside] {
        fs::create_dir(dir).expect("a directory can be made");
    }
    symlink(&outside, scene.work().join("link")).expect("a link can be made");
    let write = format!("echo x > link/made; echo x > '{}/made'", beside.display());
    scene.run(&["-s", "workspace-write", "-w", "link"], &["sh", "-c", &write]);
    assert!(outside.join("made").exists() && !beside.join("made").exists());
    fs::remove_file(outside.join("made")).expect("the file is there");
    scene.run(&["-s", "workspace-write"], &["sh", "-c", &write]);
    assert!(!outside.join("made").exists(), "a link of the workspace is no way out of it unless it is named");
}

#[test]
fn help_explains_every_flag() {
    let run = Scene::new().run(&["--help"], &[]);
    run.assert_code(0);
    let flags = "--sandbox --permission-profile --cd --writable --readable --hide --protect --network --env --limit --level --at-most --proof";
    for flag in flags.split(' ') {
        assert!(run.stdout.contains(flag), "{flag}: {run}");
    }
}
