//! What changes below a directory, from now on.
//!
//! The kernel's queue is the only one: when the reader is slow, it fills up, and then it is told that something was lost. Changes of a short
//! time are gathered, each name once.

mod gathered;
mod ignored;
mod watches;

use crate::beneath::Top;
use crate::out::Out;
use crate::refusal::refusal;
use capstan_types::files::document::{LeaveOut, WatchQuery};
use capstan_types::files::path::FilePath;
use capstan_types::files::report::{Change, Changes, Done, FilesReport, Watching, Why};
use gathered::Gathered;
use ignored::Ignored;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::ReadFlags;
use rustix::io::Errno;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};
use watches::{Happened, Watches};

/// How much of a report is filled, in bytes as names are spelt at their longest.
const FILLED: usize = 48 << 10;

/// What a change takes besides its name.
const CHANGE: usize = 60;

/// Tells changes until the directory is gone, or until nobody is at the other end of `heard`.
pub(crate) fn watch(
    top: &Top,
    query: &WatchQuery,
    hidden: &[FilePath],
    out: &mut Out<'_>,
    heard: BorrowedFd<'_>,
) -> io::Result<()> {
    let watches = match Watches::below(top, query, hidden) {
        Ok(watches) => watches,
        Err(refused) => return out.tell(&FilesReport::Refused(refused)),
    };
    out.tell(&FilesReport::Watching(Watching { directories: watches.count(), unwatched: watches.unwatched }))?;
    let settle = Duration::from_millis(query.settle_ms.min(WatchQuery::MOST_SETTLE_MS));
    let mut watch = Watch { watches, ignored: Ignored::new(query.leave), gathered: Gathered::default(), since: None };
    watch.run(top, (out, heard), settle)
}

struct Watch<'a> {
    watches: Watches<'a>,
    ignored: Ignored,
    gathered: Gathered,
    /// When the first of what is gathered has happened.
    since: Option<Instant>,
}

impl Watch<'_> {
    fn run(&mut self, top: &Top, (out, heard): (&mut Out<'_>, BorrowedFd<'_>), settle: Duration) -> io::Result<()> {
        loop {
            let left = self.since.map(|since| settle.saturating_sub(since.elapsed()));
            if left.is_some_and(|left| left.is_zero()) {
                self.tell(out)?;
                continue;
            }
            let timeout = left.and_then(|left| Timespec::try_from(left).ok());
            let (changed, spoken) = {
                let mut ready =
                    [PollFd::new(self.watches.queue(), PollFlags::IN), PollFd::from_borrowed_fd(heard, PollFlags::IN)];
                match poll(&mut ready, timeout.as_ref()) {
                    Err(Errno::INTR) => continue,
                    done => done?,
                };
                (!ready[0].revents().is_empty(), !ready[1].revents().is_empty())
            };
            if spoken && !out.hear()? {
                return Ok(());
            }
            if changed && !self.gather(top)? {
                self.tell(out)?;
                return out.tell(&FilesReport::Done(Done::default()));
            }
        }
    }

    /// Gathers what the kernel has. False once the directory itself is gone.
    fn gather(&mut self, top: &Top) -> io::Result<bool> {
        let mut there = true;
        for happened in self.watches.read()? {
            match happened {
                Happened::Lost => {
                    self.gathered.lose();
                    self.watches.renew(top);
                }
                Happened::Gone => there = false,
                Happened::To { path, flags } => self.note(top, path, flags),
            }
        }
        if !self.gathered.is_empty() {
            self.since.get_or_insert_with(Instant::now);
        }
        Ok(there)
    }

    fn note(&mut self, top: &Top, path: FilePath, flags: ReadFlags) {
        let is_directory = flags.contains(ReadFlags::ISDIR);
        if self.watches.is_hidden(&path) || self.ignored.includes(top, &path, is_directory) {
            return;
        }
        if flags.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO) {
            self.gathered.note(path.clone(), Change::Made);
            if is_directory {
                for within in self.watches.add_below(top, &path) {
                    self.gathered.note(within, Change::Made);
                }
            }
        } else if flags.intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM) {
            if is_directory {
                self.watches.forget(&path);
            }
            self.gathered.note(path, Change::Removed);
        } else {
            self.gathered.note(path, Change::Altered);
        }
    }

    fn tell(&mut self, out: &mut Out<'_>) -> io::Result<()> {
        self.since = None;
        self.ignored.renew();
        let (changes, overflow) = self.gathered.take();
        let unwatched = self.watches.unwatched;
        let mut report = Changes { overflow, unwatched, ..Changes::default() };
        let mut length = 0;
        for change in changes {
            length += CHANGE + 4 * change.path.as_bytes().len();
            report.changes.push(change);
            if length > FILLED {
                out.tell(&FilesReport::Changes(std::mem::take(&mut report)))?;
                (report.unwatched, length) = (unwatched, 0);
            }
        }
        if report.changes.is_empty() && !report.overflow { Ok(()) } else { out.tell(&FilesReport::Changes(report)) }
    }
}

/// Why nothing can be watched.
fn unwatchable(error: Errno) -> capstan_types::files::report::FilesRefusal {
    match error {
        Errno::MFILE | Errno::NOSPC => refusal(
            Why::TooMuch,
            "this user watches as much as the host lets it; end another watch, or raise fs.inotify.max_user_instances or max_user_watches",
        ),
        error => refusal(Why::Host, format!("the directory cannot be watched: {error}")),
    }
}

/// Whether what is ignored is left out.
const fn leaves_out(leave: LeaveOut) -> bool {
    matches!(leave, LeaveOut::Ignored)
}
