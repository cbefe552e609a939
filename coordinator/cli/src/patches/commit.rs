//! A patch as a commit on a branch. Neither the work tree nor the index is touched.

use super::judge::{Direction, Judged, judge};
use super::names::named;
use super::told::listed;
use crate::failure::Failure;
use crate::local_git::{Bench, Git, Input, Objects, Repository};
use crate::render::text;
use crate::surroundings::Surroundings;
use std::path::Path;

/// What is to be committed, and how.
#[derive(Debug, Clone)]
pub struct Commit<'a> {
    /// The branch's name, without `refs/heads/`.
    pub branch: &'a str,
    /// The message.
    pub message: &'a str,
    /// `Name <address>`; none is the person who gave the command.
    pub author: Option<&'a str>,
    /// What it stands on: anything that git takes for a commit.
    pub base: &'a str,
    /// Whether a branch that there is may be moved.
    pub force: bool,
}

/// Makes the commit, and gives its name.
///
/// # Errors
/// The branch is there already, the base is not, nobody is known as author, the patch does not fit, or git fails. Then no branch was changed.
pub fn commit(
    git: &Git,
    repository: &Repository,
    patch: &Path,
    wanted: &Commit<'_>,
    surroundings: &Surroundings,
) -> Result<String, Failure> {
    let here = git.within(&repository.top);
    let reference = reference(&here, wanted.branch)?;
    let before = before(&here, repository, &reference, wanted)?;
    let parent = parent(&here, wanted.base)?;
    let author = wanted.author.map(author).transpose()?;
    let bench = Bench::beside(git, repository, Objects::Kept)?;
    bench.git().ask(["read-tree", &parent], Input::Nothing)?;
    let names: Vec<_> = named(&bench, patch)?.into_iter().collect();
    let tree = match judge(&bench, patch, Direction::Forward, &names)? {
        Judged::Fits(tree) => tree,
        Judged::Conflicts { conflicts, .. } => {
            let (files, list) = (text::counted(conflicts.len(), "file"), listed(&conflicts));
            let sentence = format!("no commit was made: the patch does not fit {files} of {}: {list}", wanted.base);
            return Err(Failure::failed(sentence).hint(
                "if the thread began with changes that are not committed, commit them first and name that commit with --base",
            ));
        }
    };
    // What their configuration says of who they are, and nothing else of it.
    let person = here.personal(surroundings);
    let made = made(&bench, &person, (&tree, &parent), wanted.message, author)?;
    let moved = ["update-ref", "-m", "capstan threads commit", &reference, &made, &before];
    let said = here.run(moved, Input::Nothing)?;
    if said.is_success { Ok(made) } else { Err(Failure::failed(format!("the branch was not changed: {}", said.complaint()))) }
}

/// The whole name of a branch.
fn reference(git: &Git, branch: &str) -> Result<String, Failure> {
    let said = git.run(["check-ref-format", "--branch", branch], Input::Nothing)?;
    if !said.is_success || branch.starts_with('-') || String::from_utf8_lossy(&said.out).trim_end() != branch {
        return Err(Failure::bad_input(format!("`{branch}` cannot be the name of a branch")));
    }
    Ok(format!("refs/heads/{branch}"))
}

/// What the branch stands on now; zeros for one that is not there.
fn before(git: &Git, repository: &Repository, reference: &str, wanted: &Commit<'_>) -> Result<String, Failure> {
    let branch = wanted.branch;
    let said = git.run(["rev-parse", "--verify", "--quiet", reference], Input::Nothing)?;
    if !said.is_success {
        return Ok(repository.format.zero());
    }
    if !wanted.force {
        let exists = Failure::bad_input(format!("the branch {branch} exists already"));
        return Err(exists.hint("name another one, or move this one with --force"));
    }
    let trees = git.ask(["worktree", "list", "--porcelain"], Input::Nothing)?;
    if String::from_utf8_lossy(&trees).lines().any(|line| line.strip_prefix("branch ") == Some(reference)) {
        let sentence = format!("the branch {branch} is checked out, and moving it would make its files look changed");
        return Err(Failure::bad_input(sentence).hint("name another branch, and merge it"));
    }
    Ok(String::from_utf8_lossy(&said.out).trim().to_owned())
}

fn parent(git: &Git, base: &str) -> Result<String, Failure> {
    let said =
        git.run(["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{base}^{{commit}}")], Input::Nothing)?;
    if said.is_success {
        return Ok(String::from_utf8_lossy(&said.out).trim().to_owned());
    }
    let sentence = format!("{base} is no commit of this repository");
    Err(Failure::bad_input(sentence).hint("fetch it, or name the commit to stand on with --base REV"))
}

/// The name and the address of `Name <address>`.
fn author(text: &str) -> Result<(String, String), Failure> {
    let parts = text.strip_suffix('>').and_then(|text| text.split_once('<'));
    match parts.map(|(name, address)| (name.trim().to_owned(), address.trim().to_owned())) {
        Some((name, address)) if !name.is_empty() && !address.contains(['<', '>', '\n']) && !name.contains('\n') => {
            Ok((name, address))
        }
        Some(_) | None => Err(Failure::bad_input(format!("`{text}` is no author; write: Name <address>"))),
    }
}

fn made(
    bench: &Bench,
    person: &Git,
    (tree, parent): (&str, &str),
    message: &str,
    author: Option<(String, String)>,
) -> Result<String, Failure> {
    let known = |what| identity(person, what);
    let (author, committer) = match author {
        Some(author) => (author.clone(), known("GIT_COMMITTER_IDENT").unwrap_or(author)),
        None => (known("GIT_AUTHOR_IDENT")?, known("GIT_COMMITTER_IDENT")?),
    };
    let git = bench.git().with("GIT_AUTHOR_NAME", author.0).with("GIT_AUTHOR_EMAIL", author.1);
    let git = git.with("GIT_COMMITTER_NAME", committer.0).with("GIT_COMMITTER_EMAIL", committer.1);
    let out = git.ask(["commit-tree", "-p", parent, "-F", "-", tree], Input::Bytes(text_of(message).as_bytes()))?;
    Ok(String::from_utf8_lossy(&out).trim().to_owned())
}

/// A message ends with a line's end.
fn text_of(message: &str) -> String {
    format!("{}\n", message.trim_end())
}

fn identity(git: &Git, what: &str) -> Result<(String, String), Failure> {
    let said = git.run(["var", what], Input::Nothing)?;
    let told = String::from_utf8_lossy(&said.out).into_owned();
    // The time stands behind the address.
    let person = told.rsplit_once('>').map(|(person, _)| format!("{person}>")).filter(|_| said.is_success);
    let person = person.and_then(|person| author(&person).ok());
    person.ok_or_else(|| {
        Failure::bad_input("git does not know who you are")
            .hint("git config --global user.name NAME, and user.email ADDRESS; or pass --author 'Name <address>'")
    })
}
