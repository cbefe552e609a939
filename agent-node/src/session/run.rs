//! A program of the node's own, run to its end under the same sandbox as a session: patches and git.
//!
//! The node is the only owner, reads the output up to a cap, and leaves nothing behind.

pub(crate) mod streamed;

use crate::session::dir::SessionDir;
use crate::session::holder::Holder;
use crate::session::launcher::{Launched, Launcher, Program};
use crate::session::link::{self, LinkError, Reader, Writer};
use crate::session::runner::LaunchError;
use bytes::Bytes;
use capstan_types::control::{MAX_DATA, Report, Request, VERSION, Wants};
use capstan_types::launch::{Enforced, SessionEnd};
use capstan_types::output::{Piece, Seq};
use capstan_types::time::Millis;
use futures::future::{Either, select};
use std::pin::pin;
use std::time::Duration;
use tokio::net::UnixStream;

/// How long the holder may take to go when all is done, before it is made to.
const GOODBYE: Duration = Duration::from_secs(5);

/// What a program wrote and how it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Its output, at most as long as was asked for.
    pub(crate) output: Vec<u8>,
    pub(crate) end: SessionEnd,
    /// What was in force.
    pub(crate) enforced: Enforced,
}

/// Why there is no outcome.
#[derive(Debug)]
pub(crate) enum RunError {
    /// Nothing was started.
    Refused(capstan_types::launch::Refusal),
    /// What it did is not known.
    Unknown(String),
}

impl From<LaunchError> for RunError {
    fn from(error: LaunchError) -> Self {
        match error {
            LaunchError::Refused(refusal) => Self::Refused(refusal),
            LaunchError::Unknown(reason) => Self::Unknown(reason),
        }
    }
}

/// A holder that is made to end its program and go, and its directory removed, when nobody waits for its program any more.
struct Helper {
    holder: Holder,
    dir: SessionDir,
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Both without effect when all went well. The directory first: a holder that ends writes that down, and a file that comes
        // to be while the directory is emptied would keep it from being removed.
        self.dir.remove_now();
        self.holder.ask();
    }
}

/// Runs `program` with `input`, and gives at most `cap` bytes of its output. `deadline` is enforced by the holder, as the program's
/// total time, and by the node after a grace.
pub(crate) async fn to_end(
    launcher: &Launcher,
    program: Program,
    input: Bytes,
    cap: usize,
    deadline: Duration,
) -> Result<Outcome, RunError> {
    let mut output = Vec::new();
    let hear = |bytes: &[u8]| {
        let room = cap.saturating_sub(output.len()).min(bytes.len());
        output.extend_from_slice(&bytes[..room]);
    };
    let outcome = to_end_heard(launcher, program, input, hear, deadline).await?;
    Ok(Outcome { output, ..outcome })
}

/// As [`to_end`], with what it writes told to `hear` as it comes, and kept by nobody.
pub(crate) async fn to_end_heard(
    launcher: &Launcher,
    mut program: Program,
    input: Bytes,
    hear: impl FnMut(&[u8]) + Send,
    deadline: Duration,
) -> Result<Outcome, RunError> {
    program.limits.total = Some(Millis::of(deadline));
    let Launched { dir, holder, control, enforced, writes, .. } = launcher.launch(program).await?;
    let mut helper = Helper { holder, dir };
    let outcome = match tokio::time::timeout(deadline + GOODBYE, converse(&helper.dir, control, input, hear)).await {
        Ok(outcome) => outcome.map_err(|error| RunError::Unknown(error.to_string())),
        Err(_) => Err(RunError::Unknown(format!("it did not end within {} s", deadline.as_secs()))),
    };
    let gone = outcome.is_ok() && tokio::time::timeout(GOODBYE, helper.holder.wait()).await.is_ok();
    if !gone {
        helper.holder.end().await;
    }
    helper.dir.remove().await;
    writes.over();
    outcome.map(|end| Outcome { output: Vec::new(), end, enforced })
}

async fn converse(
    dir: &SessionDir,
    control: Option<UnixStream>,
    input: Bytes,
    hear: impl FnMut(&[u8]) + Send,
) -> Result<SessionEnd, LinkError> {
    let (mut reader, mut writer) = link::connect(&dir.socket()).await?;
    writer.send(&Request::Attach { version: VERSION, from: Seq(0), wants: Wants::default() }).await?;
    let outcome = {
        // Side by side: a program that writes before it has read all would otherwise wait for us as we for it.
        let collecting = pin!(collect(&mut reader, hear));
        let feeding = pin!(feed(&mut writer, input));
        match select(collecting, feeding).await {
            // A program may end before it has read all; then the rest has nowhere to go, and its end says what that means.
            Either::Left((outcome, _)) => outcome?,
            Either::Right((_, collecting)) => collecting.await?,
        }
    };
    release(dir, control).await?;
    Ok(outcome)
}

/// Lets the holder go, which has told the end.
async fn release(dir: &SessionDir, control: Option<UnixStream>) -> Result<(), LinkError> {
    // By a connection of its own: the other may have stopped in the middle of a frame. It is held until the holder closes it, because a
    // holder need not read what somebody sent who has hung up.
    let (mut reader, mut writer) = match control {
        Some(control) => link::over(control),
        None => link::connect(&dir.socket()).await?,
    };
    writer.send(&Request::Release).await?;
    while let Ok(Some(_)) = reader.next().await {}
    Ok(())
}

async fn feed(writer: &mut Writer, mut input: Bytes) -> Result<(), LinkError> {
    while !input.is_empty() {
        writer.send(&Request::Input(input.split_to(input.len().min(MAX_DATA)))).await?;
    }
    writer.send(&Request::CloseInput).await
}

async fn collect(reader: &mut Reader, mut hear: impl FnMut(&[u8]) + Send) -> Result<SessionEnd, LinkError> {
    loop {
        match reader.next().await? {
            Some(Report::Output(Piece::Bytes { bytes, .. })) => {
                hear(&bytes);
            }
            Some(
                Report::Output(Piece::Gap { .. })
                | Report::Hello { .. }
                | Report::InputClosed
                | Report::Denied(_)
                | Report::Sealed(_),
            ) => {}
            Some(Report::Ended(end)) => return Ok(end),
            None => return Err(LinkError::Io(std::io::ErrorKind::UnexpectedEof.into())),
        }
    }
}
