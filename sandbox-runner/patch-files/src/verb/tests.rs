use super::*;
use capstan_types::item::FileChangeKind;
use capstan_types::path::AbsPath;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn workspace(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
        fs::write(dir.path().join(name), content).unwrap();
    }
    dir
}

fn patched(dir: &Path, body: &str) -> PatchResult {
    let patch = format!("*** Begin Patch\n{body}\n*** End Patch\n");
    result_of(&PatchDocument { cwd: AbsPath::new(dir).unwrap(), patch, undo_only: false })
}

fn refusal(dir: &Path, body: &str) -> String {
    match patched(dir, body) {
        PatchResult::Refused(reason) => reason,
        PatchResult::Applied(changes) => panic!("applied: {changes:?}"),
    }
}

/// Every file below `dir` with its content, and every directory.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            found.extend(snapshot(&path));
            found.insert(path, None);
        } else {
            found.insert(path.clone(), Some(fs::read(&path).unwrap_or_default()));
        }
    }
    found
}

#[test]
fn files_are_added_changed_moved_and_deleted_together() {
    let dir = workspace(&[("change", "one\ntwo\n"), ("go", "x\n"), ("move", "a\nb\n")]);
    let body = "*** Add File: new/deep/file\n+hello\n*** Update File: change\n-one\n+1\n*** Delete File: go\n\
                *** Update File: move\n*** Move to: moved/here\n-a\n+A";
    let kind = |path: &str, kind| FileChange { path: path.into(), kind };
    assert_eq!(
        patched(dir.path(), body),
        PatchResult::Applied(vec![
            kind("new/deep/file", FileChangeKind::Add),
            kind("change", FileChangeKind::Update { moved_to: None }),
            kind("go", FileChangeKind::Delete),
            kind("move", FileChangeKind::Update { moved_to: Some("moved/here".into()) }),
        ])
    );
    let at = |name: &str| dir.path().join(name);
    let file = |name: &str, content: &str| (at(name), Some(content.as_bytes().to_vec()));
    let expected = BTreeMap::from([
        (at("moved"), None),
        (at("new"), None),
        (at("new/deep"), None),
        file("new/deep/file", "hello\n"),
        file("change", "1\ntwo\n"),
        file("moved/here", "A\nb\n"),
    ]);
    assert_eq!(snapshot(dir.path()), expected);
}

#[test]
fn one_hunk_that_cannot_be_applied_stops_all_and_says_which() {
    let dir = workspace(&[("a", "one\n"), ("b", "two\n"), ("d/x", "")]);
    let before = snapshot(dir.path());
    let good = "*** Update File: a\n-one\n+1\n*** Add File: new/file\n+x\n";
    for (bad, said) in [
        ("*** Update File: b\n-nothing\n+2", "`b`"),
        ("*** Update File: missing\n-x\n+y", "`missing` does not exist"),
        ("*** Delete File: missing", "`missing` does not exist"),
        ("*** Delete File: d", "a directory"),
        ("*** Add File: b\n+x", "exists already"),
        ("*** Update File: d/x\n*** Move to: b\n+x", "exists already"),
        ("*** Update File: d\n-x\n+y", "no regular file"),
        ("*** Add File: b/below\n+x", "`b/below` cannot be made"),
    ] {
        let reason = refusal(dir.path(), &format!("{good}{bad}"));
        assert!(reason.contains(said), "{bad}: {reason}");
        assert_eq!(snapshot(dir.path()), before, "{bad}");
    }
}

#[test]
fn a_failure_in_the_middle_undoes_what_was_done() {
    let dir = workspace(&[("a", "one\n"), ("b", "two\n"), ("c", "three\n")]);
    let before = snapshot(dir.path());
    let text = "*** Begin Patch\n*** Update File: a\n-one\n+1\n*** Delete File: b\n*** Add File: new/dir/file\n+x\n*** Update File: c\n-three\n+3\n*** End Patch";
    let patch = patch::parse(text).unwrap();
    for broken in ["a", "b", "c"] {
        // The plan is made, and then somebody else takes a file away.
        let changes = plan::plan(dir.path(), &patch.hunks, None).unwrap();
        let (path, away) = (dir.path().join(broken), dir.path().with_extension("away"));
        fs::rename(&path, &away).unwrap();
        let reason = commit::commit(dir.path(), changes).unwrap_err();
        fs::rename(&away, &path).unwrap();
        assert!(reason.contains(broken) && reason.ends_with("Nothing was changed"), "{reason}");
        assert_eq!(snapshot(dir.path()), before, "{broken}");
    }
}

