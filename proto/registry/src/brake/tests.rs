//! Many that vanish at once are doubted, few are believed, and nobody is forgotten.

use super::{Brake, Rule};
use crate::conformance::record;
use capstan_types::node::NodeRecord;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const RULE: Rule = Rule { percent: 50, least: 3, window: Duration::from_secs(10), grace: Duration::from_secs(60) };

fn nodes(from: usize, to: usize) -> Vec<NodeRecord> {
    (from..to).map(|number| record(&format!("n{number:03}"), 1)).collect()
}

#[test]
fn few_are_believed_and_the_one_too_many_brings_the_others_back() {
    let (mut brake, now) = (Brake::new(RULE), Instant::now());
    assert_eq!(brake.vanished(nodes(0, 5), 5, now).left, nodes(0, 5));
    let ruling = brake.vanished(nodes(5, 6), 4, now + Duration::from_secs(9));
    assert_eq!((ruling.left, ruling.suspect), (vec![], nodes(0, 6)));
    // While it holds, everybody who vanishes is suspect.
    assert_eq!(brake.vanished(nodes(6, 7), 100, now + Duration::from_secs(30)).suspect, nodes(6, 7));
}

#[test]
fn a_small_house_has_no_brake_and_slow_losses_are_losses() {
    let (mut brake, now) = (Brake::new(RULE), Instant::now());
    assert_eq!(brake.vanished(nodes(0, 2), 0, now).left, nodes(0, 2));
    let mut brake = Brake::new(RULE);
    for number in 0..10 {
        let at = now + Duration::from_secs(11 * number as u64);
        assert_eq!(brake.vanished(nodes(number, number + 1), 9 - number, at).left, nodes(number, number + 1));
    }
}

#[test]
fn suspects_leave_when_their_grace_is_over_and_those_that_come_back_do_not() {
    let (mut brake, now) = (Brake::new(RULE), Instant::now());
    brake.vanished(nodes(0, 4), 0, now);
    brake.appeared(&record("n001", 2).id);
    assert_eq!(brake.lapsed(now + Duration::from_secs(59)), []);
    brake.begin_again(now + Duration::from_secs(59));
    assert_eq!(brake.lapsed(now + Duration::from_secs(100)), []);
    let left: Vec<NodeRecord> = nodes(0, 4).into_iter().filter(|node| node.id.as_str() != "n001").collect();
    assert_eq!(brake.lapsed(now + Duration::from_secs(119)), left);
    assert_eq!(brake.suspects().count(), 0);
}

proptest! {
    /// Whatever happens, a node that vanished is told to have left or is suspect, never both, and nobody is suspect for ever.
    #[test]
    fn who_vanished_left_or_is_suspect(steps in prop::collection::vec((0..4u8, 0..30usize, 1..8usize, 0..15u64), 0..60)) {
        let mut brake = Brake::new(RULE);
        let mut now = Instant::now();
        let (mut there, mut gone): (BTreeSet<usize>, BTreeSet<usize>) = ((0..30).collect(), BTreeSet::new());
        let mut known: BTreeSet<String> = there.iter().map(|number| format!("n{number:03}")).collect();
        for (what, from, count, seconds) in steps {
            now += Duration::from_secs(seconds);
            let some = from..from + count;
            if what > 0 {
                let vanish: Vec<usize> = there.iter().copied().filter(|number| some.contains(number)).collect();
                if vanish.is_empty() { continue; }
                vanish.iter().for_each(|number| { there.remove(number); gone.insert(*number); });
                let ruling = brake.vanished(vanish.iter().flat_map(|number| nodes(*number, number + 1)).collect(), there.len(), now);
                ruling.left.iter().for_each(|node| { known.remove(node.id.as_str()); });
                known.extend(ruling.suspect.iter().map(|node| node.id.to_string()));
            } else if let Some(back) = gone.iter().copied().find(|number| some.contains(number)) {
                gone.remove(&back);
                there.insert(back);
                known.insert(format!("n{back:03}"));
                brake.appeared(&record(&format!("n{back:03}"), 1).id);
            }
            let suspects: BTreeSet<String> = brake.suspects().map(ToString::to_string).collect();
            let expected: BTreeSet<String> = there.iter().map(|number| format!("n{number:03}")).chain(suspects.iter().cloned()).collect();
            prop_assert_eq!(&known, &expected);
            let both = there.iter().map(|number| format!("n{number:03}")).any(|id| suspects.contains(&id));
            prop_assert!(!both, "a node is there and suspect");
        }
        let _ = brake.lapsed(now + RULE.grace);
        prop_assert_eq!(brake.suspects().count(), 0);
    }
}
