//! What a session sees as `/`: an allow-list.
//!
//! [`Base`] is the part that every session has: the system's own directories, the toolchains of a home, devices, `/proc`, private
//! temporary directories and a private home. [`view`] is what one policy adds.

mod bind;
pub(crate) mod layout;
mod placeholder;
pub(crate) mod protect;
pub(crate) mod scan;
mod sweep;
pub(crate) mod view;

use crate::kernel::mounts::{self, DEVICE, READ_ONLY, Tree};
use crate::kernel::process;
use crate::owners::Owners;
use bind::{Bind, directory, text};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
pub(crate) use sweep::sweep;

/// Where the host's root is while directories are taken from it by a process inside.
pub(crate) const HOST: &str = "/.host";
/// An empty directory that nobody may enter, and an empty file that nobody may read: what hidden places look like.
pub(crate) const NOTHING: [&str; 2] = ["/.nothing", "/.nothing.file"];
/// Any directory of the host, over which the new root is mounted until it is the root.
const STAGE: &str = "/tmp";

/// How many terminals the programs of a session can open: all of a host's sessions share a few thousand.
const MOST_TERMINALS: u32 = 128;
const TEMPORARY: libc::c_ulong = libc::MS_NOSUID | libc::MS_NODEV;

/// The part of the root that does not depend on a policy.
#[derive(Debug)]
pub(crate) struct Base {
    binds: Vec<Bind>,
    links: Vec<(PathBuf, PathBuf)>,
    home: Option<PathBuf>,
}

impl Base {
    /// Finds what this host has of it. Where the session's user may see less than we do, the directories are opened here.
    pub(crate) fn open(home: Option<&Path>, owners: &mut Owners) -> io::Result<Self> {
        let home = home.and_then(|home| home.canonicalize().ok()).filter(|home| layout::may_be_private(home));
        let mut base = Self { binds: Vec::new(), links: Vec::new(), home };
        for place in layout::SYSTEM {
            match fs::symlink_metadata(place) {
                Ok(found) if found.is_symlink() => base.links.push((place.into(), fs::read_link(place)?)),
                Ok(found) => base.binds.push(Bind::open(place.into(), &found, READ_ONLY, None, owners)?),
                Err(_) => {}
            }
        }
        for device in layout::DEVICES {
            if let Ok(found) = fs::metadata(device) {
                base.binds.push(Bind::open(device.into(), &found, DEVICE, None, owners)?);
            }
        }
        for tool in base.home.iter().flat_map(|home| layout::TOOLS.iter().map(move |tool| home.join(tool))).collect::<Vec<_>>() {
            base.binds.extend(toolchain(tool, owners)?);
        }
        Ok(base)
    }

    /// The home that is private in it.
    pub(crate) fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// Builds it, from inside a new mount namespace, and makes it the root. The host's root stays at [`HOST`] until [`leave_host`].
    pub(crate) fn build(&self, id: u32) -> io::Result<()> {
        process::set_umask(0o022);
        mounts::cut_off()?;
        mounts::file_system(c"tmpfs", &text(STAGE)?, TEMPORARY, c"mode=0755,size=16m")?;
        std::env::set_current_dir(STAGE)?;
        fs::create_dir(&HOST[1..])?;
        mounts::change_root(&text(&HOST[1..])?)?;
        layout::PRIVATE.iter().try_for_each(|(place, options)| private(Path::new(place), options))?;
        self.home().map_or(Ok(()), |home| private(home, layout::HOME))?;
        for (link, target) in &self.links {
            link.parent().map_or(Ok(()), directory)?;
            symlink(target, link)?;
        }
        self.devices(id)?;
        self.binds.iter().try_for_each(Bind::attach)?;
        fs::create_dir(NOTHING[0])?;
        File::create(NOTHING[1])?;
        for place in NOTHING {
            fs::set_permissions(place, std::os::unix::fs::PermissionsExt::from_mode(0o000))?;
        }
        own_proc()
    }

    fn devices(&self, id: u32) -> io::Result<()> {
        fs::create_dir("/dev/pts")?;
        let options = format!("newinstance,mode=0600,ptmxmode=0666,max={MOST_TERMINALS},uid={id},gid={id}");
        mounts::file_system(c"devpts", c"/dev/pts", libc::MS_NOSUID | libc::MS_NOEXEC, &text(&options)?)?;
        layout::DEVICE_LINKS.iter().try_for_each(|(link, target)| symlink(target, link))
    }
}

/// A directory that exists only for this session, in memory that is counted as the session's.
fn private(place: &Path, options: &str) -> io::Result<()> {
    directory(place)?;
    mounts::file_system(c"tmpfs", &text(place)?, TEMPORARY, &text(options)?)
}

/// Hides a place behind nothing.
fn mask(place: &Path) -> io::Result<()> {
    let nothing = if fs::symlink_metadata(place)?.is_dir() { NOTHING[0] } else { NOTHING[1] };
    let tree = Tree::copy(&text(nothing)?)?;
    tree.restrict(READ_ONLY, None)?;
    tree.attach(&text(place)?)
}

/// Takes the host's root away: from here on there is nothing but what was bound.
pub(crate) fn leave_host() -> io::Result<()> {
    mounts::detach(&text(HOST)?)?;
    fs::remove_dir(HOST)
}

/// Toolchains belong to whoever owns the home, and may be readable by nobody else.
fn toolchain(tool: PathBuf, owners: &mut Owners) -> io::Result<Option<Bind>> {
    // A link may lead anywhere in the home, which is not shown for the names of its parts.
    match fs::symlink_metadata(&tool) {
        Ok(found) if !found.is_symlink() => Bind::open(tool, &found, READ_ONLY, Some(bind::owner(&found)), owners).map(Some),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// The session's own processes, without the switches of the kernel that lie beside them.
fn own_proc() -> io::Result<()> {
    directory(Path::new("/proc"))?;
    mounts::file_system(c"proc", c"/proc", TEMPORARY | libc::MS_NOEXEC, c"")?;
    for place in layout::KERNEL_SWITCHES {
        if Path::new(place).exists() {
            mounts::pin(&text(place)?, READ_ONLY)?;
        }
    }
    layout::KERNEL_SECRETS.iter().map(Path::new).filter(|place| place.exists()).try_for_each(mask)
}
