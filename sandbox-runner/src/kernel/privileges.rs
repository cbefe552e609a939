//! Powers given up for good: another user, no capabilities, bounds on what may be used.
#![expect(unsafe_code, reason = "prctl, capset, setresuid and setrlimit have no safe form in the standard library")]

use std::io;

const HIGHEST_CAPABILITY: libc::c_ulong = 63;
const CAPABILITY_VERSION_3: u32 = 0x2008_0522;

fn checked(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Takes another user and group, and leaves all others. For root only.
pub(crate) fn become_user(id: u32) -> io::Result<()> {
    // SAFETY: an empty list is not read; the others take integers only.
    unsafe {
        checked(libc::setgroups(0, std::ptr::null()))?;
        checked(libc::setresgid(id, id, id))?;
        checked(libc::setresuid(id, id, id))
    }
}

/// No more rights by exec, and all capabilities out of every set that this process may change.
pub(crate) fn drop_all() -> io::Result<()> {
    gain_nothing()?;
    drop_capabilities()
}

/// No more rights by exec (`no_new_privs`).
pub(crate) fn gain_nothing() -> io::Result<()> {
    // SAFETY: takes integers only.
    checked(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })
}

/// All capabilities out of every set that this process may change. For one that gains nothing by exec any more.
pub(crate) fn drop_capabilities() -> io::Result<()> {
    for capability in 0..=HIGHEST_CAPABILITY {
        // Refused to those who may not shrink the bounding set, and past the kernel's last capability. Neither matters: without new
        // privileges the bounding set gives nothing.
        // SAFETY: takes integers only.
        if unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) } < 0 {
            break;
        }
    }
    // SAFETY: takes integers only.
    checked(unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) })?;
    let (header, none) = ([CAPABILITY_VERSION_3, 0], [0_u32; 6]);
    // SAFETY: both arrays have the layout of version 3 and are live.
    checked(i32::try_from(unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) }).unwrap_or(-1))
}

/// Lets the kernel kill this process when `parent` ends. A change of user takes this back, so it comes after.
pub(crate) fn die_with(parent: u32) -> io::Result<()> {
    // SAFETY: takes integers only.
    checked(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) })?;
    // A parent that died before the line above would be waited for in vain.
    if std::os::unix::process::parent_id() == parent { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ESRCH)) }
}

/// Lowers a limit of this process; one that is lower stays.
pub(crate) fn bound(resource: libc::__rlimit_resource_t, most: u64) -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the struct is live.
    checked(unsafe { libc::getrlimit(resource, &raw mut limit) })?;
    let most = most.min(limit.rlim_max);
    limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: the struct is live.
    checked(unsafe { libc::setrlimit(resource, &raw const limit) })
}
