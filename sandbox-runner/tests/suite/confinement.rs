//! What a session cannot do to the host, and what it still can do to itself.

use crate::acts::{playing, results};
use crate::client::Client;
use crate::session::{AT_FULL, Launch};
use capstan_types::launch::LaunchAnswer;
use capstan_types::policy::SandboxPolicy;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A process of the same user outside of every session, with a secret in its environment.
struct Outsider(Child);

impl Outsider {
    #[expect(clippy::disallowed_methods, reason = "the test needs a process that is no session")]
    fn new() -> Self {
        Self(Command::new("sleep").arg("1000").env("OUTSIDE_SECRET", "s3cr3t").stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Outsider {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn status(launch: Launch) -> BTreeMap<String, String> {
    let text = launch.text();
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

fn of_itself() -> Launch {
    Launch::new(&["cat", "/proc/self/status"])
}

#[test]
fn a_program_has_no_capability_can_gain_none_and_is_filtered() {
    for policy in [SandboxPolicy::read_only(), SandboxPolicy::workspace_write(Vec::new())] {
        let found = status(of_itself().policy(policy));
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(found[set], "0000000000000000", "{set}");
        }
        assert_eq!((found["NoNewPrivs"].as_str(), found["Seccomp"].as_str()), ("1", "2"));
    }
}

#[test]
fn the_proof_says_what_is_in_force() {
    let session = Launch::new(&["sleep", "1000"]).start();
    let enforced = &session.enforced;
    assert!(enforced.landlock_abi.is_some_and(|abi| (3..=7).contains(&abi)));
    assert!(enforced.seccomp_sha256.as_ref().is_some_and(|hash| hash.len() == 64));
    assert!(enforced.no_new_privs && enforced.capabilities_dropped && enforced.network_closed);
    assert!(enforced.limits.contains(&"ownerless=60000ms (holder)".to_owned()), "{:?}", enforced.limits);
    let seen_from_outside = fs::metadata(format!("/proc/{}/status", session.pid)).unwrap().uid();
    assert_eq!(enforced.uid, seen_from_outside);
    assert_eq!(enforced.namespaces.is_empty(), !AT_FULL);
    // A network of its own needs no rules, and then the proof claims none.
    assert_eq!(enforced.landlock_rights.contains(" net=0x0 "), AT_FULL, "{}", enforced.landlock_rights);
}

#[test]
fn without_a_sandbox_the_proof_claims_none() {
    let launch = || of_itself().policy(SandboxPolicy::full_access());
    let session = launch().start();
    let enforced = &session.enforced;
    assert_eq!((enforced.landlock_abi, &enforced.seccomp_sha256), (None, &None));
    assert!(!enforced.no_new_privs && !enforced.capabilities_dropped && !enforced.network_closed);
    // As free as this very process is.
    let mine = fs::read_to_string("/proc/self/status").unwrap();
    let found = status(launch());
    for name in ["CapEff", "NoNewPrivs", "Seccomp"] {
        let line = format!("{name}:\t{}", found[name]);
        assert!(mine.contains(&line), "{line}");
    }
}

#[test]
fn processes_outside_can_neither_be_signalled_nor_looked_into_and_own_ones_can() {
    let outsider = Outsider::new();
    let found = results(&playing(&format!("tracing {}", outsider.0.id())).text());
    for what in ["signal", "read memory of", "trace"] {
        assert_eq!(found[&format!("{what} child")], "ok", "{what}");
        // In a process namespace there is nobody outside.
        let refused = if AT_FULL { libc::ESRCH } else { libc::EPERM };
        assert_eq!(found[&format!("{what} outside")], refused.to_string(), "{what}");
    }
    assert_eq!((found["environ of child"].as_str(), found["environ of outside"].as_str()), ("ok", "hidden"));
}

#[test]
fn the_holder_is_closed_to_its_user_even_where_there_is_no_sandbox() {
    // As an ordinary user, for root may look into everything. The runner must lie where such a user can execute it.
    let place = tempfile::tempdir_in("/tmp").unwrap();
    let runner = place.path().join("runner");
    fs::copy(env!("CARGO_BIN_EXE_capstan-sandbox"), &runner).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let launch = Launch::shell("cat /proc/$PPID/environ /proc/$PPID/maps /proc/$$/environ 2>&1 | tr '\\0' '\\n'");
    let launch = launch.policy(SandboxPolicy::full_access()).env("OWN", "visible");
    let is_root = fs::metadata(launch.dir.path()).unwrap().uid() == 0;
    if is_root {
        chown(launch.dir.path(), Some(65534), Some(65534)).unwrap();
    }
    let (answer, holder) = launch.answer_of(|command| {
        *command = at(&runner);
        command.arg("hold").env("DAEMON_SECRET", "s3cr3t").stdin(Stdio::piped()).stdout(Stdio::piped());
        if is_root {
            command.uid(65534).gid(65534);
        }
    });
    assert!(matches!(answer, LaunchAnswer::Started { .. }), "{answer:?}");
    let text = Client::attach(holder.dir.path(), 0).read_to_end().text();
    assert!(text.contains("OWN=visible"), "{text}");
    assert!(!text.contains("s3cr3t") && text.contains("Permission denied"), "{text}");
}

#[expect(clippy::disallowed_methods, reason = "the runner, where an ordinary user can execute it")]
fn at(program: &Path) -> Command {
    Command::new(program)
}

#[test]
fn limits_can_be_set_on_oneself_and_not_on_the_holder() {
    let outsider = Outsider::new();
    let act = format!("limits {}", outsider.0.id());
    let found = results(&playing(&act).text());
    assert_eq!((found["read own"].as_str(), found["set own"].as_str()), ("ok", "ok"));
    assert_eq!(found["set outside"], libc::EPERM.to_string());
    assert_eq!(results(&playing(&act).policy(SandboxPolicy::full_access()).text())["set outside"], "ok");
}

#[test]
fn parts_of_the_kernel_that_no_tool_needs_are_closed() {
    let found = results(&playing("kernel").terminal().text());
    for call in ["unshare user", "io_uring", "keyring", "bpf", "type into terminal", "type with garbage"] {
        assert_eq!(found[call], libc::EPERM.to_string(), "{call}");
    }
    assert_eq!(found["clone3"], libc::ENOSYS.to_string());
    assert_eq!(found["thread"], "ok");
}
