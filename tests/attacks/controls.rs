//! Every attack works where nothing is sandboxed: one that cannot succeed proves nothing about a sandbox.

use crate::attack::{Attack, Control, Family, Promise};
use crate::choice::Choice;
use crate::families::ALL;
use crate::stage::Stage;
use crate::trial::{Outcome, attempt};
use crate::way::{Walls, Way, Who};
use std::collections::BTreeSet;

/// The fewest attacks that this suite may have.
const FEWEST: usize = 110;
/// The most attacks that may go without being seen to work.
const MOST_UNSEEN: usize = 11;
/// The most attacks that the sandbox may decline to promise anything about.
const MOST_UNPROMISED: usize = 4;

/// Whether whoever tests can show that this attack works.
fn is_seen(attack: &Attack, way: Way) -> bool {
    match attack.control {
        Control::Anybody => true,
        Control::Root => way.is_root(),
        Control::Nobody(_) => false,
    }
}

pub(crate) fn assert_all_work(family: Family, who: Who) {
    let (stage, way) = (Stage::new(), Way { who, walls: Walls::None });
    let attacks = ALL.iter().filter(|(of, _)| *of == family).flat_map(|(_, attacks)| attacks.iter());
    let choice = Choice::of(way);
    let mut failed = Vec::new();
    for attack in attacks.filter(|attack| choice.takes(attack.id) && is_seen(attack, way)) {
        match attempt(&stage, way, family, attack) {
            Outcome::Escaped(_) => {}
            Outcome::Held => failed.push(format!("{}: {}", attack.id, attack.says)),
            Outcome::Unclear(why) => failed.push(format!("{}: {}\n    was not tried: {why}", attack.id, attack.says)),
        }
    }
    assert!(failed.is_empty(), "as {who:?}, these got nowhere even where nothing is sandboxed:\n{}", failed.join("\n"));
}

/// The tests of each family, and which families there are tests of.
macro_rules! controls {
    ($($name:ident: $family:ident,)*) => {
        pub(crate) const SHOWN: &[Family] = &[$(Family::$family),*];
        $(mod $name {
            #[test]
            fn works_for_the_caller() {
                crate::controls::assert_all_work(crate::attack::Family::$family, crate::way::Who::Caller);
            }

            #[test]
            fn works_for_an_ordinary_user() {
                if crate::way::is_root() {
                    crate::controls::assert_all_work(crate::attack::Family::$family, crate::way::Who::OrdinaryUser);
                }
            }
        })*
    };
}

controls! {
    every_attack_on_files: Files,
    every_plant: Git,
    every_attack_on_secrets: Secrets,
    every_attack_on_processes: Processes,
    every_attack_on_the_kernel: Kernel,
    every_attack_over_the_network: Network,
    every_attack_on_terminals: Terminal,
    every_way_to_stay: Lifecycle,
    every_way_to_take_too_much: Resources,
}

#[test]
fn there_are_enough_attacks_and_nearly_all_are_seen_to_work() {
    let all: Vec<&Attack> = ALL.iter().flat_map(|(_, attacks)| attacks.iter()).collect();
    let ids: BTreeSet<&str> = all.iter().map(|attack| attack.id).collect();
    assert_eq!(ids.len(), all.len(), "an id is used twice");
    let unseen: Vec<String> = all
        .iter()
        .filter_map(|attack| match attack.control {
            Control::Nobody(reason) => Some(format!("{}: {reason}", attack.id)),
            _ => None,
        })
        .collect();
    println!("{} attacks; not seen to work here:\n{}", all.len(), unseen.join("\n"));
    assert!(all.len() - unseen.len() >= FEWEST, "{} attacks are seen to work", all.len() - unseen.len());
    assert!(unseen.len() <= MOST_UNSEEN, "too many attacks are not seen to work: {unseen:#?}");
    let unpromised: Vec<String> = all
        .iter()
        .filter_map(|attack| match attack.promised {
            Promise::Everybody => None,
            Promise::Root(reason) | Promise::Nobody(reason) => Some(format!("{}: {reason}", attack.id)),
        })
        .collect();
    println!("not promised:\n{}", unpromised.join("\n"));
    assert!(unpromised.len() <= MOST_UNPROMISED, "too many attacks are not promised to be held: {unpromised:#?}");
}
