//! `capstan threads compact`: the conversation becomes shorter for its model.

use super::client_of;
use crate::args::CompactArgs;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::refusal::refused;
use crate::render::amount;
use crate::surroundings::Surroundings;
use crate::thread_choice::named;
use capstan_types::event::EventBody;
use capstan_types::id::{EventSeq, TurnId};
use capstan_types::item::{Compaction, ItemBody};
use capstan_types::thread::TurnInput;
use std::io::{self, Write};

pub(super) fn run(args: &CompactArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let reach = client_of(&args.daemon, surroundings)?;
    let turn = TurnId::generate();
    crate::runtime::block_on(async {
        let mut client = Client::connect(reach).await.map_err(crate::client::needed)?;
        let thread = named(&mut client, &args.thread).await?.id;
        let mut events = client.look_on(thread, EventSeq(0)).await.map_err(refused)?;
        let input = TurnInput { compact: true, ..TurnInput::default() };
        Box::pin(client.start_turn(thread, turn, input, &mut events)).await.map_err(refused)?;
        let mut done = None;
        while let Some(event) = events.next().await.map_err(refused)? {
            if event.turn != Some(turn) {
                continue;
            }
            match event.body {
                EventBody::ItemCompleted { item } => {
                    if let ItemBody::Compaction(compaction) = item.body {
                        done = Some(compaction);
                    }
                }
                EventBody::TurnCompleted { .. } => return Ok(told(done)),
                EventBody::TurnFailed { message } | EventBody::TurnPaused { message } => return Err(Failure::failed(message)),
                EventBody::TurnInterrupted => return Err(Failure::failed("somebody interrupted it; nothing was changed")),
                _ => {}
            }
        }
        Err(Failure::failed("the coordinator stopped before it was done"))
    })
}

fn told(done: Option<Compaction>) -> Exit {
    let sentence = match done {
        None => "there is nothing in it that could be left out".to_owned(),
        Some(done) => {
            let (before, after) = (amount::count(done.before_tokens), amount::count(done.after_tokens));
            let how = if done.summed_up { "" } else { "; its model gave no summary, so only the last of it is told" };
            format!("{before} tokens before, {after} now{how}")
        }
    };
    // It is done, whether or not anybody reads that.
    let _ = writeln!(io::stdout().lock(), "{sentence}");
    Exit::Success
}
