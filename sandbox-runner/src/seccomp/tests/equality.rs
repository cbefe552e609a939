//! The tree answers every call as seccompiler's programs do, which go through all rules one after another.

use super::interpreter::{ALLOW, ENOSYS, EPERM, Event, KILL, run, run_all};
use super::{MACHINES, reference};
use crate::seccomp::arguments::{Denial, NAMESPACES, PERSONALITIES, REQUESTS_OF_READERS, SOCKETS, Test};
use crate::seccomp::calls::Machine;
use crate::seccomp::{BpfProgram, Decision, Situation, tree};
use proptest::prelude::*;
use std::sync::LazyLock;

const I386: u32 = 0x4000_0003;
const X86_64: u32 = 0xc000_003e;
const ARM: u32 = 0x4000_0028;
const AARCH64: u32 = 0xc000_00b7;
const ABIS: [u32; 8] = [X86_64, I386, AARCH64, ARM, 0, 1, X86_64 + 1, u32::MAX];
const X32: u32 = 0x4000_0000;
const GARBAGE: [u64; 3] = [0, 0xdead_beef << 32, u64::MAX << 32];

struct Pair {
    machine: &'static Machine,
    situation: Situation,
    ours: BpfProgram,
    reference: Vec<BpfProgram>,
}

impl Pair {
    fn new(machine: &'static Machine, situation: Situation) -> Self {
        let ours = tree::compiled(machine.audit, &situation.ranges(machine));
        Self { machine, situation, ours, reference: reference::programs(machine, situation) }
    }

    #[track_caller]
    fn agree(&self, audit: u32, number: u32, arguments: &[u64]) -> u32 {
        let event = Event::new(audit, number, arguments);
        let answer = run(&self.ours, &event);
        let expected = run_all(&self.reference, &event);
        assert_eq!(
            answer, expected,
            "{audit:#x} {number:#x} {arguments:x?}: {answer:#x}, not {expected:#x}, in {:?}",
            self.situation
        );
        answer
    }
}

/// Every machine in every situation.
static PAIRS: LazyLock<Vec<Pair>> = LazyLock::new(|| {
    let situations = (0..8).map(|bits| Situation { network: bits & 1 != 0, ipc: bits & 2 != 0, metadata: bits & 4 != 0 });
    situations.flat_map(|situation| MACHINES.map(|(machine, _)| Pair::new(machine, situation))).collect()
});

/// All numbers that a kernel may know soon, those of x32, and the corners of what a number can be.
fn numbers() -> impl Iterator<Item = u32> {
    let corners = [X32 - 1, X32 + 1000, X32 << 1, (X32 << 1) - 1, u32::MAX - 1, u32::MAX];
    (0..=600).chain((0..=600).map(|number| X32 | number)).chain(corners)
}

#[test]
fn every_number_is_answered_alike_in_every_situation() {
    for pair in PAIRS.iter() {
        for number in numbers() {
            for arguments in [[0; 6], [u64::MAX; 6]] {
                pair.agree(pair.machine.audit, number, &arguments);
            }
        }
    }
}

#[test]
fn calls_that_no_list_knows_are_absent() {
    for pair in PAIRS.iter() {
        for number in numbers().filter(|number| pair.machine.calls.iter().all(|call| call.number != *number)) {
            assert_eq!(pair.agree(pair.machine.audit, number, &[1; 6]), ENOSYS);
        }
    }
}

#[test]
fn every_call_of_another_abi_ends_the_process() {
    for pair in &PAIRS[..2] {
        for audit in ABIS.into_iter().filter(|audit| *audit != pair.machine.audit) {
            for number in numbers() {
                assert_eq!(pair.agree(audit, number, &[1; 6]), KILL);
            }
        }
    }
}

