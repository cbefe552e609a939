//! Decisions laid out as BPF: a binary search over ranges of numbers, with the tests of arguments at its leaves.
//!
//! When a filter is attached, the kernel compiles it, and runs it once for each number there is to learn which are always allowed. A
//! list that compares with one number after another makes that a quarter of the time in which a process starts.
//!
//! A jump only leads forward, so the program is written from its end: what is jumped to is there already, and is shared.

use crate::seccomp::arguments::{Denial, Test};
use libc::sock_filter;

/// A program as the kernel takes it.
pub(crate) type BpfProgram = Vec<sock_filter>;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Allow,
    Errno(libc::c_int),
    /// EPERM when one of the denials holds.
    Unless(&'static [Denial]),
}

// Instructions, and where the kernel puts what they load.
const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const JUMP: u16 = 0x05;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;
const NUMBER: u32 = 0;
const ABI: u32 = 4;
/// The low half of the first argument; the others follow in steps of eight.
const ARGUMENTS: u32 = if cfg!(target_endian = "big") { 20 } else { 16 };

/// How far a jump with a condition may lead: to 255, less one for a detour that the other way out may need.
const NEAR: usize = 254;

/// The place of an instruction, counted from the end of the program.
type Place = usize;

/// A program, the last instruction first.
#[derive(Default)]
struct Backwards {
    code: BpfProgram,
    /// Where each decision was written last.
    decided: Vec<(Decision, Place)>,
}

/// The program that ends a process whose call is not of the ABI `audit`, and decides the others by the range of their number. Each range
/// reaches to the next; the first begins at 0.
pub(super) fn compiled(audit: u32, ranges: &[(u32, Decision)]) -> BpfProgram {
    let mut program = Backwards::default();
    program.search(ranges);
    let native = program.write(LOAD, NUMBER);
    let foreign = program.write(RETURN, libc::SECCOMP_RET_KILL_PROCESS);
    program.fork(JUMP_IF_EQUAL, audit, native, foreign);
    program.write(LOAD, ABI);
    program.code.reverse();
    program.code
}

impl Backwards {
    fn write(&mut self, code: u16, k: u32) -> Place {
        self.code.push(sock_filter { code, jt: 0, jf: 0, k });
        self.code.len() - 1
    }

    /// A jump to one of two places.
    fn fork(&mut self, code: u16, k: u32, yes: Place, no: Place) -> Place {
        let (yes, no) = (self.near(yes), self.near(no));
        let at = self.write(code, k);
        let distance = |to| u8::try_from(at - 1 - to).unwrap_or(u8::MAX);
        (self.code[at].jt, self.code[at].jf) = (distance(yes), distance(no));
        at
    }

    /// `place`, or a detour to it from here.
    fn near(&mut self, place: Place) -> Place {
        match self.code.len() - 1 - place {
            distance if distance < NEAR => place,
            distance => self.write(JUMP, u32::try_from(distance).unwrap_or(u32::MAX)),
        }
    }

    /// The search among `ranges`, with the number loaded.
    fn search(&mut self, ranges: &[(u32, Decision)]) -> Place {
        let (low, high) = ranges.split_at(ranges.len() / 2);
        match (low, high) {
            ([_, ..], [(first, _), ..]) => {
                let (yes, no) = (self.search(high), self.search(low));
                self.fork(JUMP_IF_AT_LEAST, *first, yes, no)
            }
            (_, rest) => self.decide(rest.first().map_or(Decision::Errno(libc::ENOSYS), |(_, decision)| *decision)),
        }
    }

    fn decide(&mut self, decision: Decision) -> Place {
        let here = self.code.len();
        if let Some((_, place)) = self.decided.iter().rfind(|(known, place)| *known == decision && here - place < NEAR) {
            return *place;
        }
        let place = match decision {
            Decision::Allow => self.write(RETURN, libc::SECCOMP_RET_ALLOW),
            Decision::Errno(errno) => self.write(RETURN, libc::SECCOMP_RET_ERRNO | errno.unsigned_abs()),
            Decision::Unless(denials) => self.unless(denials),
        };
        self.decided.push((decision, place));
        place
    }

    /// Refuses with EPERM if all tests of one of `denials` hold.
    fn unless(&mut self, denials: &[Denial]) -> Place {
        let (refused, allowed) = (self.decide(Decision::Errno(libc::EPERM)), self.decide(Decision::Allow));
        denials
            .iter()
            .rev()
            .fold(allowed, |otherwise, denial| denial.iter().rev().fold(refused, |then, test| self.test(test, then, otherwise)))
    }

    fn test(&mut self, test: &Test, holds: Place, fails: Place) -> Place {
        let (within, without) = if test.within { (holds, fails) } else { (fails, holds) };
        let mut at = without;
        for value in test.set.iter().rev() {
            at = self.fork(JUMP_IF_EQUAL, *value, within, at);
        }
        if test.mask != u32::MAX {
            self.write(AND, test.mask);
        }
        self.write(LOAD, ARGUMENTS + 8 * u32::from(test.argument))
    }
}
