//! Narrowing never widens. What a policy allows is asked here by questions of its own, and not by the code that narrows.

use super::*;
use crate::limits::SessionLimits;
use crate::path::AbsPath;
use crate::policy::Host;
use crate::time::Millis;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Names that meet the protected ones on the way, and names that do not.
const THORNY: &[&str] = &["a", "b", ".git", "hooks", "config", ".codex", "x"];
const PLAIN: &[&str] = &["a", "b", "c"];
const NAMES: &[&str] = &["x", "a/b", "hooks", ".git"];
const HOSTS: &[&str] = &["a.io", "b.a.io", "c.b.a.io", "io", "z.org", "10.0.0.1", "::1"];
const RULES: &[&str] = &[
    "a.io",
    "*.a.io",
    "*.io:443",
    "private:a.io:80,5432",
    "private:*.a.io",
    "a.io:22,443",
    "b.a.io",
    "10.0.0.1",
    "[::1]:80",
    "z.org:1",
];

fn path(names: &'static [&'static str]) -> impl Strategy<Value = AbsPath> {
    vec(select(names), 0..5).prop_map(|parts| AbsPath::new(format!("/{}", parts.join("/"))).unwrap())
}

fn network() -> impl Strategy<Value = Network> {
    let rules = vec(select(RULES), 0..4).prop_map(|texts| texts.iter().map(|text| text.parse().unwrap()).collect());
    prop_oneof![Just(Network::None), Just(Network::Loopback), Just(Network::Full), rules.prop_map(Network::Hosts)]
}

fn mode() -> impl Strategy<Value = SandboxMode> {
    use SandboxMode::{DangerFullAccess, ReadOnly, WorkspaceWrite};
    select(vec![ReadOnly, WorkspaceWrite, WorkspaceWrite, WorkspaceWrite, DangerFullAccess])
}

fn protected(names: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let names = if names == PLAIN { &["x"][..] } else { NAMES };
    vec(select(names).prop_map(str::to_owned), 0..2)
}

fn policy(names: &'static [&'static str]) -> impl Strategy<Value = SandboxPolicy> {
    let paths = || vec(path(names), 0..4);
    (mode(), paths(), paths(), vec(path(names), 0..2), protected(names), network(), select(&Level::ALL[1..])).prop_map(
        |(mode, writable, readable, hidden, protected, network, level)| match mode {
            SandboxMode::DangerFullAccess => SandboxPolicy::full_access(),
            mode => SandboxPolicy { mode, writable, readable, hidden, protected, unprotected: false, network, level },
        },
    )
}

fn limits() -> impl Strategy<Value = SessionLimits> {
    let number = || option::of(1_u64..9);
    (number(), number(), number(), 1_u64..9, (number(), number(), number(), number(), number()), option::of(1_u32..9)).prop_map(
        |(total, idle, memory, ownerless, (cpu_time, written, output, file_bytes, keep_all), count)| SessionLimits {
            total: total.map(Millis),
            idle: idle.map(Millis),
            memory,
            ownerless: Millis(ownerless),
            cpu_time: cpu_time.map(Millis),
            written,
            output,
            file_bytes,
            keep_all,
            processes: count,
            open_files: count.map(|count| 9 - count),
            cpu_millis: count,
            ..SessionLimits::default()
        },
    )
}

fn ceiling(names: &'static [&'static str]) -> impl Strategy<Value = Ceiling> {
    let paths = || option::of(vec(path(names), 0..4));
    let network = prop_oneof![Just(Network::Full), network()];
    (mode(), network, paths(), paths(), vec(path(names), 0..2), protected(names), select(&Level::ALL[..]), limits()).prop_map(
        |(mode, network, writable, readable, hidden, protected, level, limits)| Ceiling {
            mode,
            network,
            writable,
            readable,
            hidden,
            protected,
            level,
            limits,
        },
    )
}

fn within(path: &AbsPath, roots: &[AbsPath]) -> bool {
    roots.iter().any(|root| path.is_within(root))
}

