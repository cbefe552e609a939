//! `capstan sessions attach`: a session on this terminal, as it runs.
//!
//! A person who looks sends nothing; with `--write` keys, and this terminal's size, go to the session. What the session prints is filtered by
//! [`crate::render::live`], because it reaches a terminal that obeys.

mod input;
mod live;
mod pipes;
mod screen;

use super::find::{find, prefix};
use super::place::{Place, refused};
use super::recording::Recording;
use super::{ended, table};
use crate::args::AttachArgs;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::runtime;
use crate::surroundings::Surroundings;
use crate::terminal::{self, DetachKeys};
use crate::who::person;
use capstan_types::launch::{SessionEnd, Stdio};
use capstan_types::operator::{Person, Seen};
use capstan_types::output::Seq;
use capstan_types::session::ListedState;
use std::io::{self, IsTerminal, Write};

/// How much of the output before now is replayed, in bytes: more than a screen of any terminal.
const REPLAYED: u64 = 64 * 1024;

pub(super) fn run(args: &AttachArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    prefix(&args.which.id, "session")?;
    let keys: DetachKeys = args.detach_keys.parse().map_err(|error| Failure::bad_input(format!("--detach-keys: {error}")))?;
    let by = person(surroundings)?;
    let place = Place::of(&args.place, surroundings)?;
    runtime::block_on(place.with(async |client| Box::pin(attach(client, args, keys, by)).await))
}

async fn attach(mut client: Client, args: &AttachArgs, keys: DetachKeys, by: Person) -> Result<Exit, Failure> {
    let seen = find(&mut client, &args.which).await?;
    if let ListedState::Ended(end) = &seen.listed.state {
        let sentence = format!("session {} has ended: {}", seen.listed.session, ended::how(end));
        return Err(Failure::failed(sentence).hint("`capstan sessions logs` shows what it wrote"));
    }
    let on_terminal = matches!(seen.listed.stdio, Stdio::Terminal(_));
    if on_terminal && !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Err(Failure::bad_input("a session on a terminal can be attached to from a terminal only")
            .hint("`capstan sessions logs --follow` shows it anywhere"));
    }
    if args.write && seen.listed.stdio == Stdio::PipesNoInput {
        return Err(Failure::bad_input("this session has no standard input to write to").hint("attach without --write"));
    }
    let session = client.session(seen.name(), by);
    let from = Seq(seen.listed.output_bytes.saturating_sub(REPLAYED));
    let size = on_terminal.then(terminal::size).flatten();
    let mut recording = Recording::begin(args.cast.as_deref(), &seen, if args.write { size } else { None })?;
    let events = session.events(from).await.map_err(|error| refused(&error))?;
    let mut screen = screen::Screen::new(on_terminal, args.unfiltered, from);
    greet(&seen, args.write, on_terminal.then_some(&keys));
    let left = if on_terminal {
        Box::pin(live::watch(session, events, keys, args.write, &mut screen, &mut recording)).await
    } else {
        pipes::watch(session, events, args.write, &mut screen, &mut recording).await
    };
    screen.leave();
    let kept = recording.end();
    let exit = farewell(&seen, left?);
    kept.map(|()| exit)
}

/// How a look at a session came to its end.
enum Left {
    /// The session ended.
    Ended(SessionEnd),
    /// The person left, and the session runs on.
    Detached(Exit),
}

fn greet(seen: &Seen, write: bool, keys: Option<&DetachKeys>) {
    let command = table::command(&seen.listed.argv);
    let clipped = crate::render::text::clipped(&command, 60);
    let how = match (write, keys) {
        (false, Some(keys)) => format!("nothing is typed into it; leave with {keys} or ctrl-c"),
        (true, Some(keys)) => format!("what you type is sent; leave with {keys}"),
        (false, None) => "leave with ctrl-c".to_owned(),
        (true, None) => "lines are sent, ctrl-d closes its input; leave with ctrl-c".to_owned(),
    };
    say(&format!("attached to {} on {} ({clipped}): {how}", seen.listed.session, seen.node));
}

fn farewell(seen: &Seen, left: Left) -> Exit {
    match left {
        Left::Ended(end) => {
            say(&format!("session {} has ended: {}", seen.listed.session, ended::how(&end)));
            ended::exit(&end)
        }
        Left::Detached(exit) => {
            say(&format!("left session {}, which runs on", seen.listed.session));
            exit
        }
    }
}

/// One line on standard error. Nobody is left to be told when it is closed.
fn say(sentence: &str) {
    let _ = writeln!(io::stderr(), "{sentence}");
}
