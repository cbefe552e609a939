//! Every message of version 1 as its bytes were recorded from the release that brought it. Holders of that release still run where a newer node
//! starts: a line here may be added, and never changed.

use super::*;
use crate::launch::SessionLimit;
use crate::output::seal::Hole;

/// What was recorded: what follows the length, and what it means.
type Recorded<T> = (&'static [u8], T);

/// The body of a limit's end.
const fn limit_body(limit: SessionLimit) -> &'static [u8] {
    match limit {
        SessionLimit::Total => b"\x03{\"ended\":{\"limit\":\"total\"}}",
        SessionLimit::Idle => b"\x03{\"ended\":{\"limit\":\"idle\"}}",
        SessionLimit::Ownerless => b"\x03{\"ended\":{\"limit\":\"ownerless\"}}",
        SessionLimit::Memory => b"\x03{\"ended\":{\"limit\":\"memory\"}}",
        SessionLimit::Processes => b"\x03{\"ended\":{\"limit\":\"processes\"}}",
        SessionLimit::CpuTime => b"\x03{\"ended\":{\"limit\":\"cpu-time\"}}",
        SessionLimit::Written => b"\x03{\"ended\":{\"limit\":\"written\"}}",
        SessionLimit::FileSize => b"\x03{\"ended\":{\"limit\":\"file-size\"}}",
        SessionLimit::Output => b"\x03{\"ended\":{\"limit\":\"output\"}}",
    }
}

fn requests() -> Vec<Recorded<Request>> {
    vec![
        (b"\x03{\"attach\":{\"version\":1,\"from\":7}}", Request::Attach { version: 1, from: Seq(7), wants: Wants::default() }),
        (
            b"\x03{\"attach\":{\"version\":1,\"from\":7,\"wants\":{\"seal\":true,\"whole\":true}}}",
            Request::Attach { version: 1, from: Seq(7), wants: Wants { seal: true, whole: true, looks: false } },
        ),
        (
            b"\x03{\"attach\":{\"version\":1,\"from\":7,\"wants\":{\"looks\":true}}}",
            Request::Attach { version: 1, from: Seq(7), wants: Wants { looks: true, ..Wants::default() } },
        ),
        (b"\x02ls\n\0\xff", Request::Input(Bytes::from_static(b"ls\n\0\xff"))),
        (b"\x02", Request::Input(Bytes::new())),
        (b"\x03\"close-input\"", Request::CloseInput),
        (b"\x03{\"resize\":{\"rows\":24,\"cols\":80}}", Request::Resize(TermSize { rows: 24, cols: 80 })),
        (b"\x03{\"signal\":15}", Request::Signal(15)),
        (b"\x03{\"kill\":{\"by\":\"ann (uid 7)\"}}", Request::Kill { by: "ann (uid 7)".into() }),
        (b"\x03\"release\"", Request::Release),
    ]
}

fn reports() -> Vec<Recorded<Report>> {
    let mut all = vec![
        (&b"\x03{\"hello\":{\"version\":1,\"pid\":4711}}"[..], Report::Hello { version: 1, pid: 4711 }),
        (
            b"\x01\0\0\0\0\0\0\x01\x02hi\n\0\xff",
            Report::Output(Piece::Bytes { seq: Seq(258), bytes: Bytes::from_static(b"hi\n\0\xff") }),
        ),
        (b"\x03{\"gap\":{\"seq\":5,\"bytes\":6}}", Report::Output(Piece::Gap { seq: Seq(5), bytes: 6 })),
        (b"\x03\"input-closed\"", Report::InputClosed),
        (
            b"\x03{\"denied\":{\"act\":\"connect\",\"reason\":\"not listed\"}}",
            Report::Denied(Denial { act: "connect".into(), reason: "not listed".into() }),
        ),
        (
            b"\x03{\"sealed\":{\"total\":9,\"hole\":{\"from\":2,\"bytes\":3}}}",
            Report::Sealed(Box::new(Seal { total: 9, hole: Hole { from: Seq(2), bytes: 3 }, chain: None, kept: None })),
        ),
        (b"\x03{\"ended\":{\"exited\":{\"code\":3}}}", Report::Ended(SessionEnd::Exited { code: 3 })),
        (b"\x03{\"ended\":{\"signalled\":{\"signal\":9}}}", Report::Ended(SessionEnd::Signalled { signal: 9 })),
        (b"\x03{\"ended\":{\"killed\":{\"by\":\"ann\"}}}", Report::Ended(SessionEnd::Killed { by: "ann".into() })),
        (b"\x03{\"ended\":{\"unknown\":{\"reason\":\"lost\"}}}", Report::Ended(SessionEnd::Unknown { reason: "lost".into() })),
    ];
    all.extend(SessionLimit::ALL.map(|limit| (limit_body(limit), Report::Ended(SessionEnd::Limit(limit)))));
    all
}

