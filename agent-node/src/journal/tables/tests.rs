use super::*;
use capstan_types::launch::Stdio;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use proptest::prelude::*;

fn intent(number: u128, epoch: u64) -> Entry {
    let cwd = AbsPath::new("/w").unwrap();
    Entry::Asked(Box::new(Intent {
        session: SessionId::from_u128(number),
        thread: ThreadId::from_u128(number % 3),
        call: CallId::from_u128(number),
        attempt: Attempt(1),
        epoch: Epoch(epoch),
        generation: 1,
        at_ms: 5,
        argv: vec!["true".into()],
        policy: SandboxPolicy::workspace_write(vec![cwd.clone()]),
        cwd,
        stdio: Stdio::Pipes,
    }))
}

fn entries() -> impl Strategy<Value = Entry> {
    let session = || (0..6_u128).prop_map(SessionId::from_u128);
    prop_oneof![
        (0..6_u128, 1..9_u64).prop_map(|(number, epoch)| intent(number, epoch)),
        (session(), any::<bool>())
            .prop_map(|(session, proof)| { Entry::Runs { session, enforced: proof.then(|| Box::new(Enforced::default())) } }),
        session().prop_map(|session| Entry::Nothing { session }),
        session().prop_map(|session| Entry::Lost { session, reason: "r".into() }),
        (session(), 0..3_i32).prop_map(|(session, code)| Entry::Ended { session, end: SessionEnd::Exited { code } }),
        session().prop_map(|session| Entry::Released { session }),
        (0..3_u128, 1..9_u64)
            .prop_map(|(thread, epoch)| Entry::Epoch { thread: ThreadId::from_u128(thread), epoch: Epoch(epoch) }),
    ]
}

fn told(entries: impl IntoIterator<Item = Entry>) -> Tables {
    let mut tables = Tables::default();
    entries.into_iter().for_each(|entry| tables.apply(entry));
    tables
}

proptest! {
    #[test]
    fn a_journal_that_is_written_anew_says_the_same(entries in proptest::collection::vec(entries(), 0..60)) {
        let tables = told(entries);
        let again = told(tables.compact());
        prop_assert_eq!(&again.sessions, &tables.sessions);
        prop_assert_eq!(&again.over, &tables.over);
        prop_assert_eq!(&again.epochs, &tables.epochs);
    }

    #[test]
    fn an_epoch_never_goes_down(entries in proptest::collection::vec(entries(), 0..60), more in entries()) {
        let mut tables = told(entries);
        let before = tables.epochs.clone();
        tables.apply(more);
        prop_assert!(before.iter().all(|(thread, epoch)| tables.epochs[thread] >= *epoch));
    }
}

#[test]
fn a_try_is_remembered_as_what_became_of_it() {
    let [one, two, three] = [1, 2, 3].map(SessionId::from_u128);
    let tables = told([
        intent(1, 1),
        intent(2, 1),
        intent(3, 1),
        Entry::Released { session: one },
        Entry::Lost { session: two, reason: "r".into() },
        Entry::Nothing { session: three },
    ]);
    let key = |number| (ThreadId::from_u128(number % 3), CallId::from_u128(number), Attempt(1));
    assert_eq!(tables.over.get(&key(1)), Some(&Over::Released));
    assert_eq!(tables.over.get(&key(2)), Some(&Over::Lost("r".into())));
    assert_eq!(tables.over.get(&key(3)), None, "a try that did nothing may be made again");
    assert!(tables.sessions.is_empty());
}
