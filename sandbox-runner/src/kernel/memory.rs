//! The memory of this process.
#![expect(unsafe_code, reason = "madvise has no safe form in the standard library")]

/// Brings in all of this program's code, so that processes forked from this one share it with this one instead of each having pages of
/// its own. Without effect on kernels before 5.14.
pub(crate) fn bring_in_program() {
    let Ok(program) = std::env::current_exe() else { return };
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    for line in maps.lines().filter(|line| line.ends_with(&*program.to_string_lossy())) {
        if let Some((from, length)) = unwritable(line) {
            // SAFETY: reading ahead changes nothing that a program can see, whatever the range.
            unsafe { libc::madvise(std::ptr::without_provenance_mut(from), length, libc::MADV_POPULATE_READ) };
        }
    }
}

/// The start and length of a mapping that cannot be written, from its line in `/proc/self/maps`.
fn unwritable(line: &str) -> Option<(usize, usize)> {
    let (range, rest) = line.split_once(' ')?;
    let (from, to) = range.split_once('-')?;
    let (from, to) = (usize::from_str_radix(from, 16).ok()?, usize::from_str_radix(to, 16).ok()?);
    rest.starts_with("r-").then(|| Some((from, to.checked_sub(from)?)))?
}
