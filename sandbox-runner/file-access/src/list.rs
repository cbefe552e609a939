//! The names below a directory.

use crate::beneath::Top;
use crate::out::Out;
use crate::walk::{Found, Walk, Way};
use capstan_types::files::document::{ListQuery, MOST_DEPTH, MOST_LISTED};
use capstan_types::files::path::FilePath;
use capstan_types::files::raw_text::RawText;
use capstan_types::files::report::{Done, FileEntry, FileKind, FilesReport, Stopped};
use rustix::fs::readlinkat;
use std::io;

/// How much is gathered before it is told, in bytes as they are spelt at their longest.
const GATHERED: usize = 48 << 10;

/// What an entry takes besides its names.
const ENTRY: usize = 200;

/// Tells the names.
pub(crate) fn list(top: &Top, query: &ListQuery, hidden: &[FilePath], out: &mut Out<'_>) -> io::Result<()> {
    let way = Way {
        leave: query.leave,
        hidden,
        order: query.order,
        depth: query.depth.clamp(1, MOST_DEPTH),
        after: query.after.as_ref(),
    };
    let mut walk = match Walk::below(top, &query.path, way) {
        Ok(walk) => walk,
        Err(refusal) => return out.tell(&FilesReport::Refused(refusal)),
    };
    let limit = query.limit.min(MOST_LISTED);
    let (mut gathered, mut length, mut told, mut stopped) = (Vec::new(), 0, 0, None);
    while let Some(found) = walk.next() {
        if told == limit {
            stopped = Some(Stopped::Limit);
            break;
        }
        let entry = entry(&walk, found);
        told += 1;
        length += longest(&entry);
        gathered.push(entry);
        if length > GATHERED {
            out.tell(&FilesReport::Entries(std::mem::take(&mut gathered)))?;
            length = 0;
        }
    }
    if !gathered.is_empty() {
        out.tell(&FilesReport::Entries(gathered))?;
    }
    // A list of one level is meant to be one.
    let stopped = stopped.or_else(|| (walk.cut && query.depth > 1).then_some(Stopped::Depth));
    out.tell(&FilesReport::Done(Done { stopped, told, skipped: walk.skipped, ..Done::default() }))
}

fn entry(walk: &Walk<'_>, found: Found) -> FileEntry {
    let Found { name, path, facts } = found;
    let link = walk.directory().filter(|_| facts.kind == FileKind::Link);
    let target = link.and_then(|directory| readlinkat(directory, &name, Vec::new()).ok());
    FileEntry { path, facts, target: target.map(|target| RawText(target.into_bytes())) }
}

/// How long an entry can get in JSON, where each byte may be a number and a comma.
fn longest(entry: &FileEntry) -> usize {
    let target = entry.target.as_ref().map_or(0, |target| target.0.len());
    ENTRY + 4 * (entry.path.as_bytes().len() + target)
}
