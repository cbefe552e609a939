//! One call, from the request to the news of its end.

use crate::far::Far;
use capstan_types::launch::{SessionEnd, Stdio};
use capstan_types::session::SessionEvent;
use std::time::{Duration, Instant};

/// How long a program takes there. Its session is forgotten after that.
pub(crate) async fn call(far: &Far, argv: &[&str], stdio: Stdio) -> Duration {
    let start = Instant::now();
    let mut reader = far.start(argv, stdio).await;
    let mut session = None;
    loop {
        match reader.next().await.expect("the session can be read") {
            SessionEvent::Started { session: started, .. } => session = Some(started),
            SessionEvent::Ended { end, .. } => {
                let took = start.elapsed();
                assert_eq!(end, SessionEnd::Exited { code: 0 }, "{argv:?} failed");
                far.release(session.expect("a session starts before it ends")).await;
                return took;
            }
            SessionEvent::Output(_) | SessionEvent::Denied(_) => {}
        }
    }
}
