//! `capstan nodes list`.

use super::{filter, object, reach, refused, table};
use crate::args::{ListNodesArgs, Output};
use crate::client::{AllNodes, Client};
use crate::failure::{self, Exit, Failure};
use crate::render::moment;
use crate::runtime;
use crate::surroundings::Surroundings;
use std::io::{self, Write};

pub(super) fn run(args: &ListNodesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let all = asked(args, surroundings)?;
    print(&lines(args, &all, || table::table(&all.nodes, !args.no_headers))?);
    told(&all);
    Ok(Exit::Success)
}

/// The nodes that are meant.
pub(super) fn asked(args: &ListNodesArgs, surroundings: &Surroundings) -> Result<AllNodes, Failure> {
    let (reach, filter) = (reach(&args.daemon, surroundings)?, filter(&args.which)?);
    runtime::block_on(async {
        let mut client = Client::connect(reach).await?;
        client.nodes(filter).await.map_err(|error| refused(&error))
    })
}

/// What was asked for in the form that was asked for.
pub(super) fn lines(args: &ListNodesArgs, all: &AllNodes, table: impl FnOnce() -> Vec<String>) -> Result<Vec<String>, Failure> {
    let object = || object::list(&all.nodes, all.stale.as_deref());
    Ok(match args.output {
        Some(Output::Json) => vec![serde_json::to_string_pretty(&object()).map_err(Failure::failed)?],
        Some(Output::Yaml) => vec![serde_yaml_ng::to_string(&object()).map_err(Failure::failed)?.trim_end().to_owned()],
        Some(Output::Name) => all.nodes.iter().map(|status| format!("node/{}", status.id)).collect(),
        Some(Output::Wide) => table::wide(&all.nodes, moment::now(), !args.no_headers),
        None => table(),
    })
}

pub(super) fn print(lines: &[String]) {
    let mut out = io::stdout().lock();
    // Whoever stops reading has seen enough.
    let _ = lines.iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush());
}

/// What a list alone does not tell.
pub(super) fn told(all: &AllNodes) {
    if let Some(stale) = &all.stale {
        failure::warn(&mut io::stderr(), &format!("this is what was known last, and nothing new is placed: {stale}"));
    }
    if all.nodes.is_empty() {
        failure::warn(&mut io::stderr(), "no node is registered, or none matches");
    }
}
