//! What was refused, told once each and not without end: a session can try more hosts than anybody wants to read of.

use capstan_types::launch::Denial;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// How many different denials are told, before a last one says that there were more.
const MOST: usize = 50;

pub(crate) struct Denials {
    report: Box<dyn Fn(Denial) + Send + Sync>,
    told: Mutex<HashSet<(String, String)>>,
}

impl Denials {
    pub(crate) fn new(report: impl Fn(Denial) + Send + Sync + 'static) -> Self {
        Self { report: Box::new(report), told: Mutex::default() }
    }

    /// Tells a denial that has not been told. Under the lock, so that the last one told is the one that says so.
    pub(crate) fn tell(&self, denial: Denial) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() > MOST || !told.insert((denial.act.clone(), denial.reason.clone())) {
            return;
        }
        (self.report)(if told.len() <= MOST { denial } else { more() });
    }
}

fn more() -> Denial {
    Denial { act: "connect to more hosts".to_owned(), reason: format!("more than {MOST} refusals; the others are not listed") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn each_denial_is_told_once_and_the_last_says_that_there_were_more() {
        let (sender, told) = mpsc::channel();
        let denials = Denials::new(move |denial| sender.send(denial).unwrap());
        for at in (0..200).chain(0..200) {
            denials.tell(Denial { act: format!("connect to a{at}:1"), reason: "no".to_owned() });
        }
        drop(denials);
        let told: Vec<Denial> = told.iter().collect();
        assert_eq!(told.len(), MOST + 1);
        assert_eq!(told[MOST], more());
        assert_eq!(told[MOST - 1].act, "connect to a49:1");
    }
}
