//! `capstan files watch`.

use super::{json, leave, path, shown, with};
use crate::args::WatchFilesArgs;
use crate::client::Client;
use crate::failure::{Exit, Failure, warn};
use crate::refusal::refused;
use crate::signals::Signals;
use crate::surroundings::Surroundings;
use capstan_types::files::document::WatchQuery;
use capstan_types::files::report::{Change, FilesReport, PathChange};
use capstan_types::id::ThreadId;
use std::io::{self, Write};

pub(super) fn run(args: &WatchFilesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let query = WatchQuery {
        path: path(&args.path)?,
        leave: leave(args.all),
        settle_ms: WatchQuery::SETTLE_MS,
        directories: WatchQuery::USUAL,
    };
    let as_json = args.rest.json;
    with((&args.thread, &args.rest.daemon), surroundings, async |client: Client, thread| {
        let mut signals =
            Signals::listen().map_err(|error| Failure::failed(format!("signals cannot be listened to: {error}")))?;
        tokio::select! {
            watched = watch(client, thread, &query, as_json) => watched,
            // Looking away is no failure.
            _ = signals.next() => Ok(Exit::Success),
        }
    })
}

async fn watch(mut client: Client, thread: ThreadId, query: &WatchQuery, as_json: bool) -> Result<Exit, Failure> {
    let mut parts = client.watch_files(thread, query).await.map_err(refused)?;
    let mut told = 0;
    while let Some(report) = parts.next().await.map_err(refused)? {
        let (changes, overflow, unwatched) = match report {
            FilesReport::Watching(watching) => (Vec::new(), false, watching.unwatched),
            FilesReport::Changes(changes) => (changes.changes, changes.overflow, changes.unwatched),
            _ => continue,
        };
        if unwatched > told {
            warn(&mut io::stderr(), &format!("{unwatched} directories are not watched, because there are too many"));
            told = unwatched;
        }
        if overflow {
            warn(&mut io::stderr(), "more has changed than could be told; list the files anew");
        }
        if print(&changes, as_json).is_err() {
            return Ok(Exit::Success);
        }
    }
    Ok(Exit::Success)
}

fn print(changes: &[PathChange], as_json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for change in changes {
        if as_json {
            json(&mut out, change)?;
            continue;
        }
        let word = match change.change {
            Change::Made => "made",
            Change::Altered => "changed",
            Change::Removed => "removed",
        };
        writeln!(out, "{word:<8} {}", shown(&change.path))?;
    }
    out.flush()
}
