//! `capstan threads patch`: what a thread changed, as a patch.

use super::place::Place;
use super::turn;
use super::written::written;
use crate::args::PatchArgs;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::refusal::refused;
use crate::runtime;
use crate::surroundings::Surroundings;
use crate::thread_choice::named;
use std::io::Write;

pub(super) fn run(args: &PatchArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let turn = turn(args.turn.as_deref())?;
    let place = Place::with_workspaces(&args.daemon, surroundings)?;
    let file = args.output.as_deref().map(|path| surroundings.absolute(path)).transpose()?;
    runtime::block_on(place.with(async |mut client: Client| {
        let write = async |out: &mut dyn Write| {
            let thread = named(&mut client, &args.thread).await?.id;
            let facts = client.patch(thread, turn, |piece| out.write_all(piece)).await.map_err(refused)?;
            Ok(facts.map(drop))
        };
        written(file.as_ref().map(|file| file.as_path()), write).await
    }))
}
