//! Reads project instructions through the node where the workspace is, and remembers them as long as the node says that they did not change.

use super::docs::{self, Keeper, Part};
use crate::nodes::host::{FilesRequest, NodeHost};
use capstan_types::docs::{GlobalDoc, ProjectDocs};
use capstan_types::file_read::{FileRead, FilesRead};
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::WorkspaceFacts;
use tokio::sync::Mutex;
use tonic::Status;

/// What was read last.
#[derive(Debug, Default)]
pub struct DocsMemory(Mutex<Option<Seen>>);

#[derive(Debug)]
struct Seen {
    paths: Vec<AbsPath>,
    policy: SandboxPolicy,
    stamp: String,
    files: Vec<FileRead>,
}

impl DocsMemory {
    /// The instructions that hold in a workspace now, the user's own first.
    ///
    /// # Errors
    /// The node did not read them: nothing is known of the project's.
    pub async fn read(
        &self,
        host: &NodeHost,
        wanted: &ProjectDocs,
        facts: &WorkspaceFacts,
        policy: &SandboxPolicy,
    ) -> Result<Vec<Part>, Status> {
        let mut parts: Vec<Part> = wanted.global.as_ref().map(global).into_iter().collect();
        if wanted.max_bytes > 0 {
            let names = docs::names(wanted);
            let directories = docs::directories(facts.top.as_ref(), &facts.root);
            let paths = docs::candidates(&directories, &names);
            let request = FilesRequest {
                cwd: facts.root.clone(),
                paths: paths.clone(),
                root: directories.into_iter().next(),
                max_bytes: u64::from(wanted.max_bytes),
                policy: policy.clone(),
                seen: None,
            };
            let files = self.files(host, request).await?;
            parts.extend(docs::chosen(&paths, &files, names.len(), wanted.max_bytes));
        }
        Ok(parts)
    }

    async fn files(&self, host: &NodeHost, request: FilesRequest) -> Result<Vec<FileRead>, Status> {
        let mut memory = self.0.lock().await;
        let same = |seen: &&Seen| seen.paths == request.paths && seen.policy == request.policy;
        let seen = memory.as_ref().filter(same);
        let request = FilesRequest { seen: seen.map(|seen| seen.stamp.clone()), ..request };
        let (paths, policy) = (request.paths.clone(), request.policy.clone());
        match host.read_files(request).await? {
            FilesRead::Unchanged => match seen {
                Some(seen) => Ok(seen.files.clone()),
                None => Err(Status::internal("the node says that files did not change which it was never asked for")),
            },
            FilesRead::Now { files, .. } if files.len() != paths.len() => {
                Err(Status::internal("the node did not answer for every file"))
            }
            FilesRead::Now { stamp, files } => {
                *memory = stamp.map(|stamp| Seen { paths, policy, stamp, files: files.clone() });
                Ok(files)
            }
        }
    }
}

fn global(doc: &GlobalDoc) -> Part {
    Part { source: doc.source.clone(), keeper: Keeper::User, text: doc.text.clone(), fault: None }
}
