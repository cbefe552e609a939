//! By what workspaces are used at this moment: sessions of the node's, and any process that works in them, such as one of another node that
//! shares the directory, or a person's shell.

use crate::journal::{Journal, Stage};
use capstan_types::id::ThreadId;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// How many sessions are read of the journal at once.
const PAGE: usize = 500;

/// Who uses what now.
#[derive(Debug, Default)]
pub(super) struct Users {
    sessions: BTreeMap<ThreadId, usize>,
    /// Where processes work, and their numbers.
    processes: Vec<(PathBuf, String)>,
}

impl Users {
    pub(super) fn now(journal: &Journal) -> Self {
        let mut users = Self::default();
        let mut after = None;
        loop {
            let page = journal.sessions(after, PAGE);
            for kept in page.iter().filter(|kept| !matches!(kept.stage, Stage::Ended(_))) {
                *users.sessions.entry(kept.intent.thread).or_default() += 1;
            }
            after = page.last().map(|kept| kept.intent.session);
            if page.len() < PAGE {
                break;
            }
        }
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        users.processes = processes
            .filter_map(|entry| {
                let number =
                    entry.file_name().into_string().ok().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))?;
                // One of somebody else's cannot be seen, and is none of the node's.
                Some((fs::read_link(entry.path().join("cwd")).ok()?, number))
            })
            .collect();
        users
    }

    /// Who uses the workspace of a thread, which lies at `path`; in words.
    pub(super) fn of(&self, thread: ThreadId, path: &Path) -> Option<String> {
        let sessions = self
            .sessions
            .get(&thread)
            .map(|count| if *count == 1 { "1 session".to_owned() } else { format!("{count} sessions") });
        let process =
            || self.processes.iter().find(|(cwd, _)| cwd.starts_with(path)).map(|(_, number)| format!("process {number}"));
        sessions.or_else(process)
    }
}
