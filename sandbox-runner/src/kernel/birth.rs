//! The making of a process that is to become another program: without a copy of our memory, which it would never use.
//!
//! Until it executes the program or exits, the new process works in our memory, on a stack of its own, and we stand still: nothing that it
//! does there comes in between anything. Its descriptors, signals, directories, user and namespaces are its own, as after any fork.
//!
//! One that is made ahead ([`start_ahead`]) waits on the way until it is told to go on ([`Baton`]), and only then do we work. Until it
//! makes a table of its own, it sees the descriptors that we open meanwhile.
#![expect(unsafe_code, reason = "clone has no safe form in the standard library")]

use super::baton::Baton;
use std::io;
use std::os::fd::RawFd;

/// More than the steps before an exec need; what is not touched is not there.
const STACK: usize = 256 * 1024;
/// What the architectures want of a stack.
const ALIGNMENT: usize = 16;
/// `CLONE_INTO_CGROUP`, which does not fit the C library's type for flags.
const INTO_CGROUP: u64 = 1 << 33;

/// Where a new process is put.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Birth {
    /// The directory of a group of cgroup version 2; none for ours.
    pub(crate) group: Option<RawFd>,
    /// Whether it is to be a child of our parent.
    pub(crate) sibling: bool,
}

/// What the new process runs: it never returns. It is told whether it is in the group that was asked for.
pub(crate) type Life<T> = fn(&T, bool) -> !;

/// Makes a process that runs `life` with `with`, and gives its number when it has executed a program or is gone.
///
/// To be in a group from the start costs nothing; to be moved into one of version 2 has the kernel bring all forks of the host to a
/// halt, for ten milliseconds and more. Kernels and filters that cannot do it leave that to the new process.
pub(crate) fn start<T>(birth: Birth, life: Life<T>, with: &T) -> io::Result<libc::pid_t> {
    let mut stack = Vec::<u8>::with_capacity(STACK);
    let groups = birth.group.map(Some).into_iter().chain([None]);
    for group in groups {
        let call = Call { life, with, placed: group.is_some() };
        let mut request = request(Birth { group, ..birth });
        request.stack = stack.as_mut_ptr().addr().next_multiple_of(ALIGNMENT) as u64;
        request.stack_size = (STACK - ALIGNMENT) as u64;
        // SAFETY: the stack is ours and large enough, and stays until the child has left it, as we stand still until then; this program has
        // one thread, so the child may use all of its memory.
        let pid = unsafe { clone(&request, enter::<T>, &raw const call) };
        if let Ok(pid) = libc::pid_t::try_from(pid)
            && pid > 0
        {
            return Ok(pid);
        }
    }
    let sibling = if birth.sibling { libc::CLONE_PARENT } else { 0 };
    // SAFETY: as above, in a copy of the memory.
    match unsafe { libc::syscall(libc::SYS_clone, sibling | libc::SIGCHLD, 0, 0, 0, 0) } {
        0 => life(with, false),
        pid if pid < 0 => Err(io::Error::last_os_error()),
        pid => Ok(libc::pid_t::try_from(pid).unwrap_or(-1)),
    }
}

/// The stack of a process that was made ahead. To be kept until that has executed a program or is gone.
pub(crate) type Stack = Vec<u8>;

/// Makes a process that runs `life` with `with`, and returns when that waits at `baton` or is gone.
///
/// After its wait it must not use `with`, for we have gone on.
pub(crate) fn start_ahead<T>(birth: Birth, life: Life<T>, with: &T, baton: &Baton) -> io::Result<(libc::pid_t, Stack)> {
    let mut stack = Stack::with_capacity(STACK);
    let groups = birth.group.map(Some).into_iter().chain([None]);
    for group in groups {
        let call = Call { life, with, placed: group.is_some() };
        let mut request = request(Birth { group, ..birth });
        request.flags &= !u64::try_from(libc::CLONE_VFORK).unwrap_or_default();
        request.flags |= u64::try_from(libc::CLONE_FILES | libc::CLONE_CHILD_CLEARTID).unwrap_or_default();
        request.child_tid = baton.cleared_by_kernel();
        request.stack = stack.as_mut_ptr().addr().next_multiple_of(ALIGNMENT) as u64;
        request.stack_size = (STACK - ALIGNMENT) as u64;
        // SAFETY: the stack is ours and large enough, and the caller keeps it; the call is used before the child first waits, and we do
        // nothing until then.
        let pid = unsafe { clone(&request, enter::<T>, &raw const call) };
        if let Ok(pid) = libc::pid_t::try_from(pid)
            && pid > 0
        {
            baton.await_other();
            return Ok((pid, stack));
        }
    }
    Err(io::ErrorKind::Unsupported.into())
}

struct Call<'a, T> {
    life: Life<T>,
    with: &'a T,
    placed: bool,
}

extern "C" fn enter<T>(call: *const Call<'_, T>) -> ! {
    // SAFETY: whoever started us stands still, with the call on its stack.
    let call = unsafe { &*call };
    (call.life)(call.with, call.placed)
}

fn request(birth: Birth) -> libc::clone_args {
    // SAFETY: all zero is a valid request.
    let mut request: libc::clone_args = unsafe { std::mem::zeroed() };
    let sibling = if birth.sibling { libc::CLONE_PARENT } else { 0 };
    let group = birth.group.map_or(0, |_| INTO_CGROUP);
    request.flags = u64::try_from(libc::CLONE_VM | libc::CLONE_VFORK | sibling).unwrap_or_default() | group;
    // A sibling has its parent's.
    request.exit_signal = if birth.sibling { 0 } else { u64::try_from(libc::SIGCHLD).unwrap_or_default() };
    request.cgroup = birth.group.and_then(|group| u64::try_from(group).ok()).unwrap_or_default();
    request
}

/// The child begins on its stack with `enter`, which no function of a library offers together with a group.
///
/// # Safety
/// The request's stack must be the caller's, and large enough for `enter`.
#[cfg(target_arch = "x86_64")]
unsafe fn clone<C>(request: &libc::clone_args, enter: extern "C" fn(*const C) -> !, call: *const C) -> i64 {
    let result: i64;
    // SAFETY: the caller's promise; in the parent this is a system call like any other.
    unsafe {
        std::arch::asm!(
            "syscall", "test rax, rax", "jnz 2f",
            "xor ebp, ebp", "mov rdi, r9", "call r8", "ud2",
            "2:",
            // By name: one that the compiler chose might be the frame pointer, which is cleared before the call.
            in("r8") enter, in("r9") call,
            inlateout("rax") libc::SYS_clone3 => result,
            in("rdi") request, in("rsi") size_of::<libc::clone_args>(),
            out("rcx") _, out("r11") _,
        );
    }
    result
}

/// As on the other architecture.
///
/// # Safety
/// The same.
#[cfg(target_arch = "aarch64")]
unsafe fn clone<C>(request: &libc::clone_args, enter: extern "C" fn(*const C) -> !, call: *const C) -> i64 {
    let result: i64;
    // SAFETY: the caller's promise; in the parent this is a system call like any other.
    unsafe {
        std::arch::asm!(
            "svc 0", "cbnz x0, 2f",
            "mov x29, xzr", "mov x0, {call}", "blr {enter}", "brk 1",
            "2:",
            enter = in(reg) enter, call = in(reg) call, in("x8") libc::SYS_clone3,
            inlateout("x0") request => result, in("x1") size_of::<libc::clone_args>(),
        );
    }
    result
}
