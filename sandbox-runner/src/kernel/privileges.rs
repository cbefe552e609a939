//! Powers given up for good: another user, no capabilities, bounds on what may be used.
//!
//! The calls are those of one thread, and this program has one.

use rustix::io::Errno;
use rustix::process::{Gid, Resource, Rlimit, Signal, Uid, getrlimit, set_parent_process_death_signal, setrlimit};
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};
use std::io;

/// Takes another user and group, and leaves all others. For root only.
pub(crate) fn become_user(id: u32) -> io::Result<()> {
    let (user, group) = (Uid::from_raw(id), Gid::from_raw(id));
    set_thread_groups(&[])?;
    set_thread_res_gid(group, group, group)?;
    Ok(set_thread_res_uid(user, user, user)?)
}

/// No more rights by exec, and all capabilities out of every set that this process may change.
pub(crate) fn drop_all() -> io::Result<()> {
    gain_nothing()?;
    empty_bounding_set();
    drop_capabilities()
}

/// No more rights by exec (`no_new_privs`).
pub(crate) fn gain_nothing() -> io::Result<()> {
    Ok(set_no_new_privs(true)?)
}

/// Nothing is left that exec could give, whatever this process may do itself.
pub(crate) fn empty_bounding_set() {
    for number in 0..u64::BITS {
        // Refused to those who may not shrink the bounding set, and past the kernel's last capability. Neither matters: without new
        // privileges the bounding set gives nothing.
        if remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number)).is_err() {
            break;
        }
    }
}

/// All capabilities that this process has. For one that gains nothing by exec any more.
pub(crate) fn drop_capabilities() -> io::Result<()> {
    clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    Ok(set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?)
}

/// Lets the kernel kill this process when `parent` ends. A change of user takes this back, so it comes after.
pub(crate) fn die_with(parent: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // A parent that died before the line above would be waited for in vain.
    if std::os::unix::process::parent_id() == parent { Ok(()) } else { Err(Errno::SRCH.into()) }
}

/// Lowers a limit of this process; one that is lower stays.
pub(crate) fn bound(resource: Resource, most: u64) -> io::Result<()> {
    let most = Some(getrlimit(resource).maximum.map_or(most, |hard| hard.min(most)));
    Ok(setrlimit(resource, Rlimit { current: most, maximum: most })?)
}
