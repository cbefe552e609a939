//! Which cgroup hierarchies a session could be bounded by: those in which a group can be made, below our own.

use std::fs;
use std::path::{Path, PathBuf};

/// A mounted hierarchy.
#[derive(Debug, PartialEq, Eq)]
struct Hierarchy {
    /// Where it is mounted.
    mount: PathBuf,
    /// Its controllers in version 1; none for version 2.
    controllers: Option<Vec<String>>,
}

/// The writable hierarchies, as `v1:CONTROLLER` or `v2:FEATURE`.
pub(super) fn writable() -> Vec<String> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let ours = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut names: Vec<String> = hierarchies(&mounts).iter().flat_map(|hierarchy| offered(hierarchy, &ours)).collect();
    names.sort();
    names.dedup();
    names
}

fn hierarchies(mounts: &str) -> Vec<Hierarchy> {
    mounts.lines().filter_map(hierarchy).collect()
}

fn hierarchy(line: &str) -> Option<Hierarchy> {
    let mut fields = line.split_whitespace().skip(1);
    let (mount, kind, options) = (fields.next()?, fields.next()?, fields.next()?);
    let mount = PathBuf::from(mount);
    match kind {
        "cgroup2" => Some(Hierarchy { mount, controllers: None }),
        "cgroup" => {
            let controllers =
                options.split(',').filter(|option| !matches!(*option, "rw" | "ro" | "relatime" | "nosuid" | "nodev" | "noexec"));
            let controllers = controllers.filter(|option| !option.contains('=')).map(str::to_owned).collect();
            Some(Hierarchy { mount, controllers: Some(controllers) })
        }
        _ => None,
    }
}

/// The path of our own group below the hierarchy's mount.
fn own_group<'a>(hierarchy: &Hierarchy, ours: &'a str) -> &'a str {
    let of_line = |line: &'a str| {
        let (_, rest) = line.split_once(':')?;
        let (names, path) = rest.split_once(':')?;
        let fits = match &hierarchy.controllers {
            None => names.is_empty(),
            Some(controllers) => names.split(',').any(|name| controllers.iter().any(|controller| controller == name)),
        };
        fits.then_some(path)
    };
    ours.lines().find_map(of_line).unwrap_or("/")
}

fn offered(hierarchy: &Hierarchy, ours: &str) -> Vec<String> {
    let group = hierarchy.mount.join(own_group(hierarchy, ours).trim_start_matches('/'));
    let trial = group.join(format!("capstan-probe-{}", std::process::id()));
    if fs::create_dir(&trial).is_err() {
        return Vec::new();
    }
    let names = match &hierarchy.controllers {
        Some(controllers) => controllers.iter().map(|name| format!("v1:{name}")).collect(),
        None => version_2(&trial),
    };
    let _ = fs::remove_dir(&trial);
    names
}

fn version_2(group: &Path) -> Vec<String> {
    let features = ["kill", "freeze"].into_iter().filter(|name| group.join(format!("cgroup.{name}")).exists());
    let controllers = fs::read_to_string(group.join("cgroup.controllers")).unwrap_or_default();
    features.chain(controllers.split_whitespace()).map(|name| format!("v2:{name}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_found_among_the_mounts() {
        let mounts = "proc /proc proc rw 0 0\n\
                      cgroup /cg/cpu cgroup rw,nosuid,cpu,cpuacct 0 0\n\
                      cgroup /cg/systemd cgroup rw,name=systemd 0 0\n\
                      cgroup2 /cg/unified cgroup2 rw,relatime 0 0\n";
        let found = hierarchies(mounts);
        let controllers = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(
            found,
            [
                Hierarchy { mount: "/cg/cpu".into(), controllers: controllers(&["cpu", "cpuacct"]) },
                Hierarchy { mount: "/cg/systemd".into(), controllers: controllers(&[]) },
                Hierarchy { mount: "/cg/unified".into(), controllers: None },
            ]
        );
        let ours = "4:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/c\n";
        assert_eq!(found.iter().map(|one| own_group(one, ours)).collect::<Vec<_>>(), ["/a", "/", "/c"]);
    }
}
