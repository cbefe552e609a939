use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

const HOUR: Duration = Duration::from_secs(3600);

fn one(number: u128, owner: &str, priority: u8, since: u64) -> Waiting {
    let since = Duration::from_secs(since);
    Waiting {
        workspace: ThreadId::from_u128(number),
        owner: owner.to_owned(),
        priority: priority.try_into().unwrap(),
        since,
        until: since + HOUR,
    }
}

fn queue(all: impl IntoIterator<Item = Waiting>) -> Queue {
    let mut queue = Queue::default();
    all.into_iter().for_each(|one| queue.join(one).unwrap());
    queue
}

fn numbers(queue: &Queue, now: u64) -> Vec<u128> {
    let number = |id: ThreadId| id.to_string().replace('-', "").parse::<u128>().unwrap();
    queue.order(Duration::from_secs(now)).into_iter().map(number).collect()
}

#[test]
fn of_one_owner_the_highest_priority_is_next_and_the_oldest_among_equals() {
    let queue = queue([one(1, "a", 5, 0), one(2, "a", 9, 1), one(3, "a", 5, 0), one(4, "a", 0, 0)]);
    assert_eq!(numbers(&queue, 1), [2, 1, 3, 4]);
}

#[test]
fn owners_take_turns_whatever_they_ask_for() {
    let mut queue = queue((1..=4).map(|number| one(number, "a", 9, 0)).chain([one(5, "b", 0, 0), one(6, "b", 0, 0)]));
    assert_eq!(numbers(&queue, 0), [1, 5, 2, 6, 3, 4]);
    queue.served(ThreadId::from_u128(1));
    assert_eq!(numbers(&queue, 0), [5, 2, 6, 3, 4], "serving in that order keeps it");
    queue.served(ThreadId::from_u128(5));
    queue.served(ThreadId::from_u128(2));
    queue.join(one(7, "c", 0, 0)).unwrap();
    assert_eq!(numbers(&queue, 0)[..2], [6, 7], "who was away has saved up nothing");
}

#[test]
fn who_waits_long_rises_above_newer_ones() {
    let queue = queue([one(1, "a", 0, 0), one(2, "a", 9, 80), one(3, "a", 9, 120)]);
    assert_eq!(numbers(&queue, 125), [2, 1, 3]);
}

#[test]
fn the_place_in_the_line_and_the_end_of_patience_are_told() {
    let mut queue = queue([one(1, "a", 5, 0), one(2, "b", 5, 10)]);
    assert_eq!(queue.position(ThreadId::from_u128(2), Duration::from_secs(10)), Some((1, 2)));
    let over: Vec<ThreadId> = queue.expired(HOUR).into_iter().map(|one| one.workspace).collect();
    assert_eq!(over, [ThreadId::from_u128(1)]);
    assert_eq!(queue.position(ThreadId::from_u128(2), HOUR), Some((0, 1)));
    assert_eq!(queue.position(ThreadId::from_u128(1), HOUR), None);
}

#[test]
fn a_full_queue_refuses_and_one_owner_cannot_fill_it() {
    let mut queue = queue((0..LONGEST_OF_ONE as u128).map(|number| one(number, "a", 5, 0)));
    assert_eq!(queue.join(one(99_999, "a", 5, 0)), Err(QueueError::FullOfOne));
    assert_eq!(queue.join(one(1, "a", 5, 0)), Ok(()), "it waits already");
    for owner in 1..10_u128 {
        (0..1000).for_each(|number| queue.join(one(owner * 10_000 + number, &format!("o{owner}"), 5, 0)).unwrap());
    }
    assert_eq!(queue.join(one(99_999, "z", 5, 0)), Err(QueueError::Full));
}

proptest! {
    /// One place becomes free in each second, and newcomers of every kind come as fast.
    #[test]
    fn nobody_starves(first in (0..4_usize, 0..10_u8), newcomers in vec((0..4_usize, 0..10_u8), 300)) {
        let owner = |number: usize| format!("o{number}");
        let mut queue = queue([one(0, &owner(first.0), first.1, 0)]);
        for (second, (number, priority)) in (0_u64..).zip(newcomers) {
            queue.join(one(u128::from(second) + 1, &owner(number), priority, second)).unwrap();
            let next = queue.order(Duration::from_secs(second))[0];
            queue.served(next);
            if next == ThreadId::from_u128(0) {
                return Ok(());
            }
        }
        prop_assert!(false, "300 were served before the first");
    }

    #[test]
    fn who_is_served_gets_an_equal_share(lengths in vec(20..60_usize, 2..5)) {
        let mut queue = Queue::default();
        let mut number = 0;
        for (owner, length) in lengths.iter().enumerate() {
            for _ in 0..*length {
                queue.join(one(number, &format!("o{owner}"), u8::try_from(owner).unwrap() * 2, 0)).unwrap();
                number += 1;
            }
        }
        let mut served = vec![0_usize; lengths.len()];
        // While all of them wait.
        for _ in 0..20 * (lengths.len() - 1) {
            let next = queue.order(Duration::ZERO)[0];
            let owner = queue.served(next).unwrap().owner;
            served[owner[1..].parse::<usize>().unwrap()] += 1;
            let (least, most) = (served.iter().min().unwrap(), served.iter().max().unwrap());
            prop_assert!(most - least <= 1, "{served:?}");
        }
    }
}
