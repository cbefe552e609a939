//! `capstan workspaces`: what nodes keep of the workspaces that they made.

mod table;

use super::nodes::reach;
use crate::args::{
    DaemonArgs, DescribeWorkspacesArgs, ListWorkspacesArgs, Output, RemoveWorkspacesArgs, SweepWorkspacesArgs, WorkspacesArgs,
    WorkspacesCommand,
};
use crate::client::Client;
use crate::failure::{Exit, Failure, warn};
use crate::refusal::refused;
use crate::render::{amount, moment, text};
use crate::surroundings::Surroundings;
use crate::{runtime, who};
use capstan_types::kept::{Gone, KeptWorkspace, SweepQuery};
use serde_json::json;
use std::io::{self, Write};

/// A workspace, and the node that it is on.
type Placed = (String, KeptWorkspace);

/// Runs the command.
///
/// # Errors
/// What was given cannot be used, the coordinator is not there, or not all was done.
pub fn run(args: &WorkspacesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    match &args.command {
        WorkspacesCommand::List(args) => list(args, surroundings),
        WorkspacesCommand::Describe(args) => describe(args, surroundings),
        WorkspacesCommand::Rm(args) => remove(args, surroundings),
        WorkspacesCommand::Gc(args) => sweep(args, surroundings),
    }
}

fn with<T, F: Future<Output = Result<T, Failure>>>(
    daemon: &DaemonArgs,
    surroundings: &Surroundings,
    act: impl FnOnce(Client) -> F,
) -> Result<T, Failure> {
    let reach = reach(daemon, surroundings)?;
    runtime::block_on(async { act(Client::connect(reach).await?).await })
}

/// The workspaces; nodes that do not answer are named.
async fn all(client: &mut Client, node: Option<&str>) -> Result<Vec<Placed>, Failure> {
    let mut placed = Vec::new();
    for (node, answer) in client.workspaces(node).await.map_err(refused)? {
        match answer {
            Ok(kept) => placed.extend(kept.into_iter().map(|kept| (node.clone(), kept))),
            Err(reason) => warn(&mut io::stderr(), &format!("node {node} does not tell: {reason}")),
        }
    }
    Ok(placed)
}

fn list(args: &ListWorkspacesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let placed = with(&args.daemon, surroundings, async |mut client: Client| all(&mut client, args.node.as_deref()).await)?;
    let object = || {
        let workspaces: Vec<_> = placed.iter().map(|(node, kept)| json!({ "node": node, "workspace": kept })).collect();
        json!({ "workspaces": workspaces })
    };
    let lines = match args.output {
        Some(Output::Json) => vec![serde_json::to_string_pretty(&object()).map_err(Failure::failed)?],
        Some(Output::Yaml) => vec![serde_yaml_ng::to_string(&object()).map_err(Failure::failed)?.trim_end().to_owned()],
        Some(Output::Name) => placed.iter().map(|(_, kept)| kept.thread.to_string()).collect(),
        Some(Output::Wide) => table::wide(&placed, moment::now(), !args.no_headers),
        None => table::table(&placed, moment::now(), !args.no_headers),
    };
    print(&lines);
    if placed.is_empty() {
        warn(&mut io::stderr(), "no node has made a workspace that is still there");
    }
    Ok(Exit::Success)
}

fn describe(args: &DescribeWorkspacesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let placed = with(&args.daemon, surroundings, async |mut client: Client| all(&mut client, args.node.as_deref()).await)?;
    for name in &args.threads {
        for (node, kept) in named(&placed, name)? {
            print(&table::whole(node, kept));
        }
    }
    Ok(Exit::Success)
}

fn remove(args: &RemoveWorkspacesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let by = who::person(surroundings)?;
    with(&args.daemon, surroundings, async |mut client: Client| {
        let placed = all(&mut client, args.node.as_deref()).await?;
        // All names are looked at before anything goes.
        let mut going = Vec::new();
        for name in &args.threads {
            going.extend(named(&placed, name)?);
        }
        for (node, kept) in going {
            let gone = client.remove_workspace((node, kept.thread), args.force, &by).await.map_err(refused)?;
            print(&[format!("{} on {node}: removed, {} are free again", gone.name, amount::bytes(gone.bytes))]);
        }
        Ok(Exit::Success)
    })
}

/// Those of the thread that is named so: one, on each node that has it.
fn named<'a>(placed: &'a [Placed], name: &str) -> Result<Vec<&'a Placed>, Failure> {
    let found: Vec<&Placed> =
        placed.iter().filter(|(_, kept)| !name.is_empty() && kept.thread.to_string().starts_with(name)).collect();
    match found.first() {
        None => Err(Failure::bad_input(format!("no node has a workspace that was made for a thread `{name}`"))
            .hint("`capstan workspaces list` shows them")),
        Some((_, first)) if found.iter().any(|(_, kept)| kept.thread != first.thread) => {
            Err(Failure::bad_input(format!("several threads begin with `{name}`; give more of the id")))
        }
        Some(_) => Ok(found),
    }
}

fn sweep(args: &SweepWorkspacesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let by = who::person(surroundings)?;
    let idle_ms = args.idle.map(|idle| u64::try_from(idle.as_millis()).unwrap_or(u64::MAX));
    let query = SweepQuery { budget_bytes: args.budget, idle_ms, dry_run: args.dry_run };
    let answers = with(&args.daemon, surroundings, async |mut client: Client| {
        client.sweep_workspaces(args.node.as_deref(), query, &by).await.map_err(refused)
    })?;
    let mut exit = Exit::Success;
    let (mut lines, mut objects, mut freed) = (Vec::new(), Vec::new(), 0_u64);
    for (node, answer) in answers {
        let swept = match answer {
            Ok(swept) => swept,
            Err(reason) => {
                warn(&mut io::stderr(), &format!("node {node} was not swept: {reason}"));
                exit = Exit::Failed;
                continue;
            }
        };
        let verb = if args.dry_run { "would go" } else { "removed" };
        let line = |gone: &Gone| {
            text::line(&format!("{} on {node}: {verb}, {} ({})", gone.name, amount::bytes(gone.bytes), gone.reason))
        };
        lines.extend(swept.gone.iter().map(line));
        freed += swept.gone.iter().map(|gone| gone.bytes).sum::<u64>();
        for stayed in &swept.stayed {
            warn(&mut io::stderr(), &format!("{} on {node} stays: {}", stayed.name, stayed.reason));
            exit = Exit::Failed;
        }
        objects.push(json!({ "node": node, "gone": swept.gone, "stayed": swept.stayed }));
    }
    lines.push(format!("{} {}", amount::bytes(freed), if args.dry_run { "would be free again" } else { "are free again" }));
    if args.json {
        lines = vec![json!({ "nodes": objects, "bytes": freed, "dry_run": args.dry_run }).to_string()];
    }
    print(&lines);
    Ok(exit)
}

fn print(lines: &[String]) {
    let mut out = io::stdout().lock();
    // Whoever stops reading has seen enough.
    let _ = lines.iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush());
}
