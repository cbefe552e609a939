//! The refs of a mirror, and those of a checkout of it.

use std::path::Path;

/// The first line of a list of refs. Without one git would look for what a tag points to.
const HEADER: &str = "# pack-refs with: peeled fully-peeled sorted \n";

/// The list of a mirror's refs, as git packs them. Their names are bytes: one that is no UTF-8 must not cost the others.
#[derive(Debug)]
pub(crate) struct Refs(Vec<u8>);

impl Refs {
    /// Those of the mirror in `dir`; none when nothing was ever fetched.
    pub(crate) fn of(dir: &Path) -> Option<Self> {
        std::fs::read(dir.join("packed-refs")).ok().map(Self)
    }
}

/// The refs of a checkout: branches are remote ones, tags stay tags, and the branch that is checked out is there as well.
pub(crate) fn for_checkout(mirror: Option<&Refs>, commit: &str, branch: Option<&str>) -> Vec<u8> {
    let own = branch.map(|branch| format!("{commit} refs/heads/{branch}\n")).unwrap_or_default();
    let mut list = format!("{HEADER}{own}").into_bytes();
    let mut taken = false;
    for line in mirror.map_or(&[][..], |refs| &refs.0).split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"#")) {
        if line.starts_with(b"^") {
            if taken {
                list.extend([line, b"\n"].concat());
            }
            continue;
        }
        let Some(space) = line.iter().position(|byte| *byte == b' ') else { continue };
        let (hash, name) = (&line[..space], &line[space + 1..]);
        let renamed = match name.strip_prefix(b"refs/heads/") {
            Some(branch) => Some([hash, b" refs/remotes/origin/", branch, b"\n"].concat()),
            None => name.starts_with(b"refs/tags/").then(|| [line, b"\n"].concat()),
        };
        taken = renamed.is_some();
        list.extend(renamed.into_iter().flatten());
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkout_has_the_branches_as_remote_ones_and_its_own() {
        let refs = "1 refs/capstan/x\n^9\n1 refs/heads/a\n2 refs/heads/main\n3 refs/tags/v1\n^2\n";
        let mirror = Refs(format!("{HEADER}{refs}").into());
        let own = "2 refs/heads/main\n";
        let others = "1 refs/remotes/origin/a\n2 refs/remotes/origin/main\n3 refs/tags/v1\n^2\n";
        assert_eq!(for_checkout(Some(&mirror), "2", Some("main")), format!("{HEADER}{own}{others}").into_bytes());
        assert_eq!(for_checkout(None, "2", None), HEADER.as_bytes());
    }

    #[test]
    fn a_tag_whose_name_is_no_utf8_costs_no_other_ref() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("packed-refs"), b"1 refs/heads/a\n3 refs/tags/caf\xe9\n").unwrap();
        let list = for_checkout(Refs::of(dir.path()).as_ref(), "2", None);
        assert_eq!(list, [HEADER.as_bytes(), b"1 refs/remotes/origin/a\n3 refs/tags/caf\xe9\n"].concat());
    }
}
