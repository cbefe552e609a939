use super::*;
use crate::workspace::telling::channel;
use capstan_types::source::{MakeEvent, MakeProgress};

#[tokio::test]
async fn whoever_waits_for_the_same_hears_what_the_first_one_does() {
    let flights = Flights::<u8>::default();
    let (mut first, _unread) = channel();
    let (mut second, mut heard) = channel();
    let flight = flights.of(7);
    let held = flight.hold(&mut first).await;
    first.told_to(flight.telling());
    let mut waiting = tokio::task::JoinSet::new();
    let same = flights.of(7);
    waiting.spawn(async move { drop(same.hold(&mut second).await) });
    first.say("fetching", Some(4));
    let expected = MakeEvent::Progress(MakeProgress { said: "fetching".into(), percent: Some(4) });
    assert_eq!(heard.recv().await, Some(Ok(expected)));
    assert!(waiting.try_join_next().is_none());
    drop(held);
    waiting.join_next().await.unwrap().unwrap();
    assert_eq!(heard.recv().await, None);
}

#[test]
fn a_full_disk_is_said_and_so_is_all_else() {
    let full = no_room(&io::ErrorKind::StorageFull.into());
    assert!(matches!(full, NodeError::NoRoom(_)), "{full:?}");
    assert!(matches!(no_room(&io::ErrorKind::PermissionDenied.into()), NodeError::Unknown(_)));
}
