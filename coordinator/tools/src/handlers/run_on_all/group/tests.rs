use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// The marks of what was left out: one for each group, one for the groups themselves.
const MARK: u64 = 12;

fn host(number: usize) -> NodeId {
    format!("n{number}").parse().unwrap()
}

fn answer(standing: &str, output: &str) -> Answer {
    Answer { standing: standing.to_owned(), output: output.to_owned() }
}

#[test]
fn hosts_that_answered_alike_are_told_of_once() {
    let zero = "Process exited with code 0";
    let answers = [
        (host(3), answer(zero, "6.1\n")),
        (host(1), answer(zero, "6.1\n")),
        (host(2), answer("Process exited with code 1", "6.1\n")),
        (host(4), answer("no answer: it is not registered", "")),
        (host(5), answer(zero, "5.10")),
    ];
    insta::assert_snapshot!(told(&grouped(answers), 1000), @r"
    == 2 hosts: n1, n3
    Process exited with code 0
    6.1
    == 1 host: n2
    Process exited with code 1
    6.1
    == 1 host: n4
    no answer: it is not registered (no output)
    == 1 host: n5
    Process exited with code 0
    5.10
    ");
}

#[test]
fn what_a_short_output_leaves_goes_to_the_long_ones() {
    assert_eq!(shares(&[10, 100, 1000], 310), [10, 100, 200]);
    assert_eq!(shares(&[1000, 10, 1000], 210), [100, 10, 100]);
    assert_eq!(shares(&[5, 5], 100), [5, 5]);
    assert_eq!(shares(&[], 100), Vec::<u64>::new());
}

#[test]
fn groups_that_find_no_room_are_counted_and_named() {
    let answers = (0..40).map(|number| (host(number), answer("Process exited with code 0", &number.to_string())));
    let text = told(&grouped(answers), 200);
    assert!(text.contains(" more groups, not shown for want of room: "), "{text}");
    assert!(tokens(text.len() as u64) <= 200 + MARK, "{text}");
}

proptest! {
    #[test]
    fn every_host_is_in_one_group_with_those_that_answered_as_it_did(kinds in prop::collection::vec((0_u8..3, 0_u8..3), 0..60)) {
        let of = |(standing, output): (u8, u8)| answer(&format!("s{standing}"), &format!("o{output}"));
        let groups = grouped(kinds.iter().enumerate().map(|(number, kind)| (host(number), of(*kind))));
        for (number, kind) in kinds.iter().enumerate() {
            let mine: Vec<_> = groups.iter().filter(|group| group.hosts.contains(&host(number))).collect();
            prop_assert_eq!(mine.len(), 1);
            prop_assert_eq!(&mine[0].answer, &of(*kind));
        }
        let different: BTreeSet<_> = kinds.iter().collect();
        prop_assert_eq!(groups.len(), different.len());
        prop_assert!(groups.is_sorted_by(|a, b| a.hosts.len() >= b.hosts.len()));
    }

    #[test]
    fn what_is_told_is_never_longer_than_it_may_be(
        outputs in prop::collection::vec("[a-zé\n]{0,400}", 0..50),
        max_tokens in 0_u64..2000,
    ) {
        let answers = outputs.iter().enumerate().map(|(number, output)| (host(number), answer("Process exited with code 0", output)));
        let text = told(&grouped(answers), max_tokens);
        let marks = MARK * (outputs.len() as u64 + 1);
        prop_assert!(tokens(text.len() as u64) <= max_tokens + marks, "{} of {max_tokens}", tokens(text.len() as u64));
    }
}
