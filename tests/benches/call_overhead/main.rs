//! What a sandboxed call costs beyond the same request and the same process without Capstan.
//!
//! Fifty sequential calls go through the whole path (`capstan exec`, its node, the runner) and, in turn with it, through a bare client
//! that makes the same HTTP posts and spawns the same argv, shell included. A run without calls is subtracted from each, so that what
//! is left is the price of a step with one call. Both are whole processes measured from outside (`wait4`); what a figure means is the
//! ratio within one run, since machines differ and drift.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot run says why and stops; its figures are its output"
)]

mod bare_client;
mod measure;
mod static_program;

use capstan_tests::capstan::{Home, binary};
use capstan_tests::process::command;
use capstan_tests::responses_server::{Answer, ResponsesServer, Script};
use measure::{Cost, median};
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// Calls in one run.
const CALLS: usize = 50;

/// Runs of each kind; the first of each is not counted.
const ROUNDS: usize = 6;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == bare_client::ROLE) {
        return bare_client::run(&arguments[at + 1]);
    }
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let fixed = static_program::build(dir.path());
    println!("{CALLS} sequential calls, workspace-write, no login shell; median of {} runs each, in turn\n", ROUNDS - 1);
    println!("| program | per call: capstan | bare | wall ratio | CPU ratio | peak memory: capstan | bare |");
    println!("|---|---|---|---|---|---|---|");
    for (name, program) in [("/bin/true", Path::new("/bin/true")), ("static program", fixed.as_path())] {
        row(name, program);
    }
}

fn row(name: &str, program: &Path) {
    let program = program.to_str().expect("the path is UTF-8");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (capstan, bare) = (per_call(program, capstan), per_call(program, bare));
        if round > 0 {
            ours.push(capstan);
            theirs.push(bare);
        }
    }
    let wall = |costs: &[Cost]| median(costs.iter().map(|cost| cost.wall_ms));
    let cpu = |costs: &[Cost]| median(costs.iter().map(|cost| cost.cpu_ms));
    let peak = |costs: &[Cost]| median(costs.iter().map(|cost| cost.peak_mib));
    println!(
        "| {name} | {:.2} ms wall, {:.2} ms CPU | {:.2} ms wall, {:.2} ms CPU | {:.2} | {:.2} | {:.0} MiB | {:.0} MiB |",
        wall(&ours),
        cpu(&ours),
        wall(&theirs),
        cpu(&theirs),
        wall(&ours) / wall(&theirs),
        cpu(&ours) / cpu(&theirs),
        peak(&ours),
        peak(&theirs),
    );
}

/// The cost of one call: of a run with all of them less one with none, divided by their number.
fn per_call(program: &str, client: fn(&ResponsesServer) -> Cost) -> Cost {
    let none = client(&ResponsesServer::start(script(program, 0)));
    let all = client(&ResponsesServer::start(script(program, CALLS)));
    let each = |all: f64, none: f64| (all - none) / f64::from(u32::try_from(CALLS).unwrap_or(1));
    Cost { wall_ms: each(all.wall_ms, none.wall_ms), cpu_ms: each(all.cpu_ms, none.cpu_ms), peak_mib: all.peak_mib }
}

fn script(program: &str, calls: usize) -> Script {
    let call =
        |number: usize| Answer::calling(&format!("call_{number}"), "exec_command", &json!({"cmd": program, "login": false}));
    let answers = (0..calls).map(call).chain([Answer::saying("done")]);
    answers.fold(Script::new(), |script, answer| script.then(answer))
}

fn capstan(server: &ResponsesServer) -> Cost {
    let home = Home::using(server);
    let workspace = home.root().join("workspace");
    std::fs::create_dir(&workspace).expect("a directory can be made");
    let mut exec: Command = command(binary("capstan").to_str().expect("the path is UTF-8"));
    exec.args(["exec", "--json", "--skip-git-repo-check", "--sandbox", "workspace-write", "-C"]).arg(&workspace).arg("go");
    exec.env("CAPSTAN_HOME", home.path()).env("HOME", home.user_dir()).env(Home::KEY_VARIABLE, Home::KEY);
    let cost = measure::run(exec);
    server.assert_played();
    cost
}

fn bare(server: &ResponsesServer) -> Cost {
    let this = std::env::current_exe().expect("the benchmark has a path");
    let mut client = command(this.to_str().expect("the path is UTF-8"));
    client.args([bare_client::ROLE, &server.base_url()]);
    let cost = measure::run(client);
    server.assert_played();
    cost
}
