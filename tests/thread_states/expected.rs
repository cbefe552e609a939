//! What a thread must come to: the small model that the real one is compared with. Pure.

use capstan_types::id::TurnId;
use std::collections::VecDeque;

/// How often a turn is gone on with after its coordinator's death.
const MOST_TIMES: u32 = 3;

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Completed,
    Interrupted,
    Failed,
}

/// A turn that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Runs {
    pub(crate) turn: TurnId,
    /// What was said to it, its prompt first.
    pub(crate) said: Vec<String>,
    /// How much of that its model was told with the request that waits now.
    pub(crate) told: usize,
    /// How often its coordinator died.
    pub(crate) deaths: u32,
}

/// A thread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) runs: Option<Runs>,
    pub(crate) waits: VecDeque<(TurnId, String)>,
    pub(crate) ended: Vec<(TurnId, End)>,
    /// All that was said and acknowledged, in the order of the turns.
    pub(crate) said: Vec<String>,
}

impl Expected {
    /// Starts a turn; whether it is let.
    pub(crate) fn start(&mut self, turn: TurnId, text: &str) -> bool {
        if self.runs.is_some() {
            return false;
        }
        self.begin(turn, text.to_owned());
        true
    }

    /// Queues a turn; how many are before it.
    pub(crate) fn queue(&mut self, turn: TurnId, text: &str) -> u32 {
        self.waits.push_back((turn, text.to_owned()));
        self.advance();
        self.before(turn)
    }

    /// How many are before a turn.
    pub(crate) fn before(&self, turn: TurnId) -> u32 {
        let place = self.waits.iter().position(|(waits, _)| *waits == turn);
        place.map_or(0, |place| u32::try_from(place + 1).expect("few turns wait"))
    }

    pub(crate) fn withdraw(&mut self, turn: TurnId) {
        self.waits.retain(|(waits, _)| *waits != turn);
    }

    pub(crate) fn steer(&mut self, text: &str) {
        if let Some(runs) = &mut self.runs {
            runs.said.push(text.to_owned());
        }
    }

    pub(crate) fn interrupt(&mut self, withdraw: bool) {
        if withdraw {
            self.waits.clear();
        }
        self.end(End::Interrupted);
    }

    /// The model has answered; with a message its turn ends, unless something was said to it since the model was asked.
    pub(crate) fn answered(&mut self, is_message: bool) {
        let Some(runs) = &mut self.runs else { return };
        if is_message && runs.told == runs.said.len() {
            self.end(End::Completed);
        } else {
            runs.told = runs.said.len();
        }
    }

    pub(crate) fn crash(&mut self) {
        let Some(runs) = &mut self.runs else { return };
        if runs.deaths >= MOST_TIMES {
            self.end(End::Failed);
        } else {
            runs.deaths += 1;
            runs.told = runs.said.len();
        }
    }

    fn end(&mut self, end: End) {
        if let Some(runs) = self.runs.take() {
            self.ended.push((runs.turn, end));
            self.said.extend(runs.said);
        }
        self.advance();
    }

    fn advance(&mut self) {
        if self.runs.is_none()
            && let Some((turn, text)) = self.waits.pop_front()
        {
            self.begin(turn, text);
        }
    }

    fn begin(&mut self, turn: TurnId, text: String) {
        self.runs = Some(Runs { turn, said: vec![text], told: 1, deaths: 0 });
    }

    /// All that was said to turns that began.
    pub(crate) fn all_said(&self) -> Vec<String> {
        self.said.iter().chain(self.runs.iter().flat_map(|runs| &runs.said)).cloned().collect()
    }
}
