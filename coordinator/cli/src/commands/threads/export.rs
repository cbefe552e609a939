//! `capstan threads export`: a whole thread as JSON lines.

use super::place::Place;
use super::written::written;
use crate::args::ExportArgs;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::refusal::refused;
use crate::runtime;
use crate::surroundings::Surroundings;
use crate::thread_choice::named;
use std::io::Write;

pub(super) fn run(args: &ExportArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let place = Place::of(&args.daemon, surroundings)?;
    let file = args.output.as_deref().map(|path| surroundings.absolute(path)).transpose()?;
    runtime::block_on(place.with(async |mut client: Client| {
        let write = async |out: &mut dyn Write| {
            let thread = named(&mut client, &args.thread).await?.id;
            client.export(thread, |line| writeln!(out, "{line}")).await.map_err(refused)
        };
        written(file.as_ref().map(|file| file.as_path()), write).await
    }))
}
