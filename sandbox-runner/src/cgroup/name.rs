//! What groups are called, and the removal of those that nobody holds any more.

use super::Places;
use crate::kernel::proc_file;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

const PREFIX: &str = "capstan-";
/// How many entries of a group a sweep looks at, at most.
pub(crate) const FEW: usize = 256;

/// A process by its number, and the time it started at, in ticks since the host did: the number alone may be another's later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Holder {
    /// Which namespace the number means something in.
    namespace: u64,
    pid: u32,
    started: u64,
}

/// The name for this process's groups.
pub(super) fn own() -> String {
    let Holder { namespace, pid, started } = itself();
    format!("{PREFIX}{namespace}-{pid}-{started}")
}

fn itself() -> Holder {
    let pid = std::process::id();
    Holder { namespace: *NAMESPACE, pid, started: started(pid).unwrap_or_default() }
}

/// The inode of our process namespace, by which its numbers are told from others'.
static NAMESPACE: LazyLock<u64> = LazyLock::new(|| {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self/ns/pid").map_or(0, |namespace| namespace.ino())
});

fn read(name: &str) -> Option<Holder> {
    let mut parts = name.strip_prefix(PREFIX)?.split('-');
    let holder =
        Holder { namespace: parts.next()?.parse().ok()?, pid: parts.next()?.parse().ok()?, started: parts.next()?.parse().ok()? };
    parts.next().is_none().then_some(holder)
}

/// When a process started; none when there is no such process.
fn started(pid: u32) -> Option<u64> {
    let stat = proc_file::read(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// Removes the groups that holders which are no more have left behind, and ends the processes in them where the kernel does that in one
/// step: nobody bounds them any longer. Of each hierarchy `most` entries are looked at. Whether none of those is left: what is being
/// ended counts for a moment longer.
pub(crate) fn sweep(places: &Places, most: usize) -> bool {
    let mut clean = true;
    for place in places.all() {
        for entry in fs::read_dir(place).into_iter().flatten().flatten().take(most) {
            if entry.file_name().to_str().and_then(read).is_some_and(is_abandoned) {
                clean &= remove(&entry.path());
            }
        }
    }
    clean
}

fn is_abandoned(holder: Holder) -> bool {
    holder.namespace == *NAMESPACE && started(holder.pid) != Some(holder.started)
}

fn remove(group: &Path) -> bool {
    fs::remove_dir(group).is_ok()
        || (fs::write(group.join("cgroup.kill"), "1").is_ok() && fs::remove_dir(group).is_ok())
        || !group.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_back_to_its_holder_and_only_a_dead_one_of_ours_is_swept() {
        let ours = itself();
        assert_eq!(read(&own()), Some(ours));
        assert!(!is_abandoned(ours));
        assert!(is_abandoned(Holder { started: ours.started + 1, ..ours }), "another process has the number now");
        assert!(is_abandoned(Holder { pid: u32::MAX, ..ours }));
        assert!(!is_abandoned(Holder { pid: u32::MAX, namespace: 1, ..ours }), "numbers of another namespace say nothing here");
        for name in ["capstan-1-2", "capstan-1-2-3-4", "capstan-a-2-3", "other-1-2-3", "capstan-probe-1"] {
            assert_eq!(read(name), None, "{name}");
        }
    }
}
