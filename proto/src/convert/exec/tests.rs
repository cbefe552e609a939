use super::*;
use capstan_types::id::{CallId, SessionId, ThreadId};
use capstan_types::output::seal::{Hole, KeptWhole, Stopped};
use proptest::prelude::*;

fn start() -> StartCall {
    StartCall {
        authority: Authority { thread: ThreadId::from_u128(7), epoch: Epoch(3), owner: "c1".into() },
        call: CallId::from_u128(9),
        attempt: Attempt(2),
        argv: vec!["bash".into(), "-lc".into(), "true".into()],
        cwd: AbsPath::new("/w").unwrap(),
        env: [("A".to_owned(), "b".to_owned())].into(),
        stdio: Stdio::Terminal(TermSize { rows: 24, cols: 80 }),
        policy: SandboxPolicy::workspace_write(vec![AbsPath::new("/w").unwrap()]),
        limits: SessionLimits { total: Some(Millis(5000)), processes: Some(64), ..SessionLimits::default() },
        from: Seq(11),
    }
}

#[test]
fn a_start_survives_the_wire() {
    assert_eq!(StartCall::try_from(wire::StartRequest::from(&start())), Ok(start()));
}

type Break = fn(&mut wire::StartRequest);

#[test]
fn nothing_is_assumed_about_a_malformed_start() {
    let broken: [(&str, Break); 8] = [
        ("authority: it is missing", |wire| wire.authority = None),
        ("authority.epoch: it must be 1 or more", |wire| wire.authority.as_mut().unwrap().epoch = 0),
        ("attempt: it must be 1 or more", |wire| wire.attempt = 0),
        ("argv: it must hold", |wire| wire.argv.clear()),
        ("argv: an argument must not contain a NUL", |wire| wire.argv.push("a\0b".into())),
        ("cwd: `w` is not an absolute path", |wire| wire.cwd = "w".into()),
        ("policy.mode: it is missing", |wire| wire.policy.as_mut().unwrap().mode = 99),
        ("stdio: it is missing", |wire| wire.stdio = None),
    ];
    for (expected, break_it) in broken {
        let mut request = wire::StartRequest::from(&start());
        break_it(&mut request);
        let said = StartCall::try_from(request).unwrap_err().to_string();
        assert!(said.starts_with(&format!("malformed message: {expected}")), "{said}");
    }
}

fn seal(bytes: u64) -> Seal {
    let digest = "ab".repeat(32);
    let kept = KeptWhole {
        bytes,
        sha256: digest.parse().unwrap(),
        chain: bytes.is_multiple_of(2).then(|| digest.parse().unwrap()),
        stopped: [None, Some(Stopped::Limit), Some(Stopped::Disk)][usize::try_from(bytes % 3).unwrap()],
    };
    let hole = Hole { from: Seq(7), bytes };
    Seal { total: 9, hole, chain: kept.chain, kept: (!bytes.is_multiple_of(5)).then_some(kept) }
}

fn ends() -> impl Strategy<Value = SessionEnd> {
    prop_oneof![
        any::<i32>().prop_map(|code| SessionEnd::Exited { code }),
        any::<i32>().prop_map(|signal| SessionEnd::Signalled { signal }),
        proptest::sample::select(SessionLimit::ALL.to_vec()).prop_map(SessionEnd::Limit),
        ".{0,9}".prop_map(|by| SessionEnd::Killed { by }),
        ".{0,9}".prop_map(|reason| SessionEnd::Unknown { reason }),
    ]
}

proptest! {
    #[test]
    fn session_events_survive_the_wire(seq: u64, bytes: Vec<u8>, gap: u64, end in ends(), sealed: bool, abi in 1_u32..9) {
        let enforced = Enforced { landlock_abi: Some(abi), uid: 3, limits: vec!["core=0".into()], level: Level::Full, ..Enforced::default() };
        let events = [
            SessionEvent::Started { session: SessionId::from_u128(1), enforced },
            SessionEvent::Output(Piece::Bytes { seq: Seq(seq), bytes: bytes.into() }),
            SessionEvent::Output(Piece::Gap { seq: Seq(seq), bytes: gap }),
            SessionEvent::Ended { end, seal: sealed.then(|| Box::new(seal(gap))) },
            SessionEvent::Denied(Denial { act: "connect to a.b:1".into(), reason: "not listed".into() }),
        ];
        for event in events {
            prop_assert_eq!(SessionEvent::try_from(wire::SessionEvent::from(event.clone())), Ok(event));
        }
    }
}
