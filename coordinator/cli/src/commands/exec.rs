//! `capstan exec`: one prompt, run to its end without asking anything.

mod asked;
mod belongs;
mod carried;
mod in_vain;
mod models;
mod overrides;
mod owner;
mod prepare;
mod source;
mod start;

pub use asked::{Begin, Which};
pub use models::{every_provider, models};
pub use overrides::Changes;
pub use owner::at_work;
pub use prepare::{Changed, Prepared, prepare};

use crate::args::{ColourChoice, ExecArgs};
use crate::client::ClientError;
use crate::embedded::Hands;
use crate::engaged::{Engaged, Place};
use crate::failure::{self, Exit, Failure};
use crate::last_message;
use crate::refusal::refused;
use crate::render::{AsRoot, JsonLines, Render, Transcript};
use crate::screen::{self, Stream};
use crate::signals::{Signals, Wish};
use crate::surroundings::Surroundings;
use crate::turn::{self, End, Ended, Start};
use capstan_types::id::ThreadId;
use capstan_types::thread::ThreadSettings;
use capstan_types::thread::listing::ThreadFilter;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tracing::Instrument;

/// Runs the command. Blocks until the turn has ended and everything has stopped.
///
/// # Errors
/// What was given cannot be used, or the turn failed.
pub fn run(args: &ExecArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let prepared = prepare(args, surroundings)?;
    let _telemetry = crate::telemetry::start("capstan-exec", &prepared.telemetry)?;
    let output = Output { json: args.json, colour: args.color, file: args.output_last_message.clone() };
    crate::runtime::block_on_one_turn(async move {
        let span = tracing::info_span!("capstan.exec", gen_ai.request.model = %prepared.settings.model);
        Box::pin(drive(prepared, &output, surroundings).instrument(span)).await
    })
}

/// How long a node elsewhere may take to forget an ephemeral thread.
const FORGOTTEN_WITHIN: Duration = Duration::from_secs(5);

struct Output {
    json: bool,
    colour: ColourChoice,
    file: Option<PathBuf>,
}

async fn drive(prepared: Prepared, output: &Output, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let mut signals = Signals::listen().map_err(|error| Failure::bad_input(format!("signals cannot be listened to: {error}")))?;
    let engaged = tokio::select! {
        engaged = Engaged::at(prepared.place.clone()) => engaged?,
        wish = signals.next() => return interrupted(Some(wish)),
    };
    let asks_elsewhere =
        matches!(&prepared.place, Place::Here { kept, hands, .. } if kept.is_ephemeral() && !matches!(hands, Hands::Embedded(_)));
    let ended = if output.json {
        let mut render = AsRoot::new(JsonLines::new(io::stdout()), io::stderr());
        shown(&engaged, prepared, &mut render, &mut signals, surroundings).await
    } else {
        let page = screen::page(output.colour, Stream::Err, surroundings);
        let mut render = AsRoot::new(Transcript::new(page, io::stderr(), io::stdout()), io::stderr());
        shown(&engaged, prepared, &mut render, &mut signals, surroundings).await
    };
    if asks_elsewhere {
        let forgotten = tokio::time::timeout(FORGOTTEN_WITHIN, forget(&engaged));
        tokio::select! {
            // The node's own time for states ends what it has not heard of.
            _ = forgotten => {}
            wish = signals.next() => return interrupted(Some(wish)),
        }
    }
    tokio::select! {
        () = engaged.shutdown() => {}
        // Asked again while stopping: what is left ends by its own deadlines.
        wish = signals.next() => return interrupted(Some(wish)),
    }
    conclude(ended?, output.file.as_deref())
}

/// Has a node elsewhere forget what it kept for threads of which nothing is to be kept. One in this process forgets by itself.
async fn forget(engaged: &Engaged) -> Result<(), ClientError> {
    let mut client = engaged.client();
    for thread in client.threads(ThreadFilter::default()).await?.threads {
        client.delete(thread.id).await?;
    }
    Ok(())
}

