//! Every way in which a question can end.

use super::{AskError, ask};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);

enum Question {
    Double(u32, RpcReplyPort<u32>),
    /// Kept without an answer.
    Keep(RpcReplyPort<u32>),
    /// Dropped without an answer.
    Forget(RpcReplyPort<u32>),
    Fail(RpcReplyPort<u32>),
}

struct Oracle;

impl Actor for Oracle {
    type Msg = Question;
    type State = Vec<RpcReplyPort<u32>>;
    type Arguments = ();

    async fn pre_start(&self, _me: ActorRef<Question>, (): ()) -> Result<Self::State, ActorProcessingErr> {
        Ok(vec![])
    }

    async fn handle(
        &self,
        _me: ActorRef<Question>,
        question: Question,
        kept: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match question {
            Question::Double(number, reply) => drop(reply.send(number * 2)),
            Question::Keep(reply) => kept.push(reply),
            Question::Forget(reply) => drop(reply),
            Question::Fail(_reply) => return Err("broken".into()),
        }
        Ok(())
    }
}

#[tokio::test]
async fn an_answer_comes_back() {
    let (oracle, _) = Actor::spawn(None, Oracle, ()).await.unwrap();
    assert_eq!(ask(&oracle, LONG, |reply| Question::Double(21, reply)).await, Ok(42));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_ends_at_the_deadline() {
    let (oracle, _) = Actor::spawn(None, Oracle, ()).await.unwrap();
    let asked = tokio::time::Instant::now();
    let late = ask(&oracle, Duration::from_millis(70), Question::Keep).await.unwrap_err();
    assert_eq!(late, AskError::Late(Duration::from_millis(70)));
    assert_eq!(asked.elapsed(), Duration::from_millis(70));
    assert_eq!(late.to_string(), "the actor did not answer within 70 ms");
}

#[tokio::test]
async fn a_dropped_question_is_told_at_once() {
    let (oracle, _) = Actor::spawn(None, Oracle, ()).await.unwrap();
    assert_eq!(ask(&oracle, LONG, Question::Forget).await, Err(AskError::Dropped));
    assert_eq!(ask(&oracle, LONG, Question::Fail).await, Err(AskError::Dropped));
}

#[tokio::test]
async fn an_actor_that_has_ended_is_told_at_once() {
    let (oracle, ended) = Actor::spawn(None, Oracle, ()).await.unwrap();
    oracle.stop(None);
    ended.await.unwrap();
    assert_eq!(ask(&oracle, LONG, Question::Keep).await, Err(AskError::Stopped));
}
