//! `capstan files ls`.

use super::{json, leave, path, shown, warn_of, with};
use crate::args::ListFilesArgs;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::refusal::refused;
use crate::render::{amount, moment, text};
use crate::surroundings::Surroundings;
use capstan_types::files::document::{ListQuery, Order};
use capstan_types::files::report::{FileEntry, FileKind, FilesReport};
use capstan_types::time::UnixMillis;
use std::io::{self, Write};

pub(super) fn run(args: &ListFilesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let query = ListQuery {
        path: path(&args.path)?,
        depth: args.depth,
        leave: leave(args.all),
        order: if args.unsorted { Order::AsFound } else { Order::Sorted },
        limit: args.limit,
        after: args.after.as_deref().map(path).transpose()?,
    };
    let (as_json, long) = (args.rest.json, args.long);
    with((&args.thread, &args.rest.daemon), surroundings, async |mut client: Client, thread| {
        let mut parts = client.list_files(thread, &query).await.map_err(refused)?;
        let mut last = None;
        while let Some(report) = parts.next().await.map_err(refused)? {
            match report {
                FilesReport::Entries(entries) => {
                    if print(&entries, as_json, long).is_err() {
                        return Ok(Exit::Success);
                    }
                    last = entries.into_iter().last().map(|entry| entry.path);
                }
                FilesReport::Done(done) => {
                    let last = last.as_ref().map(shown).unwrap_or_default();
                    warn_of(&done, &format!("raise --limit or --depth, or go on with --after '{last}'"));
                }
                _ => {}
            }
        }
        Ok(Exit::Success)
    })
}

fn print(entries: &[FileEntry], as_json: bool, long: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for entry in entries {
        match (as_json, long) {
            (true, _) => json(&mut out, entry)?,
            (false, true) => writeln!(out, "{}", row(entry))?,
            (false, false) => writeln!(out, "{}", named(entry))?,
        }
    }
    out.flush()
}

/// A directory has a slash behind its name, and a link where it leads.
fn named(entry: &FileEntry) -> String {
    let name = shown(&entry.path);
    match (entry.facts.kind, &entry.target) {
        (FileKind::Directory, _) => format!("{name}/"),
        (FileKind::Link, Some(target)) => format!("{name} -> {}", text::line(&String::from_utf8_lossy(&target.0))),
        _ => name,
    }
}

fn row(entry: &FileEntry) -> String {
    let facts = &entry.facts;
    let kind = match facts.kind {
        FileKind::File => '-',
        FileKind::Directory => 'd',
        FileKind::Link => 'l',
        FileKind::Pipe => 'p',
        FileKind::Socket => 's',
        FileKind::Device => 'b',
    };
    let changed = moment::utc(UnixMillis(u64::try_from(facts.modified_ms).unwrap_or(0)));
    format!("{kind}{:04o}  {:>10}  {changed}  {}", facts.mode, amount::bytes(facts.size), named(entry))
}