/// What an argument of a denial is compared with, that and its neighbours, and the corners of what a word can be.
fn corners(denials: &[Denial], argument: u8) -> Vec<u64> {
    let mut words = vec![0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX];
    for test in denials.iter().copied().flatten().filter(|test| test.argument == argument) {
        words.extend(test.set.iter().flat_map(|value| [*value, value.wrapping_sub(1), value.wrapping_add(1)]));
        if test.mask != u32::MAX {
            words.extend(reference::values_of(test.mask).flat_map(|value| [value, value | !test.mask]));
        }
    }
    words.sort_unstable();
    words.dedup();
    words.into_iter().map(u64::from).collect()
}

/// The two situations that differ in everything have all leaves that there are between them.
#[test]
fn every_corner_of_every_argument_is_answered_alike() {
    for pair in PAIRS[..2].iter().chain(&PAIRS[14..]) {
        for call in pair.machine.calls {
            let Decision::Unless(denials) = pair.situation.decide(call.answer) else { continue };
            let [first, second, third] = [0, 1, 2].map(|argument| corners(denials, argument));
            for (a, b, c) in first
                .iter()
                .flat_map(|a| second.iter().map(move |b| (a, b)))
                .flat_map(|(a, b)| third.iter().map(move |c| (a, b, c)))
            {
                for garbage in GARBAGE {
                    pair.agree(
                        pair.machine.audit,
                        call.number,
                        &[a | garbage, b | garbage, c | garbage, garbage, garbage, garbage],
                    );
                }
            }
        }
    }
}

fn argument() -> impl Strategy<Value = u64> {
    prop_oneof![0..=20_u64, any::<u32>().prop_map(u64::from), any::<u64>(), any::<u64>().prop_map(|high| high << 32 | 2)]
}

/// What the rules say of a call, without any program.
fn expected(ranges: &[(u32, Decision)], number: u32, arguments: [u64; 6]) -> u32 {
    let holds = |test: &Test| {
        let word = arguments[usize::from(test.argument)] & u64::from(test.mask);
        test.set.iter().any(|value| u64::from(*value) == word) == test.within
    };
    match ranges.iter().rfind(|(first, _)| *first <= number).unwrap().1 {
        Decision::Allow => ALLOW,
        Decision::Errno(errno) => libc::SECCOMP_RET_ERRNO | errno.unsigned_abs(),
        Decision::Unless(denials) => {
            if denials.iter().any(|denial| denial.iter().all(holds)) {
                EPERM
            } else {
                ALLOW
            }
        }
    }
}

fn decision() -> impl Strategy<Value = Decision> {
    let unless = prop::sample::select(&[SOCKETS, NAMESPACES, PERSONALITIES, REQUESTS_OF_READERS][..]).prop_map(Decision::Unless);
    prop_oneof![Just(Decision::Allow), (1..40).prop_map(Decision::Errno), unless]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The lists make programs that are shorter than a jump can reach; these are longer.
    #[test]
    fn a_program_of_any_length_answers_as_its_ranges_say(
        steps in prop::collection::vec((1..9_u32, decision()), 1..800),
        arguments in prop::array::uniform6(argument()),
    ) {
        let mut next = 0;
        let mut ranges = Vec::new();
        for (step, decision) in steps {
            ranges.push((next, decision));
            next += step;
        }
        let program = tree::compiled(X86_64, &ranges);
        prop_assert!(program.len() <= 4096, "the kernel takes no more");
        for number in (0..=next).chain([u32::MAX]) {
            let answer = run(&program, &Event::new(X86_64, number, &arguments));
            prop_assert_eq!(answer, expected(&ranges, number, arguments), "{:#x}", number);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn any_call_is_answered_alike(
        pair in 0..PAIRS.len(),
        foreign in proptest::option::weighted(0.1, prop_oneof![any::<u32>(), prop::sample::select(&ABIS[..])]),
        number in prop_oneof![4 => 0..=600_u32, 2 => prop::sample::select(&[16_u32, 29, 41, 53, 56, 135, 302, 198, 199, 220, 92, 261][..]), 1 => any::<u32>()],
        arguments in prop::array::uniform6(argument()),
    ) {
        let pair = &PAIRS[pair];
        pair.agree(foreign.unwrap_or(pair.machine.audit), number, &arguments);
    }
}
