//! The refs of a mirror, and those of a checkout of it.

use std::path::Path;

/// The first line of a list of refs. Without one git would look for what a tag points to.
const HEADER: &str = "# pack-refs with: peeled fully-peeled sorted \n";

/// The list of a mirror's refs, as git packs them.
#[derive(Debug)]
pub(crate) struct Refs(String);

impl Refs {
    /// Those of the mirror in `dir`; none when nothing was ever fetched.
    pub(crate) fn of(dir: &Path) -> Option<Self> {
        std::fs::read_to_string(dir.join("packed-refs")).ok().map(Self)
    }
}

/// The refs of a checkout: branches are remote ones, tags stay tags, and the branch that is checked out is there as well.
pub(crate) fn for_checkout(mirror: Option<&Refs>, commit: &str, branch: Option<&str>) -> String {
    let own = branch.map(|branch| format!("{commit} refs/heads/{branch}\n")).unwrap_or_default();
    let mut list = format!("{HEADER}{own}");
    let mut taken = false;
    for line in mirror.map_or("", |refs| &refs.0).lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with('^') {
            if taken {
                list.extend([line, "\n"]);
            }
            continue;
        }
        let Some((hash, name)) = line.split_once(' ') else { continue };
        let renamed = match name.strip_prefix("refs/heads/") {
            Some(branch) => Some(format!("{hash} refs/remotes/origin/{branch}\n")),
            None => name.starts_with("refs/tags/").then(|| format!("{line}\n")),
        };
        taken = renamed.is_some();
        list.extend(renamed);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkout_has_the_branches_as_remote_ones_and_its_own() {
        let mirror = Refs(format!("{HEADER}1 refs/capstan/x\n^9\n1 refs/heads/a\n2 refs/heads/main\n3 refs/tags/v1\n^2\n"));
        let own = "2 refs/heads/main\n";
        let others = "1 refs/remotes/origin/a\n2 refs/remotes/origin/main\n3 refs/tags/v1\n^2\n";
        assert_eq!(for_checkout(Some(&mirror), "2", Some("main")), format!("{HEADER}{own}{others}"));
        assert_eq!(for_checkout(None, "2", None), HEADER);
    }
}
