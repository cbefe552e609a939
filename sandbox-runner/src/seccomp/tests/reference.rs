//! The same rules, compiled by seccompiler. One of its programs has one answer, so there are two: what is known, and what is refused.

use crate::seccomp::arguments::{Denial, Test};
use crate::seccomp::calls::{Machine, X86_64};
use crate::seccomp::{BpfProgram, Decision, Situation};
use seccompiler::{SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch};
use std::collections::BTreeMap;

pub(super) fn programs(machine: &Machine, situation: Situation) -> Vec<BpfProgram> {
    let target = if machine.audit == X86_64.audit { TargetArch::x86_64 } else { TargetArch::aarch64 };
    let (mut known, mut refused) = (BTreeMap::new(), BTreeMap::new());
    for call in machine.calls {
        let number = i64::from(call.number);
        match situation.decide(call.answer) {
            Decision::Errno(libc::ENOSYS) => continue,
            Decision::Errno(libc::EPERM) => drop(refused.insert(number, Vec::new())),
            Decision::Errno(other) => panic!("nothing is answered with {other}"),
            Decision::Unless(denials) => drop(refused.insert(number, denials.iter().copied().flat_map(rules).collect())),
            Decision::Allow => {}
        }
        known.insert(number, Vec::new());
    }
    let compiled = |rules, otherwise, answer| {
        let program: seccompiler::BpfProgram = SeccompFilter::new(rules, otherwise, answer, target).unwrap().try_into().unwrap();
        program.into_iter().map(|seccompiler::sock_filter { code, jt, jf, k }| libc::sock_filter { code, jt, jf, k }).collect()
    };
    vec![
        compiled(known, SeccompAction::Errno(libc::ENOSYS.unsigned_abs()), SeccompAction::Allow),
        compiled(refused, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM.unsigned_abs())),
    ]
}

/// The rules of which one must match: the denial with each test replaced by each of its alternatives.
fn rules(denial: Denial) -> Vec<SeccompRule> {
    let mut every = vec![Vec::new()];
    for test in denial {
        let with = |before: &Vec<SeccompCondition>, more: Vec<SeccompCondition>| before.iter().cloned().chain(more).collect();
        every = every.iter().flat_map(|before| alternatives(test).into_iter().map(move |more| with(before, more))).collect();
    }
    every.into_iter().map(|conditions| SeccompRule::new(conditions).unwrap()).collect()
}

/// Lists of conditions, of which all of one must hold for the test to hold.
fn alternatives(test: &Test) -> Vec<Vec<SeccompCondition>> {
    let condition =
        |operator, value: u32| SeccompCondition::new(test.argument, SeccompCmpArgLen::Dword, operator, u64::from(value)).unwrap();
    match (test.mask, test.within) {
        (u32::MAX, true) => test.set.iter().map(|value| vec![condition(SeccompCmpOp::Eq, *value)]).collect(),
        (u32::MAX, false) => vec![test.set.iter().map(|value| condition(SeccompCmpOp::Ne, *value)).collect()],
        (mask, within) => values_of(mask)
            .filter(|value| test.set.contains(value) == within)
            .map(|value| vec![condition(SeccompCmpOp::MaskedEq(u64::from(mask)), value)])
            .collect(),
    }
}

/// Every value that the bits of `mask` can have.
pub(super) fn values_of(mask: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(mask), move |value| value.checked_sub(1).map(|less| less & mask))
}
