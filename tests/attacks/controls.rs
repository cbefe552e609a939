//! Every attack works where nothing is sandboxed: one that cannot succeed proves nothing about a sandbox.

use crate::attack::{Attack, Control, Family};
use crate::families;
use crate::stage::Stage;
use crate::trial::{Outcome, attempt};
use crate::way::{Walls, Way, Who, is_root};
use std::collections::BTreeSet;

/// The fewest attacks that this suite may have.
const FEWEST: usize = 110;
/// The most attacks that may go without being seen to work.
const MOST_UNSEEN: usize = 11;

/// Whether whoever tests can show that this attack works.
fn is_seen(attack: &Attack, way: Way) -> bool {
    match attack.control {
        Control::Anybody => true,
        Control::Root => way.is_root(),
        Control::Nobody(_) => false,
    }
}

fn assert_all_work(family: Family, who: Who) {
    let (stage, way) = (Stage::new(), Way { who, walls: Walls::None });
    let attacks = families::ALL.iter().filter(|(of, _)| *of == family).flat_map(|(_, attacks)| attacks.iter());
    let chosen = std::env::var("CAPSTAN_ATTACK").unwrap_or_default();
    let mut failed = Vec::new();
    for attack in attacks.filter(|attack| attack.id.contains(&chosen) && is_seen(attack, way)) {
        match attempt(&stage, way, family, attack) {
            Outcome::Escaped(_) => {}
            Outcome::Held => failed.push(format!("{}: {}", attack.id, attack.says)),
            Outcome::Unclear(why) => failed.push(format!("{}: {}\n    was not tried: {why}", attack.id, attack.says)),
        }
    }
    assert!(failed.is_empty(), "as {who:?}, these got nowhere even where nothing is sandboxed:\n{}", failed.join("\n"));
}

/// The tests of one family.
macro_rules! control {
    ($name:ident, $family:ident) => {
        mod $name {
            use super::*;

            #[test]
            fn works_for_the_caller() {
                assert_all_work(Family::$family, Who::Caller);
            }

            #[test]
            fn works_for_an_ordinary_user() {
                if is_root() {
                    assert_all_work(Family::$family, Who::OrdinaryUser);
                }
            }
        }
    };
}

control!(every_attack_on_files, Files);
control!(every_plant, Git);
control!(every_attack_on_secrets, Secrets);
control!(every_attack_on_processes, Processes);
control!(every_attack_on_the_kernel, Kernel);
control!(every_attack_over_the_network, Network);
control!(every_attack_on_terminals, Terminal);
control!(every_way_to_stay, Lifecycle);
control!(every_way_to_take_too_much, Resources);

#[test]
fn there_are_enough_attacks_and_nearly_all_are_seen_to_work() {
    let all: Vec<&Attack> = families::ALL.iter().flat_map(|(_, attacks)| attacks.iter()).collect();
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
}
