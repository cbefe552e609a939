//! `capstan files put`.

use super::{json, path, shown, with};
use crate::args::PutArgs;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::refusal::refused;
use crate::render::amount;
use crate::surroundings::Surroundings;
use crate::who;
use bytes::Bytes;
use capstan_types::files::document::{Expect, MOST_WRITTEN, WriteQuery};
use std::fs::File;
use std::io::{self, Read, Write};

pub(super) fn run(args: &PutArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let path = path(&args.path)?;
    let expect = match (&args.expect, args.replace) {
        (Some(hash), _) => Expect::Hash(hash.to_ascii_lowercase()),
        (None, true) => Expect::Anything,
        (None, false) => Expect::Absent,
    };
    let by = who::person(surroundings)?;
    let data = content(args, surroundings)?;
    let query = WriteQuery { path, expect, mode: args.mode, parents: args.parents, length: data.len() as u64 };
    with((&args.thread, &args.rest.daemon), surroundings, async |mut client: Client, thread| {
        let written = client.write_file(thread, (&query, data), &by).await.map_err(refused)?;
        let mut out = io::stdout().lock();
        let _ = if args.rest.json {
            json(&mut out, &written)
        } else {
            let done = if written.created { "made" } else { "written over" };
            writeln!(out, "{}: {done}, {}", shown(&query.path), amount::bytes(written.facts.size))
        };
        Ok(Exit::Success)
    })
}

fn content(args: &PutArgs, surroundings: &Surroundings) -> Result<Bytes, Failure> {
    let mut bytes = Vec::new();
    let read = match &args.from {
        None => io::stdin().lock().take(MOST_WRITTEN + 1).read_to_end(&mut bytes),
        Some(file) => File::open(surroundings.absolute(file)?.as_path())
            .and_then(|file| file.take(MOST_WRITTEN + 1).read_to_end(&mut bytes)),
    };
    let from = args.from.as_ref().map_or_else(|| "standard input".to_owned(), |file| format!("`{}`", file.display()));
    read.map_err(|error| Failure::bad_input(format!("{from} cannot be read: {error}")))?;
    if bytes.len() as u64 > MOST_WRITTEN {
        let most = amount::bytes(MOST_WRITTEN);
        return Err(Failure::bad_input(format!("{from} has more than {most}, which is the most that is written at once")));
    }
    Ok(bytes.into())
}
