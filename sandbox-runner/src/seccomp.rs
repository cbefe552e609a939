//! The system calls that no sandboxed program may make, as BPF.
//!
//! Two programs, because one has one answer: the first answers EPERM to what is [`denied`], the second ENOSYS to `clone3`, whose flags
//! lie in memory where no filter can see them, so that C libraries fall back to `clone`. Calls of a foreign ABI end the process: their
//! numbers mean other calls, and would pass.

mod denied;

use capstan_types::launch::Refusal;
use capstan_types::policy::{SandboxMode, SandboxPolicy};
use denied::{Call, Family};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, sock_filter,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The programs for `policy`, in the order in which they are attached.
pub(crate) fn programs(policy: &SandboxPolicy) -> Result<Vec<BpfProgram>, Refusal> {
    let build = || -> Result<Vec<BpfProgram>, BackendError> {
        let mut refused = denying(policy)?;
        refused.splice(0..0, foreign_numbers());
        let absent = Rules::from([(libc::SYS_clone3, Vec::new())]);
        Ok(vec![refused, compiled(absent, libc::ENOSYS)?])
    };
    build().map_err(|error| Refusal::CannotEnforce {
        missing: format!("a seccomp filter for {}", std::env::consts::ARCH),
        remedy: format!("run on x86_64 or aarch64 ({error})"),
    })
}

/// The SHA-256 of the programs' exact bytes, in hexadecimal.
pub(crate) fn sha256(programs: &[BpfProgram]) -> String {
    let mut digest = Sha256::new();
    for sock_filter { code, jt, jf, k } in programs.iter().flatten() {
        digest.update(code.to_ne_bytes());
        digest.update([*jt, *jf]);
        digest.update(k.to_ne_bytes());
    }
    digest.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn denying(policy: &SandboxPolicy) -> Result<BpfProgram, BackendError> {
    let metadata: &[Call] = match policy.mode {
        SandboxMode::ReadOnly => denied::METADATA,
        SandboxMode::WorkspaceWrite | SandboxMode::DangerFullAccess => &[],
    };
    let mut rules: Rules = denied::ALWAYS.iter().chain(denied::MACHINE).chain(metadata).map(|call| (*call, Vec::new())).collect();
    let families: &[Family] = if policy.network.is_full() { denied::NETWORK_FAMILIES } else { denied::LOCAL_FAMILIES };
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        rules.insert(call, vec![every(families.iter().map(|family| word(0, SeccompCmpOp::Ne, *family)))?]);
    }
    rules.insert(libc::SYS_ioctl, any(denied::IOCTLS.iter().map(|request| word(1, SeccompCmpOp::Eq, *request)))?);
    rules.insert(libc::SYS_clone, any(denied::NAMESPACES.iter().map(|flag| word(0, SeccompCmpOp::MaskedEq(*flag), *flag)))?);
    // A limit set on another process, the holder for one, would end it.
    rules.insert(libc::SYS_prlimit64, any([word(0, SeccompCmpOp::Ne, 0)])?);
    compiled(rules, libc::EPERM)
}

fn compiled(rules: Rules, errno: i32) -> Result<BpfProgram, BackendError> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let answer = SeccompAction::Errno(errno.unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, answer, arch)?.try_into()
}

/// A condition on the low 32 bits of an argument. The kernel looks at no more of these arguments, so a filter that compared all 64 would
/// be passed by setting the rest.
fn word(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
}

fn every(conditions: impl Iterator<Item = Result<SeccompCondition, BackendError>>) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions.collect::<Result<_, _>>()?)
}

fn any(conditions: impl IntoIterator<Item = Result<SeccompCondition, BackendError>>) -> Result<Vec<SeccompRule>, BackendError> {
    conditions.into_iter().map(|condition| SeccompRule::new(vec![condition?])).collect()
}

/// The x32 calls of x86_64 pass for native ones and have a bit set in their numbers; the compiler of the rest cannot compare ranges.
fn foreign_numbers() -> Vec<sock_filter> {
    const LOAD_NUMBER: u16 = 0x20;
    const JUMP_IF_GREATER_OR_EQUAL: u16 = 0x35;
    const RETURN: u16 = 0x06;
    const X32_BIT: u32 = 0x4000_0000;
    if !cfg!(target_arch = "x86_64") {
        return Vec::new();
    }
    vec![
        sock_filter { code: LOAD_NUMBER, jt: 0, jf: 0, k: 0 },
        sock_filter { code: JUMP_IF_GREATER_OR_EQUAL, jt: 0, jf: 1, k: X32_BIT },
        sock_filter { code: RETURN, jt: 0, jf: 0, k: libc::SECCOMP_RET_KILL_PROCESS },
    ]
}

#[cfg(test)]
mod tests;
