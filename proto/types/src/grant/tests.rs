use super::*;
use proptest::prelude::*;

const NOW: u64 = 1_800_000_000_000;

fn authority() -> Authority {
    Authority { thread: ThreadId::from_u128(1), epoch: Epoch(3), owner: "c".to_owned() }
}

fn node(name: &str) -> NodeId {
    name.parse().unwrap()
}

fn grant() -> Grant {
    Grant {
        thread: ThreadId::from_u128(1),
        node: node("n1"),
        generation: Generation(2),
        epoch: Epoch(3),
        act: Act::Start(CallId::from_u128(4), Attempt(1)),
        policy: Some(policy_digest(&SandboxPolicy::read_only(), None)),
        not_after_ms: NOW + LONGEST_MS,
        holder: Digest([5; 32]),
    }
}

fn judged(grant: &Grant, now_ms: u64) -> Result<(), GrantRefusal> {
    let (authority, n1) = (authority(), node("n1"));
    let asked = Asked {
        authority: &authority,
        act: Act::Start(CallId::from_u128(4), Attempt(1)),
        policy: Some(policy_digest(&SandboxPolicy::read_only(), None)),
    };
    grant.covers(&asked, &Here { node: &n1, generation: Generation(2), peer: Digest([5; 32]), now_ms })
}

#[test]
fn a_grant_covers_what_it_was_given_for_and_nothing_else() {
    assert_eq!(judged(&grant(), NOW), Ok(()));
    for (other, refusal) in [
        (Grant { holder: Digest([6; 32]), ..grant() }, GrantRefusal::Holder),
        (Grant { node: node("n2"), ..grant() }, GrantRefusal::Node),
        (Grant { generation: Generation(1), ..grant() }, GrantRefusal::Node),
        (Grant { thread: ThreadId::from_u128(2), ..grant() }, GrantRefusal::Thread),
        (Grant { epoch: Epoch(4), ..grant() }, GrantRefusal::Epoch),
        (Grant { act: Act::Start(CallId::from_u128(9), Attempt(1)), ..grant() }, GrantRefusal::Act),
        (Grant { act: Act::Start(CallId::from_u128(4), Attempt(2)), ..grant() }, GrantRefusal::Act),
        (Grant { act: Act::Patch(CallId::from_u128(4), Attempt(1)), ..grant() }, GrantRefusal::Act),
        (Grant { policy: None, ..grant() }, GrantRefusal::Policy),
        (Grant { not_after_ms: NOW - SKEW_MS, ..grant() }, GrantRefusal::Time),
        (Grant { not_after_ms: NOW + LONGEST_MS + SKEW_MS + 1, ..grant() }, GrantRefusal::Time),
    ] {
        assert_eq!(judged(&other, NOW), Err(refusal), "{other:?}");
    }
}

#[test]
fn a_policy_and_its_limits_have_a_digest_of_their_own() {
    let (narrow, wide) = (SandboxPolicy::read_only(), SandboxPolicy::full_access());
    let limits = SessionLimits::default();
    let all = [
        policy_digest(&narrow, None),
        policy_digest(&wide, None),
        policy_digest(&narrow, Some(&limits)),
        policy_digest(&narrow, Some(&SessionLimits { processes: Some(1), ..limits })),
    ];
    assert!(all.iter().enumerate().all(|(at, one)| all[at + 1..].iter().all(|other| one != other)), "{all:?}");
}

proptest! {
    #[test]
    fn no_grant_is_good_for_longer_than_it_may_be(not_after_ms in NOW - 1_000_000..NOW + 1_000_000, now_ms in NOW - 1_000_000..NOW + 1_000_000) {
        if judged(&Grant { not_after_ms, ..grant() }, now_ms).is_ok() {
            prop_assert!(not_after_ms + SKEW_MS > now_ms && not_after_ms <= now_ms + LONGEST_MS + SKEW_MS);
        }
    }
}
