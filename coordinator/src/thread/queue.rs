//! The turns that wait for those before them. Pure.

use capstan_types::id::TurnId;
use capstan_types::thread::TurnInput;
use std::collections::VecDeque;

/// Turns that may wait in one thread. Full: whoever queues another is told to try again.
pub const MOST: usize = 64;

/// How much of a prompt stands for its turn in lists, in characters.
const PREVIEW_CHARS: usize = 120;

/// The turns that wait, the next one first, as they are stored with the thread.
#[derive(Debug, Default)]
pub struct TurnQueue(VecDeque<(TurnId, Box<TurnInput>)>);

/// A turn that waits, as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The turn.
    pub turn: TurnId,
    /// The first words of its prompt.
    pub preview: String,
}

impl TurnQueue {
    /// As they were stored.
    #[must_use]
    pub fn of(stored: impl IntoIterator<Item = (TurnId, Box<TurnInput>)>) -> Self {
        Self(stored.into_iter().collect())
    }

    /// Those that wait, in order.
    pub fn turns(&self) -> impl Iterator<Item = TurnId> {
        self.0.iter().map(|(turn, _)| *turn)
    }

    /// Whether another one has room.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.0.len() < MOST
    }

    /// Puts a turn behind the others; gives it back if there is no room.
    ///
    /// # Errors
    /// So many wait already.
    pub fn push(&mut self, turn: TurnId, input: Box<TurnInput>) -> Result<(), Box<TurnInput>> {
        if self.0.len() >= MOST {
            return Err(input);
        }
        self.0.push_back((turn, input));
        Ok(())
    }

    /// The next turn.
    pub fn pop(&mut self) -> Option<(TurnId, Box<TurnInput>)> {
        self.0.pop_front()
    }

    /// How many wait before this one, if it waits.
    #[must_use]
    pub fn before(&self, turn: TurnId) -> Option<usize> {
        self.0.iter().position(|(waits, _)| *waits == turn)
    }

    /// Takes a turn back. Whether it was there.
    pub fn withdraw(&mut self, turn: TurnId) -> bool {
        self.before(turn).and_then(|place| self.0.remove(place)).is_some()
    }

    /// Takes all turns back, and gives their ids.
    pub fn clear(&mut self) -> Vec<TurnId> {
        self.0.drain(..).map(|(turn, _)| turn).collect()
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that wait, in order.
    #[must_use]
    pub fn list(&self) -> Vec<Waiting> {
        let waiting = |(turn, input): &(TurnId, Box<TurnInput>)| Waiting {
            turn: *turn,
            preview: input.text.trim().chars().take(PREVIEW_CHARS).collect(),
        };
        self.0.iter().map(waiting).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> Box<TurnInput> {
        Box::new(TurnInput { text: text.into(), ..TurnInput::default() })
    }

    #[test]
    fn turns_leave_in_the_order_in_which_they_came_unless_they_are_taken_back() {
        let mut queue = TurnQueue::default();
        let [a, b, c] = [1, 2, 3].map(TurnId::from_u128);
        for (turn, text) in [(a, "first"), (b, "second"), (c, " third ")] {
            assert!(queue.push(turn, input(text)).is_ok());
        }
        assert_eq!(queue.before(c), Some(2));
        assert!(queue.withdraw(b) && !queue.withdraw(b));
        let shown: Vec<String> = queue.list().into_iter().map(|waiting| waiting.preview).collect();
        assert_eq!(shown, ["first", "third"]);
        assert_eq!(queue.pop().map(|(turn, _)| turn), Some(a));
        assert_eq!(queue.clear(), [c]);
        assert!(queue.is_empty() && queue.pop().is_none());
    }

    #[test]
    fn a_full_queue_gives_back_what_it_has_no_room_for() {
        let mut queue = TurnQueue::default();
        (0..MOST as u128).for_each(|turn| assert!(queue.push(TurnId::from_u128(turn), input("x")).is_ok()));
        assert_eq!(queue.push(TurnId::from_u128(1000), input("late")).unwrap_err().text, "late");
        assert_eq!(queue.len(), MOST);
    }
}
