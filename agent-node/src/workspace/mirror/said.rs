//! Why a repository could not be had, in a sentence for whoever asked for it.

use super::credentials;
use crate::error::NodeError;
use crate::workspace::git_job::Ran;
use capstan_types::launch::SessionEnd;
use capstan_types::source::{GitCredential, GitSource, GitUrl};

/// What is said when the disk is full.
pub(crate) const FULL: &str =
    "the disk of this node is full, and the workspace was not made; free some space, or use another node";

/// The exit code of a fetch that found no such revision, and of one that found no commit.
const NO_REVISION: i32 = 5;
const NO_COMMIT: i32 = 6;

/// Whether there was a credential for a URL's host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    Credential,
    Nothing,
}

/// Whether there is a credential for the host of `url` among these.
pub(super) fn given(credentials: &[GitCredential], url: &GitUrl) -> Given {
    if credentials::of(credentials, url).next().is_some() { Given::Credential } else { Given::Nothing }
}

/// Why a fetch failed.
pub(super) fn why(ran: &Ran, source: &GitSource, given: Given) -> NodeError {
    let GitSource { url, revision, .. } = source;
    if ran.is_late() {
        return NodeError::SourceAway(format!(
            "{url} was not fetched within {} minutes; ask for less of its history",
            super::DEADLINE.as_secs() / 60
        ));
    }
    let said = String::from_utf8_lossy(&ran.said);
    let network = meaning(&said, url, given);
    match (&ran.end, revision) {
        (SessionEnd::Exited { code: NO_COMMIT }, _) => {
            NodeError::NoSource(format!("{url} has no commits yet, or no HEAD; name a revision"))
        }
        (SessionEnd::Exited { code: NO_REVISION }, Some(revision)) => network.unwrap_or_else(|| {
            NodeError::NoSource(format!(
                "{url} has no branch, tag or commit `{revision}`, or no longer; look for its name, and try again"
            ))
        }),
        _ => network.unwrap_or_else(|| NodeError::NoSource(format!("{url} could not be fetched: {}", last_line(&said)))),
    }
}

/// What the words of git mean, where they are known.
fn meaning(said: &str, url: &GitUrl, given: Given) -> Option<NodeError> {
    let says = |any: &[&str]| any.iter().any(|words| said.contains(words));
    if says(&["No space left on device", "Disk quota exceeded"]) {
        return Some(NodeError::NoRoom(FULL.to_owned()));
    }
    if says(&[
        "Authentication failed",
        "could not read Username",
        "could not read Password",
        "error: 403",
        "error: 401",
        "Permission denied (",
        "terminal prompts disabled",
    ]) {
        let host = url.host();
        return Some(NodeError::NoSource(match given {
            Given::Credential => format!(
                "{host} does not accept the credentials for {url}: the token is wrong, has expired, or may not read this repository; change it under [git.credentials]"
            ),
            Given::Nothing => {
                format!("{host} asks for credentials for {url}, and there are none; configure them under [git.credentials]")
            }
        }));
    }
    if says(&["Host key verification failed"]) {
        return Some(NodeError::NoSource(format!("the host key of {} is not known, so {url} was not fetched", url.host())));
    }
    if says(&["SSL certificate problem", "server certificate verification failed"]) {
        return Some(NodeError::NoSource(format!(
            "the certificate of {} cannot be verified, so {url} was not fetched",
            url.host()
        )));
    }
    if says(&[
        "Could not resolve",
        "Failed to connect",
        "Couldn't connect",
        "Connection refused",
        "Connection timed out",
        "CONNECT tunnel failed",
        "error: 502",
        "error: 503",
        "error: 504",
        "No route to host",
        "Network is unreachable",
    ]) {
        return Some(NodeError::SourceAway(format!(
            "{} cannot be reached from this node, so {url} was not fetched: {}",
            url.host(),
            last_line(said)
        )));
    }
    if says(&[
        "early EOF",
        "unexpected disconnect",
        "RPC failed",
        "the remote end hung up",
        "transfer closed",
        "Operation too slow",
        "invalid index-pack output",
        "Empty reply",
        "Recv failure",
        "protocol error: bad",
        "pack has bad object",
        "inflate returned",
    ]) {
        return Some(NodeError::SourceAway(format!(
            "the server of {url} broke off in the middle; ask again: {}",
            last_line(said)
        )));
    }
    if says(&["not our ref", "couldn't find remote ref", "unadvertised object"]) {
        return None;
    }
    if says(&[
        "not found",
        "does not appear to be a git repository",
        "error: 404",
        "not a git repository",
        "not valid: is this a git repository",
        "valid ref",
    ]) {
        return Some(NodeError::NoSource(format!(
            "{url} is not a git repository, or not one that may be read; look at its address and at its credentials"
        )));
    }
    None
}

/// The last line that says something, without what a terminal would obey.
fn last_line(said: &str) -> String {
    let line =
        said.split(['\n', '\r', '\0']).map(str::trim).rfind(|line| line.starts_with("fatal:") || line.starts_with("error:"));
    let line = line
        .or_else(|| said.split(['\n', '\r', '\0']).map(str::trim).rfind(|line| !line.is_empty()))
        .unwrap_or("git did not say why");
    line.chars().filter(|char| !char.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn because(code: i32, said: &str, given: Given) -> NodeError {
        let source =
            GitSource { revision: Some("gone".parse().unwrap()), ..GitSource::whole("https://h.example/r".parse().unwrap()) };
        why(&Ran { said: said.as_bytes().to_vec(), end: SessionEnd::Exited { code } }, &source, given)
    }

    #[test]
    fn each_failure_has_its_sentence() {
        let wrong = because(1, "fatal: Authentication failed for 'https://h.example/r/'", Given::Credential).to_string();
        assert!(wrong.contains("does not accept the credentials") && wrong.contains("[git.credentials]"), "{wrong}");
        let none =
            because(1, "fatal: could not read Username for 'https://h.example': terminal prompts disabled", Given::Nothing);
        assert!(none.to_string().contains("there are none"), "{none}");
        let gone = because(5, "fatal: couldn't find remote ref gone", Given::Nothing).to_string();
        assert!(gone.contains("no branch, tag or commit `gone`"), "{gone}");
        for (said, words) in [
            ("fatal: unable to access 'https://h.example/r/': Could not resolve host: h.example", "cannot be reached"),
            ("error: RPC failed; curl 18 transfer closed\nfatal: early EOF", "broke off in the middle"),
        ] {
            let NodeError::SourceAway(told) = because(1, said, Given::Nothing) else { panic!("{said}") };
            assert!(told.contains(words), "{told}");
        }
        assert!(matches!(because(1, "error: file write error: No space left on device", Given::Nothing), NodeError::NoRoom(_)));
        let odd = because(1, "fatal: \x1b[31mwhat\n", Given::Nothing).to_string();
        assert_eq!(odd, "https://h.example/r could not be fetched: fatal: [31mwhat");
    }
}
