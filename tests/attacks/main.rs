//! Attacks on the sandbox, by family, through the real binary: as root, and as a user without any rights.
//!
//! Each attack is tried in an arena of its own, which shows whatever was done outside. Each is also tried where nothing is sandboxed,
//! and must work there: an attack that cannot succeed proves nothing. Invariant: an attack that succeeds harms its own arena only.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a long run tells what it found as it goes")]

mod arena;
mod attack;
mod cases;
mod choice;
mod command;
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
use choice::Choice;
use stage::Stage;
use trial::{Outcome, attempt};
use way::{Walls, Way, Who, is_root};

/// Tries a whole family in the sandbox, and tells every attack that was not held.
fn assert_held(family: Family, who: Who) {
    let (stage, way) = (Stage::new(), Way { who, walls: Walls::WorkspaceWrite });
    let attacks = families::ALL.iter().filter(|(of, _)| *of == family).flat_map(|(_, attacks)| attacks.iter());
    let choice = Choice::of(way);
    let attacks = attacks.filter(|attack| choice.takes(attack.id) && attack.excused(way.is_root()).is_none());
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

/// The tests of each family, and which families there are tests of.
macro_rules! family_tests {
    ($($name:ident: $family:ident,)*) => {
        const TRIED: &[Family] = &[$(Family::$family),*];
        $(mod $name {
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
        })*
    };
}

family_tests! {
    files_outside_stay_as_they_are: Files,
    nothing_planted_runs_later: Git,
    secrets_stay_secret: Secrets,
    processes_of_the_host_notice_nothing: Processes,
    the_kernel_is_out_of_reach: Kernel,
    nobody_outside_is_reached: Network,
    terminals_are_left_alone: Terminal,
    nothing_is_left_behind: Lifecycle,
    nobody_takes_too_much: Resources,
}

#[test]
fn every_family_is_tried_and_its_attacks_are_shown_to_work() {
    let all: Vec<Family> = families::ALL.iter().map(|(family, _)| *family).collect();
    assert_eq!((TRIED, controls::SHOWN), (&all[..], &all[..]));
}
