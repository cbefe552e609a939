//! How the cluster on this machine is.

use super::ask;
use super::found::{self, Found};
use super::layout::Member;
use super::ready::{knows, nodes_known};
use super::state::State;
use crate::render::text;
use std::fmt::Write as _;
use std::path::Path;

/// A table, and whether all is well.
pub(super) async fn status(dir: &Path, state: &State) -> (String, bool) {
    let processes = found::processes(dir);
    let mut rows = Vec::new();
    for member in &state.members {
        rows.push(row(member, &processes).await);
    }
    let well = state.ready && rows.iter().all(|row| row.well);
    let mut table = format!("{:<14}  {:<26}  {:<8}  STATE\n", "NAME", "ADDRESS", "PID");
    for Row { name, address, pid, state, .. } in rows {
        let _ = writeln!(table, "{name:<14}  {address:<26}  {pid:<8}  {state}");
    }
    if !state.ready {
        table.push_str("It did not come up as a whole; `capstan cluster down` removes what there is.\n");
    }
    (table, well)
}

struct Row {
    name: String,
    address: String,
    pid: String,
    state: String,
    well: bool,
}

async fn row(member: &Member, processes: &[Found]) -> Row {
    let own = processes.iter().filter(|found| found.itself && found.member == member.name);
    let pid = own.map(|found| found.pid).min();
    let (state, well) = match pid {
        None => ("gone".to_owned(), false),
        Some(_) => health(member).await,
    };
    Row {
        name: member.name.clone(),
        address: member.url(),
        pid: pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
        state,
        well,
    }
}

async fn health(member: &Member) -> (String, bool) {
    let (at, path) = member.health();
    match ask::get(at, path).await {
        Ok(answer) if answer.ok => {
            let known = nodes_known(member).await.map(|nodes| format!(", {}", knows(nodes))).unwrap_or_default();
            (format!("ready{known}"), true)
        }
        Ok(answer) => (format!("not ready: {}", text::line(&answer.body)), false),
        Err(error) => (format!("does not answer: {error}"), false),
    }
}
