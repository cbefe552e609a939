//! What the server will answer, request by request, and how far it is.

use super::recorded::RecordedRequest;
use super::reply::Reply;
use std::fmt;
use std::sync::Mutex;

type Decision = Box<dyn Fn(&RecordedRequest) -> Reply + Send + Sync>;

/// The answer to one request.
pub enum Step {
    /// This one.
    Fixed(Reply),
    /// One that depends on the request, such as on the id of a session that an earlier call's output names.
    Decided(Decision),
}

impl Step {
    /// An answer that depends on the request.
    pub fn decided(decide: impl Fn(&RecordedRequest) -> Reply + Send + Sync + 'static) -> Self {
        Self::Decided(Box::new(decide))
    }

    fn reply(&self, request: &RecordedRequest) -> Reply {
        match self {
            Self::Fixed(reply) => reply.clone(),
            Self::Decided(decide) => decide(request),
        }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(reply) => reply.fmt(f),
            Self::Decided(_) => f.write_str("Decided"),
        }
    }
}

impl From<Reply> for Step {
    fn from(reply: Reply) -> Self {
        Self::Fixed(reply)
    }
}

/// One answer per request, in order.
#[derive(Debug, Default)]
pub struct Script {
    steps: Vec<Step>,
}

impl Script {
    /// A script without steps.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the answer to the next request.
    #[must_use]
    pub fn then(mut self, step: impl Into<Step>) -> Self {
        self.steps.push(step.into());
        self
    }

    /// Adds the same answer to the next requests.
    #[must_use]
    pub fn then_times(mut self, times: usize, reply: &Reply) -> Self {
        self.steps.extend((0..times).map(|_| Step::Fixed(reply.clone())));
        self
    }
}

/// A script that is being played, and what was asked meanwhile.
#[derive(Debug)]
pub(super) struct Played {
    script: Script,
    requests: Mutex<Vec<RecordedRequest>>,
}

impl Played {
    pub(super) const fn new(script: Script) -> Self {
        Self { script, requests: Mutex::new(Vec::new()) }
    }

    pub(super) const fn steps(&self) -> usize {
        self.script.steps.len()
    }

    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        self.requests.lock().expect("no thread panics with the list").clone()
    }

    /// Records a request and returns its answer. A request that nobody expected gets a refusal which says so.
    pub(super) fn answer(&self, request: &RecordedRequest) -> Reply {
        let number = {
            let mut requests = self.requests.lock().expect("no thread panics with the list");
            requests.push(request.clone());
            requests.len()
        };
        if request.method != "POST" || !request.path.split('?').next().is_some_and(|path| path.ends_with("/responses")) {
            return Reply::refused(404, "not_found", &format!("there is nothing at {} {}", request.method, request.path));
        }
        match self.script.steps.get(number - 1) {
            Some(step) => step.reply(request),
            None => {
                let steps = self.steps();
                Reply::refused(400, "beyond_the_script", &format!("the script has {steps} steps, and this is request {number}"))
            }
        }
    }
}
