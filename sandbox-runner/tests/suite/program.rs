//! How a program starts and how it ends.

use crate::client::Client;
use crate::session::{Launch, hold, in_child, runner};
use capstan_types::launch::{Refusal, SessionEnd};
use std::os::unix::fs::PermissionsExt;

#[test]
fn an_exit_code_is_the_programs_own() {
    for code in [0, 1, 7, 255] {
        assert_eq!(Launch::shell(&format!("exit {code}")).seen().end, SessionEnd::Exited { code });
        assert_eq!(Launch::shell(&format!("exit {code}")).terminal().seen().end, SessionEnd::Exited { code });
    }
}

#[test]
fn a_program_that_a_signal_ended_did_not_exit() {
    for signal in [6, 9, 15] {
        let script = format!("kill -{signal} $$");
        assert_eq!(Launch::shell(&script).seen().end, SessionEnd::Signalled { signal });
        assert_eq!(Launch::shell(&script).terminal().seen().end, SessionEnd::Signalled { signal });
    }
}

#[test]
fn the_environment_is_what_was_given_and_nothing_else() {
    let text = Launch::new(&["/usr/bin/env"]).env("A", "1").env("EMPTY", "").text();
    assert_eq!(text, "A=1\nEMPTY=\nPATH=/usr/bin:/bin\n");
}

#[test]
fn arguments_arrive_as_they_were_given() {
    let text = Launch::new(&["printf", "[%s]", "a b", "", "*", "ü\n"]).text();
    assert_eq!(text, "[a b][][*][ü\n]");
}

#[test]
fn no_descriptor_of_the_caller_reaches_the_program_or_stays_with_the_holder() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let launch = Launch::shell("ls /proc/self/fd; sleep 1000");
    let (answer, holder) = launch.answer_of(|command| {
        let leaked = std::os::fd::AsRawFd::as_raw_fd(&writer);
        in_child(command, move || leak(leaked, 9));
    });
    assert!(matches!(answer, capstan_types::launch::LaunchAnswer::Started { .. }));
    drop(writer);
    // Ends only when nobody has the writing end any more, while the session runs on.
    std::io::Read::read_to_end(&mut reader, &mut Vec::new()).unwrap();
    // Three, and the directory that is listed.
    assert_eq!(Client::attach(holder.dir.path(), 0).until("3\n"), "0\n1\n2\n3\n");
}

#[test]
fn run_hands_on_the_callers_three_descriptors_and_no_other() {
    let (_reader, writer) = std::io::pipe().unwrap();
    let mut command = runner("run");
    let leaked = std::os::fd::AsRawFd::as_raw_fd(&writer);
    in_child(&mut command, move || leak(leaked, 9));
    let output = command.args(["--", "ls", "/proc/self/fd"]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "0\n1\n2\n3\n");
}

#[test]
fn a_caller_that_ignores_its_children_costs_no_exit_code() {
    let (_answer, holder) = Launch::shell("exit 7").answer_of(|command| in_child(command, ignore_children));
    assert_eq!(Client::attach(holder.dir.path(), 0).read_to_end().end, SessionEnd::Exited { code: 7 });
    let mut command = runner("run");
    in_child(&mut command, ignore_children);
    assert_eq!(command.args(["--", "sh", "-c", "exit 7"]).status().unwrap().code(), Some(7));
}

#[expect(unsafe_code, reason = "std has no signal dispositions")]
fn ignore_children() -> std::io::Result<()> {
    // SAFETY: installs no handler.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    Ok(())
}