#[test]
fn a_file_that_appears_in_the_meantime_is_not_overwritten() {
    let dir = workspace(&[("a", "one\n")]);
    let patch = patch::parse("*** Begin Patch\n*** Update File: a\n-one\n+1\n*** Add File: new\n+mine\n*** End Patch").unwrap();
    let changes = plan::plan(dir.path(), &patch.hunks, None).unwrap();
    fs::write(dir.path().join("new"), "theirs").unwrap();
    let before = snapshot(dir.path());
    assert!(commit::commit(dir.path(), changes).is_err());
    assert_eq!(snapshot(dir.path()), before);
}

#[test]
fn permissions_stay_and_symbolic_links_lead_to_their_file() {
    let dir = workspace(&[("real/tool", "#!/bin/sh\nold\n")]);
    let real = dir.path().join("real/tool");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o750)).unwrap();
    symlink("real/tool", dir.path().join("link")).unwrap();
    assert!(matches!(patched(dir.path(), "*** Update File: link\n-old\n+new"), PatchResult::Applied(_)));
    assert_eq!(fs::read_to_string(&real).unwrap(), "#!/bin/sh\nnew\n");
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o7777, 0o750);
    assert!(fs::symlink_metadata(dir.path().join("link")).unwrap().is_symlink());
    assert!(matches!(patched(dir.path(), "*** Delete File: link"), PatchResult::Applied(_)));
    assert!(real.exists() && !dir.path().join("link").exists());
}

#[test]
fn one_file_under_two_names_is_refused() {
    let dir = workspace(&[("a", "one\ntwo\n")]);
    symlink("a", dir.path().join("alias")).unwrap();
    let before = snapshot(dir.path());
    let reason = refusal(dir.path(), "*** Update File: a\n-one\n+1\n*** Update File: alias\n-two\n+2");
    assert!(reason.contains("twice, under two names"), "{reason}");
    assert_eq!(snapshot(dir.path()), before);
}

#[test]
fn what_is_no_text_file_is_refused_and_never_waited_for() {
    let dir = workspace(&[]);
    let at = |name: &str| dir.path().join(name);
    fs::write(at("binary"), b"one\xff\n").unwrap();
    fs::File::create(at("huge")).unwrap().set_len((64 << 20) + 1).unwrap();
    symlink("/dev/zero", at("endless")).unwrap();
    symlink("loop", at("loop")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    make_pipe(&at("pipe"));
    for (file, said) in [
        ("binary", "not UTF-8"),
        ("huge", "larger than 64 MiB"),
        ("endless", "no regular file"),
        ("pipe", "no regular file"),
        ("loop", "cannot be read"),
        ("socket", "cannot be read"),
    ] {
        let reason = refusal(dir.path(), &format!("*** Update File: {file}\n-one\n+1"));
        assert!(reason.contains(said), "{file}: {reason}");
    }
    assert!(refusal(dir.path(), "*** Delete File: pipe").contains("no regular file"));
}

fn make_pipe(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

proptest! {
    #[test]
    fn whatever_the_patch_files_change_as_a_whole_or_not_at_all(
        hunks in proptest::collection::vec((0_usize..4, 0_usize..5, 0_usize..5), 1..5),
    ) {
        let dir = workspace(&[("a", "a\n"), ("b", "b\n"), ("c/d", "d\n")]);
        let names = ["a", "b", "c/d", "e/f", "c"];
        let body: Vec<_> = hunks.iter().map(|(kind, one, other)| {
            let (one, other) = (names[*one], names[*other]);
            match kind {
                0 => format!("*** Add File: {one}\n+new"),
                1 => format!("*** Delete File: {one}"),
                2 => format!("*** Update File: {one}\n+top"),
                _ => format!("*** Update File: {one}\n*** Move to: {other}\n+top"),
            }
        }).collect();
        let before = snapshot(dir.path());
        let result = patched(dir.path(), &body.join("\n"));
        let after = snapshot(dir.path());
        prop_assert!(!after.keys().any(|path| path.to_str().unwrap().contains(".capstan-patch")), "{after:?}");
        match result {
            PatchResult::Applied(changes) => {
                prop_assert_eq!(changes.len(), hunks.len());
                prop_assert_ne!(after, before);
            }
            PatchResult::Refused(_) => prop_assert_eq!(after, before),
        }
    }
}
