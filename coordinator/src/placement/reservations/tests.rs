use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn held(place: Place, cpu: u64, gpus: u64) -> Held {
    let custom = [("gpu".parse().unwrap(), gpus)].into_iter().filter(|(_, amount)| *amount > 0).collect();
    let resources = Resources { cpu_milli: cpu, memory_bytes: cpu * 7, disk_bytes: cpu / 2, custom };
    Held { place, resources, batch: None, activity: Activity::Thinks }
}

fn capacity() -> Resources {
    Resources { cpu_milli: 4000, memory_bytes: 20_000, disk_bytes: 1500, custom: [("gpu".parse().unwrap(), 2)].into() }
}

#[test]
fn what_is_reserved_twice_counts_once_and_so_does_what_is_given_back_twice() {
    let (mut ledger, workspace, capacity) = (Reservations::default(), ThreadId::from_u128(1), capacity());
    let room = Capacity { resources: &capacity, slots: 1 };
    ledger.reserve(workspace, held(3, 1000, 1), room).unwrap();
    ledger.reserve(workspace, held(3, 1000, 1), room).unwrap();
    assert_eq!(ledger.in_use(3).resources, held(3, 1000, 1).resources);
    assert_eq!(ledger.reserve(workspace, held(2, 1, 0), room), Err(NoRoom::Elsewhere));
    assert!(ledger.give_back(workspace).is_some());
    assert!(ledger.give_back(workspace).is_none());
    assert_eq!(ledger.in_use(3), &InUse::default());
}

#[test]
fn a_slot_takes_as_many_threads_that_think_as_it_has_parts_and_one_that_runs() {
    let (mut ledger, capacity) = (Reservations::default(), capacity());
    let room = Capacity { resources: &capacity, slots: 1 };
    let mut reserve = |number, activity| ledger.reserve(ThreadId::from_u128(number), Held { activity, ..held(0, 0, 0) }, room);
    assert!((0..4).all(|number| reserve(number, Activity::Thinks).is_ok()));
    assert_eq!(reserve(9, Activity::Thinks), Err(NoRoom::Slots));
    ledger.set_activity(ThreadId::from_u128(0), Activity::Runs);
    assert_eq!(ledger.in_use(0).parts, 7, "what runs is there, whatever was promised");
    (0..4).for_each(|number| drop(ledger.give_back(ThreadId::from_u128(number))));
    assert!(ledger.reserve(ThreadId::from_u128(9), Held { activity: Activity::Runs, ..held(0, 0, 0) }, room).is_ok());
    assert_eq!(ledger.reserve(ThreadId::from_u128(8), held(0, 0, 0), room), Err(NoRoom::Slots));
}

#[derive(Debug, Clone)]
enum Act {
    Reserve(u128, Held),
    GiveBack(u128),
    Turn(u128, Activity),
}

fn acts() -> impl Strategy<Value = Act> {
    let activity = prop_oneof![Just(Activity::Thinks), Just(Activity::Runs)];
    let one = (0..4_u32, 0..3000_u64, 0..3_u64, activity.clone());
    let one = one.prop_map(|(place, cpu, gpus, activity)| Held { activity, ..held(place, cpu, gpus) });
    prop_oneof![
        3 => (0..12_u128, one).prop_map(|(workspace, held)| Act::Reserve(workspace, held)),
        2 => (0..12_u128).prop_map(Act::GiveBack),
        1 => (0..12_u128, activity).prop_map(|(workspace, activity)| Act::Turn(workspace, activity)),
    ]
}

proptest! {
    #[test]
    fn what_is_in_use_is_the_sum_of_what_is_held_and_never_more_than_there_is(acts in vec(acts(), 0..80)) {
        let (mut ledger, capacity) = (Reservations::default(), capacity());
        for act in acts {
            match act {
                Act::Reserve(workspace, held) => {
                    let _ = ledger.reserve(ThreadId::from_u128(workspace), held, Capacity { resources: &capacity, slots: 2 });
                }
                Act::GiveBack(workspace) => drop(ledger.give_back(ThreadId::from_u128(workspace))),
                Act::Turn(workspace, activity) => {
                    ledger.set_activity(ThreadId::from_u128(workspace), activity);
                }
            }
            for place in 0..4 {
                let mut sum = InUse::default();
                for held in (0..12).filter_map(|id| ledger.held(ThreadId::from_u128(id))).filter(|held| held.place == place) {
                    sum.resources.add(&held.resources);
                    sum.parts += held.activity.parts();
                    sum.workspaces += 1;
                }
                prop_assert_eq!(ledger.in_use(place), &sum);
                let over = |used: u64, total: u64| used > total;
                prop_assert!(!over(sum.resources.cpu_milli, capacity.cpu_milli));
                prop_assert!(!over(sum.resources.memory_bytes, capacity.memory_bytes));
                prop_assert!(!over(sum.resources.disk_bytes, capacity.disk_bytes));
                prop_assert!(sum.resources.custom.iter().all(|(key, used)| *used <= capacity.custom(key)));
            }
        }
    }
}