/// Whether a protected name occurs below one of the roots on the way to the path.
fn is_protected(path: &AbsPath, roots: &[AbsPath], names: &[String]) -> bool {
    let names: Vec<&str> = names.iter().map(String::as_str).chain(PROTECTED).collect();
    roots.iter().filter_map(|root| path.below(root)).any(|below| {
        let below = format!("/{}/", below.display());
        names.iter().any(|name| below.contains(&format!("/{name}/")))
    })
}

fn can_write(policy: &SandboxPolicy, path: &AbsPath) -> bool {
    match policy.mode {
        SandboxMode::DangerFullAccess => true,
        SandboxMode::ReadOnly => false,
        SandboxMode::WorkspaceWrite => {
            within(path, &policy.writable)
                && !within(path, &policy.hidden)
                && !is_protected(path, &policy.writable, &policy.protected)
        }
    }
}

fn can_read(policy: &SandboxPolicy, path: &AbsPath) -> bool {
    let named = within(path, &policy.writable) || within(path, &policy.readable);
    policy.mode == SandboxMode::DangerFullAccess || (named && !within(path, &policy.hidden))
}

/// 0 is nothing, 1 a public address, 2 a private one too.
fn can_connect(network: &Network, host: &Host, port: u16) -> u8 {
    match network {
        Network::None | Network::Loopback => 0,
        Network::Hosts(rules) => {
            let allowed = rules.iter().filter(|rule| rule.allows(host, port));
            allowed.map(|rule| if rule.grants_private() { 2 } else { 1 }).max().unwrap_or(0)
        }
        Network::Full => 2,
    }
}

fn kind(network: &Network) -> u8 {
    match network {
        Network::None => 0,
        Network::Loopback => 1,
        Network::Hosts(_) => 2,
        Network::Full => 3,
    }
}

/// The first question to which `one` says more than `other`.
fn wider(one: &SandboxPolicy, other: &SandboxPolicy, asked: &[AbsPath]) -> Option<String> {
    for path in asked {
        if can_write(one, path) && !can_write(other, path) {
            return Some(format!("writes {path}"));
        }
        if can_read(one, path) && !can_read(other, path) {
            return Some(format!("reads {path}"));
        }
    }
    for host in HOSTS {
        for port in [22, 80, 443, 5432, 1] {
            let host: Host = host.parse().unwrap();
            if can_connect(&one.network, &host, port) > can_connect(&other.network, &host, port) {
                return Some(format!("connects to {host}:{port}"));
            }
        }
    }
    (kind(&one.network) > kind(&other.network) || one.level < other.level || one.mode > other.mode)
        .then(|| format!("{} {} {}", one.network, one.level, one.mode))
}

