//! One bare mirror per repository and node, from which all checkouts are made.
//!
//! A mirror consists of packs, of a list of refs, and of nothing that git would obey. Git fetches into a new repository beside it, which borrows its
//! objects; what has come is moved over when it is whole: packs first, then the refs that need them. So a fetch that is cut off at any moment
//! leaves the mirror as it was, and no program that speaks with a server can write to one.

mod credentials;
mod keep;
mod progress;
mod refs;
mod repository;
mod said;

pub(crate) use progress::Progress;
pub(crate) use refs::{Refs, for_checkout};
pub(crate) use repository::{fetched_config, link_objects, skeleton};
pub(crate) use said::FULL;

use crate::error::NodeError;
use crate::node::load::space;
use crate::session::launcher::Launcher;
use crate::workspace::flight::Flights;
use crate::workspace::git_job::{self, GitJob};
use crate::workspace::telling::Teller;
use capstan_egress::address;
use capstan_types::id::SessionId;
use capstan_types::path::AbsPath;
use capstan_types::policy::{HostRule, Network, SandboxPolicy};
use capstan_types::source::{GitCredential, GitSource, GitUrl, History, Revision, Transport};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How long one fetch may take.
const DEADLINE: Duration = Duration::from_secs(1800);

/// How many mirrors are fetched at once on a node. Full: the next one waits its turn.
const AT_ONCE: usize = 4;

/// Mirrors may take as much as this part of what is free.
const SHARE: u64 = 4;

/// Where the sandbox's way out listens inside.
const PROXY: &str = "http://127.0.0.1:3128";

/// From how many packs on they are made one: git looks into each of them for each object.
const MANY_PACKS: usize = 32;

/// The mirrors of a node. Clones are the same ones.
#[derive(Debug, Clone)]
pub(crate) struct Mirrors {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: AbsPath,
    /// Where fetches are made: on the same file system, and emptied when the node starts.
    aside: PathBuf,
    launcher: Arc<Launcher>,
    flights: Flights<String>,
    turns: Semaphore,
    /// When the last fetch of each mirror began, in this life.
    fetched: std::sync::Mutex<std::collections::HashMap<String, (Instant, Wanted, Found)>>,
}

/// What a fetch was for.
type Wanted = Option<String>;

/// Who asks for a repository, and with what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) policy: Option<&'a SandboxPolicy>,
    pub(crate) credentials: &'a [GitCredential],
}

/// A mirror that has a revision.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    /// Its directory.
    pub(crate) dir: PathBuf,
    pub(crate) found: Found,
    pub(crate) fetched_bytes: u64,
    /// Whether it was there before.
    pub(crate) reused: bool,
}

/// A revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) commit: String,
    /// The branch of that name, if it is one.
    pub(crate) branch: Option<String>,
}

impl Mirrors {
    /// Those that lie in `dir`, which is there, and are fetched in `aside`.
    pub(crate) fn new(dir: AbsPath, aside: PathBuf, launcher: Arc<Launcher>) -> Self {
        let (flights, turns, fetched) = (Flights::default(), Semaphore::new(AT_ONCE), std::sync::Mutex::default());
        Self { inner: Arc::new(Inner { dir, aside, launcher, flights, turns, fetched }) }
    }

    /// Has a revision of a repository here. Whoever asks for the same while it is fetched waits for that.
    pub(crate) async fn ready(&self, source: &GitSource, asker: Asker<'_>, teller: &mut Teller) -> Result<Ready, NodeError> {
        // What was fetched before is for no one who could not fetch it now: of the host's directories by what they may see, and of a server by
        // their credential, which is a part of the key.
        self.asks(&source.url, asker)?;
        let (key, asked_at) = (key(source, asker.credentials), Instant::now());
        let dir = self.inner.dir.as_path().join(&key);
        let flight = self.inner.flights.of(key.clone());
        let _held = flight.hold(teller).await;
        let _alone = keep::alone(&dir).await.map_err(|error| no_room(&error))?;
        // Somebody has asked the server since, and for this.
        if let Some(found) = self.fetched_since(&key, asked_at, source) {
            keep::used(&dir);
            return Ok(Ready { dir, found, fetched_bytes: 0, reused: true });
        }
        teller.told_to(flight.telling());
        let fetched = self.fetch(&key, &dir, source, asker, teller).await;
        teller.no_longer_told_to_the_last();
        fetched
    }

