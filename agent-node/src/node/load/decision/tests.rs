use super::*;
use proptest::prelude::*;

const MARKS: Watermarks = Watermarks {
    memory: 100 << 20,
    disk: 100 << 20,
    workspace_disk: 100 << 20,
    inodes: 1000,
    descriptors: 100,
    processes: 500,
    terminals: 30,
};

fn only(resource: Resource, free: u64, total: u64) -> Rooms {
    [(resource, Room { free, total })].into()
}

fn refused(rooms: &Rooms) -> (Short, Duration) {
    match decide(rooms, &observe(&BTreeSet::new(), rooms, &MARKS), &MARKS, 0, 0) {
        Verdict::Refuse { short, retry_after } => (short, retry_after),
        Verdict::Admit => panic!("{rooms:?} was taken to be enough"),
    }
}

#[test]
fn the_refusal_names_what_is_short() {
    let said = |resource, free, total| refused(&only(resource, free, total)).0.to_string();
    assert_eq!(
        said(Resource::Disk, 5 << 20, 20 << 30),
        "this node is short of space on the disk that holds its state: 5120 KiB of 20 GiB are free, and it keeps 100 MiB of them; \
         nothing was started"
    );
    assert_eq!(
        said(Resource::Descriptors, 3, 1024),
        "this node is short of descriptors: 3 of 1024 are free, and it keeps 100 of them; nothing was started"
    );
}

#[test]
fn of_two_that_are_short_the_shorter_is_named() {
    let rooms =
        [(Resource::Memory, Room { free: 99 << 20, total: 8 << 30 }), (Resource::Terminals, Room { free: 1, total: 4096 })];
    assert_eq!(refused(&rooms.into()).0.resource, Resource::Terminals);
}

#[test]
fn a_small_host_is_not_shut_by_the_marks_of_a_large_one() {
    let rooms = only(Resource::Processes, 60, 100);
    assert_eq!(decide(&rooms, &observe(&BTreeSet::new(), &rooms, &MARKS), &MARKS, 0, 0), Verdict::Admit);
}

#[test]
fn starts_that_no_measurement_has_seen_yet_are_counted() {
    let rooms = only(Resource::Descriptors, 120, 1000);
    assert_eq!(decide(&rooms, &BTreeSet::new(), &MARKS, 5, 0), Verdict::Admit);
    assert!(matches!(decide(&rooms, &BTreeSet::new(), &MARKS, 6, 0), Verdict::Refuse { .. }));
}

fn resource() -> impl Strategy<Value = Resource> {
    proptest::sample::select(Resource::ALL.to_vec())
}

proptest! {
    #[test]
    fn what_is_short_stays_short_until_there_is_clearly_enough(
        resource in resource(), total in 1_u64..1 << 40, levels in prop::collection::vec(0_u64..1 << 40, 1..40)
    ) {
        let mut short = BTreeSet::new();
        for free in levels {
            let room = Room { free: free.min(total), total };
            let before = short.contains(&resource);
            short = observe(&short, &only(resource, room.free, total), &MARKS);
            let (low, high) = (MARKS.refuse_below(resource, room), MARKS.admit_from(resource, room));
            let expected = if room.free < low { true } else if room.free >= high { false } else { before };
            prop_assert_eq!(short.contains(&resource), expected);
        }
    }

    #[test]
    fn a_wait_is_bounded_grows_with_the_pressure_and_its_jitter_is_half_at_most(
        free in 0_u64..100, more in 0_u64..100, dice: u64
    ) {
        let wait = |free, dice| match decide(&only(Resource::Descriptors, free, 4096), &BTreeSet::new(), &MARKS, 0, dice) {
            Verdict::Refuse { retry_after, .. } => retry_after,
            Verdict::Admit => Duration::ZERO,
        };
        let (tight, loose) = (free.min(more), free.max(more));
        prop_assert!(wait(tight, 0) >= wait(loose, 0));
        prop_assert!(wait(free, dice) >= wait(free, 0) && wait(free, dice) <= wait(free, 0) * 3 / 2);
        prop_assert!(wait(free, dice) >= SOONEST && wait(free, dice) <= LATEST * 3 / 2);
    }

    #[test]
    fn with_nothing_short_and_room_for_all_that_came_every_start_is_admitted(
        resource in resource(), total in 0_u64..1 << 40, dice: u64
    ) {
        let rooms = only(resource, total, total);
        prop_assert_eq!(decide(&rooms, &observe(&BTreeSet::new(), &rooms, &MARKS), &MARKS, 0, dice), Verdict::Admit);
    }
}
