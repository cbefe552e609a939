//! Control groups: what is made for a session, and that nothing of it stays.

use crate::bounded::{groups_of, need_cgroups, without_cgroups};
use crate::session::{AT_FULL, Launch, runner, send, wait_until};
use capstan_types::launch::{LaunchAnswer, SessionEnd};
use capstan_types::time::Millis;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

#[test]
fn a_session_is_in_its_groups_from_its_first_instruction_and_they_go_with_it() {
    let mut launch = Launch::shell("cat /proc/self/cgroup");
    launch.spec.limits.cpu_millis = Some(900);
    launch.spec.limits.cpu_time = Some(Millis(60_000));
    let session = launch.start();
    need_cgroups(&session.enforced);
    let seen = session.attach(0).read_to_end();
    let holder = session.holder.process.id();
    for controller in ["memory", "pids", "cpu"] {
        let line = seen
            .text()
            .lines()
            .find(|line| line.contains(&format!(":{controller}:")) || line.starts_with("0::"))
            .unwrap()
            .to_owned();
        assert!(line.contains("/capstan-") && line.contains(&format!("-{holder}-")), "{line}");
    }
    wait_until("the removal of the groups", || groups_of(holder).is_empty());
}

#[test]
fn a_launch_that_fails_leaves_no_group() {
    let (answer, mut holder) = Launch::new(&["/no/such/program"]).answer_of(|_| {});
    assert!(matches!(answer, LaunchAnswer::Refused(_)));
    let number = holder.process.id();
    wait_until("the holder's end", || holder.process.has_gone());
    assert_eq!(groups_of(number), Vec::<PathBuf>::new());
}

#[test]
fn what_a_killed_holder_left_is_swept_by_the_probe_and_by_the_next_session() {
    let sweeps: [&dyn Fn(); 2] = [&|| assert!(runner("probe").output().unwrap().status.success()), &|| {
        let next = Launch::new(&["true"]).start();
        next.end_record();
        next.release();
    }];
    for sweep in sweeps {
        let session = Launch::shell("echo ready; sleep 1000 & sleep 1000").start();
        need_cgroups(&session.enforced);
        session.attach(0).until("ready\n");
        let holder = session.holder.process.id();
        assert_ne!(groups_of(holder), Vec::<PathBuf>::new());
        assert_eq!(send(holder, libc::SIGKILL), 0);
        drop(session);
        wait_until("the sweeping of the groups", || {
            sweep();
            groups_of(holder).is_empty()
        });
    }
}

#[test]
fn the_proof_says_by_what_each_limit_is_held() {
    let launch = || {
        let mut launch = Launch::new(&["true"]);
        launch.spec.limits.cpu_time = Some(Millis(60_000));
        launch.spec.limits.written = Some(1 << 30);
        launch
    };
    let session = launch().start();
    need_cgroups(&session.enforced);
    let said = |name: &str, limits: &[String]| limits.iter().find(|limit| limit.starts_with(name)).cloned().unwrap();
    for (name, start) in [
        ("memory", "memory=3221225472 (cgroup v"),
        ("processes", "processes=1024 (cgroup v"),
        ("cpu_time", "cpu_time_ms=60000 (cgroup v"),
    ] {
        assert!(said(name, &session.enforced.limits).starts_with(start), "{:?}", session.enforced.limits);
    }
    let below: &[&str] = if AT_FULL { &[] } else { &["namespaces: no more than landlock was asked for"] };
    assert_eq!(session.enforced.missing, below);

    let (answer, _holder) = launch().answer_of(without_cgroups);
    let LaunchAnswer::Started { enforced, .. } = answer else { panic!("{answer:?}") };
    for expected in
        ["memory=3221225472 (rlimit and watch)", "cpu_time_ms=60000 (watch)", "written=1073741824 (watch)", "core=0 (rlimit)"]
    {
        assert!(enforced.limits.iter().any(|limit| limit == expected), "{expected}: {:?}", enforced.limits);
    }
    assert!(enforced.missing.iter().any(|missing| missing.starts_with("memory of the whole tree")), "{:?}", enforced.missing);
}

#[test]
fn an_ordinary_user_without_delegated_groups_is_bounded_by_other_means() {
    assert!(crate::bounded::am_root(), "this test becomes another user, which only root may do: run it as root");
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let mut launch = Launch::new(&["true"]);
    launch.spec.limits.memory = Some(1 << 30);
    std::os::unix::fs::chown(launch.dir.path(), Some(65534), Some(65534)).unwrap();
    let runner = dir.path().join("runner");
    std::fs::copy(env!("CARGO_BIN_EXE_capstan-sandbox"), &runner).unwrap();
    std::os::unix::fs::chown(dir.path(), Some(65534), Some(65534)).unwrap();
    let (answer, holder) = launch.answer_of(|command| {
        *command = other_user(&runner);
    });
    let LaunchAnswer::Started { enforced, .. } = answer else { panic!("{answer:?}") };
    assert!(enforced.limits.iter().all(|limit| !limit.contains("cgroup")), "{:?}", enforced.limits);
    let record = holder.dir.path().join("end.json");
    wait_until("the end record", || record.exists());
    let record: capstan_types::launch::EndRecord = serde_json::from_slice(&std::fs::read(record).unwrap()).unwrap();
    assert_eq!(record.end, SessionEnd::Exited { code: 0 });
}

#[expect(clippy::disallowed_methods, reason = "the subject of these tests is a process")]
fn other_user(runner: &std::path::Path) -> Command {
    let mut command = Command::new(runner);
    command.arg("hold").stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).uid(65534).gid(65534);
    command
}
