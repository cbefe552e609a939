//! How drains are shown while they are waited for: a line for each node that is drawn anew on a terminal, else a line for each change.

use crate::render::text;
use capstan_types::id::NodeId;
use capstan_types::node_status::{DrainProgress, DrainStage, RunningSession};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write};

/// How many of the sessions that still run the report names, for each node.
const NAMED: usize = 5;

/// What is shown of all nodes.
#[derive(Debug)]
pub(super) struct Board {
    nodes: Vec<NodeId>,
    last: BTreeMap<NodeId, DrainProgress>,
    shown: BTreeMap<NodeId, String>,
    failed: BTreeSet<NodeId>,
    is_live: bool,
    /// Lines that are on the terminal now and are to be drawn over.
    drawn: usize,
}

impl Board {
    pub(super) fn on_standard_output(nodes: Vec<NodeId>) -> Self {
        Self {
            nodes,
            last: BTreeMap::new(),
            shown: BTreeMap::new(),
            failed: BTreeSet::new(),
            is_live: io::stdout().is_terminal(),
            drawn: 0,
        }
    }

    /// How far a node is now.
    pub(super) fn show(&mut self, node: &NodeId, progress: &DrainProgress) {
        let line = format!("node {node}: {}", sentence(progress));
        self.last.insert(node.clone(), progress.clone());
        let is_new = self.shown.insert(node.clone(), line.clone()).as_ref() != Some(&line);
        if self.is_live {
            self.draw();
        } else if is_new {
            print(&line);
        }
    }

    pub(super) fn set_failed(&mut self, node: &NodeId, failed: bool) {
        if failed {
            self.failed.insert(node.clone());
        } else {
            self.failed.remove(node);
        }
    }

    /// Whether something is not as it was asked for, or was not heard to its end.
    pub(super) fn any_failed(&self) -> bool {
        let ended = |node: &NodeId| self.last.get(node).is_some_and(|last| last.stage == DrainStage::Drained);
        !self.failed.is_empty() || !self.nodes.iter().all(ended)
    }

    fn draw(&mut self) {
        self.clear();
        let lines: Vec<&String> = self.nodes.iter().filter_map(|node| self.shown.get(node)).collect();
        lines.iter().for_each(|line| print(line));
        self.drawn = lines.len();
    }

    /// Takes away what was drawn.
    pub(super) fn clear(&mut self) {
        if self.drawn > 0 {
            let mut out = io::stdout();
            // Up so many lines, and everything below away.
            let _ = write!(out, "\u{1b}[{}A\u{1b}[J", self.drawn).and_then(|()| out.flush());
            self.drawn = 0;
        }
    }

    pub(super) fn say(&self, sentence: &str) {
        self.nodes.iter().filter_map(|node| self.shown.get(node)).filter(|_| self.is_live).for_each(|line| print(line));
        print(sentence);
    }

    /// What still runs, by name.
    pub(super) fn report(&self) {
        for node in &self.nodes {
            let Some(last) = self.last.get(node).filter(|last| last.stage == DrainStage::Overdue) else { continue };
            last.running.iter().take(NAMED).for_each(|session| print(&format!("  {}", running(session))));
            let more = (last.running_in_all as usize).saturating_sub(NAMED);
            if more > 0 {
                print(&format!("  and {more} more; `capstan sessions list --node-name {node}` shows them"));
            }
            print(&format!(
                "node {node} stays closed; drain it again with --force to cancel the rest, or with --wait, or `capstan nodes uncordon {node}`"
            ));
        }
    }
}

fn running(session: &RunningSession) -> String {
    text::line(&format!("{} of thread {}: {}", session.session, session.thread, session.command))
}

fn print(line: &str) {
    let mut out = io::stdout();
    // The drain goes on, whether anybody reads this.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// How far a drain is, in a sentence.
fn sentence(progress: &DrainProgress) -> String {
    let DrainProgress { stage, running_in_all, turns, ended, cancelled, unknown, .. } = progress;
    let counts = format!(
        "{} and {} run, {ended} ended, {cancelled} cancelled",
        text::counted(*running_in_all as usize, "session"),
        text::counted(*turns as usize, "turn")
    );
    match (stage, unknown) {
        (DrainStage::Drained, _) => format!("drained; {ended} sessions ended, {cancelled} were cancelled"),
        (DrainStage::CalledOff, _) => "the drain was called off".to_owned(),
        (_, Some(why)) => format!("draining; it is not known what runs: {}", text::line(why)),
        (DrainStage::Waiting, None) => format!("draining; {counts}"),
        (DrainStage::Cancelling, None) => format!("the deadline has passed, what runs is cancelled; {counts}"),
        (DrainStage::Overdue, None) => format!("the deadline has passed; {counts}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_is_told_in_one_sentence_at_each_stage() {
        let progress = |stage, unknown: Option<&str>| DrainProgress {
            stage,
            running: Vec::new(),
            running_in_all: 2,
            turns: 1,
            ended: 5,
            cancelled: 3,
            unknown: unknown.map(str::to_owned),
        };
        let stages =
            [DrainStage::Waiting, DrainStage::Cancelling, DrainStage::Overdue, DrainStage::Drained, DrainStage::CalledOff];
        let mut said: Vec<String> = stages.map(|stage| sentence(&progress(stage, None))).to_vec();
        said.push(sentence(&progress(DrainStage::Waiting, Some("the node is not registered now"))));
        insta::assert_snapshot!(said.join("\n"));
    }
}
