//! What each try of a call has come to, so that none is done twice however often it is asked for.
//!
//! Invariant: a key that has begun begins again only if nothing was done. Memory is bounded: the oldest finished tries are forgotten
//! first, those that are at work or stand never; how many of these there are is bounded by the node's places.

use crate::error::NodeError;
use crate::workspace::message::{CallKey, Reply};
use std::collections::{HashMap, VecDeque};

/// How many finished tries are remembered for each workspace.
const REMEMBERED: usize = 1024;

/// How many may wait for one try. Full: the newest is refused as busy.
const WAITERS: usize = 16;

/// The tries of one kind, with results of type `T`.
#[derive(Debug)]
pub(crate) struct Once<T> {
    tries: HashMap<CallKey, Try<T>>,
    finished: VecDeque<CallKey>,
    most: usize,
}

#[derive(Debug)]
enum Try<T> {
    /// Somebody is at it; these want to know.
    Begun(Vec<Reply<T>>),
    /// It has a result that something still lives behind.
    Standing(T),
    /// It is over, with this result.
    Finished(Result<T, NodeError>),
}

/// What to do about a request.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Nobody has tried before: do it, and report with [`Once::finished`].
    Begin,
    /// It has been answered, or will be.
    Answered,
}

impl<T: Clone + Send + 'static> Once<T> {
    pub(crate) fn new() -> Self {
        Self { tries: HashMap::new(), finished: VecDeque::new(), most: REMEMBERED }
    }

    /// Asks for the result of a try.
    pub(crate) fn ask(&mut self, key: CallKey, reply: Reply<T>) -> Turn {
        match self.tries.get_mut(&key) {
            None => {
                self.tries.insert(key, Try::Begun(vec![reply]));
                return Turn::Begin;
            }
            Some(Try::Begun(waiting)) if waiting.len() < WAITERS => waiting.push(reply),
            Some(Try::Begun(_)) => drop(reply.send(Err(NodeError::busy("the call")))),
            Some(Try::Standing(result)) => drop(reply.send(Ok(result.clone()))),
            Some(Try::Finished(result)) => drop(reply.send(result.clone())),
        }
        Turn::Answered
    }

    /// Notes a try that began in an earlier life, and whose result is still to be found.
    pub(crate) fn begun_before(&mut self, key: CallKey) {
        self.tries.insert(key, Try::Begun(Vec::new()));
    }

    /// Notes a result that stands until [`Once::finished`], and tells those who wait.
    pub(crate) fn stands(&mut self, key: CallKey, result: T) {
        let before = self.tries.insert(key, Try::Standing(result.clone()));
        tell(before, &Ok(result));
    }

    /// Notes the last result of a try, and tells those who wait. One that did nothing may be tried again.
    pub(crate) fn finished(&mut self, key: CallKey, result: Result<T, NodeError>) {
        let before = match &result {
            Err(error) if did_nothing(error) => self.tries.remove(&key),
            Ok(_) | Err(_) => self.remember(key, result.clone()),
        };
        tell(before, &result);
    }

    /// Whether nobody is at work and nothing stands.
    pub(crate) fn is_quiet(&self) -> bool {
        self.finished.len() == self.tries.len()
    }

    fn remember(&mut self, key: CallKey, result: Result<T, NodeError>) -> Option<Try<T>> {
        let before = self.tries.insert(key, Try::Finished(result));
        if !matches!(before, Some(Try::Finished(_))) {
            self.finished.push_back(key);
        }
        if self.finished.len() > self.most
            && let Some(oldest) = self.finished.pop_front()
        {
            self.tries.remove(&oldest);
        }
        before
    }
}

fn tell<T: Clone + Send + 'static>(before: Option<Try<T>>, result: &Result<T, NodeError>) {
    if let Some(Try::Begun(waiting)) = before {
        waiting.into_iter().for_each(|reply| drop(reply.send(result.clone())));
    }
}

