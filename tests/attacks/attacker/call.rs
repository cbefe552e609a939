//! System calls by number, and what their answers say about a sandbox.

#![expect(unsafe_code, reason = "an attack calls the kernel with whatever arguments it likes")]

use std::ffi::{CStr, CString, c_long};

/// Makes a system call. A pointer is given as a number; it must be valid for as long as the kernel may use it.
pub(crate) fn call(number: c_long, arguments: &[usize]) -> Result<usize, i32> {
    let at = |index: usize| arguments.get(index).copied().unwrap_or(0);
    // SAFETY: the callers hand over pointers to memory that they own, or null; what else goes wrong ends an attacker, which is fine.
    let answer = unsafe { libc::syscall(number, at(0), at(1), at(2), at(3), at(4), at(5)) };
    usize::try_from(answer).map_err(|_| std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
}

/// A string for the kernel.
pub(crate) fn c(text: &str) -> CString {
    CString::new(text).expect("no NUL in a path")
}

/// The address of a string, for [`call`].
pub(crate) fn at(text: &CStr) -> usize {
    text.as_ptr().addr()
}

/// The address of a value, for [`call`].
pub(crate) fn of<T: ?Sized>(value: &T) -> usize {
    (&raw const *value).cast::<u8>().addr()
}

/// An escape when the call succeeded.
pub(crate) fn works<T>(what: &str, answer: Result<T, i32>) -> Vec<String> {
    answer.map_or(Vec::new(), |_| vec![what.to_owned()])
}

/// An escape when the kernel did not refuse for want of permission: what refused was only the nonsense in the arguments.
pub(crate) fn passes<T>(what: &str, answer: Result<T, i32>) -> Vec<String> {
    match answer {
        Err(libc::EPERM | libc::EACCES | libc::ENOSYS) => Vec::new(),
        Err(error) => vec![format!("{what} was looked at by the kernel (error {error})")],
        Ok(_) => vec![format!("{what} succeeded")],
    }
}

/// Opens a path; the descriptor stays open.
pub(crate) fn open(path: &str, flags: i32) -> Result<usize, i32> {
    let path = c(path);
    call(libc::SYS_openat, &[here(), at(&path), bits(flags), 0o600])
}

/// `AT_FDCWD`, for [`call`].
pub(crate) fn here() -> usize {
    bits(libc::AT_FDCWD)
}

/// A signed number as the kernel takes it.
pub(crate) fn bits(number: i32) -> usize {
    number as isize as usize
}

/// An escape for each path that can be opened so.
pub(crate) fn opened(paths: &[&str], flags: i32) -> Vec<String> {
    let flags = flags | libc::O_NONBLOCK | libc::O_NOCTTY;
    paths.iter().filter(|path| open(path, flags).is_ok()).map(|path| format!("{path} can be opened")).collect()
}

/// The error of a call of the standard library, as [`works`] wants it.
pub(crate) fn plain<T>(answer: std::io::Result<T>) -> Result<T, i32> {
    answer.map_err(|error| error.raw_os_error().unwrap_or(0))
}

/// Forks. The child gets `true`.
pub(crate) fn fork() -> Result<Option<usize>, i32> {
    // SAFETY: an attacker has one thread wherever it forks.
    match unsafe { libc::fork() } {
        0 => Ok(None),
        pid => usize::try_from(pid).map(Some).map_err(|_| std::io::Error::last_os_error().raw_os_error().unwrap_or(0)),
    }
}

/// Ends this process without looking back.
pub(crate) fn end(code: i32) -> ! {
    // SAFETY: it only ends the process.
    unsafe { libc::_exit(code) }
}
