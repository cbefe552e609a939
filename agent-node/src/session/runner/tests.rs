//! Tests of the runner's client against runners that misbehave.

use super::*;
use capstan_types::control;
use capstan_types::id::SessionId;
use capstan_types::launch::Stdio as Wiring;
use capstan_types::limits::SessionLimits;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;

/// A shell script in the place of the runner.
fn runner(script: &str) -> Runner {
    Runner::new(RunnerPath { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()] })
}

fn spec() -> LaunchSpec {
    let root = AbsPath::new("/").unwrap();
    LaunchSpec {
        version: control::VERSION,
        session: SessionId::generate(),
        dir: root.clone(),
        argv: vec!["true".into()],
        cwd: root,
        env: [].into(),
        stdio: Wiring::PipesNoInput,
        policy: SandboxPolicy::read_only(),
        limits: SessionLimits::default(),
        root_allowed: true,
        protected: None,
        strongest: None,
        disk_reserve: 0,
    }
}

#[tokio::test]
async fn a_runner_that_dies_without_an_answer_is_quoted_and_its_deed_is_unknown() {
    let died = runner("echo boom >&2; exit 3").launch(&spec()).await.unwrap_err();
    assert_eq!(died, LaunchError::Unknown("the runner died without an answer; it said: boom".into()));
}

#[tokio::test]
async fn a_runner_that_does_not_answer_is_ended_even_if_it_does_not_listen() {
    let dir = tempfile::tempdir().unwrap();
    let told = dir.path().join("pid");
    let script = format!("echo $$ >{0}.new; mv {0}.new {0}; trap '' TERM; while :; do sleep 0.1; done", told.display());
    let silent = Runner { deadline: Duration::from_secs(1), ..runner(&script) };
    let late = silent.launch(&spec()).await.unwrap_err();
    assert_eq!(late, LaunchError::Unknown("the runner did not answer within 1000 ms, and was ended".into()));
    let stat = format!("/proc/{}/stat", std::fs::read_to_string(told).unwrap().trim());
    let lives = || std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while lives() {
        assert!(std::time::Instant::now() < deadline, "the runner lives on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_refusal_is_taken_from_a_runner_that_ends_by_itself() {
    let refusing = runner(r#"echo '{"refused":{"policy":{"reason":"no"}}}'; exit 1"#);
    let refused = refusing.launch(&spec()).await.unwrap_err();
    assert_eq!(refused, LaunchError::Refused(Refusal::Policy { reason: "no".into() }));
}

#[tokio::test]
async fn the_runner_is_given_nothing_of_the_nodes_environment() {
    let telling = runner("export -p >&2; exit 1").launch(&spec()).await.unwrap_err();
    let LaunchError::Unknown(said) = telling else { panic!("{telling:?}") };
    assert!(said.contains("PWD") && !said.contains("CARGO") && !said.contains("HOME"), "{said}");
}

#[tokio::test]
async fn a_verb_is_run_behind_the_leading_arguments() {
    let path = RunnerPath { program: "/opt/capstan".into(), args: vec!["sandbox".into()] };
    assert_eq!(Runner::new(path).verb_argv("patch"), ["/opt/capstan", "sandbox", "patch"]);
    let telling = runner("echo \"asked to $0\" >&2; exit 1").launch(&spec()).await.unwrap_err();
    assert_eq!(telling, LaunchError::Unknown("the runner died without an answer; it said: asked to hold".into()));
}

/// A scanner that says how often one was started, and for what it was asked.
fn scanning(dir: &tempfile::TempDir, stays: &str) -> Runner {
    let script = format!("cd {}; echo \"$0 $@\" >>starts; {stays}", dir.path().display());
    runner(&script).with_scanner()
}

fn starts(dir: &tempfile::TempDir) -> Vec<String> {
    std::fs::read_to_string(dir.path().join("starts")).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn looks_are_taken_by_one_process_that_stays_and_goes_when_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let runner = scanning(&dir, r#"while read -r line; do echo "$line" >>asked; echo '{"found":["/x"]}'; done; echo >gone"#);
    for root in ["/a", "/b"] {
        let scan = runner.scan(&AbsPath::new(root).unwrap(), &["n".to_owned()], Some(UNIX_EPOCH)).await.unwrap();
        assert_eq!(scan.found, [AbsPath::new("/x").unwrap()]);
    }
    runner.stop().await;
    assert_eq!(starts(&dir), ["scan --stay"]);
    let asked = std::fs::read_to_string(dir.path().join("asked")).unwrap();
    assert_eq!(asked, "[\"--protect\",\"n\",\"--since\",\"0\",\"/a\"]\n[\"--protect\",\"n\",\"--since\",\"0\",\"/b\"]\n");
    assert!(dir.path().join("gone").exists());
}

#[tokio::test]
async fn a_scanner_that_dies_is_replaced_and_the_look_is_taken_without_it() {
    let dir = tempfile::tempdir().unwrap();
    let runner = scanning(&dir, r#"test "$1" = --stay || echo '{"found":[]}'"#);
    for _ in 0..2 {
        assert!(runner.scan(&AbsPath::new("/a").unwrap(), &[], None).await.unwrap().found.is_empty());
    }
    assert_eq!(starts(&dir), ["scan --stay", "scan /a", "scan --stay", "scan /a"]);
}
