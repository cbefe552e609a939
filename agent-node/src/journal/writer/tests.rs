use super::*;
use capstan_types::id::{Attempt, CallId, ThreadId};

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

#[tokio::test]
async fn a_flipped_bit_in_what_a_journal_began_with_makes_it_lost() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    open(dir.path(), 1, false).keep(epoch(1)).await.unwrap();
    // Written anew, as at every start: all that is known lies in its first frame.
    assert_eq!(open(dir.path(), 2, true).epochs().len(), 1);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[frame_end(&path) - 3] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(open(dir.path(), 3, true).state(), JournalState::Lost);
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

/// A disk of a few journals, in memory. Unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

#[expect(clippy::disallowed_methods, reason = "the test makes a disk of its own")]
fn program(name: &str) -> std::process::Command {
    std::process::Command::new(name)
}

impl SmallDisk {
    fn mount() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mounted = program("mount").args(["-t", "tmpfs", "-o", "size=2m", "capstan-test"]).arg(dir.path()).status().unwrap();
        assert!(mounted.success(), "this test mounts a small disk, which only root may do: run it as root");
        Self(dir)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = program("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing_and_room_is_used_at_once() {
    let disk = SmallDisk::mount();
    let journal = open(disk.0.path(), 1, false);
    let filling = disk.0.path().join("filling");
    std::fs::write(&filling, vec![1; 2 << 20]).unwrap_err();
    let mut kept = 0;
    let refused = loop {
        let reason = "x".repeat(20_000);
        match journal.keep(Entry::Over { thread: THREAD, call: call(kept), attempt: Attempt(1), lost: Some(reason) }).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, JournalError::Full);
    assert!(kept > 1, "the room that was taken ahead was not used: {kept}");
    for number in 1..=1000 {
        assert_eq!(journal.keep(epoch(number)).await, Ok(()), "what ends something has no room, at {number}");
    }
    std::fs::remove_file(&filling).unwrap();
    journal
        .keep(Entry::Over { thread: THREAD, call: call(99), attempt: Attempt(1), lost: Some("y".repeat(200_000)) })
        .await
        .unwrap();
    let again = open(disk.0.path(), 2, true);
    assert_eq!(again.state(), JournalState::Kept);
    assert!((0..kept).chain([99]).all(|number| again.over(&(THREAD, call(number), Attempt(1))).is_some()));
    assert_eq!(again.over(&(THREAD, call(kept), Attempt(1))), None, "what was refused is there");
}

fn call(number: u128) -> CallId {
    CallId::from_u128(number)
}
