//! Sessions for tests.

use capstan_types::id::{Attempt, CallId, SessionId, ThreadId};
use capstan_types::launch::Stdio;
use capstan_types::operator::Seen;
use capstan_types::path::AbsPath;
use capstan_types::session::{Listed, ListedState};

/// A session of this id, with nothing special about it.
pub(in crate::commands::sessions) fn seen(id: u128) -> Seen {
    let listed = Listed {
        session: SessionId::from_u128(id),
        thread: ThreadId::from_u128((0x0198_c5f0_0000_7000_u128 << 64) + 7),
        call: CallId::from_u128(9),
        attempt: Attempt(1),
        argv: vec!["sleep".into(), "9".into()],
        cwd: AbsPath::new("/work").unwrap(),
        stdio: Stdio::Pipes,
        started_at_ms: 1,
        state: ListedState::Running,
        output_bytes: 12_345,
        adopted: false,
        chain: None,
    };
    Seen { node: "far".parse().unwrap(), listed, number: Some(1000) }
}
