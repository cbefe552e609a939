//! Runs a whole process and asks the kernel what it used, its reaped children included.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What something used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// Time by the clock on the wall, in milliseconds.
    pub(crate) wall_ms: f64,
    /// User and system time together, in milliseconds.
    pub(crate) cpu_ms: f64,
    /// The most memory that the largest process held at once, in mebibytes.
    pub(crate) peak_mib: f64,
}

/// Runs a program to its end.
///
/// # Panics
/// When it cannot be run, or does not end with code 0: then there is nothing to measure.
#[expect(clippy::zombie_processes, reason = "it is waited for by `wait` below, which also asks what it used")]
pub(crate) fn run(mut program: Command) -> Cost {
    program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = program.spawn().expect("the program can be started");
    let mut said = String::new();
    let _ = child.stderr.take().expect("standard error is piped").read_to_string(&mut said);
    let (status, usage) = wait(child.id());
    let wall_ms = start.elapsed().as_secs_f64() * 1e3;
    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "{program:?} ended with status {status:#x}:\n{said}");
    Cost { wall_ms, cpu_ms: milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime), peak_mib: mebibytes(usage.ru_maxrss) }
}

#[expect(unsafe_code, reason = "the standard library has no wait that tells what a child used")]
fn wait(pid: u32) -> (libc::c_int, libc::rusage) {
    let pid = libc::pid_t::try_from(pid).expect("a process id fits its type");
    let mut status = 0;
    // SAFETY: rusage is a plain struct of numbers, for which all zeroes is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the child is ours and unreaped; both pointers are to live locals of the right types.
    let waited = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
    assert_eq!(waited, pid, "the child can be waited for");
    (status, usage)
}

#[expect(clippy::cast_precision_loss, reason = "a benchmark's times are far below 2^52")]
fn milliseconds(time: libc::timeval) -> f64 {
    time.tv_sec as f64 * 1e3 + time.tv_usec as f64 / 1e3
}

#[expect(clippy::cast_precision_loss, reason = "a process's kibibytes are far below 2^52")]
fn mebibytes(kibibytes: libc::c_long) -> f64 {
    kibibytes as f64 / 1024.0
}

/// The middle one of some figures.
pub(crate) fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
