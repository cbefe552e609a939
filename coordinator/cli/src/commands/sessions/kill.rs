//! `capstan sessions kill`.

use super::ended;
use super::find::{find, is_live};
use super::place::{Place, refused};
use crate::args::KillArgs;
use crate::client::{Client, ClientError, Session, SessionEvents};
use crate::failure::{Exit, Failure};
use crate::runtime;
use crate::signal_name;
use crate::surroundings::Surroundings;
use crate::who::person;
use capstan_types::launch::SessionEnd;
use capstan_types::operator::{Person, Seen};
use capstan_types::output::Seq;
use capstan_types::session::{ListedState, SessionEvent};
use std::io::{self, Write};
use std::time::Duration;

pub(super) fn run(args: &KillArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    super::find::prefix(&args.which.id, "session")?;
    let signal = args.signal.as_deref().map(signal_name::number).transpose()?;
    let by = person(surroundings)?;
    let place = Place::of(&args.place, surroundings)?;
    runtime::block_on(place.with(async |client| end(client, args, signal, by).await))
}

async fn end(mut client: Client, args: &KillArgs, signal: Option<i32>, by: Person) -> Result<Exit, Failure> {
    let seen = find(&mut client, &args.which).await?;
    if let ListedState::Ended(end) = &seen.listed.state {
        return Err(Failure::failed(format!("session {} has ended already: {}", seen.listed.session, ended::how(end))));
    }
    debug_assert!(is_live(&seen), "what has not ended is live");
    let mut session = client.session(seen.name(), by);
    // Listened to first: once the end is told to everybody the session may be forgotten at any moment.
    let mut events = session.events(Seq(seen.listed.output_bytes)).await.map_err(|error| refused(&error))?;
    act(&mut session, signal).await.map_err(|error| refused(&error))?;
    match tokio::time::timeout(Duration::from_secs(args.timeout), ending(&mut events)).await {
        Ok(end) => told(&seen, &end.map_err(|error| refused(&error))?),
        Err(_) => Err(still_runs(&seen, signal, args.timeout)),
    }
}

async fn act(session: &mut Session, signal: Option<i32>) -> Result<(), ClientError> {
    match signal {
        Some(number) => session.signal(number).await,
        None => session.kill().await,
    }
}

async fn ending(events: &mut SessionEvents) -> Result<SessionEnd, ClientError> {
    loop {
        if let SessionEvent::Ended { end, .. } = events.next().await? {
            return Ok(end);
        }
    }
}

fn told(seen: &Seen, end: &SessionEnd) -> Result<Exit, Failure> {
    let mut out = io::stdout();
    // It is ended, whether or not anybody reads that.
    let _ = writeln!(out, "session {} has ended: {}", seen.listed.session, ended::how(end)).and_then(|()| out.flush());
    Ok(Exit::Success)
}

fn still_runs(seen: &Seen, signal: Option<i32>, seconds: u64) -> Failure {
    let session = seen.listed.session;
    match signal {
        Some(number) => {
            let name = signal_name::name(number);
            Failure::failed(format!("session {session} was sent {name} and still runs after {seconds} s"))
                .hint("without --signal its whole tree is ended")
        }
        None => Failure::failed(format!("session {session} was to be ended, and its end was not seen within {seconds} s")),
    }
}
