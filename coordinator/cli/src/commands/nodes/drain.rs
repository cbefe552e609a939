//! `capstan nodes drain`.

use super::progress::Board;
use super::{reach, refused, which};
use crate::args::DrainNodesArgs;
use crate::client::{Client, DrainStream, Ordering};
use crate::failure::{Exit, Failure};
use crate::runtime;
use crate::signals::{Signals, Wish};
use crate::surroundings::Surroundings;
use crate::who;
use capstan_types::id::NodeId;
use capstan_types::node_status::{DrainProgress, DrainStage};
use capstan_types::orders::AtDeadline;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// News that wait to be shown. Full: whoever has more waits.
const NEWS: usize = 64;

pub(super) fn run(args: &DrainNodesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let ordering = Ordering { by: who::person(surroundings)?, reason: args.reason.clone() };
    which::checked(&args.which.nodes)?;
    let reach = reach(&args.daemon, surroundings)?;
    let then = match (args.force, args.wait) {
        (true, _) => AtDeadline::Cancel,
        (false, true) => AtDeadline::Wait,
        (false, false) => AtDeadline::Tell,
    };
    runtime::block_on(async {
        let mut signals =
            Signals::listen().map_err(|error| Failure::bad_input(format!("signals cannot be listened to: {error}")))?;
        let mut client = Client::connect(reach).await?;
        let nodes: Vec<NodeId> = which::meant(&mut client, &args.which).await?.into_iter().map(|status| status.id).collect();
        // All are closed before the first is waited for: what leaves one of them must not go to the next.
        let mut streams = Vec::new();
        for node in &nodes {
            let stream = client.drain(node.as_str(), args.deadline, then, &ordering).await.map_err(|error| refused(&error))?;
            streams.push((node.clone(), stream));
        }
        let mut board = Board::on_standard_output(nodes);
        tokio::select! {
            exit = followed(streams, &mut board) => exit,
            wish = signals.next() => {
                board.clear();
                board.say("the drain goes on; `capstan nodes uncordon` ends it, and the same command shows it again");
                Ok(match wish { Wish::Interrupt => Exit::Failed, Wish::Terminate => Exit::Terminated, Wish::HangUp => Exit::HungUp })
            }
        }
    })
}

/// What came of one node's stream.
type News = (NodeId, Result<Option<DrainProgress>, Failure>);

async fn followed(streams: Vec<(NodeId, DrainStream)>, board: &mut Board) -> Result<Exit, Failure> {
    let (tell, mut news) = mpsc::channel::<News>(NEWS);
    let mut tasks = JoinSet::new();
    for (node, stream) in streams {
        tasks.spawn(read(node, stream, tell.clone()));
    }
    drop(tell);
    let mut exit = Exit::Success;
    while let Some((node, told)) = news.recv().await {
        let Some(progress) = told? else { continue };
        let is_done = matches!(progress.stage, DrainStage::Drained | DrainStage::Waiting | DrainStage::Cancelling);
        board.show(&node, &progress);
        board.set_failed(&node, !is_done);
    }
    if board.any_failed() {
        exit = Exit::Failed;
    }
    board.report();
    Ok(exit)
}

async fn read(node: NodeId, mut stream: DrainStream, tell: mpsc::Sender<News>) {
    loop {
        let told = stream.next().await.map_err(|error| {
            refused(&error).hint("the drain goes on; the same command shows it again, and `capstan nodes uncordon` ends it")
        });
        let is_last = !matches!(told, Ok(Some(_)));
        if tell.send((node.clone(), told)).await.is_err() || is_last {
            return;
        }
    }
}
