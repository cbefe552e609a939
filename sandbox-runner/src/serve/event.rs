//! What a holder tells its server, on a pipe: four bytes each, written at once and so never mixed.

use capstan_types::policy::Level;
use std::io::{self, PipeReader, PipeWriter, Read, Write};

/// The levels, by what stands for them.
const LEVELS: [(i32, Level); 4] = [(0, Level::None), (-1, Level::Landlock), (-2, Level::Namespaces), (-3, Level::Full)];

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The holder of this number has a session now, or is about to refuse one.
    Taken(libc::pid_t),
    /// A session of this level was asked for, and has been started.
    Asked(Level),
}

impl Event {
    fn number(self) -> i32 {
        match self {
            Self::Taken(pid) => pid,
            Self::Asked(level) => LEVELS.iter().find(|(_, known)| *known == level).map_or(0, |(number, _)| *number),
        }
    }

    fn of(number: i32) -> Self {
        let level = LEVELS.iter().find(|(known, _)| *known == number).map(|(_, level)| *level);
        level.map_or(Self::Taken(number), Self::Asked)
    }
}

/// A holder's end.
#[derive(Debug)]
pub(super) struct Teller(PipeWriter);

impl Teller {
    /// Says it. A server that is gone need not know.
    pub(super) fn tell(&self, event: Event) {
        let _ = (&self.0).write_all(&event.number().to_ne_bytes());
    }
}

/// Both ends; the server's does not wait.
pub(super) fn pipe() -> io::Result<(PipeReader, Teller)> {
    let (reader, writer) = io::pipe()?;
    crate::kernel::descriptor::set_nonblocking(std::os::fd::AsFd::as_fd(&reader))?;
    Ok((reader, Teller(writer)))
}

/// The next event that has been told.
pub(super) fn next(mut from: &PipeReader) -> Option<Event> {
    let mut number = [0; size_of::<i32>()];
    matches!(from.read(&mut number), Ok(length) if length == number.len()).then(|| Event::of(i32::from_ne_bytes(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_heard() {
        let (reader, teller) = pipe().unwrap();
        let levels = LEVELS.map(|(_, level)| Event::Asked(level));
        let told = [Event::Taken(1), Event::Taken(4_000_000)].into_iter().chain(levels).collect::<Vec<_>>();
        told.iter().for_each(|event| teller.tell(*event));
        assert_eq!(std::iter::from_fn(|| next(&reader)).collect::<Vec<_>>(), told);
    }
}