/// Whether an error says that nothing was done, so that trying again is no repetition.
fn did_nothing(error: &NodeError) -> bool {
    matches!(
        error,
        NodeError::Refused(_) | NodeError::Full { .. } | NodeError::Busy { .. } | NodeError::Short { .. } | NodeError::Stopping
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::id::{Attempt, CallId};
    use capstan_types::launch::Refusal;

    fn key(number: u128) -> CallKey {
        CallKey { call: CallId::from_u128(number), attempt: Attempt(1) }
    }

    fn port() -> (Reply<u32>, tokio::sync::oneshot::Receiver<Result<u32, NodeError>>) {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        (sender.into(), receiver)
    }

    #[test]
    fn a_try_begins_once_and_everybody_is_told_its_result() {
        let mut once = Once::new();
        let (first, mut first_told) = port();
        let (second, mut second_told) = port();
        let (late, mut late_told) = port();
        assert!(matches!(once.ask(key(1), first), Turn::Begin));
        assert!(matches!(once.ask(key(1), second), Turn::Answered));
        assert!(!once.is_quiet());
        once.finished(key(1), Ok(7));
        assert!(matches!(once.ask(key(1), late), Turn::Answered));
        for told in [&mut first_told, &mut second_told, &mut late_told] {
            assert_eq!(told.try_recv().unwrap(), Ok(7));
        }
        assert!(once.is_quiet());
        let other = CallKey { attempt: Attempt(2), ..key(1) };
        assert!(matches!(once.ask(other, port().0), Turn::Begin), "another attempt is another try");
    }

    #[test]
    fn only_a_try_that_did_nothing_may_begin_again() {
        let mut once = Once::<u32>::new();
        let refused = NodeError::Refused(Refusal::Document { reason: String::new() });
        assert!(matches!(once.ask(key(1), port().0), Turn::Begin));
        once.finished(key(1), Err(refused));
        assert!(matches!(once.ask(key(1), port().0), Turn::Begin));
        once.finished(key(1), Err(NodeError::Unknown("killed".to_owned())));
        let (again, mut told) = port();
        assert!(matches!(once.ask(key(1), again), Turn::Answered));
        assert_eq!(told.try_recv().unwrap(), Err(NodeError::Unknown("killed".to_owned())));
    }

    #[test]
    fn a_result_stands_until_it_is_over() {
        let mut once = Once::new();
        let (first, mut first_told) = port();
        once.ask(key(1), first);
        once.stands(key(1), 7);
        assert_eq!(first_told.try_recv().unwrap(), Ok(7));
        assert!(!once.is_quiet());
        once.finished(key(1), Err(NodeError::Over));
        let (again, mut told) = port();
        assert!(matches!(once.ask(key(1), again), Turn::Answered));
        assert_eq!(told.try_recv().unwrap(), Err(NodeError::Over));
        assert!(once.is_quiet());
    }

    #[test]
    fn the_oldest_results_are_forgotten_and_never_those_at_work_or_standing() {
        let mut once = Once::new();
        once.most = 2;
        assert!(matches!(once.ask(key(0), port().0), Turn::Begin));
        once.ask(key(9), port().0);
        once.stands(key(9), 7);
        for number in 1..=3 {
            once.ask(key(number), port().0);
            once.finished(key(number), Ok(0));
        }
        assert!(matches!(once.ask(key(0), port().0), Turn::Answered));
        assert!(matches!(once.ask(key(9), port().0), Turn::Answered));
        assert!(matches!(once.ask(key(1), port().0), Turn::Begin));
        assert!(matches!(once.ask(key(3), port().0), Turn::Answered));
    }

    #[test]
    fn a_crowd_of_askers_is_bounded() {
        let mut once = Once::new();
        let told: Vec<_> = (0..WAITERS + 1)
            .map(|_| {
                let (reply, told) = port();
                once.ask(key(1), reply);
                told
            })
            .collect();
        let refused = told.into_iter().filter_map(|mut told| told.try_recv().ok()).collect::<Vec<_>>();
        assert_eq!(refused, [Err(NodeError::busy("the call"))]);
    }
}
