//! What a turn is told of the sessions of the turns before it.

use super::{ListedSession, SessionTable, shown};
use crate::release::Release;
use capstan_types::session::known::SessionChange;

/// What is said, and what is to be stored together with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Announcement {
    /// For the model, if there is anything to say.
    pub text: Option<String>,
    /// Of each session whose end is said, or has been said a turn ago.
    pub changes: Vec<SessionChange>,
    /// Sessions that left the table, for their nodes to forget once the changes are stored.
    pub releases: Vec<Release>,
}

impl SessionTable {
    /// Says which sessions run on, and which ended since; an end is said once. One whose end is said leaves the table if nothing of its
    /// output is untold, and otherwise when the next turn begins: whoever was told of the rest had a turn to read it.
    #[must_use]
    pub fn announce(&self) -> Announcement {
        let live: Vec<_> = self.lock().live.values().cloned().collect();
        let (mut running, mut ended, mut changes, mut releases) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for session in live {
            let listed = session.listed();
            let Some(how) = session.how() else {
                running.push(line(&listed, None));
                continue;
            };
            let said = session.announce();
            if !said {
                ended.push(line(&listed, Some(&how)));
            }
            if said || listed.untold == 0 {
                changes.push(self.close(&session));
                releases.push(session.release());
            } else {
                changes.push(SessionChange::Announced { number: listed.number });
            }
        }
        let part = |title: &str, lines: Vec<String>| (!lines.is_empty()).then(|| format!("{title}\n{}\n", lines.join("\n")));
        let running =
            part("Sessions of earlier turns that still run; write_stdin reads and writes them, `sessions` ends them:", running);
        let ended =
            part("Sessions that ended since you last heard of them; in this turn write_stdin returns their new output:", ended);
        let text: String = running.into_iter().chain(ended).collect();
        let text = (!text.is_empty()).then(|| format!("<sessions>\n{text}</sessions>"));
        Announcement { text, changes, releases }
    }
}

fn line(session: &ListedSession, how: Option<&str>) -> String {
    let how = how.map(|how| format!(" - {how}")).unwrap_or_default();
    let untold = if session.untold > 0 { format!(" - {} bytes of new output", session.untold) } else { String::new() };
    format!("{}{how}{untold}", shown(session))
}