    /// Keeps mirrors and prepared checkouts within a quarter of what is free on their disk, but for what `in_use` names. It blocks for as long as that takes.
    pub(crate) fn sweep(&self, in_use: &BTreeSet<PathBuf>) {
        let dir = self.inner.dir.as_path();
        let free = space(dir).map_or(0, |room| room.free);
        let freed = keep::sweep(dir, &self.inner.aside, free / SHARE, in_use);
        if freed > 0 {
            tracing::info!(bytes = freed, "mirrors that were not used for long were removed");
        }
    }

    fn fetched_since(&self, key: &str, moment: Instant, source: &GitSource) -> Option<Found> {
        let fetched = self.inner.fetched.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (began, wanted, found) = fetched.get(key)?;
        let is_it = *began >= moment && *wanted == source.revision.as_ref().map(ToString::to_string);
        is_it.then(|| found.clone())
    }

    async fn fetch(
        &self,
        key: &str,
        dir: &Path,
        source: &GitSource,
        asker: Asker<'_>,
        teller: &mut Teller,
    ) -> Result<Ready, NodeError> {
        let began = Instant::now();
        teller.say(format!("waiting for a turn to fetch {}", source.url), None);
        let _turn = self.inner.turns.acquire().await.map_err(|error| NodeError::Unknown(error.to_string()))?;
        let (reused, many_packs) = (Refs::of(dir).is_some(), repository::packs(dir) >= MANY_PACKS);
        let aside = Aside::make(&self.inner.aside).map_err(|error| no_room(&error))?;
        repository::borrowing(&aside.0, dir, source).map_err(|error| no_room(&error))?;
        let job = self.job(&aside.0, dir, source, asker, many_packs)?;
        let doing = format!("fetching {}", source.url);
        teller.say(doing.clone(), None);
        let mut progress = Progress::default();
        let ran = git_job::run(&self.inner.launcher, job, |bytes| {
            progress.hear(bytes, |step, percent| {
                teller.say(format!("{doing}: {step}"), Some(percent));
            })
        })
        .await?;
        if !ran.is_done() {
            return Err(said::why(&ran, source, said::given(asker.credentials, &source.url)));
        }
        let found = found(&ran.result()).ok_or_else(|| NodeError::Unknown("git did not say what it had fetched".to_owned()))?;
        let place = dir.to_owned();
        let taken = tokio::task::spawn_blocking(move || repository::take_in(&aside.0, &place, many_packs));
        let taken = taken.await.map_err(|error| NodeError::Unknown(error.to_string()))?;
        let fetched_bytes = taken.map_err(|error| no_room(&error))?;
        keep::used(dir);
        let wanted = source.revision.as_ref().map(ToString::to_string);
        let mut fetched = self.inner.fetched.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        fetched.insert(key.to_owned(), (began, wanted, found.clone()));
        Ok(Ready { dir: dir.to_owned(), found, fetched_bytes, reused })
    }

    fn job(&self, aside: &Path, mirror: &Path, source: &GitSource, asker: Asker<'_>, repack: bool) -> Result<GitJob, NodeError> {
        let path = |path: &Path| AbsPath::new(path).map_err(|error| NodeError::Unknown(error.to_string()));
        let history = match source.history {
            History::Whole => "whole".to_owned(),
            History::Blobless => "blobless".to_owned(),
            History::Shallow(commits) => commits.to_string(),
        };
        let mut settings = vec![
            ("protocol.allow", "never".to_owned()),
            ("fetch.unpackLimit", "1".to_owned()),
            ("transfer.bundleURI", "false".to_owned()),
            ("fetch.showForcedUpdates", "false".to_owned()),
            // A server that sends less than this for so long is given up.
            ("http.lowSpeedLimit", "1000".to_owned()),
            ("http.lowSpeedTime", "60".to_owned()),
            ("maintenance.auto", "false".to_owned()),
        ];
        settings.extend(credentials::settings());
        settings.push((allowed(source.url.transport()), "always".to_owned()));
        let asked = self.asks(&source.url, asker)?;
        if matches!(asked.network, Network::Hosts(_)) {
            settings.push(("http.proxy", PROXY.to_owned()));
        }
        Ok(GitJob {
            script: include_str!("mirror/fetch.sh"),
            cwd: path(aside)?,
            asked,
            readable: vec![path(mirror)?],
            writable: vec![path(aside)?],
            variables: vec![
                ("CAPSTAN_REVISION", source.revision.as_ref().map(ToString::to_string).unwrap_or_default()),
                ("CAPSTAN_HISTORY", history),
                ("CAPSTAN_REPACK", if repack { "yes".to_owned() } else { String::new() }),
            ],
            settings,
            input: credentials::rounds(asker.credentials),
            deadline: DEADLINE,
        })
    }