/// Which message it is. Whoever adds one adds its line above as well: the counts are compared.
const fn request_kind(request: &Request) -> usize {
    match request {
        Request::Attach { .. } => 0,
        Request::Input(_) => 1,
        Request::CloseInput => 2,
        Request::Resize(_) => 3,
        Request::Signal(_) => 4,
        Request::Kill { .. } => 5,
        Request::Release => 6,
    }
}

const fn report_kind(report: &Report) -> usize {
    match report {
        Report::Hello { .. } => 0,
        Report::Output(Piece::Bytes { .. }) => 1,
        Report::Output(Piece::Gap { .. }) => 2,
        Report::InputClosed => 3,
        Report::Denied(_) => 4,
        Report::Ended(SessionEnd::Exited { .. }) => 5,
        Report::Ended(SessionEnd::Signalled { .. }) => 6,
        Report::Ended(SessionEnd::Killed { .. }) => 7,
        Report::Ended(SessionEnd::Unknown { .. }) => 8,
        Report::Ended(SessionEnd::Limit(_)) => 9,
        Report::Sealed(_) => 10,
    }
}

fn framed(body: &[u8]) -> BytesMut {
    let mut frame = BytesMut::new();
    frame.put_u32(u32::try_from(body.len()).unwrap());
    frame.put_slice(body);
    frame
}

#[test]
fn what_was_recorded_is_understood_and_still_said_so() {
    for (body, request) in requests() {
        assert_eq!(Request::decode(&mut framed(body)), Ok(Some(request.clone())));
        let mut said = BytesMut::new();
        request.encode(&mut said);
        assert_eq!(said, framed(body), "{request:?} is not said as it was");
    }
    for (body, report) in reports() {
        assert_eq!(Report::decode(&mut framed(body)), Ok(Some(report.clone())));
        let mut said = BytesMut::new();
        report.encode(&mut said);
        assert_eq!(said, framed(body), "{report:?} is not said as it was");
    }
    assert_eq!(VERSION, 1, "a new version needs recordings of its own, beside these");
}

#[test]
fn every_message_is_among_the_recorded() {
    let all = |kinds: Vec<usize>| kinds.into_iter().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(all(requests().iter().map(|(_, request)| request_kind(request)).collect()), all((0..7).collect()));
    assert_eq!(all(reports().iter().map(|(_, report)| report_kind(report)).collect()), all((0..11).collect()));
    let named: std::collections::BTreeSet<_> = reports().iter().filter_map(|(body, _)| name_in(body)).collect();
    assert_eq!(named, KNOWN_REPORTS.map(str::to_owned).into());
}

fn name_in(body: &[u8]) -> Option<String> {
    match serde_json::from_slice(body.strip_prefix(b"\x03")?).ok()? {
        Value::String(name) => Some(name),
        Value::Object(fields) => fields.keys().next().cloned(),
        _ => None,
    }
}

#[test]
fn a_field_that_came_later_is_passed_over() {
    let mut hello = framed(b"\x03{\"hello\":{\"version\":1,\"pid\":4711,\"since\":[2026]}}");
    assert_eq!(Report::decode(&mut hello), Ok(Some(Report::Hello { version: 1, pid: 4711 })));
}

#[test]
fn a_report_that_came_later_is_passed_over_and_what_follows_is_heard() {
    let later: [&[u8]; 4] = [b"\x03\"paused\"", b"\x03{\"usage\":{\"memory\":5}}", b"\x09\0\x01", b"\x03\"input-closed\""];
    let mut stream = BytesMut::new();
    later.iter().for_each(|body| stream.extend(framed(body)));
    assert_eq!(Report::decode(&mut stream), Ok(Some(Report::InputClosed)));
    assert_eq!(Report::decode(&mut stream), Ok(None));
}

#[test]
fn a_known_report_that_is_malformed_ends_the_connection() {
    for bad in [&b"\x03{\"hello\":{\"version\":\"one\"}}"[..], b"\x03\"ended\"", b"\x03{]", b"\x03{}", b"\x03[1]", b"\x01short"] {
        assert!(matches!(Report::decode(&mut framed(bad)), Err(FrameError::Body { .. })), "{bad:?}");
    }
}

#[test]
fn a_request_that_came_later_is_not_taken_as_obeyed() {
    assert_eq!(Request::decode(&mut framed(b"\x09\0")), Err(FrameError::Kind(9)));
    assert!(matches!(Request::decode(&mut framed(b"\x03{\"freeze\":{}}")), Err(FrameError::Body { .. })));
}
