//! The place of one attack: a workspace, an outside with secrets and sockets, a victim, and everything that shows a success.

use crate::listeners::Listeners;
use crate::stage::Stage;
use crate::victim::Victim;
use crate::watch::{State, deciding, differences, everything};
use crate::way::Way;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What stands in the files that are secret.
pub(crate) const SECRET: &str = "SECRET-IN-A-FILE";
/// What stands in the variables that are secret.
pub(crate) const SECRET_VARIABLE: &str = "SECRET-IN-A-VARIABLE";

const SECRET_FILES: [&str; 15] = [
    "home/.ssh/id_ed25519",
    "home/.aws/credentials",
    "home/.netrc",
    "home/.config/gh/hosts.yml",
    "home/.config/gcloud/credentials.db",
    "home/.docker/config.json",
    "home/.kube/config",
    "home/.gnupg/secring",
    "home/.npmrc",
    "home/.git-credentials",
    "home/.bash_history",
    "home/.capstan/capstan.db",
    "capstan-home/keys/node.key",
    "node/spool/session-1/output",
    "other-session/secret.txt",
];
const PLAIN_FILES: [&str; 9] = [
    "home/.bashrc",
    "home/.profile",
    "home/.gitconfig",
    "home/.ssh/authorized_keys",
    "home/.local/bin/tool",
    "victim",
    "movable",
    "leaked",
    "tools/run.sh",
];

/// Everything an attack needs. It is gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Arena<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) way: Way,
    pub(crate) tag: String,
    dir: TempDir,
    victim: Victim,
    listeners: Listeners,
    before: (State, State),
}

impl<'a> Arena<'a> {
    /// Lays everything out, and remembers how it was.
    pub(crate) fn new(stage: &'a Stage, way: Way) -> Self {
        let dir = tempfile::Builder::new().prefix("arena-").tempdir_in(stage.path().join("arenas")).expect("a new directory");
        let out = dir.path().join("out");
        for name in SECRET_FILES.iter().chain(&PLAIN_FILES) {
            let path = out.join(name);
            fs::create_dir_all(path.parent().expect("it lies in a directory")).expect("a directory can be made");
            fs::write(path, if SECRET_FILES.contains(name) { SECRET } else { "original\n" }).expect("a file can be written");
        }
        fs::create_dir(out.join("empty")).expect("a directory can be made");
        let tag = dir.path().file_name().map(|name| name.to_string_lossy().replace("arena-", "")).unwrap_or_default();
        let listeners = Listeners::open(&out, &tag, way.user());
        stage.copy_workspace(&dir.path().join("ws"), &out, way);
        way.give(dir.path());
        if way.is_root() {
            set_uid_program(&dir.path().join("ws/other-id"));
        }
        let victim = Victim::start(stage, way, &out, &tag, ipc_key(&tag));
        let before = (everything(&out), deciding(&dir.path().join("ws")));
        Self { stage, way, tag, dir, victim, listeners, before }
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.dir.path().join("ws")
    }

    pub(crate) fn outside(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    /// A file of the arena that belongs to neither side.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What the attacker has to know, by name.
    pub(crate) fn facts(&self) -> Vec<(String, String)> {
        let text = |path: &Path| path.display().to_string();
        let namespace = |kind: &str| fs::read_link(format!("/proc/self/ns/{kind}")).map(|link| text(&link)).unwrap_or_default();
        let mut facts = vec![
            ("OUT", text(&self.outside())),
            ("WS", text(&self.workspace())),
            ("HOME", text(&self.outside().join("home"))),
            ("TAG", self.tag.clone()),
            ("MARK", mark(&self.tag)),
            ("IPC", ipc_key(&self.tag).to_string()),
            ("DISK", disk()),
            ("NS_uts", namespace("uts")),
            ("NS_ipc", namespace("ipc")),
            ("NS_net", namespace("net")),
        ];
        facts.extend(self.listeners.facts());
        facts.extend(self.victim.facts());
        facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Everything that an attack got done outside, in words.
    pub(crate) fn harm(&mut self) -> Vec<String> {
        let mut harm = differences(&self.before.0, &everything(&self.outside()));
        harm.extend(self.listeners.reached());
        harm.extend(self.victim.harm());
        harm.extend(strays(&self.tag));
        harm
    }

    /// The settings in the workspace that an attack changed.
    pub(crate) fn changed_settings(&self) -> Vec<String> {
        differences(&self.before.1, &deciding(&self.workspace()))
    }
}

/// A number for queues of this arena only.
fn ipc_key(tag: &str) -> u32 {
    tag.bytes().fold(17, |key: u32, byte| key.wrapping_mul(31).wrapping_add(u32::from(byte))) & 0x3fff_ffff | 1
}

/// What `sleep` is told, so that a process that was left behind is found.
pub(crate) fn mark(tag: &str) -> String {
    format!("86.{:010}", ipc_key(tag))
}

fn disk() -> String {
    let names = fs::read_dir("/sys/block").into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| !["loop", "ram", "zram", "dm-", "md"].iter().any(|kind| name.starts_with(kind)));
    names.sort();
    names.first().map_or_else(|| "/dev/no-disk".to_owned(), |name| format!("/dev/{name}"))
}

/// A program of another user that takes that user's rights.
fn set_uid_program(path: &Path) {
    fs::copy("/usr/bin/id", path).expect("a program can be copied");
    std::os::unix::fs::chown(path, Some(65534), Some(65534)).expect("root may give it away");
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o6755)).expect("root may do so");
}

/// Files of this arena's name in places that are everybody's. They are removed.
fn strays(tag: &str) -> Vec<String> {
    let name = format!("capstan-{tag}");
    let places = ["/tmp", "/dev/shm", "/var/tmp", "/etc", "/usr/local/bin", "/run", "/opt", "/var/lib", "/root", "/dev"];
    let paths = places.iter().map(|place| Path::new(place).join(&name));
    paths.filter(|path| fs::remove_file(path).is_ok()).map(|path| format!("the host has {}", path.display())).collect()
}
