//! What it costs to choose a node, and what the view of all nodes weighs.
//!
//! 10,000 nodes hold 100,000 workspaces. A choice is timed alone, with the reservation and the giving back that keep the number of workspaces as it is
//! left out. What a figure means is the ratio to a choice that looks at every node, within one run, since machines differ and drift.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot run says why and stops; its figures are its output"
)]

mod cluster;

use capstan_coordinator::placement::choose::choose;
use capstan_coordinator::placement::facts::NodeFacts;
use capstan_coordinator::placement::need::{Need, Wanted};
use capstan_coordinator::placement::view::View;
use capstan_types::id::ThreadId;
use capstan_types::placement::Packing;
use cluster::{BATCHES, NODES, WORKSPACES, filled, need};
use std::time::{Duration, Instant};

/// Choices of each kind that are timed.
const CHOICES: u64 = 20_000;

/// Choices by a look at every node that are timed.
const NAIVE: u64 = 200;

fn main() {
    let before = resident_kib();
    let began = Instant::now();
    let mut view = filled();
    let grown = resident_kib().saturating_sub(before);
    println!("{NODES} nodes, {} workspaces, filled in {:.1} s", view.ledger().len(), began.elapsed().as_secs_f64());
    println!("view: {:.1} MiB resident\n", grown as f64 / 1024.0);
    println!("| choice | p50, µs | p99, µs | p99.9, µs | × faster than a look at every node |");
    println!("|---|---|---|---|---|");
    let slow = naive(&view);
    let of = |change: &dyn Fn(Need) -> Need| times(&view, change);
    row("any node", &of(&|need| need), slow);
    row(
        "by selector, a third of the nodes",
        &of(&|need| Need { selector: "zone=z1".parse().expect("a selector"), ..need }),
        slow,
    );
    row(
        "by selector, one node",
        &of(&|need| {
            let selector = format!("host=n{}", need.seed % NODES as u64).parse().expect("a selector");
            Need { selector, ..need }
        }),
        slow,
    );
    row("packed", &of(&|need| Need { packing: Packing::Pack, ..need }), slow);
    row("apart from its batch", &of(&|need| Need { batch: Some(format!("b{}", need.seed % BATCHES)), ..need }), slow);
    row("with a mirror", &of(&|need| Need { repository: Some(format!("r{}", need.seed % 50)), ..need }), slow);
    row(
        "a named node",
        &of(&|need| {
            let id = format!("n{}", need.seed % NODES as u64).parse().expect("a name");
            Need { wanted: Wanted::Named(id), ..need }
        }),
        slow,
    );
    row(
        "none has room",
        &of(&|mut need| {
            need.resources.cpu_milli = 63_000;
            need
        }),
        slow,
    );
    row("reserve and give back", &changes(&mut view), slow);
}

/// Sorted.
fn times(view: &View, change: &dyn Fn(Need) -> Need) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..CHOICES)
        .map(|seed| {
            let need = change(need(seed));
            let began = Instant::now();
            let choice = choose(view, &need);
            let took = began.elapsed();
            drop(std::hint::black_box(choice));
            took
        })
        .collect();
    times.sort_unstable();
    times
}

fn changes(view: &mut View) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..CHOICES)
        .map(|seed| {
            let (thread, need) = (ThreadId::from_u128((WORKSPACES as u128) * 2 + u128::from(seed)), need(seed));
            let choice = choose(view, &need).expect("there is room");
            let began = Instant::now();
            view.reserve(thread, &choice.node, &need.resources, None).expect("who is chosen has room");
            view.give_back(thread);
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    times
}

/// The median of a choice that looks at every node.
fn naive(view: &View) -> Duration {
    let mut times: Vec<Duration> = (0..NAIVE)
        .map(|seed| {
            let need = need(seed);
            let began = Instant::now();
            let fits = |facts: &&NodeFacts| {
                let used = view.in_use(&facts.id);
                !facts.cordoned
                    && need.selector.matches(&facts.labels)
                    && need.resources.short(&used.resources, &facts.capacity).is_none()
            };
            let load = |facts: &&NodeFacts| view.in_use(&facts.id).resources.cpu_milli;
            let _ = std::hint::black_box(view.nodes().filter(fits).min_by_key(load));
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn row(name: &str, sorted: &[Duration], slow: Duration) {
    let at = |thousandths: usize| sorted[(sorted.len() * thousandths / 1000).min(sorted.len() - 1)];
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let ratio = slow.as_secs_f64() / at(500).as_secs_f64();
    println!("| {name} | {:.1} | {:.1} | {:.1} | {ratio:.0} |", micros(at(500)), micros(at(990)), micros(at(999)));
}

/// Memory of this process.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a process can read its own status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it tells its memory");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("in kB")
}
