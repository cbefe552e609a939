//! Tests of the index against runners that are shell scripts.

use super::*;
use crate::config::RunnerPath;
use tempfile::TempDir;

fn path(text: &str) -> AbsPath {
    AbsPath::new(text).unwrap()
}

/// An index whose looks write a line each to the file `looks`, and answer with the file `list`.
fn index(dir: &TempDir, script: &str) -> Protected {
    let script = format!("cd {}; echo \"$@\" >>looks; {script}", dir.path().display());
    let runner = Runner::new(RunnerPath { program: "/bin/sh".into(), args: vec!["-c".into(), script] });
    Protected::new(runner, path("/state"), path("/state/workspaces"))
}

fn list(dir: &TempDir, found: &str) {
    let whole = format!(r#"{{"found":{found},"exhausted":false,"more":1}}"#);
    std::fs::write(dir.path().join("new"), whole).unwrap();
    std::fs::rename(dir.path().join("new"), dir.path().join("list")).unwrap();
}

fn looks(dir: &TempDir) -> Vec<String> {
    std::fs::read_to_string(dir.path().join("looks")).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn write(root: &str) -> SandboxPolicy {
    SandboxPolicy::workspace_write(vec![path(root)])
}

#[tokio::test]
async fn a_launch_is_told_what_was_found_after_the_last_session_that_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let index = index(&dir, "sleep 0.1; cat list");
    list(&dir, r#"["/w/a/.git"]"#);
    let known = |places: &[&str]| Known { places: Some(places.iter().map(|place| path(place)).collect()), gap: None };
    assert_eq!(index.below(&write("/w")).await, known(&["/w/a/.git"]));
    assert_eq!(index.below(&write("/w")).await, known(&["/w/a/.git"]));
    assert_eq!(looks(&dir), ["/w"], "what is fresh is not looked for again");
    let sessions: Vec<_> = (0..10).map(|_| index.writes(&write("/w/sub"))).collect();
    list(&dir, r#"["/w/a/.git","/w/b/.git"]"#);
    sessions.iter().for_each(Writes::over);
    assert_eq!(index.below(&write("/w")).await, known(&["/w/a/.git", "/w/b/.git"]));
    drop(sessions);
    assert!((2..=3).contains(&looks(&dir).len()), "ten ends of sessions are one look, or two: {:?}", looks(&dir));
}

#[tokio::test]
async fn what_a_look_that_failed_was_to_judge_is_judged_by_the_next_though_nobody_asks() {
    let dir = tempfile::tempdir().unwrap();
    let index = index(&dir, "[ -e list ] && cat list");
    assert_eq!(index.below(&write("/w")).await.places, None);
    index.writes(&write("/w")).over();
    let judging = || looks(&dir).into_iter().filter(|look| look.contains("--since")).collect::<Vec<_>>();
    let soon = async |count| {
        let all = async {
            while judging().len() < count {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), all).await.unwrap();
    };
    soon(1).await;
    list(&dir, "[]");
    soon(2).await;
    let judged = judging();
    assert_eq!(judged[0], judged[1], "the second look judges something else than the first");
}

#[tokio::test]
async fn further_names_are_looked_for_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let index = index(&dir, "cat list");
    list(&dir, "[]");
    let policy = SandboxPolicy { protected: vec!["x.lock".into(), ".env".into()], ..write("/w") };
    assert_eq!(index.below(&policy).await.places, Some(Vec::new()));
    assert_eq!(looks(&dir), ["--protect x.lock --protect .env /w"]);
}

#[tokio::test]
async fn the_nodes_own_and_private_directories_are_not_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let index = index(&dir, "cat list");
    let policy = SandboxPolicy::workspace_write(["/tmp", "/dev/shm", "/state/scratch/x"].map(path).to_vec());
    assert_eq!(index.below(&policy).await.places, Some(Vec::new()));
    assert_eq!(index.below(&SandboxPolicy::read_only()).await, Known::default());
    assert_eq!(looks(&dir), Vec::<String>::new());
}

#[tokio::test]
async fn without_a_list_the_runner_looks_for_itself() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(index(&dir, "exit 2").below(&write("/w")).await, Known::default());
    let begun = Instant::now();
    assert_eq!(index(&dir, "exec sleep 1000").below(&write("/w")).await, Known::default());
    assert!((PATIENCE..PATIENCE * 4).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn what_was_not_looked_at_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let index = index(&dir, r#"echo '{"found":["/w/.git"],"exhausted":true}'"#);
    assert_eq!(index.below(&write("/w")).await, Known { places: Some(vec![path("/w/.git")]), gap: Some(GAP.to_owned()) });
}

#[tokio::test]
async fn directories_that_no_session_writes_to_make_room_for_others() {
    let dir = tempfile::tempdir().unwrap();
    let index = index(&dir, "echo '{\"found\":[]}'");
    let held = index.root(&(path("/held"), Vec::new())).unwrap();
    for number in 0..MOST_ROOTS + 5 {
        index.root(&(path(&format!("/r{number}")), Vec::new())).unwrap();
    }
    assert_eq!(index.lock().len(), MOST_ROOTS);
    assert!(index.lock().values().any(|root| Arc::ptr_eq(root, &held)));
}
