//! Starts members and waits until they serve.

use super::ask;
use super::launch::{Common, Join, start};
use super::layout::{Member, Part};
use super::process;
use super::progress::Step;
use crate::failure::Failure;
use crate::render::text;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::process::Child;

/// The longest that a member may take to serve.
const DEADLINE: Duration = Duration::from_secs(90);

/// How often it is asked whether it does.
const LOOK: Duration = Duration::from_millis(100);

/// How many lines of a member's log are told.
const LINES: usize = 8;

/// A member that was started.
#[derive(Debug)]
pub(super) struct Begun<'a> {
    member: &'a Member,
    child: Child,
    step: Step,
}

/// Starts a member.
pub(super) fn begin<'a>(member: &'a Member, common: &Common, join: Option<&Join>) -> Result<Begun<'a>, Failure> {
    let start = start(member, common, join);
    let child = process::start(&start)
        .map_err(|error| Failure::failed(format!("{} cannot be started: {}: {error}", member.name, start.program.display())))?;
    Ok(Begun { member, child, step: Step::begin() })
}

impl Begun<'_> {
    /// Waits until it serves, and says so.
    pub(super) async fn ready(mut self, dir: &Path) -> Result<(), Failure> {
        let (began, (at, path)) = (Instant::now(), self.member.health());
        let mut said = "it has not answered".to_owned();
        loop {
            // Asked first: somebody else may serve at the address of a member that has ended.
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(failed(self.member, dir, &format!("ended with {status}")));
            }
            match ask::get(at, path).await {
                Ok(answer) if answer.ok => break,
                Ok(answer) => said = answer.body,
                Err(_) => {}
            }
            if began.elapsed() > DEADLINE {
                let within = DEADLINE.as_secs();
                return Err(failed(self.member, dir, &format!("was not ready within {within} s: {}", text::line(&said))));
            }
            tokio::time::sleep(LOOK).await;
        }
        self.step.done(&format!("{} is ready at {}", self.member.name, self.member.url()));
        Ok(())
    }
}

/// Waits until a coordinator knows so many nodes.
pub(super) async fn until_it_knows(nodes: u64, coordinator: &Member, dir: &Path) -> Result<(), Failure> {
    let (step, began) = (Step::begin(), Instant::now());
    loop {
        let known = nodes_known(coordinator).await;
        if known == Some(nodes) {
            step.done(&format!("{} {}", coordinator.name, knows(nodes)));
            return Ok(());
        }
        if began.elapsed() > DEADLINE {
            let known = known.map_or_else(|| "not known how many".to_owned(), |known| known.to_string());
            return Err(failed(coordinator, dir, &format!("knows only {known} of {nodes} nodes")));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Says how many nodes somebody knows.
pub(super) fn knows(nodes: u64) -> String {
    format!("knows {nodes} {}", if nodes == 1 { "node" } else { "nodes" })
}

/// How many nodes a coordinator knows, if it is one and says.
pub(super) async fn nodes_known(member: &Member) -> Option<u64> {
    if member.part != Part::Coordinator {
        return None;
    }
    let metrics = ask::get(member.second, "/metrics").await.ok().filter(|answer| answer.ok)?;
    ask::metric(&metrics.body, "capstan_nodes")
}

fn failed(member: &Member, dir: &Path, what: &str) -> Failure {
    let said = fs::read_to_string(member.log(dir)).unwrap_or_default();
    let lines: Vec<&str> = said.lines().collect();
    let last: Vec<String> = lines[lines.len().saturating_sub(LINES)..].iter().map(|line| text::line(line)).collect();
    let said = if last.is_empty() { "It said nothing".to_owned() } else { format!("Its last words: {}", last.join(" | ")) };
    Failure::failed(format!("{} {what}. {said}", member.name))
}
