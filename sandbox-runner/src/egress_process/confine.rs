//! What the proxy gives up before it hears the first byte, in this order. Each step must succeed.
#![expect(unsafe_code, reason = "close_range, sigprocmask and prctl have no safe form in the standard library")]

use crate::kernel::{descriptor, privileges, process};
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
    Scope, path_beneath_rules,
};
use rustix::process::Resource;
use seccompiler::{
    SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch, apply_filter,
};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::RawFd;

/// The user `nobody`, whom no file belongs to.
const NOBODY: u32 = 65534;
/// Two for each connection, a few for each lookup, and some to spare.
const DESCRIPTORS: u64 = 1024;
/// What a C library reads to look a name up. What is not there is passed over.
const READABLE: [&str; 9] =
    ["/etc", "/usr", "/lib", "/lib32", "/lib64", "/nix/store", "/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf"];

type Step = (&'static str, io::Error);

pub(super) fn confine(kept: [RawFd; 3], holder: u32) -> Result<(), Step> {
    let step = |name: &'static str| move |error| (name, error);
    process::leave_session();
    default_signals();
    descriptor::detach_standard_streams().map_err(step("standard streams"))?;
    close_all_but(kept).map_err(step("descriptors"))?;
    std::env::set_current_dir("/").map_err(step("directory"))?;
    // Not the number of processes: that is counted over all of the user's, so one session's proxy would starve another's. The filter
    // below lets it make threads only, and it bounds those itself.
    for (resource, most) in [(Resource::Nofile, DESCRIPTORS), (Resource::Core, 0), (Resource::Fsize, 0)] {
        privileges::bound(resource, most).map_err(step("limits"))?;
    }
    if process::user() == 0 {
        privileges::become_user(NOBODY).map_err(step("user nobody"))?;
    }
    privileges::drop_all().map_err(step("capabilities"))?;
    privileges::die_with(holder).map_err(step("the holder's death"))?;
    process::hide_memory().map_err(step("memory"))?;
    landlock().map_err(step("Landlock"))?;
    seccomp().map_err(step("seccomp"))
}

/// The holder reads its signals and ignores others; the proxy has no use for either, but must outlive a reader that has gone.
fn default_signals() {
    for signal in 1..=64 {
        let action = if signal == libc::SIGPIPE { libc::SIG_IGN } else { libc::SIG_DFL };
        // SAFETY: installs no handler; it fails for those that cannot be changed.
        unsafe { libc::signal(signal, action) };
    }
    let mut none = std::mem::MaybeUninit::uninit();
    // SAFETY: `sigemptyset` initialises the set before it is read.
    unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
    }
}

fn close_all_but(mut kept: [RawFd; 3]) -> io::Result<()> {
    kept.sort_unstable();
    let mut first = descriptor::FIRST_PRIVATE;
    for fd in kept.into_iter().filter_map(|fd| u32::try_from(fd).ok()).chain([u32::MAX]) {
        // SAFETY: takes integers only; what is closed belongs to the holder's values, which this process never uses again.
        if fd > first && unsafe { libc::close_range(first, fd - 1, 0) } < 0 {
            return Err(io::Error::last_os_error());
        }
        first = fd.saturating_add(1);
    }
    Ok(())
}

/// All that the kernel's Landlock can hold. A kernel without it leaves the proxy to its user and its filter.
fn landlock() -> io::Result<()> {
    let build = || {
        let ruleset = Ruleset::default().set_compatibility(CompatLevel::BestEffort);
        let ruleset = ruleset.handle_access(AccessFs::from_all(ABI::V7))?.handle_access(AccessNet::BindTcp)?;
        let read: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::ReadDir;
        let resolver = std::fs::canonicalize("/etc/resolv.conf").ok();
        let created = ruleset.scope(Scope::from_all(ABI::V7))?.create()?;
        created.add_rules(path_beneath_rules(READABLE, read))?.add_rules(path_beneath_rules(resolver, read))?.restrict_self()
    };
    let status = build().map_err(io::Error::other)?;
    if status.ruleset == RulesetStatus::NotEnforced && crate::probe::landlock_abi().is_some() {
        return Err(io::Error::other("it is there and was not applied"));
    }
    Ok(())
}

/// No programs, no processes, no other processes, and of sockets those that a lookup or a connection needs.
fn seccomp() -> io::Result<()> {
    let word = |argument, operator, value| SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value);
    let families = [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX, libc::AF_NETLINK];
    let build = || {
        let thread = u64::from(libc::CLONE_THREAD.unsigned_abs());
        let foreign = families.map(|family| word(0, SeccompCmpOp::Ne, u64::from(family.unsigned_abs())));
        let mut refused: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
        refused.insert(libc::SYS_clone, vec![SeccompRule::new(vec![word(0, SeccompCmpOp::MaskedEq(thread), 0)?])?]);
        refused.insert(libc::SYS_socket, vec![SeccompRule::new(foreign.into_iter().collect::<Result<_, _>>()?)?]);
        let arch = TargetArch::try_from(std::env::consts::ARCH)?;
        let compiled = |rules, errno: i32| {
            SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno.unsigned_abs()), arch)?.try_into()
        };
        // `clone3` is told to be missing, because its flags cannot be seen; C libraries then fall back to `clone`.
        let absent = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
        Ok::<[Vec<_>; 2], seccompiler::BackendError>([compiled(refused, libc::EPERM)?, compiled(absent, libc::ENOSYS)?])
    };
    let programs = build().map_err(io::Error::other)?;
    programs.iter().try_for_each(|program| apply_filter(program)).map_err(io::Error::other)
}

const REFUSED: &[i64] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    libc::SYS_open_by_handle_at,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
];
