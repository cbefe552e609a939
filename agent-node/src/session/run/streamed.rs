//! A program whose output is handed on while it runs, as quickly as somebody takes it and with nothing of it lost.
//!
//! The program stops when it is [`WINDOW`](capstan_types::files::frame::WINDOW) bytes ahead, until it is sent a byte for what was taken. That is less than what its holder
//! keeps, so a slow reader slows the program down, and finds no gap.

use super::{GOODBYE, Helper, RunError};
use crate::session::dir::SessionDir;
use crate::session::launcher::{Launched, Launcher, Program};
use crate::session::link::{self, LinkError, Reader, Writer};
use bytes::Bytes;
use capstan_types::control::{MAX_DATA, Report, Request, VERSION, Wants};
use capstan_types::files::frame::{CREDIT, WINDOW};
use capstan_types::launch::SessionEnd;
use capstan_types::output::{Piece, Seq};
use capstan_types::time::Millis;
use futures::future::{Either, select};
use std::pin::pin;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::mpsc;

/// Acknowledgements that may wait to be sent. There are never more, since the program waits for them.
const CREDITS: usize = (WINDOW / CREDIT) as usize + 2;

/// Runs `program` with `input`, and hands its output on to `pieces`. When nobody takes that any more, the program is ended. `deadline` is
/// enforced as in [`super::to_end`].
pub(crate) async fn streamed(
    launcher: &Launcher,
    mut program: Program,
    input: Bytes,
    deadline: Duration,
    pieces: mpsc::Sender<Bytes>,
) -> Result<SessionEnd, RunError> {
    program.limits.total = Some(Millis::of(deadline));
    let Launched { dir, holder, control, writes, .. } = launcher.launch(program).await?;
    let mut helper = Helper { holder, dir };
    let gone = pieces.clone();
    let talk = async {
        tokio::select! {
            talked = converse(&helper.dir, control, input, pieces) => talked.map_err(|error| RunError::Unknown(error.to_string())),
            () = gone.closed() => Err(RunError::Unknown("nobody waits for it any more".to_owned())),
        }
    };
    let outcome = match tokio::time::timeout(deadline + GOODBYE, talk).await {
        Ok(outcome) => outcome,
        Err(_) => Err(RunError::Unknown(format!("it did not end within {} s", deadline.as_secs()))),
    };
    let went = outcome.is_ok() && tokio::time::timeout(GOODBYE, helper.holder.wait()).await.is_ok();
    if !went {
        helper.holder.end().await;
    }
    helper.dir.remove().await;
    writes.over();
    outcome
}

async fn converse(
    dir: &SessionDir,
    control: Option<UnixStream>,
    input: Bytes,
    pieces: mpsc::Sender<Bytes>,
) -> Result<SessionEnd, LinkError> {
    let (mut reader, mut writer) = link::connect(&dir.socket()).await?;
    writer.send(&Request::Attach { version: VERSION, from: Seq(0), wants: Wants::default() }).await?;
    let end = {
        let (credits, granted) = mpsc::channel(CREDITS);
        let collecting = pin!(collect(&mut reader, &pieces, &credits));
        let feeding = pin!(feed(&mut writer, input, granted));
        match select(collecting, feeding).await {
            Either::Left((end, _)) => end?,
            // It takes no input any more: its end follows.
            Either::Right((_, collecting)) => collecting.await?,
        }
    };
    super::release(dir, control).await?;
    Ok(end)
}

async fn collect(reader: &mut Reader, pieces: &mpsc::Sender<Bytes>, credits: &mpsc::Sender<()>) -> Result<SessionEnd, LinkError> {
    let mut taken = 0;
    loop {
        match reader.next().await? {
            Some(Report::Output(Piece::Bytes { bytes, .. })) => {
                taken += bytes.len() as u64;
                // Whoever takes them has gone: then this is dropped.
                let _ = pieces.send(bytes).await;
                while taken >= CREDIT {
                    taken -= CREDIT;
                    let _ = credits.send(()).await;
                }
            }
            Some(Report::Output(Piece::Gap { .. })) => return Err(LinkError::Io(std::io::Error::other("output was lost"))),
            Some(Report::Hello { .. } | Report::InputClosed | Report::Denied(_) | Report::Sealed(_)) => {}
            Some(Report::Ended(end)) => return Ok(end),
            None => return Err(LinkError::Io(std::io::ErrorKind::UnexpectedEof.into())),
        }
    }
}

async fn feed(writer: &mut Writer, mut input: Bytes, mut granted: mpsc::Receiver<()>) -> Result<(), LinkError> {
    while !input.is_empty() {
        writer.send(&Request::Input(input.split_to(input.len().min(MAX_DATA)))).await?;
    }
    while granted.recv().await.is_some() {
        writer.send(&Request::Input(Bytes::from_static(b"+"))).await?;
    }
    Ok(())
}
