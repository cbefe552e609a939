//! Workspaces as layers over a checkout that nobody writes to: mounted by the node, where it is root.

use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, UnmountFlags, fsconfig_create, fsconfig_set_string, fsmount,
    fsopen, move_mount, unmount,
};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

/// What a workspace has written, and what the kernel needs beside it.
const UPPER: &str = "upper";
const WORK: &str = "work";
/// Where it is mounted.
const TREE: &str = "tree";

/// Makes the directories of a layer in `place`.
pub(crate) fn lay_out(place: &Path) -> io::Result<()> {
    [(UPPER, 0o755), (WORK, 0o700)].iter().try_for_each(|(name, mode)| DirBuilder::new().mode(*mode).create(place.join(name)))
}

/// Mounts the layer in `place` over `base`, unless it is; says whether it was not.
pub(crate) fn mount(base: &Path, place: &Path) -> io::Result<bool> {
    let tree = place.join(TREE);
    if is_mounted(&tree)? {
        return Ok(false);
    }
    let fs = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    // One by one: in a single text, some characters of paths would have a meaning. Kernels before 6.7 know only the other name.
    fsconfig_set_string(&fs, "lowerdir+", base).or_else(|_| fsconfig_set_string(&fs, "lowerdir", base))?;
    fsconfig_set_string(&fs, "upperdir", place.join(UPPER))?;
    fsconfig_set_string(&fs, "workdir", place.join(WORK))?;
    // Directories of the base can be renamed.
    fsconfig_set_string(&fs, "redirect_dir", "on")?;
    fsconfig_create(&fs)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    let mounted = fsmount(&fs, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
    move_mount(&mounted, "", rustix::fs::CWD, &tree, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    Ok(true)
}

/// Takes the mount in `place` away. Sessions that still run there keep it.
pub(crate) fn take_down(place: &Path) -> io::Result<()> {
    let tree = place.join(TREE);
    if is_mounted(&tree).unwrap_or(false) {
        unmount(&tree, UnmountFlags::DETACH)?;
    }
    Ok(())
}

/// Whether something is mounted there: it is on another device than the directory above it.
fn is_mounted(tree: &Path) -> io::Result<bool> {
    let above = tree.parent().unwrap_or(tree);
    Ok(tree.symlink_metadata()?.dev() != above.symlink_metadata()?.dev())
}
