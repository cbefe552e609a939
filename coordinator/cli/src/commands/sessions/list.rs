//! `capstan sessions list`.

use super::find::{begins, is_live, prefix};
use super::place::{Place, refused};
use super::table;
use crate::args::{Form, ListArgs};
use crate::client::{AllSessions, Client, ClientError, SessionFilter};
use crate::failure::{self, Exit, Failure};
use crate::runtime;
use crate::screen;
use crate::surroundings::Surroundings;
use capstan_types::id::NodeId;
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Write};
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) fn run(args: &ListArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let thread = args.thread.as_deref().map(|text| prefix(text, "thread")).transpose()?;
    if let Some(name) = &args.node_name {
        name.parse::<NodeId>().map_err(|error| Failure::bad_input(format!("--node-name: {error}")))?;
    }
    let place = Place::of(&args.place, surroundings)?;
    let filter = SessionFilter { node: args.node_name.clone(), live: !args.all };
    let mut all = runtime::block_on(
        place.with(async |mut client: Client| client.sessions(filter).await.map_err(|error| unlisted(&error))),
    )?;
    all.sessions
        .retain(|seen| (args.all || is_live(seen)) && thread.as_deref().is_none_or(|digits| begins(seen.listed.thread, digits)));
    print(args, &all, surroundings)
}

fn unlisted(error: &ClientError) -> Failure {
    match error {
        // The only thing that a list can miss is the node that was named.
        ClientError::Refused(status) if status.code() == tonic::Code::NotFound => Failure::bad_input(error),
        _ => refused(error),
    }
}

fn print(args: &ListArgs, all: &AllSessions, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let lines = match (args.json, args.output) {
        (true, _) => vec![as_json(all).to_string()],
        (false, Some(Form::Wide)) => table::wide(&all.sessions, now),
        (false, None) => {
            let width = if io::stdout().is_terminal() { screen::width(surroundings) } else { usize::MAX };
            table::table(&all.sessions, now, width)
        }
    };
    let mut out = io::stdout().lock();
    // Whoever stops reading has seen enough.
    let _ = lines.iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush());
    for (node, reason) in &all.silent {
        failure::warn(&mut io::stderr(), &format!("the sessions of node {node} are not known: {reason}"));
    }
    if all.more {
        failure::warn(&mut io::stderr(), "there are more sessions than are shown; name a node with --node-name");
    }
    // A list with holes is not to be taken for a whole one.
    Ok(if all.silent.is_empty() { Exit::Success } else { Exit::Failed })
}

fn as_json(all: &AllSessions) -> Value {
    let silent: Vec<Value> = all.silent.iter().map(|(node, reason)| json!({"node": node, "reason": reason})).collect();
    let sessions: Vec<Value> = all.sessions.iter().map(table::json).collect();
    json!({"sessions": sessions, "silent": silent, "more": all.more})
}
