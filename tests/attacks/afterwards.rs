//! What a session made is set for the sessions after it: a repository that a first one planted is closed to the second.

use crate::arena::Arena;
use crate::stage::Stage;
use crate::trial::run;
use crate::watch::{deciding, differences};
use crate::way::{Walls, Way, Who, is_root};

const PLANT: &str =
    "set -e; mkdir -p pkg/planted; cd pkg/planted; git init -q; mkdir -p .git/hooks; echo true > .git/hooks/pre-commit";
/// Each must fail by itself.
const CHANGES: [&str; 7] = [
    "echo x >> pkg/planted/.git/config",
    "rm -f pkg/planted/.git/config",
    "echo x >> pkg/planted/.git/hooks/pre-commit",
    "echo x > pkg/planted/.git/hooks/post-commit",
    "mv pkg/planted/.git/hooks pkg/planted/.git/h",
    "mv pkg/planted/.git pkg/planted/old",
    "git -C pkg/planted config core.fsmonitor x",
];
/// What must go on all the same.
const WORK: &str =
    "cd pkg/planted && echo 1 > file && git add file && git -c user.name=a -c user.email=a@b commit -q -m one --no-verify";

fn assert_closed(who: Who) {
    let (stage, way) = (Stage::new(), Way { who, walls: Walls::WorkspaceWrite });
    let arena = Arena::new(&stage, way);
    let shell = |script: &str| run(&arena, &["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()], &mut |_, _| ());
    let planted = shell(PLANT);
    assert_eq!(planted.code, Some(0), "a session may make a repository: {}", planted.text);
    let before = deciding(&arena.workspace());
    for change in CHANGES {
        let said = shell(change);
        assert_ne!(said.code, Some(0), "{change} succeeded: {}", said.text);
    }
    let worked = shell(WORK);
    assert_eq!(worked.code, Some(0), "work in it goes on: {}", worked.text);
    assert_eq!(differences(&before, &deciding(&arena.workspace())), Vec::<String>::new());
}

#[test]
fn a_planted_repository_is_closed_to_the_next_session() {
    assert_closed(Who::Caller);
}

#[test]
fn a_planted_repository_is_closed_to_an_ordinary_users_next_session() {
    if is_root() {
        assert_closed(Who::OrdinaryUser);
    }
}