async fn shown(
    engaged: &Engaged,
    mut prepared: Prepared,
    render: &mut impl Render,
    signals: &mut Signals,
    surroundings: &Surroundings,
) -> Result<Ended, Failure> {
    let mut client = engaged.client();
    let (local, home) = (prepared.local.take(), prepared.home.clone());
    let Some(local) = local else {
        let (start, input) = start::chosen(&mut client, prepared).await?;
        return turn::run(&mut client, start, input, render, signals).await.map_err(refused);
    };
    let thread = ThreadId::generate();
    let source = tokio::select! {
        source = Box::pin(carried::out(&mut client, &local, thread, &home, surroundings)) => source?,
        wish = signals.next() => return Ok(Ended { end: End::Interrupted(Some(wish)), last_message: None }),
    };
    let settings = ThreadSettings { source: Some(Box::new(source)), ..prepared.settings };
    let ended = turn::run(&mut client, Start::NewAs(thread, Box::new(settings)), prepared.input, render, signals);
    let ended = Box::pin(ended).await.map_err(refused)?;
    match (&ended.end, local.applies) {
        (End::Completed, true) => Box::pin(carried::back(&mut client, &local, thread, &home)).await?,
        (End::Completed | End::Unread | End::Unwritten(_), _) => {}
        (End::Failed(_) | End::Paused(_) | End::Interrupted(_), _) => {
            let sentence = format!("what the turn changed is not here; `capstan apply {thread}` brings it over");
            failure::warn(&mut io::stderr(), &sentence);
        }
    }
    Ok(ended)
}

/// What a turn's end makes of the command's.
pub(super) fn conclude(ended: Ended, file: Option<&std::path::Path>) -> Result<Exit, Failure> {
    if let (Some(file), Some(message)) = (file, &ended.last_message) {
        last_message::write(file, message)?;
    }
    match ended.end {
        End::Completed => Ok(Exit::Success),
        End::Failed(message) => Err(Failure::failed(message)),
        End::Paused(message) => Err(Failure { sentence: message, hint: None, exit: Exit::Paused }),
        End::Interrupted(wish) => interrupted(wish),
        // Whoever has left needs to be told nothing.
        End::Unread => Ok(Exit::Failed),
        End::Unwritten(error) => Err(Failure::failed(format!("the output cannot be written: {error}"))),
    }
}

fn interrupted(by: Option<Wish>) -> Result<Exit, Failure> {
    let exit = match by {
        Some(Wish::Terminate) => Exit::Terminated,
        Some(Wish::HangUp) => Exit::HungUp,
        Some(Wish::Interrupt) | None => Exit::Failed,
    };
    Err(Failure { sentence: "the turn was interrupted".to_owned(), hint: None, exit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Status;

    fn code(end: End) -> u8 {
        let ended = Ended { end, last_message: None };
        conclude(ended, None).unwrap_or_else(|failure| failure.exit).code()
    }

    #[test]
    fn each_end_has_its_exit_code() {
        assert_eq!(code(End::Completed), 0);
        assert_eq!(code(End::Failed("no".into())), 1);
        assert_eq!(code(End::Paused("no".into())), 3);
        assert_eq!(code(End::Interrupted(Some(Wish::Interrupt))), 1);
        assert_eq!(code(End::Interrupted(None)), 1);
        assert_eq!(code(End::Interrupted(Some(Wish::Terminate))), 143);
        assert_eq!(code(End::Interrupted(Some(Wish::HangUp))), 129);
        assert_eq!(code(End::Unread), 1);
        assert_eq!(code(End::Unwritten(io::ErrorKind::StorageFull.into())), 1);
    }

    #[test]
    fn a_reader_that_left_is_told_nothing() {
        let ended = Ended { end: End::Unread, last_message: None };
        assert_eq!(conclude(ended, None), Ok(Exit::Failed));
    }

    #[test]
    fn what_a_coordinator_refuses_is_bad_input() {
        let failure = refused(Status::failed_precondition("there is no such directory").into());
        assert_eq!((failure.sentence.as_str(), failure.exit), ("there is no such directory", Exit::BadInput));
        let failure = refused(Status::unavailable("the disk is full").into());
        assert!(failure.hint.is_some_and(|hint| hint.contains("--ephemeral")));
    }
}
