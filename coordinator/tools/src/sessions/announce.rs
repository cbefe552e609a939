//! What a turn is told of the sessions of the turns before it.

use super::{ListedSession, SessionTable, shown};
use capstan_types::session::known::SessionChange;

/// What is said, and what is to be stored together with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// For the model.
    pub text: String,
    /// Of each session whose end is said.
    pub changes: Vec<SessionChange>,
}

impl SessionTable {
    /// Says which sessions run on, and which ended since; an end is said once. `None` when there is nothing to say.
    #[must_use]
    pub fn announce(&self) -> Option<Announcement> {
        let live: Vec<_> = self.lock().live.values().cloned().collect();
        let (mut running, mut ended, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for session in live {
            let listed = session.listed();
            match session.how() {
                None => running.push(line(&listed, None)),
                Some(how) if !session.announce() => {
                    ended.push(line(&listed, Some(&how)));
                    changes.push(SessionChange::Announced { number: listed.number });
                }
                Some(_) => {}
            }
        }
        let part = |title: &str, lines: Vec<String>| (!lines.is_empty()).then(|| format!("{title}\n{}\n", lines.join("\n")));
        let running =
            part("Sessions of earlier turns that still run; write_stdin reads and writes them, `sessions` ends them:", running);
        let ended =
            part("Sessions that ended since you last heard of them; write_stdin returns the rest of their output:", ended);
        let text: String = running.into_iter().chain(ended).collect();
        (!text.is_empty()).then(|| Announcement { text: format!("<sessions>\n{text}</sessions>"), changes })
    }
}

fn line(session: &ListedSession, how: Option<&str>) -> String {
    let how = how.map(|how| format!(" - {how}")).unwrap_or_default();
    let untold = if session.untold > 0 { format!(" - {} bytes of new output", session.untold) } else { String::new() };
    format!("{}{how}{untold}", shown(session))
}
