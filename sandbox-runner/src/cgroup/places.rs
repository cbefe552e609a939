//! Where groups can be made: the hierarchies that are mounted, and our own group in each.

use super::{Controller, v2};
use crate::kernel::process;
use std::fs;
use std::path::{Path, PathBuf};

/// The groups of this process, below which those of sessions are made. It costs two reads of `/proc`, and may be kept.
#[derive(Debug, Default)]
pub(crate) struct Places {
    version_1: Vec<(String, PathBuf)>,
    pub(super) version_2: Option<v2::Place>,
}

impl Places {
    /// Looks where groups might be made. Whether they can be shows when one is.
    pub(crate) fn find() -> Self {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let ours = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let (version_1, version_2) = own_groups(&mounts, &ours);
        Self { version_1, version_2: version_2.map(|own| v2::Place::find(own, process::user())) }
    }

    /// Our group in the hierarchy of a controller of version 1.
    pub(super) fn version_1(&self, controller: &str) -> Option<&Path> {
        self.version_1.iter().find(|(name, _)| name == controller).map(|(_, dir)| dir.as_path())
    }

    pub(super) fn version_2_has(&self, controller: Controller) -> bool {
        self.version_2.as_ref().is_some_and(|place| place.has(controller))
    }

    /// Every group below which there may be groups of sessions.
    pub(super) fn all(&self) -> impl Iterator<Item = &Path> {
        self.version_1.iter().map(|(_, dir)| dir.as_path()).chain(self.version_2.as_ref().map(v2::Place::dir))
    }

    /// Where groups of version 1 are made, by controller.
    pub(crate) fn by_controller(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.version_1.iter().map(|(name, dir)| (name.as_str(), dir.as_path()))
    }

    /// Where groups of version 2 are made, and which controllers they get.
    pub(crate) fn unified(&self) -> Option<(&Path, Vec<&'static str>)> {
        let place = self.version_2.as_ref()?;
        let served = Controller::ALL.into_iter().filter(|controller| place.has(*controller)).map(Controller::name);
        Some((place.dir(), served.collect()))
    }
}

type OwnGroups = (Vec<(String, PathBuf)>, Option<PathBuf>);

/// Our own group for each controller of version 1, and in the hierarchy of version 2.
fn own_groups(mounts: &str, ours: &str) -> OwnGroups {
    let mut found: OwnGroups = (Vec::new(), None);
    for mount in mounts.lines().filter_map(Mount::read) {
        // `hierarchy:controllers:path`, with no controllers for version 2.
        for (names, path) in ours.lines().filter_map(|line| line.split_once(':')?.1.split_once(':')) {
            let Some(dir) = mount.below(path) else { continue };
            match (mount.version_2, names) {
                (true, "") => found.1 = Some(dir),
                (false, names) => {
                    let served = names.split(',').filter(|name| mount.options.split(',').any(|option| option == *name));
                    found.0.extend(served.map(|name| (name.to_owned(), dir.clone())));
                }
                (true, _) => {}
            }
        }
    }
    found
}

/// A mounted hierarchy, as a line of `/proc/self/mountinfo` has it.
struct Mount<'a> {
    /// Which group is mounted.
    root: &'a str,
    place: &'a str,
    /// The controllers, among others.
    options: &'a str,
    version_2: bool,
}

impl<'a> Mount<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let (front, back) = line.split_once(" - ")?;
        let mut front = front.split(' ').skip(3);
        let (root, place) = (front.next()?, front.next()?);
        let mut back = back.split(' ');
        let kind = back.next()?;
        let options = back.nth(1)?;
        matches!(kind, "cgroup" | "cgroup2").then_some(Self { root, place, options, version_2: kind == "cgroup2" })
    }

    /// The directory of the group `path`; none when it lies outside of what is mounted.
    fn below(&self, path: &str) -> Option<PathBuf> {
        let rest = Path::new(path).strip_prefix(self.root).ok()?;
        Some(Path::new(self.place).join(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_group_is_found_in_every_hierarchy_and_from_within_a_container() {
        let mounts = "1 2 0:3 / /proc rw - proc proc rw\n\
                      3 2 0:4 / /cg/cpu,cpuacct rw,nosuid shared:3 - cgroup cgroup rw,cpu,cpuacct\n\
                      4 2 0:5 / /cg/systemd rw - cgroup cgroup rw,name=systemd\n\
                      5 2 0:6 /docker/x /cg/memory ro - cgroup cgroup rw,memory\n\
                      6 2 0:7 /elsewhere /cg/pids rw - cgroup cgroup rw,pids\n\
                      7 2 0:8 / /cg/unified rw - cgroup2 cgroup2 rw\n";
        let ours = "5:pids:/docker/x\n4:cpu,cpuacct:/a\n3:memory:/docker/x/y\n1:name=systemd:/b\n0::/c\n";
        let (version_1, version_2) = own_groups(mounts, ours);
        let names: Vec<_> = version_1.iter().map(|(name, dir)| (name.as_str(), dir.to_str().unwrap())).collect();
        let expected = [
            ("cpu", "/cg/cpu,cpuacct/a"),
            ("cpuacct", "/cg/cpu,cpuacct/a"),
            ("name=systemd", "/cg/systemd/b"),
            ("memory", "/cg/memory/y"),
        ];
        assert_eq!(names, expected);
        assert_eq!(version_2, Some("/cg/unified/c".into()));
    }
}
