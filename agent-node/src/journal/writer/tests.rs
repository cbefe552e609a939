use super::*;
use capstan_types::id::ThreadId;

const THREAD: ThreadId = ThreadId::from_u128(1);

fn epoch(number: u64) -> Entry {
    Entry::Epoch { thread: ThreadId::from_u128(u128::from(number) + 10), epoch: Epoch(number) }
}

fn open(dir: &Path, generation: u64, left: bool) -> Journal {
    Journal::open(dir, Generation(generation), left, JournalSync::On).unwrap()
}

#[tokio::test]
async fn what_was_kept_is_there_in_the_next_life() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path(), 1, false);
    assert_eq!(journal.state(), JournalState::New);
    journal.keep(Entry::Epoch { thread: THREAD, epoch: Epoch(7) }).await.unwrap();
    // Not dropped: a process that is killed says no goodbye.
    let again = open(dir.path(), 2, true);
    assert_eq!((again.state(), again.epochs()), (JournalState::Kept, vec![(THREAD, Epoch(7))]));
}

#[tokio::test]
async fn a_journal_that_is_gone_or_damaged_is_lost_and_one_that_was_torn_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    let journal = open(dir.path(), 1, false);
    journal.keep(epoch(1)).await.unwrap();
    let one = frame_end(&path);
    journal.keep(epoch(2)).await.unwrap();
    let whole = std::fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    damaged[one - 3] ^= 1;
    std::fs::write(&path, &damaged).unwrap();
    let lost = open(dir.path(), 2, true);
    assert_eq!((lost.state(), lost.epochs().len()), (JournalState::Lost, 0));
    assert_eq!(std::fs::read(dir.path().join("journal.bad")).unwrap(), damaged, "it was not kept to be looked at");
    std::fs::write(&path, &whole[..one + 5]).unwrap();
    let torn = open(dir.path(), 3, true);
    assert_eq!((torn.state(), torn.epochs().len()), (JournalState::Kept, 1));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(open(dir.path(), 4, true).state(), JournalState::Lost);
}

fn frame_end(path: &Path) -> usize {
    std::fs::read(path).unwrap().iter().rposition(|byte| *byte != 0).unwrap() + 1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_shares_syncs_and_the_file_is_written_anew_when_it_is_mostly_dead() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path(), 1, false);
    let reason = "x".repeat(2000);
    for round in 0..40 {
        let session = SessionId::from_u128(round);
        let lost = |_| journal.keep(Entry::Lost { session, reason: reason.clone() });
        for kept in futures::future::join_all((0..50).map(lost)).await {
            kept.unwrap();
        }
    }
    journal.keep(epoch(3)).await.unwrap();
    let length = std::fs::metadata(dir.path().join(FILE)).unwrap().len();
    assert!(length < 2 << 20, "4 MB of what nobody needs were kept: {length}");
    assert_eq!(open(dir.path(), 2, true).epochs().len(), 1);
}
