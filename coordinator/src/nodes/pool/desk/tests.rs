use super::*;
use crate::placement::facts::{Freshness, NodeFacts};
use capstan_types::policy::Level;
use capstan_types::resources::Resources;

/// Who asked, by number.
#[derive(Debug)]
struct By(u32);

impl Asker for By {
    fn is_gone(&self) -> bool {
        self.0 >= 100
    }
}

const START: Duration = Duration::ZERO;

fn node(id: &str, cpu_milli: u64) -> NodeFacts {
    NodeFacts {
        id: id.parse().unwrap(),
        labels: [].into(),
        taints: [].into(),
        cordoned: false,
        capacity: Resources { cpu_milli, ..Resources::NONE },
        slots: 8,
        level: Level::Full,
        missing: Vec::new(),
        freshness: Freshness::Fresh,
        mirrors: [].into(),
        busy: 0,
    }
}

fn desk(nodes: &[(&str, u64)]) -> Desk<By> {
    let mut desk = Desk::default();
    nodes.iter().for_each(|(id, cpu)| desk.view.put(node(id, *cpu)));
    desk
}

fn cpu(cpu_milli: u64) -> Need {
    Need { resources: Resources { cpu_milli, ..Resources::NONE }, ..Need::default() }
}

fn thread(number: u128) -> ThreadId {
    ThreadId::from_u128(number)
}

/// The ticket of one who is placed at once.
fn placed(desk: &mut Desk<By>, number: u128, need: Need) -> Ticket {
    desk.ask(thread(number), need, By(0), START).unwrap().1.unwrap().ticket
}

fn answered(answers: Vec<(By, Answer)>) -> Vec<(u32, bool)> {
    answers.into_iter().map(|(by, answer)| (by.0, answer.is_ok())).collect()
}

#[test]
fn who_finds_no_room_waits_until_something_is_given_back() {
    let mut desk = desk(&[("a", 1000)]);
    let first = placed(&mut desk, 1, cpu(800));
    assert!(desk.ask(thread(2), cpu(800), By(2), START).is_none());
    assert!(desk.serve(START).is_empty());
    assert!(desk.give_back(thread(1), first));
    assert_eq!(answered(desk.serve(START)), [(2, true)]);
    assert_eq!(desk.waiting(), 0);
}

#[test]
fn who_can_never_have_a_node_does_not_wait() {
    let mut desk = desk(&[("a", 1000)]);
    assert!(desk.ask(thread(1), cpu(5000), By(1), START).unwrap().1.is_err());
}

#[test]
fn a_late_goodbye_of_an_older_owner_takes_nothing_from_a_newer_one() {
    let mut desk = desk(&[("a", 1000)]);
    let old = placed(&mut desk, 1, cpu(800));
    let need = Need { wanted: Wanted::Held("a".parse().unwrap()), ..cpu(800) };
    let new = placed(&mut desk, 1, need);
    assert!(!desk.give_back(thread(1), old));
    assert_eq!(desk.view.in_use(&"a".parse().unwrap()).workspaces, 1);
    assert!(desk.give_back(thread(1), new));
    assert!(!desk.give_back(thread(1), new), "once");
}

#[test]
fn nobody_passes_those_who_wait() {
    let mut desk = desk(&[("a", 1000)]);
    let first = placed(&mut desk, 1, cpu(1000));
    assert!(desk.ask(thread(2), cpu(1000), By(2), START).is_none());
    desk.give_back(thread(1), first);
    assert!(desk.ask(thread(3), cpu(1000), By(3), START).is_none(), "there is room, but not for a newcomer");
    assert_eq!(answered(desk.serve(START)), [(2, true)]);
}

#[test]
fn a_large_need_that_has_waited_long_keeps_its_node_from_smaller_ones() {
    let mut desk = desk(&[("a", 1000), ("b", 500)]);
    let small: Vec<Ticket> = (1..=3).map(|number| placed(&mut desk, number, cpu(500))).collect();
    assert!(desk.ask(thread(10), cpu(1000), By(10), START).is_none());
    assert!(desk.ask(thread(11), cpu(500), By(11), START).is_none());
    assert!(desk.ask(thread(12), cpu(500), By(12), START).is_none());
    let on_a: Vec<u128> = (1..=3)
        .filter(|n| desk.view.ledger().held(thread(*n)).unwrap().place == desk.view.place(&"a".parse().unwrap()).unwrap())
        .collect();
    let back = |desk: &mut Desk<By>, number: u128| desk.give_back(thread(number), small[usize::try_from(number - 1).unwrap()]);
    assert!(back(&mut desk, on_a[0]));
    assert_eq!(answered(desk.serve(START)), [(11, true)], "at first the smaller one takes what is there");
    let later = KEEPS_AFTER;
    assert!(back(&mut desk, on_a[1]));
    assert_eq!(answered(desk.serve(later)), [], "now the node is kept for the large one");
    let other = (1..=3).find(|number| !on_a.contains(number)).unwrap();
    assert!(back(&mut desk, other));
    assert_eq!(answered(desk.serve(later)), [(12, true)], "a node that would not do for it is free for others");
}

#[test]
fn whose_time_is_over_is_told_where_it_stood() {
    let mut desk = desk(&[("a", 1000)]);
    placed(&mut desk, 1, cpu(1000));
    assert!(desk.ask(thread(2), cpu(1000), By(2), START).is_none());
    assert!(desk.ask(thread(3), cpu(1000), By(3), Duration::from_secs(1)).is_none());
    assert!(desk.expire(PATIENCE - Duration::from_secs(1)).is_empty());
    let told: Vec<String> =
        desk.expire(PATIENCE + Duration::from_secs(1)).into_iter().map(|(_, answer)| answer.unwrap_err().to_string()).collect();
    assert_eq!(
        told,
        [
            "no node has room now; of 1 node(s), 1 has no room now (waited 46 s, as the first of 2 in line); try again later, ask for less, or \
             add a node",
            "no node has room now; of 1 node(s), 1 has no room now (waited 45 s, with 1 of 2 in line before it); try again later, ask for less, \
             or add a node",
        ]
    );
    assert_eq!(desk.waiting(), 0);
}

#[test]
fn who_waits_can_be_told_where_it_stands_and_why() {
    let mut desk = desk(&[("a", 1000)]);
    placed(&mut desk, 1, cpu(1000));
    assert!(desk.ask(thread(2), cpu(1000), By(2), START).is_none());
    assert!(desk.ask(thread(3), cpu(1000), By(3), START).is_none());
    let told = desk.in_line(thread(3), Duration::from_secs(4)).unwrap();
    let reason = "no node has room now; of 1 node(s), 1 has no room now".to_owned();
    assert_eq!(told, InLine { before: 1, waiting: 2, waited: Duration::from_secs(4), reason });
    assert_eq!(desk.in_line(thread(1), START), None, "it has its place");
}

#[test]
fn who_has_gone_is_not_given_anything() {
    let mut desk = desk(&[("a", 1000)]);
    let first = placed(&mut desk, 1, cpu(1000));
    assert!(desk.ask(thread(2), cpu(1000), By(100), START).is_none());
    desk.give_back(thread(1), first);
    assert!(desk.serve(START).is_empty());
    assert_eq!((desk.waiting(), desk.view.ledger().len()), (0, 0));
}
