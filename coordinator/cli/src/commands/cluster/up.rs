//! `capstan cluster up`, `status` and `down`: a whole cluster on this machine, for trying and testing. Each member is a process of its own with
//! a home of its own, as it would be on a host of its own.

mod ask;
mod bridge;
mod client;
mod down;
mod found;
mod homes;
mod launch;
mod layout;
mod ports;
mod process;
mod progress;
mod ready;
mod state;
mod status;

use crate::args::{DownArgs, LocalArgs, UpArgs};
use crate::config::{self, Inputs, UserConfig};
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::programs;
use crate::runtime;
use crate::signals::{Signals, Wish};
use crate::surroundings::Surroundings;
use bridge::Tools;
use capstan_coordinator::StoreLocation;
use capstan_coordinator::models::open_script;
use capstan_identity::secret_file;
use capstan_types::principal::Role;
use down::{Files, take_down};
use launch::Common;
use layout::{Network, Part};
use progress::say;
use state::State;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The longest path that the cluster's directory may have, in bytes: sockets are made below it, and the kernel bounds their paths.
const LONGEST_DIR: usize = 64;

/// Brings a cluster up.
///
/// # Errors
/// Something is missing, taken, or not allowed, or a member does not come up. Then nothing is left.
pub(super) fn up(args: &UpArgs, home: &Home, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let dir = dir(&args.place, home, surroundings)?;
    let etcd = programs::find("etcd", surroundings).ok_or_else(|| {
        Failure::bad_input("the program `etcd` is not in PATH; a cluster keeps there who is alive")
            .hint("install it (Debian's package etcd-server, or https://github.com/etcd-io/etcd/releases)")
    })?;
    let capstan =
        std::env::current_exe().map_err(|error| Failure::bad_input(format!("this program cannot find itself: {error}")))?;
    let script = args.script.as_deref().map(|script| surroundings.absolute(script)).transpose()?;
    let script = script.map(|script| script.as_path().to_owned());
    if let Some(script) = &script {
        // Read again by each coordinator; what is wrong with it is told before anything is made.
        open_script(script).map_err(Failure::bad_input)?;
    }
    let store = store(home, surroundings)?;
    runtime::block_on(async {
        let mut signals =
            Signals::listen().map_err(|error| Failure::bad_input(format!("signals cannot be listened to: {error}")))?;
        let (network, tools) = network(args, surroundings).await?;
        let ports = if network == Network::Ports {
            ports::free(layout::ports_needed(args.coordinators, args.nodes))?
        } else {
            Vec::new()
        };
        let members = layout::members(&network, args.coordinators, args.nodes, &ports);
        let registry = members.first().map(layout::Member::url).unwrap_or_default();
        let state = State::new(network, members, client::home(home, &dir));
        claim(&dir, &state)?;
        let common = Common { dir: dir.clone(), capstan, etcd, tools, registry, script, surroundings: surroundings.clone() };
        let made = tokio::select! {
            made = make(&common, state.clone(), home) => made,
            wish = signals.next() => Err(interrupted(wish)),
        };
        match made {
            Ok(()) => told(&state, &dir, home, &store),
            Err(failure) => {
                say("the cluster does not come up; what was made is taken down");
                take_down(&dir, &state, Files::Removed, surroundings).await?;
                return Err(failure);
            }
        }
        Ok(Exit::Success)
    })
}

fn interrupted(by: Wish) -> Failure {
    let exit = match by {
        Wish::Interrupt => Exit::Interrupted,
        Wish::Terminate => Exit::Terminated,
        Wish::HangUp => Exit::HungUp,
    };
    Failure { exit, ..Failure::failed("interrupted; what was made is taken down") }
}

/// Says how it is: exit code 1 if not all is well.
///
/// # Errors
/// There is none.
pub(super) fn status(args: &LocalArgs, home: &Home, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let dir = dir(args, home, surroundings)?;
    let state = State::of(&dir)?;
    let (table, well) = runtime::block_on(async { Ok(status::status(&dir, &state).await) })?;
    let _ = io::stdout().write_all(table.as_bytes());
    Ok(if well { Exit::Success } else { Exit::Failed })
}

/// Takes it down.
///
/// # Errors
/// There is none, or something of it does not go.
pub(super) fn down(args: &DownArgs, home: &Home, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let dir = dir(&args.place, home, surroundings)?;
    let state = State::of(&dir)?;
    let files = if args.keep { Files::Kept } else { Files::Removed };
    runtime::block_on(take_down(&dir, &state, files, surroundings))?;
    Ok(Exit::Success)
}

fn dir(args: &LocalArgs, home: &Home, surroundings: &Surroundings) -> Result<PathBuf, Failure> {
    let dir = match &args.dir {
        Some(dir) => surroundings.absolute(dir)?.as_path().to_owned(),
        None => home.path().as_path().join("up"),
    };
    if dir.as_os_str().len() > LONGEST_DIR {
        let sentence = format!("the path {} is too long: sockets below it could not be made", dir.display());
        return Err(Failure::bad_input(sentence).hint(format!("name a directory of at most {LONGEST_DIR} bytes with --dir")));
    }
    Ok(dir)
}