/// What the ceiling lets be written, at the roots that it or the policy has.
fn may_write(ceiling: &Ceiling, policy: &SandboxPolicy, path: &AbsPath) -> bool {
    let roots = ceiling.writable.as_ref().unwrap_or(&policy.writable);
    let place = ceiling.writable.as_ref().is_none_or(|roots| within(path, roots));
    let open = ceiling.strongest_mode() == SandboxMode::DangerFullAccess;
    let restricted = place && !within(path, &ceiling.hidden) && !is_protected(path, roots, &ceiling.protected);
    open || (ceiling.mode != SandboxMode::ReadOnly && restricted)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_narrowed_policy_allows_nothing_that_the_policy_does_not(
        policy in policy(THORNY), ceiling in ceiling(THORNY), asked in vec(path(THORNY), 40)
    ) {
        let narrowed = policy.narrow(&ceiling);
        prop_assert_eq!(wider(&narrowed, &policy, &asked), None, "{:?}", narrowed);
    }

    #[test]
    fn a_narrowed_policy_allows_nothing_that_the_ceiling_does_not(
        policy in policy(THORNY), ceiling in ceiling(THORNY), asked in vec(path(THORNY), 40)
    ) {
        let narrowed = policy.narrow(&ceiling);
        for path in &asked {
            prop_assert!(!can_write(&narrowed, path) || may_write(&ceiling, &policy, path), "writes {path}: {narrowed:?}");
            let readable = ceiling.readable.as_ref().zip(ceiling.writable.as_ref())
                .is_none_or(|(readable, writable)| within(path, readable) || within(path, writable));
            let open = narrowed.mode == SandboxMode::DangerFullAccess;
            prop_assert!(open || !can_read(&narrowed, path) || (readable && !within(path, &ceiling.hidden)), "reads {path}: {narrowed:?}");
        }
        let bound = SandboxPolicy { network: ceiling.network.clone(), ..SandboxPolicy::full_access() };
        prop_assert_eq!(wider(&SandboxPolicy { writable: vec![], readable: vec![], ..narrowed.clone() }, &bound, &[]), None);
        prop_assert!(narrowed.level >= ceiling.level && narrowed.mode <= ceiling.mode);
        prop_assert!(ceiling.protected.iter().all(|name| narrowed.mode == SandboxMode::DangerFullAccess || narrowed.protected.contains(name)));
    }

    #[test]
    fn what_was_narrowed_is_within_and_stays_as_it_is(policy in policy(THORNY), ceiling in ceiling(THORNY)) {
        let once = policy.narrow(&ceiling);
        prop_assert_eq!(&once.narrow(&ceiling), &once);
        // A path below a hidden one is kept, where it does nothing, and would be refused.
        let error = ceiling.exceeded_by(&once);
        prop_assert!(matches!(error, None | Some(crate::policy::CeilingError::Hidden { .. })), "{:?}", error);
    }

    #[test]
    fn a_policy_within_the_ceiling_keeps_all_that_it_allows(
        policy in policy(THORNY), ceiling in ceiling(THORNY), asked in vec(path(THORNY), 40)
    ) {
        if ceiling.exceeded_by(&policy).is_none() {
            let added = SandboxPolicy { hidden: ceiling.hidden.clone(), protected: ceiling.protected.clone(), ..policy.clone() };
            let narrowed = policy.narrow(&ceiling);
            for path in asked.iter().filter(|path| !within(path, &ceiling.hidden)) {
                let kept = can_write(&narrowed, path) || !can_write(&policy, path) || is_protected(path, &policy.writable, &added.protected)
                    || is_protected(path, ceiling.writable.as_deref().unwrap_or_default(), &narrowed.protected);
                prop_assert!(kept, "writes {path}: {narrowed:?}");
                prop_assert!(can_read(&narrowed, path) || !can_read(&policy, path), "reads {path}: {narrowed:?}");
            }
            prop_assert_eq!(&narrowed.mode, &policy.mode);
            prop_assert_eq!(&narrowed.network, &policy.network);
        }
    }

    #[test]
    fn a_policy_that_loses_something_is_said_to_exceed(
        policy in policy(THORNY), ceiling in ceiling(THORNY), asked in vec(path(THORNY), 20)
    ) {
        let narrowed = policy.narrow(&ceiling);
        let unprotected = Ceiling { hidden: vec![], protected: vec![], ..ceiling.clone() };
        let lost = asked.iter().any(|path| can_read(&policy, path) && !can_read(&policy.narrow(&unprotected), path));
        if lost || narrowed.network != policy.network || narrowed.mode != policy.mode {
            prop_assert!(ceiling.exceeded_by(&policy).is_some(), "{narrowed:?}");
        }
    }

    #[test]
    fn the_order_of_two_ceilings_does_not_matter(
        policy in policy(PLAIN), one in ceiling(PLAIN), other in ceiling(PLAIN), asked in vec(path(PLAIN), 40)
    ) {
        let (here, there) = (policy.narrow(&one).narrow(&other), policy.narrow(&other).narrow(&one));
        prop_assert_eq!(wider(&here, &there, &asked), None);
        prop_assert_eq!(wider(&there, &here, &asked), None);
    }

    #[test]
    fn a_narrower_policy_stays_the_narrower_one(
        policy in policy(PLAIN), first in ceiling(PLAIN), ceiling in ceiling(PLAIN), asked in vec(path(PLAIN), 40)
    ) {
        // Without a sandbox there are no directories to compare.
        if policy.mode != SandboxMode::DangerFullAccess {
            let (less, more) = (policy.narrow(&first).narrow(&ceiling), policy.narrow(&ceiling));
            prop_assert_eq!(wider(&less, &more, &asked), None);
        }
    }

    #[test]
    fn limits_are_only_lowered(asked in limits(), ceiling in limits(), other in limits()) {
        let narrowed = asked.narrow(&ceiling);
        for (narrow, wide) in [(narrowed, asked), (narrowed, ceiling)] {
            let (narrow, wide) = (numbers(&narrow), numbers(&wide));
            prop_assert!(narrow.iter().zip(&wide).all(|(narrow, wide)| narrow <= wide), "{:?} {:?}", narrow, wide);
            prop_assert!(numbers(&narrowed).iter().zip(numbers(&asked)).zip(numbers(&ceiling)).all(|((n, a), c)| *n == a || *n == c));
        }
        prop_assert_eq!(narrowed.narrow(&ceiling), narrowed);
        prop_assert_eq!(asked.narrow(&ceiling).narrow(&other), asked.narrow(&other).narrow(&ceiling));
        prop_assert_eq!(asked.narrow(&SessionLimits::WIDEST), asked);
    }
}

