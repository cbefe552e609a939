//! A `.git` that is made anew beside the person's, for the other host: the same HEAD and branch, the same index, the history. Of the person's own it
//! has objects and names of branches; of its configuration, hooks, remotes and credentials it has nothing.
//!
//! It stays in the home: what is new since the last upload is one small pack. What the repository has no longer, because it was amended, rebased,
//! taken out of the index or made anew, does not travel: see [`Chain`].

use super::chain::{Chain, pack};
use super::place::Place;
use crate::failure::Failure;
use crate::local_git::{Format, Git, Input, Repository};
use std::fs;
use std::io;
use std::path::Path;

/// The most history that travels, in KiB as git stores it. With more, only the last commit does.
const MOST_HISTORY: u64 = 2 << 20;

/// How much history is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// All that the repository has.
    Whole,
    /// The last commit, because there is too much.
    LastOfMany,
    /// The last commit, because the repository itself lacks parts.
    LastOfPartial,
}

/// What was staged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Staged {
    /// How much of it.
    pub depth: Depth,
}

/// Brings the staging directory to what the repository is now.
///
/// # Errors
/// Git fails, or there is no room.
pub(super) fn stage(git: &Git, repository: &Repository, place: &Place) -> Result<Staged, Failure> {
    let dir = place.path("git")?;
    let failed = |error: io::Error| Failure::failed(format!("{} cannot be written: {error}", dir.as_path().display()));
    lay_out(dir.as_path(), repository).map_err(failed)?;
    let real = git.within(&repository.top);
    let ours = real.with("GIT_DIR", dir.as_path()).with("GIT_INDEX_FILE", dir.as_path().join("index.new"));
    let ours = ours.with("GIT_ATTR_SOURCE", repository.format.empty_tree());
    let head = real.run(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], Input::Nothing)?;
    let head = head.is_success.then(|| String::from_utf8_lossy(&head.out).trim().to_owned());
    index(&real, &ours)?;
    let mut chain = Chain::of(dir.as_path());
    let borrowed = Borrowed::lend(dir.as_path(), repository).map_err(failed)?;
    if chain.keep_reachable(&real, head.as_deref()).map_err(failed)? {
        // Nothing of what was uploaded from here is left: this is another repository, or as good as one.
        place.empty();
    }
    let staged = staged(&real, head.as_deref())?;
    let depth = match &head {
        Some(head) => history(&real, &ours, &mut chain, repository, head)?,
        None => Depth::Whole,
    };
    if pack(&ours, dir.as_path(), &staged)?.is_none() {
        return Err(lacking("what is staged"));
    }
    drop(borrowed);
    match fs::rename(dir.as_path().join("index.new"), dir.as_path().join("index")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => drop(fs::remove_file(dir.as_path().join("index"))),
        renamed => renamed.map_err(failed)?,
    }
    names(&real, dir.as_path(), repository, head.as_deref())?;
    Ok(Staged { depth })
}

/// The repository's objects at hand, until it is dropped: nothing that leads to this host travels.
struct Borrowed<'a>(&'a Path);

impl<'a> Borrowed<'a> {
    fn lend(dir: &'a Path, repository: &Repository) -> io::Result<Self> {
        let mut alternates = repository.objects.as_os_str().to_owned();
        alternates.push("\n");
        fs::write(dir.join("objects/info/alternates"), alternates.as_encoded_bytes())?;
        Ok(Self(dir))
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.0.join("objects/info/alternates"));
    }
}

fn lay_out(dir: &Path, repository: &Repository) -> io::Result<()> {
    let config = match repository.format {
        Format::Sha1 => "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n",
        Format::Sha256 => {
            "[core]\n\trepositoryformatversion = 1\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n[extensions]\n\tobjectformat = sha256\n"
        }
    };
    // One of another kind, or one that was cut off while it was made, is made anew.
    let is_ours = fs::read(dir.join("config")).is_ok_and(|found| found == config.as_bytes());
    if !is_ours && dir.exists() {
        fs::remove_dir_all(dir)?;
    }
    for below in ["refs/heads", "refs/tags", "objects/info", "objects/pack", "info"] {
        fs::create_dir_all(dir.join(below))?;
    }
    // What a process left that was killed here.
    for left in ["index.new", "index.new.lock", "index.lock", "HEAD.lock"] {
        let _ = fs::remove_file(dir.join(left));
    }
    if !dir.join("HEAD").exists() {
        fs::write(dir.join("HEAD"), "ref: refs/heads/main\n")?;
    }
    let exclude = fs::read(repository.common.join("info/exclude")).unwrap_or_default();
    fs::write(dir.join("info/exclude"), exclude)?;
    fs::write(dir.join("config"), config)
}

/// The same entries as in the person's index, without what git notes beside them of this host.
fn index(real: &Git, ours: &Git) -> Result<(), Failure> {
    let entries = real.ask(["ls-files", "--stage", "-z"], Input::Nothing)?;
    if entries.is_empty() {
        // An index of nothing names a tree that is nowhere, which git's own check complains of. There need not be one.
        return Ok(());
    }
    ours.ask(["read-tree", "--empty"], Input::Nothing)?;
    ours.ask(["update-index", "-z", "--index-info"], Input::Bytes(&entries))?;
    // Of a sparse work tree: what is not checked out is not gone.
    let tagged = real.ask(["ls-files", "-t", "-z"], Input::Nothing)?;
    let skipped: Vec<u8> = tagged
        .split(|byte| *byte == 0)
        .filter_map(|line| line.strip_prefix(b"S "))
        .flat_map(|name| [name, b"\0"].concat())
        .collect();
    if !skipped.is_empty() {
        ours.ask(["update-index", "--skip-worktree", "-z", "--stdin"], Input::Bytes(&skipped))?;
    }
    Ok(())
}