fn store(home: &Home, surroundings: &Surroundings) -> Result<StoreLocation, Failure> {
    let inputs = Inputs { home: home.path().as_path(), user: UserConfig::Read, profile: None, overrides: &[] };
    config::store(&config::read(inputs)?.0, home, surroundings)
}

async fn network(args: &UpArgs, surroundings: &Surroundings) -> Result<(Network, Option<Tools>), Failure> {
    let allowed = async {
        let tools = Tools::find(surroundings)?;
        tools.allowed().await?;
        Ok::<_, Failure>(tools)
    };
    match (args.ports, args.netns) {
        (true, _) => Ok((Network::Ports, None)),
        (false, true) => {
            let tools = allowed.await?;
            Ok((tools.choose().await?, Some(tools)))
        }
        (false, false) => match allowed.await {
            Ok(tools) => Ok((tools.choose().await?, Some(tools))),
            Err(failure) => {
                say(&format!("on ports of this machine: {}", failure.sentence));
                Ok((Network::Ports, None))
            }
        },
    }
}

/// Takes the directory, which must have nothing of others in it.
fn claim(dir: &Path, state: &State) -> Result<(), Failure> {
    let wrong = |error: io::Error| Failure::bad_input(format!("the directory {} cannot be used: {error}", dir.display()));
    secret_file::make_dir(dir).map_err(wrong)?;
    let empty = fs::read_dir(dir).map_err(wrong)?.next().is_none();
    if !empty && State::read(dir)?.is_none() {
        return Err(Failure::bad_input(format!("the directory {} is not empty", dir.display()))
            .hint("name another one with --dir, or remove it if an earlier cluster left it with --keep"));
    }
    state.claim(dir)
}

async fn make(common: &Common, mut state: State, home: &Home) -> Result<(), Failure> {
    let dir = &common.dir;
    if let Some(tools) = &common.tools {
        tools.make(&state.network, &state.members).await?;
        say("network is ready: a bridge, and a network namespace for each node");
    }
    ports::all_free(&state.members)?;
    homes::make(dir, &state, home)?;
    let mut seat = None;
    for member in state.members.iter().filter(|member| member.part != Part::Node) {
        let join = match (&seat, member.part) {
            (Some(seat), Part::Coordinator) => Some((homes::token(dir, Role::Coordinator, Some(member)).await?, seat)),
            _ => None,
        };
        let join = join.map(|(token, seat): (String, &String)| (token, seat.clone()));
        ready::begin(member, common, join.as_ref())?.ready(dir).await?;
        if member.part == Part::Coordinator {
            seat.get_or_insert_with(|| member.address.to_string());
        }
    }
    let seat = seat.ok_or_else(|| Failure::failed("the cluster has no coordinator"))?;
    let mut begun = Vec::new();
    for member in state.all(Part::Node) {
        let join = (homes::token(dir, Role::Node, Some(member)).await?, seat.clone());
        begun.push(ready::begin(member, common, Some(&join))?);
    }
    for node in begun {
        node.ready(dir).await?;
    }
    let nodes = u64::try_from(state.all(Part::Node).count()).unwrap_or(u64::MAX);
    for coordinator in state.all(Part::Coordinator) {
        ready::until_it_knows(nodes, coordinator, dir).await?;
    }
    client::join(&state.client_home, &homes::token(dir, Role::Client, None).await?, &seat).await?;
    state.ready = true;
    state.write(dir)
}

fn told(state: &State, dir: &Path, home: &Home, store: &StoreLocation) {
    let own = state.client_home == home.path().as_path();
    let before = if own { String::new() } else { format!("CAPSTAN_HOME={} ", state.client_home.display()) };
    let place = if dir == home.path().as_path().join("up") { String::new() } else { format!(" --dir {}", dir.display()) };
    let at = state.all(Part::Coordinator).last().map(layout::Member::url).unwrap_or_default();
    let store = match store {
        StoreLocation::Sqlite(_) | StoreLocation::Ephemeral => {
            "each coordinator keeps its threads in a file of its own; with `store = \"postgres://…\"` in config.toml they share them"
        }
        StoreLocation::Postgres(_) => "the coordinators share the threads in the PostgreSQL that is configured",
    };
    let text = format!(
        "\nThe cluster is up. What it keeps and prints is in {}; {store}.\n\nNext:\n  \
         {before}capstan exec --coordinator {at} \"…\"\n  \
         {before}capstan sessions list --coordinator {at}\n  \
         capstan cluster status{place}\n  \
         capstan cluster down{place}\n",
        dir.display()
    );
    let _ = io::stdout().write_all(text.as_bytes());
}
