//! Which checkpoints and packs are no longer kept. Pure.

use super::rules::CheckpointRules;
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

/// What is younger may belong to a checkpoint that is just being taken or carried.
const YOUNG: Duration = Duration::from_secs(3600);

/// A day.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The records of one thread that are more than are kept, or whose time is over; the oldest go first.
#[must_use]
pub fn over(mut records: Vec<(String, SystemTime)>, rules: &CheckpointRules, now: SystemTime) -> Vec<String> {
    records.sort_by(|(one, early), (other, late)| late.cmp(early).then_with(|| other.cmp(one)));
    let kept =
        |(number, (_, at)): &(usize, (String, SystemTime))| *number < rules.keep.max(1) as usize && !is_over(*at, rules, now);
    records.into_iter().enumerate().filter(|record| !kept(record)).map(|(_, (name, _))| name).collect()
}

/// Whether the time of what was written then is over.
#[must_use]
pub fn is_over(at: SystemTime, rules: &CheckpointRules, now: SystemTime) -> bool {
    rules.days > 0 && now.duration_since(at).is_ok_and(|age| age > DAY * rules.days)
}

/// The packs that no record names and that belong to nothing that is under way.
#[must_use]
pub fn unnamed(packs: Vec<(String, SystemTime)>, named: &BTreeSet<String>, now: SystemTime) -> Vec<String> {
    let is_old = |at: SystemTime| now.duration_since(at).is_ok_and(|age| age > YOUNG);
    packs.into_iter().filter(|(pack, at)| !named.contains(pack) && is_old(*at)).map(|(pack, _)| pack).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(hours * 3600)
    }

    #[test]
    fn the_newest_stay_until_their_time_is_over() {
        let records = || (0..5).map(|number| (format!("r{number}"), at(number * 24))).collect::<Vec<_>>();
        let rules = |keep, days| CheckpointRules { keep, days, ..CheckpointRules::default() };
        assert_eq!(over(records(), &rules(2, 0), at(96)), ["r2", "r1", "r0"]);
        assert_eq!(over(records(), &rules(9, 0), at(96)), Vec::<String>::new());
        assert_eq!(over(records(), &rules(9, 2), at(96)), ["r1", "r0"]);
        assert_eq!(over(records(), &rules(0, 0), at(96)).len(), 4, "the newest one is kept as long as there are any");
    }

    #[test]
    fn a_pack_stays_while_it_is_named_or_young() {
        let packs = vec![("named".to_owned(), at(0)), ("old".to_owned(), at(0)), ("young".to_owned(), at(9))];
        assert_eq!(unnamed(packs, &["named".to_owned()].into(), at(10)), ["old"]);
    }
}
