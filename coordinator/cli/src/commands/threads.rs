//! `capstan threads`: the threads of a coordinator, or of a store.

mod checkpoints;
mod commit;
mod compact;
mod diff;
pub mod explain;
mod export;
mod list;
mod patch;
pub(in crate::commands) mod place;
mod put_away;
mod running;
mod show;
mod table;
mod undo;
mod written;

use super::exec::conclude;
use crate::args::{DaemonArgs, FollowArgs, ThreadsArgs, ThreadsCommand};
use crate::client::{self, Client, Events, Reach};
use crate::config::{self, Inputs, UserConfig};
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::refusal::refused;
use crate::render::{JsonLines, Render, Transcript};
use crate::screen::{self, Stream};
use crate::signals::Signals;
use crate::surroundings::Surroundings;
use crate::telemetry::{self, Telemetry};
use crate::thread_choice::named;
use crate::turn::{Ended, Watch};
use capstan_proto::transport::Listen;
use capstan_types::id::{EventSeq, TurnId};
use std::io;

/// Runs the command.
///
/// # Errors
/// What was given cannot be used, the coordinator is not there, or the turn failed.
pub fn run(args: &ThreadsArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    match &args.command {
        ThreadsCommand::List(args) => list::list(args, surroundings),
        ThreadsCommand::Search(args) => list::search(args, surroundings),
        ThreadsCommand::Show(args) => show::run(args, surroundings),
        ThreadsCommand::Export(args) => export::run(args, surroundings),
        ThreadsCommand::Archive(args) => put_away::archive(args, false, surroundings),
        ThreadsCommand::Unarchive(args) => put_away::archive(args, true, surroundings),
        ThreadsCommand::Delete(args) => put_away::delete(args, surroundings),
        ThreadsCommand::Name(args) => put_away::name(args, surroundings),
        ThreadsCommand::Steer(args) => put_away::steer(args, surroundings),
        ThreadsCommand::Queue(args) => running::queue(args, surroundings),
        ThreadsCommand::Interrupt(args) => running::interrupt(args, surroundings),
        ThreadsCommand::Follow(args) => follow(args, surroundings),
        ThreadsCommand::Compact(args) => compact::run(args, surroundings),
        ThreadsCommand::Diff(args) => diff::run(args, surroundings),
        ThreadsCommand::Patch(args) => patch::run(args, surroundings),
        ThreadsCommand::Commit(args) => commit::run(args, surroundings),
        ThreadsCommand::Undo(args) => undo::run(args, surroundings),
        ThreadsCommand::Checkpoints(args) => checkpoints::list(args, surroundings),
        ThreadsCommand::Restore(args) => checkpoints::restore(args, surroundings),
        ThreadsCommand::Compare(args) => checkpoints::compare(args, surroundings),
    }
}

/// The coordinator that is named, or the one of this home.
fn client_of(daemon: &DaemonArgs, surroundings: &Surroundings) -> Result<Reach, Failure> {
    match client::reach(daemon, surroundings)? {
        Some(reach) => Ok(reach),
        None => client::to(Listen::Unix(Home::open(surroundings)?.coordinator_socket()), daemon, surroundings),
    }
}

fn turn(turn: Option<&str>) -> Result<Option<TurnId>, Failure> {
    turn.map(|turn| turn.parse().map_err(Failure::bad_input)).transpose()
}

fn follow(args: &FollowArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let home = Home::open(surroundings)?;
    let (layers, _) =
        config::read(Inputs { home: home.path().as_path(), user: UserConfig::Read, profile: None, overrides: &[] })?;
    let reach = client_of(&args.daemon, surroundings)?;
    let _telemetry = telemetry::start("capstan-threads", &Telemetry::for_command(&layers, surroundings)?)?;
    crate::runtime::block_on(async {
        if args.json {
            watch(reach, args, &mut JsonLines::new(io::stdout())).await
        } else {
            let page = screen::page(args.color, Stream::Err, surroundings);
            watch(reach, args, &mut Transcript::new(page, io::stderr(), io::stdout())).await
        }
    })
}

async fn watch(reach: Reach, args: &FollowArgs, render: &mut impl Render) -> Result<Exit, Failure> {
    let mut signals = Signals::listen().map_err(|error| Failure::bad_input(format!("signals cannot be listened to: {error}")))?;
    let shown = async {
        let mut client = Client::connect(reach).await.map_err(client::needed)?;
        let thread = named(&mut client, &args.thread).await?.id;
        let mut events = client.look_on(thread, EventSeq(args.after)).await.map_err(refused)?;
        shown(&mut events, render).await
    };
    tokio::select! {
        exit = shown => exit,
        // Looking away is no failure, and the turn is somebody else's.
        _ = signals.next() => Ok(Exit::Success),
    }
}

async fn shown(events: &mut Events, render: &mut impl Render) -> Result<Exit, Failure> {
    let mut watch = Watch::default();
    while let Some(event) = events.next().await.map_err(refused)? {
        if let Some(end) = watch.show(&event, render) {
            return conclude(Ended { end, last_message: None }, None);
        }
    }
    Ok(Exit::Success)
}
