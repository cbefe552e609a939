//! `capstan threads queue` and `capstan threads interrupt`: turns of a thread that a coordinator runs.

use super::client_of;
use crate::args::{InterruptArgs, QueueArgs};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::refusal::refused;
use crate::surroundings::Surroundings;
use crate::thread_choice::named;
use capstan_types::id::TurnId;
use capstan_types::thread::{OnInterrupt, TurnInput};
use std::io::{self, Write};

pub(super) fn queue(args: &QueueArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    if args.prompt.trim().is_empty() {
        return Err(Failure::bad_input("the prompt is empty; say what is to be done"));
    }
    let reach = client_of(&args.daemon, surroundings)?;
    let turn = TurnId::generate();
    crate::runtime::block_on(async {
        let mut client = Client::connect(reach).await.map_err(crate::client::needed)?;
        let thread = named(&mut client, &args.thread).await?.id;
        let input = TurnInput { text: args.prompt.clone(), ..TurnInput::default() };
        let before = Box::pin(client.queue_turn(thread, turn, input)).await.map_err(refused)?;
        say(&match before {
            0 => format!("turn {turn} begins"),
            1 => format!("turn {turn} waits for the one that runs"),
            more => format!("turn {turn} waits for {more} others"),
        });
        Ok(Exit::Success)
    })
}

pub(super) fn interrupt(args: &InterruptArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let reach = client_of(&args.daemon, surroundings)?;
    let sessions = if args.kill { OnInterrupt::KillSessions } else { OnInterrupt::KeepSessions };
    crate::runtime::block_on(async {
        let mut client = Client::connect(reach).await.map_err(crate::client::needed)?;
        let thread = named(&mut client, &args.thread).await?.id;
        let turn = client.interrupt_turn(thread, sessions, args.queued).await.map_err(refused)?;
        say(&turn.map_or_else(|| format!("no turn runs in {thread}"), |turn| format!("interrupted turn {turn}")));
        Ok(Exit::Success)
    })
}

fn say(line: &str) {
    // It is done, whether or not anybody reads that.
    let _ = writeln!(io::stdout().lock(), "{line}");
}
