//! With what nodes may ask for repositories: by host, and read from its file each time, so that a token can be changed while the coordinator runs.
//!
//! Invariant: a node is told what the request that it serves needs, and no more.

use capstan_types::source::{GitCredential, GitSource, WorkspaceSource};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The most bytes of a file with a token.
const MOST: u64 = 8192;

/// The credentials of a coordinator. Clones are the same ones.
#[derive(Debug, Clone, Default)]
pub struct GitCredentials(Arc<BTreeMap<String, CredentialFile>>);

/// A user name, and where its token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialFile {
    /// The user's name. Many servers take any with a token.
    pub username: String,
    /// A file with the token alone.
    pub token_file: PathBuf,
}

/// Why a credential cannot be given out. For the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token for {host} cannot be read from `{}`: {reason}; see [git.credentials]", file.display())]
pub struct NoCredential {
    host: String,
    file: PathBuf,
    reason: String,
}

impl GitCredentials {
    /// Those of these hosts, each as `HOST` or `HOST:PORT`; with `http://` before it, for what is asked for without TLS.
    #[must_use]
    pub fn new(hosts: impl IntoIterator<Item = (String, CredentialFile)>) -> Self {
        Self(Arc::new(hosts.into_iter().map(|(host, file)| (host.to_ascii_lowercase(), file)).collect()))
    }

    /// What a node needs to make a workspace of `source`: the credential of its server, and with submodules, which may be of any server, all.
    /// It blocks for small files.
    ///
    /// # Errors
    /// A file cannot be read, or holds no token.
    pub fn of(&self, source: &WorkspaceSource) -> Result<Vec<GitCredential>, NoCredential> {
        let WorkspaceSource::Git(GitSource { url, submodules, .. }) = source else { return Ok(Vec::new()) };
        let server = url.port().map_or_else(|| url.host().to_owned(), |port| format!("{}:{port}", url.host()));
        // `http://HOST` says that the token may go over the network in clear; the node holds it to that.
        let is_for = |host: &str| host.strip_prefix("http://").unwrap_or(host) == server;
        let needed = self.0.iter().filter(|(host, _)| *submodules || is_for(host));
        needed.map(|(host, known)| known.read(host)).collect()
    }
}

impl CredentialFile {
    fn read(&self, host: &str) -> Result<GitCredential, NoCredential> {
        let fail = |reason: String| NoCredential { host: host.to_owned(), file: self.token_file.clone(), reason };
        let size = std::fs::metadata(&self.token_file).map_err(|error| fail(error.to_string()))?.len();
        if size > MOST {
            return Err(fail(format!("it has {size} bytes, and no token has more than {MOST}")));
        }
        let token = std::fs::read_to_string(&self.token_file).map_err(|error| fail(error.to_string()))?;
        GitCredential::new(host, self.username.clone(), token.trim().to_owned()).map_err(|error| fail(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(url: &str, submodules: bool) -> WorkspaceSource {
        WorkspaceSource::Git(GitSource { submodules, ..GitSource::whole(url.parse().unwrap()) })
    }

    #[test]
    fn a_node_is_told_the_credential_of_the_one_server_as_its_file_has_it_now() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let token_file = dir.path().join(name);
            std::fs::write(&token_file, text).unwrap();
            CredentialFile { username: "agent".into(), token_file }
        };
        let (one, other) = (file("one", "first\n"), file("other", "x"));
        let known = GitCredentials::new([("H.example".to_owned(), one.clone()), ("h.example:8443".to_owned(), other)]);
        let told = known.of(&source("https://h.example/r", false)).unwrap();
        assert_eq!((told.len(), told[0].host.as_str(), told[0].expose()), (1, "h.example", "first"));
        assert_eq!(known.of(&source("https://h.example:8443/r", false)).unwrap()[0].expose(), "x");
        assert_eq!(known.of(&source("https://h.example/r", true)).unwrap().len(), 2);
        assert!(known.of(&source("https://else.example/r", false)).unwrap().is_empty());
        assert!(known.of(&WorkspaceSource::Empty).unwrap().is_empty());
        let clear = GitCredentials::new([("http://h.example:8080".to_owned(), one.clone())]);
        assert_eq!(clear.of(&source("http://h.example:8080/r", false)).unwrap()[0].host, "http://h.example:8080");
        std::fs::write(&one.token_file, "second").unwrap();
        assert_eq!(known.of(&source("https://h.example/r", false)).unwrap()[0].expose(), "second");
        std::fs::remove_file(&one.token_file).unwrap();
        let said = known.of(&source("https://h.example/r", false)).unwrap_err().to_string();
        assert!(
            said.starts_with("the token for h.example cannot be read from") && said.ends_with("see [git.credentials]"),
            "{said}"
        );
    }
}
