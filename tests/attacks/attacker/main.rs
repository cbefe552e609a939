//! The program that attacks from inside a sandbox: one function for each attack, in system calls, without a library in between.
//!
//! `attacker ATTACK KEY=VALUE…` prints `ESCAPED` with what it got hold of, once for each thing, and `DONE` when it has tried all.
//! Invariant: an attack that works harms nothing but the directories and processes of its own test. What could harm the machine is
//! only tried with arguments that the kernel must refuse, and it counts as an escape when permission was not the reason.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "it reports by printing, and an attack that cannot be set up fails its test"
)]
#![expect(clippy::unnecessary_mut_passed, reason = "the kernel writes through addresses that are passed as numbers")]
#![expect(clippy::cast_possible_truncation, reason = "ports and flags are small, and calls take machine words")]

mod call;
mod facts;
mod stage;

mod files;
mod kernel;
mod mounts;
mod network;
mod processes;
mod queues;
mod races;
mod resources;
mod secrets;
mod surface;
mod terminal;

use facts::{Attack, Facts};

const FAMILIES: [&[(&str, Attack)]; 11] = [
    files::ATTACKS,
    mounts::ATTACKS,
    races::ATTACKS,
    kernel::ATTACKS,
    surface::ATTACKS,
    network::ATTACKS,
    processes::ATTACKS,
    queues::ATTACKS,
    secrets::ATTACKS,
    resources::ATTACKS,
    terminal::ATTACKS,
];

fn main() {
    let mut words = std::env::args();
    let name = words.nth(1).expect("the first argument names the attack");
    match name.as_str() {
        "victim" => return stage::be_victim(&Facts::read(words)),
        "clean" => return stage::clean(&Facts::read(words)),
        "launch" => return stage::launch_carelessly(words.collect()),
        _ => {}
    }
    let attack = FAMILIES.iter().copied().flatten().find(|(known, _)| *known == name);
    let (_, attack) = attack.unwrap_or_else(|| {
        println!("no attack is called {name}");
        std::process::exit(2)
    });
    for got in attack(&Facts::read(words)) {
        println!("ESCAPED {got}");
    }
    println!("DONE");
}
