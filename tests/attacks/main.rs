//! Attacks on the sandbox, by family, through the real binary: as root, and as a user without any rights.
//!
//! Each attack is tried in an arena of its own, which shows whatever was done outside. Each is also tried where nothing is sandboxed,
//! and must work there: an attack that cannot succeed proves nothing. Invariant: an attack that succeeds harms its own arena only.

#![expect(clippy::panic, clippy::expect_used, reason = "a test fails by panicking")]

mod arena;
mod attack;
mod families;
mod host_git;
mod listeners;
mod stage;
mod terminal;
mod trial;
mod victim;
mod watch;
mod way;

mod afterwards;
mod controls;
mod usability;

use attack::Family;
use stage::Stage;
use trial::{Outcome, attempt};
use way::{Walls, Way, Who, is_root};

/// Tries a whole family in the sandbox, and tells every attack that was not held.
fn assert_held(family: Family, who: Who) {
    let (stage, way) = (Stage::new(), Way { who, walls: Walls::WorkspaceWrite });
    let attacks = families::ALL.iter().filter(|(of, _)| *of == family).flat_map(|(_, attacks)| attacks.iter());
    let chosen = std::env::var("CAPSTAN_ATTACK").unwrap_or_default();
    let attacks = attacks.filter(|attack| attack.id.contains(&chosen) && attack.excused(way.is_root()).is_none());
    let (mut tried, mut told) = (0, 0);
    let mut failed = Vec::new();
    for attack in attacks {
        tried += 1;
        match attempt(&stage, way, family, attack) {
            Outcome::Held => {}
            Outcome::Escaped(got) => failed.push(format!("{}: {}\n    {}", attack.id, attack.says, got.join("\n    "))),
            Outcome::Unclear(why) => failed.push(format!("{}: {}\n    was not tried: {why}", attack.id, attack.says)),
        }
        failed.get(told..).into_iter().flatten().for_each(|failure| eprintln!("{failure}"));
        told = failed.len();
    }
    let held = tried - failed.len();
    println!("{family:?}, {who:?}: {held} of {tried} held");
    assert!(failed.is_empty(), "{held} of {tried} attacks held; these did not:\n{}", failed.join("\n"));
}

/// The tests of one family.
macro_rules! family {
    ($name:ident, $family:ident) => {
        mod $name {
            use super::*;

            #[test]
            fn holds_for_the_caller() {
                assert_held(Family::$family, Who::Caller);
            }

            #[test]
            fn holds_for_an_ordinary_user() {
                if is_root() {
                    assert_held(Family::$family, Who::OrdinaryUser);
                }
            }
        }
    };
}

family!(files_outside_stay_as_they_are, Files);
family!(nothing_planted_runs_later, Git);
family!(secrets_stay_secret, Secrets);
family!(processes_of_the_host_notice_nothing, Processes);
family!(the_kernel_is_out_of_reach, Kernel);
family!(nobody_outside_is_reached, Network);
family!(terminals_are_left_alone, Terminal);
family!(nothing_is_left_behind, Lifecycle);
family!(nobody_takes_too_much, Resources);