/// The contents that the index names and the last commit does not.
fn staged(real: &Git, head: Option<&str>) -> Result<Vec<String>, Failure> {
    let mut objects = Vec::new();
    // Each: a mode, an object, a stage; with a commit to compare with only those in conflict.
    let flag = if head.is_some() { "--unmerged" } else { "--stage" };
    let entries = real.ask(["ls-files", flag, "-z"], Input::Nothing)?;
    let entries = entries.split(|byte| *byte == 0).map(|entry| String::from_utf8_lossy(entry).into_owned());
    objects.extend(entries.filter_map(|entry| contents(entry.split(' '), 0, 1)));
    if let Some(head) = head {
        let out = real.ask(["diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", head], Input::Nothing)?;
        // Each: both modes, both objects, a letter; then the name.
        let entries = out.split(|byte| *byte == 0).filter(|entry| entry.starts_with(b":"));
        let entries = entries.map(|entry| String::from_utf8_lossy(entry).into_owned());
        objects.extend(entries.filter_map(|entry| contents(entry.split(' '), 1, 3)));
    }
    objects.sort_unstable();
    objects.dedup();
    Ok(objects)
}

/// The object in the words of an entry, if it is a file's.
fn contents<'a>(words: impl Iterator<Item = &'a str>, mode: usize, object: usize) -> Option<String> {
    let words: Vec<_> = words.collect();
    let is_file = words.get(mode).is_some_and(|mode| mode.starts_with("100") || mode.starts_with("120"));
    let object = words.get(object).filter(|object| object.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    (is_file && object.bytes().any(|byte| byte != b'0')).then(|| (*object).to_owned())
}

fn history(real: &Git, ours: &Git, chain: &mut Chain, repository: &Repository, head: &str) -> Result<Depth, Failure> {
    let dir = chain.dir().to_owned();
    let failed = |error: io::Error| Failure::failed(format!("{} cannot be written: {error}", dir.display()));
    let shallow = dir.join("shallow");
    let was_shallow = fs::read(&shallow).unwrap_or_default();
    let is_large = size(real)? > MOST_HISTORY;
    if !is_large {
        // One that is shallow itself has this list; git takes it for the end of the history.
        let own = fs::read(repository.common.join("shallow")).unwrap_or_default();
        if own != was_shallow {
            chain.clear().map_err(failed)?;
        }
        list(&shallow, &own).map_err(failed)?;
        if chain.add(ours, head)? {
            return Ok(Depth::Whole);
        }
    }
    // Nothing before it, whatever was sent before: what is not asked for is not there.
    let last = format!("{head}\n");
    if was_shallow != last.as_bytes() {
        chain.clear().map_err(failed)?;
    }
    list(&shallow, last.as_bytes()).map_err(failed)?;
    if !chain.add(ours, head)? {
        return Err(lacking("its last commit"));
    }
    Ok(if is_large { Depth::LastOfMany } else { Depth::LastOfPartial })
}

fn lacking(what: &str) -> Failure {
    let sentence = format!("the repository lacks objects of {what}, so that it cannot be uploaded");
    Failure::bad_input(sentence).hint("fetch them: git fetch --refetch, or `git fsck` says what is missing")
}

fn list(path: &Path, text: &[u8]) -> io::Result<()> {
    match (text.is_empty(), path.exists()) {
        (true, true) => fs::remove_file(path),
        (true, false) => Ok(()),
        (false, _) => fs::write(path, text),
    }
}

/// How much a repository stores, in KiB.
fn size(git: &Git) -> Result<u64, Failure> {
    let out = git.ask(["count-objects", "-v"], Input::Nothing)?;
    let text = String::from_utf8_lossy(&out).into_owned();
    let number = |line: &str| line.strip_prefix("size: ").or_else(|| line.strip_prefix("size-pack: "))?.parse::<u64>().ok();
    Ok(text.lines().filter_map(number).sum())
}

/// HEAD as it is, with its branch, and the tags that lead to what is there.
fn names(real: &Git, dir: &Path, repository: &Repository, head: Option<&str>) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::failed(format!("{} cannot be written: {error}", dir.display()));
    let written = |path: &str, text: String| fs::write(dir.join(path), text).map_err(failed);
    let branch = real.run(["symbolic-ref", "--quiet", "HEAD"], Input::Nothing)?;
    let branch = branch.is_success.then(|| String::from_utf8_lossy(&branch.out).trim().to_owned());
    let branch = branch.filter(|branch| branch.starts_with("refs/heads/"));
    let mut refs = String::from("# pack-refs with: \n");
    if let Some(head) = head {
        let tags = ["for-each-ref", "--merged", head, "--format=%(objecttype) %(objectname) %(refname)", "refs/tags"];
        let tags = real.run(tags, Input::Nothing)?;
        let tags = String::from_utf8_lossy(&tags.out).into_owned();
        // A tag that is an object of its own is not in the packs.
        let plain = tags.lines().filter_map(|line| line.strip_prefix("commit "));
        let mut lines: Vec<_> = if dir.join("shallow").exists() { Vec::new() } else { plain.map(str::to_owned).collect() };
        lines.extend(branch.as_ref().map(|branch| format!("{head} {branch}")));
        lines.sort_by(|one, other| one.split(' ').next_back().cmp(&other.split(' ').next_back()));
        refs.extend(lines.into_iter().map(|line| line + "\n"));
    }
    written("packed-refs", refs)?;
    let zero = repository.format.zero();
    written("HEAD", branch.map_or_else(|| format!("{}\n", head.unwrap_or(&zero)), |branch| format!("ref: {branch}\n")))
}

#[cfg(test)]
mod tests;
