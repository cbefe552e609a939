//! What floods cost the sessions beside them: the time from a line that is written to a session until its answer is read, for many sessions
//! that are asked at a steady pace, without floods and beside as many sessions that write as fast as they can. Each flood is read to its end, as
//! a coordinator reads it. Each way is measured in turns with the other, so that a drift of the machine meets both.
//!
//! `session_beside_floods [SESSIONS] [--seconds NUMBER] [--turns NUMBER] [--way NAME]...`: 50 normal sessions and 50 floods, 3 s a turn, 2 turns of
//! each, unless said; the ways are `landlock` and `full`, both unless said. The nodes' state lies below `CAPSTAN_BENCH_DIR`, /var/tmp unless said.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that cannot run says why and stops; its figures are its output"
)]

#[path = "../session_call/far.rs"]
mod far;
mod flood;
#[path = "../session_call/measured.rs"]
mod measured;
#[path = "../session_call/node.rs"]
mod node;
mod normal;
mod plan;

use capstan_agent_node::JournalSync;
use capstan_types::policy::Level;
use far::Far;
use flood::Floods;
use measured::quantile;
use node::Node;
use normal::Normals;
use plan::Plan;
use std::path::Path;
use std::time::Duration;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == node::ROLE) {
        return node::run(Path::new(&arguments[at + 1]), &arguments[at + 2], &arguments[at + 3]);
    }
    let plan = Plan::of(&arguments[1..]);
    let parent = std::env::var_os("CAPSTAN_BENCH_DIR").unwrap_or_else(|| "/var/tmp".into());
    let dir = tempfile::tempdir_in(parent).expect("a temporary directory can be made");
    let state = dir.path().canonicalize().expect("it is there");
    let workspace = state.join("workspace");
    std::fs::create_dir(&workspace).expect("a directory can be made");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
    // Links to nodes are made on it, also between the parts that run to their ends.
    let _inside = runtime.enter();
    println!(
        "{0} normal sessions, each asked every {1:?}, alone and beside {0} floods; milliseconds\n",
        plan.sessions,
        normal::PACE
    );
    println!("| level | beside | answers | median | p99 | most | p99 ratio | floods, MiB/s | node, KiB |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for level in plan.levels() {
        let node = Node::start(&state, level, JournalSync::On);
        let far = Far::on(&node, &workspace);
        let memory = || node.private_kib();
        let (alone, beside) = runtime.block_on(measure(&far, &plan));
        row(level, "nothing", &alone.took, None, 0.0, memory());
        row(level, "floods", &beside.took, Some(&alone.took), beside.flooded, memory());
        runtime.block_on(fresh(&far, &plan, level));
    }
}

/// What the answers took, and how much the floods wrote meanwhile, in MiB a second.
#[derive(Default)]
struct Measured {
    took: Vec<Duration>,
    flooded: f64,
}

async fn measure(far: &Far, plan: &Plan) -> (Measured, Measured) {
    let mut normals = Normals::start(far, plan.sessions).await;
    normals.ask(Duration::from_millis(500)).await;
    let (mut alone, mut beside) = (Measured::default(), Measured::default());
    for _ in 0..plan.turns {
        alone.took.extend(normals.ask(plan.span).await);
        let floods = Floods::start(far, plan.sessions).await;
        beside.took.extend(normals.ask(plan.span).await);
        beside.flooded += floods.end().await / f64::from(plan.turns);
    }
    normals.end().await;
    (alone, beside)
}

/// The same for calls that begin anew: from the request to the news of the end.
async fn fresh(far: &Far, plan: &Plan, level: Level) {
    let alone = normal::calls(far, plan.span).await;
    let floods = Floods::start(far, plan.sessions).await;
    let beside = normal::calls(far, plan.span).await;
    let flooded = floods.end().await;
    row(level, "nothing (calls of true, one at a time)", &alone, None, 0.0, None);
    row(level, "floods (calls of true, one at a time)", &beside, Some(&alone), flooded, None);
}

fn row(level: Level, beside: &str, took: &[Duration], alone: Option<&[Duration]>, flooded: f64, memory: Option<u64>) {
    let [median, p99, most] = [0.5, 0.99, 1.0].map(|share| quantile(took, share));
    let ratio = alone.map_or_else(String::new, |alone| format!("{:.2}", p99 / quantile(alone, 0.99)));
    let memory = memory.map_or_else(String::new, |kib| kib.to_string());
    println!("| {level} | {beside} | {} | {median:.2} | {p99:.2} | {most:.2} | {ratio} | {flooded:.0} | {memory} |", took.len());
}
