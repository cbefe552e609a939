//! `capstan explain`: why a thread is on its node.

use super::place::Place;
use crate::args::ExplainArgs;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::render::text;
use crate::runtime;
use crate::surroundings::Surroundings;
use crate::thread_choice::named;
use capstan_types::placement::{Choice, told};
use capstan_types::thread::ThreadRecord;
use std::io::{self, Write};

/// Runs the command.
///
/// # Errors
/// There is no such thread, or the coordinator is not there.
pub fn run(args: &ExplainArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let place = Place::of(&args.daemon, surroundings)?;
    runtime::block_on(place.with(async |mut client: Client| {
        let record = named(&mut client, &args.thread).await?;
        let said = if args.json { json(&record) } else { explained(&record) };
        // Whoever closes the pipe has read enough.
        let _ = io::stdout().write_all(said.as_bytes());
        Ok(Exit::Success)
    }))
}

fn json(record: &ThreadRecord) -> String {
    format!(
        "{}\n",
        serde_json::json!({ "thread": record.id.to_string(), "asked": record.settings.placement, "placed": record.settings.placed, "hosts": record.settings.hosts })
    )
}

fn explained(record: &ThreadRecord) -> String {
    let Some(choice) = &record.settings.placed else {
        return format!("thread {} was begun by a release that did not note why its node was chosen\n", record.id);
    };
    let Choice { node, nodes, candidates, why, rejected } = &**choice;
    let mut said =
        format!("thread {} is on node {node}\nof {} there were, {candidates} would do\n", record.id, nodes_in_words(*nodes));
    why.iter().for_each(|why| said.push_str(&format!("- {}\n", text::line(&why.to_string()))));
    let passed_over = told(rejected);
    if !passed_over.is_empty() {
        said.push_str(&format!("passed over: {passed_over}\n"));
    }
    if !record.settings.hosts.is_empty() {
        let hosts: Vec<String> = record.settings.hosts.iter().map(ToString::to_string).collect();
        said.push_str(&format!("it may also use: {}\n", hosts.join(", ")));
    }
    said
}

fn nodes_in_words(nodes: u64) -> String {
    text::counted(usize::try_from(nodes).unwrap_or(usize::MAX), "node")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture;
    use capstan_types::id::ThreadId;
    use capstan_types::placement::{Rejection, Why};
    use capstan_types::time::UnixMillis;

    #[test]
    fn the_reasons_are_told_in_sentences() {
        let mut record = ThreadRecord::begun(ThreadId::from_u128(7), "c".to_owned(), fixture::settings(), UnixMillis(0));
        assert!(explained(&record).contains("did not note"));
        record.settings.placed = Some(Box::new(Choice {
            node: "n2".parse().unwrap(),
            nodes: 5,
            candidates: 2,
            why: vec![Why::Selected("zone=b".to_owned()), Why::LeastLoaded(125)],
            rejected: [(Rejection::Cordoned, 1), (Rejection::Labels, 2)].into(),
        }));
        insta::assert_snapshot!(explained(&record), @r"
        thread 00000000-0000-0000-0000-000000000007 is on node n2
        of 5 nodes there were, 2 would do
        - its labels match zone=b
        - it was the least loaded, at 12.5 %
        passed over: 1 is cordoned, 2 do not match the selector
        ");
    }
}