    /// What of the host a fetch needs: the directory, or the way to the server.
    fn asks(&self, url: &GitUrl, asker: Asker<'_>) -> Result<SandboxPolicy, NodeError> {
        let hidden = asker.policy.map(|policy| policy.hidden.clone()).unwrap_or_default();
        let mut policy = SandboxPolicy { hidden, ..SandboxPolicy::read_only() };
        let Some(directory) = url.directory() else {
            let by_proxy = url.transport() != Transport::Ssh && self.inner.launcher.has_private_temp();
            policy.network = if by_proxy { Network::Hosts(vec![host_rule(url)?]) } else { Network::Full };
            return Ok(policy);
        };
        let none = || NodeError::NoSource(format!("{url} is no directory of this node that may be read"));
        let real = directory.canonicalize().ok().and_then(|real| AbsPath::new(real).ok()).ok_or_else(none)?;
        // What a session may not see comes into no workspace either.
        let is_hidden =
            policy.hidden.iter().chain(self.inner.launcher.hidden()).any(|place| real.is_within(place) || place.is_within(&real));
        if is_hidden || !self.inner.launcher.admission.shows(&real) {
            return Err(none());
        }
        policy.readable.push(real);
        Ok(policy)
    }
}

/// The rule that opens the way to the server of a URL, wherever it is but at the address where a machine's secrets are handed out.
fn host_rule(url: &GitUrl) -> Result<HostRule, NodeError> {
    let port = url.port().unwrap_or_else(|| if url.transport() == Transport::Http { 80 } else { 443 });
    let host = if url.host().contains(':') { format!("[{}]", url.host()) } else { url.host().to_owned() };
    // A rule that names the address itself would open even that one. A name that leads there is refused where it is dialled.
    if url.host().parse().is_ok_and(|address: IpAddr| address::kind(address) == address::Kind::Metadata) {
        return Err(NodeError::NoSource(format!(
            "{url} is no repository: a machine's own secrets are handed out at that address"
        )));
    }
    let rule = format!("private:{host}:{port}").parse();
    rule.map_err(|error| NodeError::NoSource(format!("{url} cannot be fetched: {error}")))
}

const fn allowed(transport: Transport) -> &'static str {
    match transport {
        Transport::Https => "protocol.https.allow",
        Transport::Http => "protocol.http.allow",
        Transport::Ssh => "protocol.ssh.allow",
        Transport::File => "protocol.file.allow",
    }
}

/// The name of a mirror's directory. What has less than all of a repository has one of its own, and so has what was fetched with another credential:
/// of a revision that a mirror has, no server is asked.
fn key(source: &GitSource, credentials: &[GitCredential]) -> String {
    let kind = match source.history {
        History::Whole => "whole".to_owned(),
        History::Blobless => "blobless".to_owned(),
        History::Shallow(commits) => format!("shallow {commits}"),
    };
    let mut hash = Sha256::new_with_prefix(format!("{}\n{kind}", source.url));
    for known in credentials::of(credentials, &source.url) {
        // Neither holds a line break.
        hash.update(format!("\n{}\n{}", known.username, known.expose()));
    }
    let hash = hash.finalize();
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn found(result: &str) -> Option<Found> {
    let value = |key: &str| result.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap_or_default();
    let (commit, branch) = (value("commit"), value("branch"));
    let is_hash = matches!(commit.len(), 40 | 64) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    // A name that is no plain one cannot be the name of a branch in a configuration.
    let branch = branch.parse::<Revision>().is_ok().then(|| branch.to_owned());
    is_hash.then(|| Found { commit: commit.to_owned(), branch })
}

/// A directory of the node's for one job, removed with this.
#[derive(Debug)]
pub(crate) struct Aside(pub(crate) PathBuf);

impl Aside {
    pub(crate) fn make(dir: &Path) -> io::Result<Self> {
        let path = dir.join(format!("making-{}", SessionId::generate()));
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // What stays is removed with the node's scratch files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A directory of the node's cannot be written.
pub(crate) fn no_room(error: &io::Error) -> NodeError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => NodeError::NoRoom(FULL.to_owned()),
        _ => NodeError::Unknown(format!("the workspace could not be made: {error}")),
    }
}

#[cfg(test)]
mod tests;
