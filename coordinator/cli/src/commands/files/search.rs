//! `capstan files search`.

use super::{json, leave, path, shown, warn_of, with};
use crate::args::SearchFilesArgs;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::refusal::refused;
use crate::render::text;
use crate::surroundings::Surroundings;
use capstan_types::files::document::{Case, SearchQuery, Tell};
use capstan_types::files::report::{FilesReport, SearchHit};
use std::io::{self, Write};

/// Files that are longer are passed over, in bytes.
const LONGEST: u64 = 64 << 20;
/// How long it may take, in milliseconds.
const TIME_MS: u64 = 60_000;

pub(super) fn run(args: &SearchFilesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let tell = match (args.files, args.count) {
        (true, _) => Tell::Files,
        (false, true) => Tell::Counts,
        (false, false) => Tell::Lines,
    };
    let query = SearchQuery {
        path: path(&args.path)?,
        pattern: args.pattern.clone(),
        fixed: args.fixed,
        case: if args.ignore_case { Case::Insensitive } else { Case::Sensitive },
        globs: args.globs.clone(),
        leave: leave(args.all),
        tell,
        before: args.context,
        after: args.context,
        limit: args.limit,
        file_bytes: LONGEST,
        time_ms: TIME_MS,
    };
    let as_json = args.rest.json;
    with((&args.thread, &args.rest.daemon), surroundings, async |mut client: Client, thread| {
        let mut parts = client.search_files(thread, &query).await.map_err(refused)?;
        let mut exit = Exit::Failed;
        while let Some(report) = parts.next().await.map_err(refused)? {
            match report {
                FilesReport::Hits(hits) => {
                    exit = Exit::Success;
                    if print(&hits, as_json, tell).is_err() {
                        break;
                    }
                }
                FilesReport::Done(done) => warn_of(&done, "raise --limit, or look for less at once"),
                _ => {}
            }
        }
        Ok(exit)
    })
}

fn print(hits: &[SearchHit], as_json: bool, tell: Tell) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for hit in hits {
        if as_json {
            json(&mut out, hit)?;
        } else {
            writeln!(out, "{}", row(hit, tell))?;
        }
    }
    out.flush()
}

fn row(hit: &SearchHit, tell: Tell) -> String {
    let name = shown(&hit.path);
    match tell {
        Tell::Files => name,
        Tell::Counts => format!("{name}:{}", hit.count),
        Tell::Lines => {
            let mark = if hit.around { '-' } else { ':' };
            let cut = if hit.cut > 0 { format!(" [{} bytes more]", hit.cut) } else { String::new() };
            format!("{name}{mark}{}{mark}{}{cut}", hit.line, text::line(&String::from_utf8_lossy(&hit.text.0)))
        }
    }
}
