//! Output that is kept whole, and what readers hold their output against.

use crate::acts::{playing, stream};
use crate::client::Client;
use crate::session::{Launch, Session};
use capstan_types::control::{Report, Request, VERSION, Wants};
use capstan_types::output::seal::{Seal, Stopped};
use capstan_types::output::verify::{Verdict, Verifier};
use capstan_types::output::{Piece, Seq};
use std::fs;
use std::os::unix::fs::FileExt;

const LENGTH: usize = 3 << 20;

/// A session of [`LENGTH`] bytes, of which head and tail keep little, and which keeps up to `most` whole.
fn keeping(most: Option<u64>) -> Session {
    let mut launch = playing(&format!("stream {LENGTH}")).caps(70_000, 50_000);
    launch.spec.limits.keep_all = most;
    launch.start()
}

/// Reads what is kept of a session that has ended: the pieces, and the seal.
fn read(session: &Session, wants: Wants) -> (Vec<Piece>, Option<Seal>) {
    session.end_record();
    let mut client = Client::connect(session.dir());
    client.send(&Request::Attach { version: VERSION, from: Seq(0), wants });
    let (mut pieces, mut seal) = (Vec::new(), None);
    loop {
        match client.next().unwrap() {
            Report::Output(piece) => pieces.push(piece),
            Report::Sealed(told) => seal = Some(*told),
            Report::Ended(_) => return (pieces, seal),
            other => panic!("{other:?}"),
        }
    }
}

fn verdict(session: &Session, whole: bool) -> Verdict {
    let (pieces, seal) = read(session, Wants { seal: true, whole, looks: false });
    let mut verifier = Verifier::new(Seq(0), u64::MAX);
    pieces.iter().for_each(|piece| verifier.add(piece));
    verifier.end(seal.as_ref(), whole)
}

fn gaps(pieces: &[Piece]) -> u64 {
    let gap = |piece: &Piece| if let Piece::Gap { bytes, .. } = piece { *bytes } else { 0 };
    pieces.iter().map(gap).sum()
}

#[test]
fn who_asks_for_all_gets_all_and_others_what_they_always_got() {
    let session = keeping(Some(1 << 30));
    let total = session.end_record().output_bytes;
    let (pieces, seal) = read(&session, Wants { seal: true, whole: true, looks: false });
    let bytes: Vec<u8> =
        pieces.iter().flat_map(|piece| if let Piece::Bytes { bytes, .. } = piece { bytes.to_vec() } else { vec![] }).collect();
    assert_eq!((bytes.len() as u64, gaps(&pieces)), (total, 0));
    let start = bytes.windows(4).position(|part| part == b"====").unwrap() + 4;
    assert!(bytes[start..start + LENGTH] == stream(LENGTH), "it is not what was written");
    let kept = seal.unwrap().kept.unwrap();
    assert_eq!((kept.bytes, kept.stopped), (total, None));
    assert_eq!(fs::read(session.dir().join("all")).unwrap(), bytes);
    assert!(matches!(verdict(&session, true), Verdict::Holds { .. }));
    // One of the release before asks for nothing, and is told nothing that it does not know.
    let (pieces, seal) = read(&session, Wants::default());
    assert_eq!((gaps(&pieces), seal), (total - 120_000, None));
    assert!(matches!(verdict(&session, false), Verdict::Holds { .. }));
    // Its end takes it along.
    assert!(!session.release().path().join("all").exists());
}

#[test]
fn what_is_kept_whole_stops_at_its_limit_and_says_how_much_it_is() {
    let session = keeping(Some(1 << 20));
    let (pieces, seal) = read(&session, Wants { seal: true, whole: true, looks: false });
    let kept = seal.unwrap().kept.unwrap();
    assert_eq!((kept.bytes, kept.stopped), (1 << 20, Some(Stopped::Limit)));
    assert_eq!(fs::metadata(session.dir().join("all")).unwrap().len(), 1 << 20);
    assert_eq!(gaps(&pieces), session.end_record().output_bytes - (1 << 20) - 50_000);
    assert!(matches!(verdict(&session, true), Verdict::Holds { .. }));
}

#[test]
fn a_disk_without_room_for_others_keeps_nothing_whole_and_the_session_goes_on() {
    let mut launch = playing(&format!("stream {LENGTH}")).caps(70_000, 50_000);
    (launch.spec.limits.keep_all, launch.spec.disk_reserve) = (Some(1 << 30), u64::MAX);
    let session = launch.start();
    let kept = session.end_record().kept.unwrap();
    assert_eq!((kept.bytes, kept.stopped), (0, Some(Stopped::Disk)));
    assert!(matches!(verdict(&session, true), Verdict::Holds { .. }));
}

#[test]
fn nothing_is_kept_whole_unless_it_is_asked_for() {
    let session = keeping(None);
    assert_eq!(session.end_record().kept, None);
    assert!(!session.dir().join("all").exists());
    let quiet = {
        let mut launch = Launch::new(&["true"]);
        launch.spec.limits.keep_all = Some(1 << 30);
        launch.start()
    };
    assert_eq!(quiet.end_record().kept.unwrap().bytes, 0);
    assert!(!quiet.dir().join("all").exists(), "a file was made for nothing");
}

#[test]
fn who_tampers_with_the_files_is_found_out() {
    let session = keeping(Some(1 << 30));
    session.end_record();
    let change = |file: &str, at| {
        let file = fs::File::options().read(true).write(true).open(session.dir().join(file)).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 1], at).unwrap();
    };
    for (file, at, whole) in [("head", 69_999, false), ("tail", 64, false), ("all", 500_000, true)] {
        assert!(matches!(verdict(&session, whole), Verdict::Holds { .. }));
        change(file, at);
        assert!(matches!(verdict(&session, whole), Verdict::Wrong { .. }), "{file}");
        change(file, at);
    }
    // Cut off, it is known how much is missing.
    let all = fs::File::options().write(true).open(session.dir().join("all")).unwrap();
    all.set_len(1 << 20).unwrap();
    let Verdict::Missing { at, bytes } = verdict(&session, true) else { panic!("{:?}", verdict(&session, true)) };
    assert!(at.0 <= 1 << 20 && at.0 + bytes >= LENGTH as u64, "{bytes} from {at} on");
}