#[expect(unsafe_code, reason = "std closes its descriptors at exec, and this test needs one that stays")]
fn leak(fd: i32, number: i32) -> std::io::Result<()> {
    // SAFETY: takes two integers.
    if unsafe { libc::dup2(fd, number) } < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

#[test]
fn signals_masks_and_permissions_for_new_files_start_fresh() {
    let text = Launch::shell("grep -E '^Sig(Blk|Ign):' /proc/self/status; umask").text();
    assert_eq!(text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0022\n");
}

#[test]
fn no_program_leaves_a_core_dump() {
    assert_eq!(Launch::shell("ulimit -c; ulimit -H -c").text(), "0\n0\n");
}

#[test]
fn resource_limits_are_the_sessions_and_cannot_be_raised() {
    let mut launch = Launch::shell("ulimit -n; ulimit -f; ulimit -n 60; ulimit -n; ulimit -n 61 || echo refused");
    launch.spec.limits.open_files = Some(77);
    launch.spec.limits.file_bytes = Some(1024);
    let text = launch.text();
    assert!(text.starts_with("77\n2\n60\n") && text.ends_with("refused\n"), "{text}");
}

#[test]
fn a_program_that_is_not_there_is_an_error_of_the_start() {
    for program in ["no-such-program", "/no/such/program", "./no-such-program"] {
        match Launch::new(&[program]).cwd("/tmp").refused() {
            Refusal::Program { program: named, cwd, reason } => {
                assert_eq!((named.as_str(), cwd.as_str()), (program, "/tmp"));
                assert!(reason.contains("not found"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_program_that_cannot_be_executed_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str, mode: u32| {
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let reason = |path: &str| match Launch::new(&[path]).seeing(dir.path()).refused() {
        Refusal::Program { reason, .. } => reason,
        other => panic!("{other:?}"),
    };
    assert!(reason(&file("plain", "#!/bin/sh\n", 0o644)).contains("not executable"));
    assert!(reason(&file("orphan", "#!/no/such/interpreter\n", 0o755)).contains("interpreter"));
    assert!(reason(&file("text", "neither\n", 0o755)).contains("neither a program"));
    assert!(reason(dir.path().to_str().unwrap()).contains("not executable"));
    assert_eq!(Launch::new(&[&file("script", "#!/bin/sh\necho hi\n", 0o755)]).seeing(dir.path()).text(), "hi\n");
}

#[test]
fn a_working_directory_that_cannot_be_entered_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let closed = dir.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    let launch = |name: &str, argv: &[&str]| Launch::new(argv).seeing(dir.path()).cwd(dir.path().join(name).to_str().unwrap());
    let reason = |name: &str| match launch(name, &["true"]).refused() {
        Refusal::WorkingDirectory { reason, cwd } => {
            assert!(cwd.ends_with(name), "{cwd}");
            reason
        }
        other => panic!("{other:?}"),
    };
    assert!(reason("missing").contains("does not exist"));
    assert!(reason("file").contains("not a directory"));
    // For root as well: the program runs without the power to enter what is closed to its owner.
    assert!(reason("closed").contains("permission denied"));
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(launch("closed", &["pwd"]).text(), format!("{}\n", closed.display()));
}

#[test]
fn a_document_that_cannot_be_read_starts_nothing() {
    let valid = Launch::new(&["true"]);
    let with = |name: &str, value: serde_json::Value| {
        let mut document = serde_json::to_value(&valid.spec).unwrap();
        document[name] = value;
        serde_json::to_vec(&document).unwrap()
    };
    let cases = [
        (b"not json".to_vec(), "expected ident"),
        (Vec::new(), "EOF"),
        (with("version", 99.into()), "install both from one release"),
        (with("argv", serde_json::json!([])), "names no program"),
        (with("argv", serde_json::json!(["a\0b"])), "NUL"),
        (with("env", serde_json::json!({"A=B": "c"})), "name of a variable"),
        (with("cwd", "relative".into()), "not an absolute path"),
        (vec![b' '; (1 << 20) + 1], "longer than"),
    ];
    for (document, said) in cases {
        let (answer, mut process) = hold(&document, |_| {});
        assert!(answer.contains(r#"{"refused":{"document":"#) && answer.contains(said), "{said}: {answer}");
        assert_eq!(process.wait().unwrap().code(), Some(1));
    }
    assert_eq!(std::fs::read_dir(valid.dir.path()).unwrap().count(), 0);
}

#[test]
fn a_directory_that_holds_a_session_takes_no_second_one() {
    let session = Launch::new(&["true"]).start();
    session.end_record();
    let mut second = Launch::new(&["true"]);
    second.spec.dir = crate::session::abs(session.dir());
    assert!(matches!(second.answer_of(|_| {}).0, capstan_types::launch::LaunchAnswer::Refused(Refusal::Host { .. })));
    assert_eq!(session.end_record().end, SessionEnd::Exited { code: 0 });
}