fn numbers(limits: &SessionLimits) -> [u64; 14] {
    let SessionLimits {
        total,
        idle,
        ownerless,
        head,
        tail,
        processes,
        memory,
        cpu_millis,
        cpu_time,
        written,
        output,
        open_files,
        file_bytes,
        keep_all,
    } = *limits;
    let [total, idle, cpu_time] = [total, idle, cpu_time].map(|span| span.map_or(u64::MAX, |span| span.0));
    let [memory, written, output, file_bytes] = [memory, written, output, file_bytes].map(|bytes| bytes.unwrap_or(u64::MAX));
    let [processes, cpu_millis, open_files] = [processes, cpu_millis, open_files].map(|count| count.map_or(u64::MAX, u64::from));
    let (ownerless, head, tail, keep_all) = (ownerless.0, head.bytes(), tail.bytes(), keep_all.unwrap_or(0));
    [
        total, idle, ownerless, head, tail, processes, memory, cpu_millis, cpu_time, written, output, open_files, file_bytes,
        keep_all,
    ]
}

#[test]
fn no_sandbox_under_a_ceiling_becomes_workspace_write_with_no_roots_of_its_own() {
    let ceiling = Ceiling { mode: SandboxMode::WorkspaceWrite, ..Ceiling::default() };
    let narrowed = SandboxPolicy::full_access().narrow(&ceiling);
    assert_eq!(narrowed, SandboxPolicy { network: Network::Full, ..SandboxPolicy::workspace_write(Vec::new()) });
    let roots = Ceiling { writable: Some(vec![AbsPath::new("/srv").unwrap()]), network: Network::None, ..ceiling };
    let narrowed = SandboxPolicy::full_access().narrow(&roots);
    assert_eq!(narrowed, SandboxPolicy { network: Network::None, ..SandboxPolicy::workspace_write(Vec::new()) });
}

#[test]
fn a_workspace_that_may_not_be_written_may_still_be_read() {
    let root = AbsPath::new("/w").unwrap();
    let policy = SandboxPolicy::workspace_write(vec![root.clone()]);
    let narrowed = policy.narrow(&Ceiling { mode: SandboxMode::ReadOnly, ..Ceiling::default() });
    assert_eq!(narrowed, SandboxPolicy { readable: vec![root], ..SandboxPolicy::read_only() });
}
