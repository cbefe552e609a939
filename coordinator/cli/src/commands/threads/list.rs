//! `capstan threads list` and `capstan threads search`.

use super::place::Place;
use super::table;
use crate::args::{ListThreadsArgs, SearchArgs};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::refusal::refused;
use crate::runtime;
use crate::screen;
use crate::surroundings::Surroundings;
use capstan_types::path::AbsPath;
use capstan_types::thread::listing::{Kept, Newest, ThreadFilter, ThreadPage};
use std::io::{self, IsTerminal, Write};
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) fn list(args: &ListThreadsArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    run(args, String::new(), surroundings)
}

pub(super) fn search(args: &SearchArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    run(&args.list, args.words.join(" "), surroundings)
}

fn run(args: &ListThreadsArgs, search: String, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let filter = filter(args, search, surroundings)?;
    let place = Place::of(&args.daemon, surroundings)?;
    let page = runtime::block_on(place.with(async |mut client: Client| client.threads(filter).await.map_err(refused)))?;
    print(args, &page, surroundings);
    Ok(Exit::Success)
}

fn filter(args: &ListThreadsArgs, search: String, surroundings: &Surroundings) -> Result<ThreadFilter, Failure> {
    let cursor = args.cursor.as_deref().map(str::parse).transpose();
    let cwd = args.cd.as_deref().map(|path| surroundings.absolute(path)).transpose()?;
    // As threads remember it; one that is gone, or lies on another host, is taken by its name.
    let real = |path: AbsPath| path.as_path().canonicalize().ok().and_then(|real| AbsPath::new(real).ok()).unwrap_or(path);
    Ok(ThreadFilter {
        kept: match (args.all, args.archived) {
            (true, _) => Kept::All,
            (false, true) => Kept::Archived,
            (false, false) => Kept::Active,
        },
        cwd: cwd.map(real),
        search,
        newest: if args.by_update { Newest::Updated } else { Newest::Created },
        after: cursor.map_err(|error| Failure::bad_input(format!("--cursor: {error}")))?,
        limit: args.limit,
    })
}

fn print(args: &ListThreadsArgs, page: &ThreadPage, surroundings: &Surroundings) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let lines = if args.json {
        vec![table::json(page).to_string()]
    } else {
        let width = if io::stdout().is_terminal() { screen::width(surroundings) } else { usize::MAX };
        table::table(page, now, width)
    };
    let mut out = io::stdout().lock();
    // Whoever stops reading has seen enough.
    let _ = lines.iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush());
    if let (false, Some(next)) = (args.json, page.next) {
        let _ = writeln!(io::stderr().lock(), "there are more: --cursor {next}");
    }
}
