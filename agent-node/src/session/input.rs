//! The connection that input goes through, made when there is some.
//!
//! It is apart from the one for commands, because a holder stops reading input when the program does, and a kill must not wait
//! behind it.

use crate::error::NodeError;
use crate::session::link::{self, LinkError, Reader, Writer};
use crate::session::message::{Done, Input, SessionMsg, said};
use capstan_types::control::{Report, Request};
use ractor::ActorRef;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;

/// Writes that may wait. Full: the write is refused as busy, and nothing of it is written.
pub(crate) const WRITES: usize = 8;

/// How long a holder may take to greet.
const HELLO: Duration = Duration::from_secs(5);

/// Serves `writes` until the actor is gone or the connection breaks. It is held after the last write as well, because a holder need not
/// read what somebody sent who has hung up.
pub(crate) async fn serve(socket: PathBuf, mut writes: mpsc::Receiver<(Input, Done)>, actor: ActorRef<SessionMsg>) {
    let error = match greeted(&socket).await {
        Ok((reader, mut writer)) => {
            tokio::select! {
                Err(error) = pass_on(&mut writer, &mut writes) => error,
                error = listen(reader, &actor) => error,
            }
        }
        Err(error) => error,
    };
    writes.close();
    while let Some((_, reply)) = writes.recv().await {
        let _ = reply.send(Err(NodeError::HolderLost(error.to_string())));
    }
}

/// A connection that the holder has taken. One that waits to be taken is refused when this process dies meanwhile, and with it what was
/// written to it and told to be.
async fn greeted(socket: &Path) -> Result<(Reader, Writer), LinkError> {
    let (mut reader, writer) = link::connect(socket).await?;
    tokio::time::timeout(HELLO, reader.hello()).await.map_err(|_| LinkError::Deaf)??;
    Ok((reader, writer))
}

async fn pass_on(writer: &mut Writer, writes: &mut mpsc::Receiver<(Input, Done)>) -> Result<(), LinkError> {
    while let Some((input, reply)) = writes.recv().await {
        let sent = write(writer, input).await;
        let _ = reply.send(said(&sent));
        sent?;
    }
    Ok(())
}

async fn write(writer: &mut Writer, input: Input) -> Result<(), LinkError> {
    let (Input::Bytes(bytes) | Input::Last(bytes)) = &input;
    if !bytes.is_empty() {
        writer.send(&Request::Input(bytes.clone())).await?;
    }
    match input {
        Input::Bytes(_) => Ok(()),
        Input::Last(_) => writer.send(&Request::CloseInput).await,
    }
}

/// Hears that input is closed; returns when the connection is.
async fn listen(mut reader: Reader, actor: &ActorRef<SessionMsg>) -> LinkError {
    loop {
        match reader.next().await {
            Ok(Some(Report::InputClosed)) => {
                let _ = actor.cast(SessionMsg::InputClosed);
            }
            Ok(Some(Report::Ended(_) | Report::Sealed(_) | Report::Output(_) | Report::Hello { .. } | Report::Denied(_))) => {}
            Ok(None) => return LinkError::Io(std::io::ErrorKind::ConnectionReset.into()),
            Err(error) => return error,
        }
    }
}
