//! Repositories that the node lays out itself: plain files, and names that it knows. Nothing in them was written by a session but packs.

use capstan_types::source::{GitSource, History};
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// The files of a pack, in the order in which they may appear: git takes one for whole when its index is there.
const PARTS: [&str; 6] = ["promisor", "pack", "rev", "mtimes", "bitmap", "idx"];

/// What is checked out in a repository without files.
const NO_HEAD: &str = "ref: refs/heads/none-is-checked-out-here\n";

/// Makes the directories of an empty repository.
pub(crate) fn skeleton(dir: &Path) -> io::Result<()> {
    for place in ["objects/pack", "objects/info", "refs/heads", "refs/tags", "hooks", "info"] {
        DirBuilder::new().recursive(true).mode(0o755).create(dir.join(place))?;
    }
    Ok(())
}

/// The configuration of a repository that was fetched from a source.
pub(crate) fn fetched_config(source: &GitSource, refs: &str, is_bare: &str) -> String {
    let GitSource { url, .. } = source;
    let partial = match source.history {
        History::Blobless => {
            ("1", "\tpromisor = true\n\tpartialclonefilter = blob:none\n", "[extensions]\n\tpartialClone = origin\n")
        }
        History::Whole | History::Shallow(_) => ("0", "", ""),
    };
    let (version, promisor, extensions) = partial;
    format!(
        "[core]\n\trepositoryformatversion = {version}\n\tfilemode = true\n\tbare = {is_bare}\n\tlogallrefupdates = true\n{extensions}\
         [remote \"origin\"]\n\turl = \"{url}\"\n\tfetch = {refs}\n{promisor}"
    )
}

/// Lays out a repository in `dir` that borrows the objects of the mirror and knows its refs.
pub(super) fn borrowing(dir: &Path, mirror: &Path, source: &GitSource) -> io::Result<()> {
    skeleton(dir)?;
    skeleton(mirror)?;
    if !mirror.join("HEAD").exists() {
        // By these, git knows a mirror for a repository, if a person asks it.
        fs::write(mirror.join("config"), fetched_config(source, "+refs/heads/*:refs/heads/*", "true"))?;
        fs::write(mirror.join("HEAD"), NO_HEAD)?;
    }
    fs::write(dir.join("HEAD"), NO_HEAD)?;
    fs::write(dir.join("config"), fetched_config(source, "+refs/heads/*:refs/heads/*", "true"))?;
    fs::write(dir.join("objects/info/alternates"), format!("{}\n", mirror.join("objects").display()))?;
    for name in ["packed-refs", "shallow"] {
        copy_if_there(&mirror.join(name), &dir.join(name))?;
    }
    Ok(())
}

/// Moves what was fetched in `aside` into the mirror, and says how many bytes of packs are new. With `whole`, the new packs are all that it needs.
pub(super) fn take_in(aside: &Path, mirror: &Path, whole: bool) -> io::Result<u64> {
    let (from, to) = (aside.join("objects/pack"), mirror.join("objects/pack"));
    let mut new = names(&from)?;
    new.sort_by_key(|name| rank(name));
    let (mut bytes, old) = (0, names(&to)?);
    for name in &new {
        let file = File::open(from.join(name))?;
        if name.ends_with(".pack") {
            bytes += file.metadata()?.len();
        }
        file.sync_all()?;
        fs::rename(from.join(name), to.join(name))?;
    }
    File::open(&to)?.sync_all()?;
    for name in ["shallow", "packed-refs"] {
        let fetched = aside.join(name);
        if fetched.exists() {
            File::open(&fetched)?.sync_all()?;
            fs::rename(&fetched, mirror.join(name))?;
        }
    }
    File::open(mirror)?.sync_all()?;
    if whole && new.iter().any(|name| name.ends_with(".idx")) {
        // The index first: without it the rest is nothing to git.
        let mut gone: Vec<_> = old.into_iter().filter(|name| !new.contains(name)).collect();
        gone.sort_by_key(|name| std::cmp::Reverse(rank(name)));
        gone.iter().try_for_each(|name| fs::remove_file(to.join(name)))?;
    }
    Ok(bytes)
}

/// How many packs a mirror has.
pub(super) fn packs(mirror: &Path) -> usize {
    names(&mirror.join("objects/pack")).map_or(0, |names| names.iter().filter(|name| name.ends_with(".idx")).count())
}

/// Gives a new repository the objects of a mirror: as the same files, or, where whoever works there could write to them, as copies.
pub(crate) fn link_objects(mirror: &Path, repository: &Path, link: impl Fn(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    let (from, to) = (mirror.join("objects/pack"), repository.join("objects/pack"));
    names(&from)?.iter().try_for_each(|name| link(&from.join(name), &to.join(name)))?;
    copy_if_there(&mirror.join("shallow"), &repository.join("shallow"))
}

/// The files of packs in a directory, and nothing else that may lie there.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if let Some(name) = entry.file_name().to_str().filter(|name| is_part(name))
            && entry.file_type()?.is_file()
        {
            found.push(name.to_owned());
        }
    }
    Ok(found)
}

fn is_part(name: &str) -> bool {
    let hash = name.strip_prefix("pack-").and_then(|rest| rest.split_once('.'));
    hash.is_some_and(|(hash, part)| {
        matches!(hash.len(), 40 | 64) && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) && PARTS.contains(&part)
    })
}

fn rank(name: &str) -> usize {
    PARTS.iter().position(|part| name.split_once('.').is_some_and(|(_, of)| of == *part)).unwrap_or(PARTS.len())
}

fn copy_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::copy(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_files_of_packs_are_taken_and_an_index_comes_last() {
        let hash = "a1".repeat(20);
        let name = |part: &str| format!("pack-{hash}.{part}");
        assert!(is_part(&name("pack")) && is_part(&name("promisor")));
        for other in ["pack-x.pack", "tmp_pack_1", "../pack", &name("keep"), &name("lock"), "multi-pack-index"] {
            assert!(!is_part(other), "{other}");
        }
        let mut all = vec![name("idx"), name("pack"), name("rev")];
        all.sort_by_key(|name| rank(name));
        assert_eq!(all, [name("pack"), name("rev"), name("idx")]);
    }
}
