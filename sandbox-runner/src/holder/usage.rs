//! What a tree of processes uses, added up from `/proc`.
//!
//! The kernel adds a process that was waited for to whoever waited, so what is gone is counted with those who are left, and at last with
//! the holder. Only the children of a process that ignores their ends are lost to the sums, once they have ended.

use crate::kernel::{proc_file, process};
use std::time::Duration;

/// In which fractions of a second the kernel tells processor time, on all machines that there are runners for.
const TICK: Duration = Duration::from_millis(10);

/// What is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Processes and threads that live.
    pub(super) threads: u64,
    /// Bytes of memory, in which what several share is counted for each.
    pub(super) resident: u64,
    /// Processor time of those who live and those who are gone.
    pub(super) cpu: Duration,
    /// Bytes that were written to disk, or are to be; zero unless asked for.
    pub(super) written: u64,
}

impl Usage {
    /// The sum over `members` and over those that this process has reaped.
    pub(super) fn of(members: &[libc::pid_t], with_written: bool) -> Self {
        let mut sum = Self::default();
        let mut ticks = fields("self").map_or(0, |fields| fields.reaped);
        for fields in members.iter().filter_map(|pid| fields(&pid.to_string())) {
            ticks += fields.own + fields.reaped;
            sum.threads += fields.threads;
            sum.resident += fields.resident * process::page_size();
        }
        sum.cpu = TICK * u32::try_from(ticks).unwrap_or(u32::MAX);
        if with_written {
            let (whole, own) = (written("self/io"), written("thread-self/io"));
            sum.written = whole.saturating_sub(own) + members.iter().map(|pid| written(&format!("{pid}/io"))).sum::<u64>();
        }
        sum
    }
}

/// Whether `members` together hold more than `most` bytes of memory of their own: what several share is divided among them, and files
/// are not counted, which the kernel can drop. It is slow, so it is asked only when the quick sum is too large.
pub(super) fn exceeds(members: &[libc::pid_t], most: u64) -> bool {
    let mut sum = 0;
    members.iter().any(|pid| {
        sum += own_memory(*pid);
        sum > most
    })
}

fn own_memory(pid: libc::pid_t) -> u64 {
    let text = proc_file::read(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let sizes = text.lines().filter(|line| line.starts_with("Pss_Anon:") || line.starts_with("Pss_Shmem:"));
    1024 * sizes.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum::<u64>()
}

/// Of `/proc/PID/stat`: times in ticks, memory in pages.
struct Fields {
    own: u64,
    reaped: u64,
    threads: u64,
    resident: u64,
}

fn fields(pid: &str) -> Option<Fields> {
    let stat = proc_file::read(format!("/proc/{pid}/stat")).ok()?;
    // Counted from behind the name, which may hold anything: the first is the state, the third field of the whole.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |place: usize| fields.get(place - 3).and_then(|field| field.parse::<u64>().ok());
    let ended = matches!(fields.first(), Some(&("Z" | "X")));
    Some(Fields {
        own: number(14)? + number(15)?,
        reaped: number(16)? + number(17)?,
        threads: if ended { 0 } else { number(20)? },
        resident: number(24)?,
    })
}

fn written(file: &str) -> u64 {
    let text = proc_file::read(format!("/proc/{file}")).unwrap_or_default();
    text.lines().find_map(|line| line.strip_prefix("write_bytes: ")).and_then(|count| count.parse().ok()).unwrap_or(0)
}
