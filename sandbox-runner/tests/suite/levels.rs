//! Hosts that lack something: what a session is worth there, that its proof says so, and that who demands more gets nothing.
//!
//! Things are taken away for real, from the runner alone: by a seccomp filter, or in namespaces that end with it.

use crate::acts::playing;
use crate::client::Client;
use crate::refusals::without;
use crate::session::{Holder, Launch, abs, in_child};
use capstan_types::launch::{Enforced, LaunchAnswer, Refusal};
use capstan_types::policy::Level;
use seccompiler::{BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What takes something away from a runner to be.
type Poverty<'a> = &'a dyn Fn(&mut Command);

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// As the profile of container engines: neither clone nor unshare makes a namespace, and clone3, which it cannot read, is not there.
fn in_a_containers_filter(command: &mut Command) {
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let kinds =
        [libc::CLONE_NEWUSER, libc::CLONE_NEWNS, libc::CLONE_NEWPID, libc::CLONE_NEWIPC, libc::CLONE_NEWUTS, libc::CLONE_NEWNET];
    let rule = |kind: i32| {
        let bits = u64::from(kind.unsigned_abs());
        let is_set = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(bits), bits).unwrap();
        SeccompRule::new(vec![is_set]).unwrap()
    };
    let refused = [libc::SYS_unshare, libc::SYS_setns, libc::SYS_mount, libc::SYS_open_tree, libc::SYS_move_mount];
    let rules = refused.into_iter().map(|call| (call, Vec::new())).chain([(libc::SYS_clone, kinds.map(rule).to_vec())]);
    let answer = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules.collect(), SeccompAction::Allow, answer, arch).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    in_child(command, move || seccompiler::apply_filter(&program).map_err(std::io::Error::other));
    without(command, libc::SYS_clone3, libc::ENOSYS);
}

/// The runner behind a script, which runs in a mount namespace of its own with all rights over it.
#[expect(clippy::disallowed_methods, reason = "the runner, behind a command that sets its stage")]
fn behind(command: &mut Command, flags: &[&str], script: &str) {
    let runner = env!("CARGO_BIN_EXE_capstan-sandbox");
    *command = Command::new("unshare");
    command.args(flags).args(["--", "sh", "-c", &format!("set -e; {script}; exec \"$0\" hold"), runner]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
}

/// Rights over mounts: root has them, others in a user namespace.
fn with_mounts(command: &mut Command, script: &str) {
    let flags: &[&str] = if is_root() { &["-m"] } else { &["--map-current-user", "--keep-caps", "-m"] };
    behind(command, flags, script);
}

/// No user namespace can be made from here on. The limit is that of a namespace which ends with the runner.
fn out_of_user_namespaces(command: &mut Command) {
    behind(command, &["--map-root-user"], "echo 0 > /proc/sys/user/max_user_namespaces");
}

/// Parts of /proc are covered, as container engines do it, so that no whole one may be mounted by less than root.
fn with_masked_proc(command: &mut Command) {
    with_mounts(
        command,
        "mount --bind /dev/null /proc/version; mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys",
    );
}

/// Root of a container that has no users to give away.
fn as_root_of_one_user(command: &mut Command) {
    behind(command, &["--map-root-user", "-m"], "true");
}

/// Root without the right to mount, as container engines start it.
fn as_root_that_may_not_mount(command: &mut Command) {
    behind(command, &["--map-root-user", "-m"], "true");
    if is_root() {
        *command = setpriv(&["--bounding-set=-sys_admin"]);
    }
}

#[expect(clippy::disallowed_methods, reason = "the runner, behind a command that sets its stage")]
fn setpriv(flags: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(flags).args([env!("CARGO_BIN_EXE_capstan-sandbox"), "hold"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// A place to work in and one outside, with everything that shows an escape.
struct Ground {
    dir: TempDir,
    listener: TcpListener,
}

const WORKS: &str = "worked";

impl Ground {
    fn new() -> Self {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        for place in ["work/.git/hooks", "outside"] {
            fs::create_dir_all(dir.path().join(place)).unwrap();
        }
        fs::write(dir.path().join("outside/kept"), "kept").unwrap();
        fs::write(dir.path().join("work/.git/config"), "").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self { dir, listener }
    }

    fn work(&self) -> std::path::PathBuf {
        self.dir.path().join("work")
    }

    /// A session that does its work, and tries what no session may do.
    fn hostile(&self) -> Launch {
        let outside = self.dir.path().join("outside").display().to_string();
        let script = format!(
            "echo 1 > made && mkdir deep && mv made deep/made && [ \"$(cat deep/made | wc -l)\" -eq 1 ] && echo {WORKS}
             (echo x > {outside}/new) 2>/dev/null && echo escaped: wrote
             (: > {outside}/kept) 2>/dev/null && echo escaped: emptied
             rm -f {outside}/kept 2>/dev/null && [ ! -e {outside}/kept ] && [ -e {outside} ] && echo escaped: removed
             kill -0 {} 2>/dev/null && echo escaped: signalled
             unshare -U true 2>/dev/null && echo escaped: a user namespace
             (echo x > .git/hooks/pre-commit) 2>/dev/null && echo hooked
             true",
            std::process::id(),
        );
        Launch::shell(&script).writing(&self.work()).at_full()
    }

    /// Connects to the listener in every way there is.
    fn connecting(&self) -> Launch {
        let port = self.listener.local_addr().unwrap().port().to_string();
        playing("sockets").env("PORT", &port).at_full()
    }

    /// The proof of a session on such a host, in which work goes on and nothing is escaped from.
    fn holds(&self, poor: Poverty<'_>) -> Enforced {
        let (enforced, text, _holder) = started(self.hostile(), poor);
        assert!(text.contains(WORKS) && !text.contains("escaped"), "{text}");
        assert_eq!(text.contains("hooked"), enforced.level < Level::Namespaces, "{text}, at {}", enforced.level);
        assert_eq!(fs::read_to_string(self.dir.path().join("outside/kept")).unwrap(), "kept");
        let (_, text, _holder) = started(self.connecting(), poor);
        assert!(text.contains("act: unix ok"), "{text}");
        assert!(self.listener.accept().is_err(), "somebody connected");
        enforced
    }

    /// Why nothing is started at all.
    fn refuses(&self, poor: Poverty<'_>, change: impl FnOnce(&mut Launch)) -> String {
        let mut launch = self.hostile();
        change(&mut launch);
        match launch.answer_of(poor).0 {
            LaunchAnswer::Refused(refusal @ Refusal::CannotEnforce { .. }) => {
                assert_eq!(fs::read_dir(self.work()).unwrap().count(), 1, "something ran");
                refusal.to_string()
            }
            other => panic!("{other:?}"),
        }
    }
}

fn started(launch: Launch, poor: Poverty<'_>) -> (Enforced, String, Holder) {
    let (answer, holder) = launch.answer_of(poor);
    let LaunchAnswer::Started { enforced, .. } = answer else { panic!("{answer:?}") };
    let text = Client::attach(holder.dir.path(), 0).read_to_end().text();
    (enforced, text, holder)
}

fn demand(level: Level) -> impl Fn(&mut Launch) {
    move |launch| launch.spec.policy.level = level
}

/// The level, and what is said to be missing; and that neither a stronger one nor a session's own user is pretended.
fn assert_worth(poor: Poverty<'_>, level: Level, named: &[&str]) {
    let ground = Ground::new();
    for stronger in [Level::Namespaces, Level::Full].into_iter().filter(|stronger| *stronger > level) {
        let said = ground.refuses(poor, demand(stronger));
        assert!(said.contains(&stronger.to_string()) && named.iter().all(|name| said.contains(name)), "{said}");
    }
    let enforced = ground.holds(poor);
    assert_eq!(enforced.level, level, "{:?}", enforced.missing);
    let missing = enforced.missing.join("; ");
    assert!(named.iter().all(|name| missing.contains(name)), "{missing}");
    assert_eq!(enforced.namespaces.is_empty(), level < Level::Namespaces);
    assert!(enforced.no_new_privs && enforced.capabilities_dropped && enforced.network_closed && enforced.landlock_abi.is_some());
}

/// As strong as this user's sessions get.
fn strongest() -> Level {
    if is_root() { Level::Full } else { Level::Namespaces }
}

#[test]
fn a_whole_host_gives_all_there_is() {
    assert_worth(&|_| {}, strongest(), &[]);
}

#[test]
fn behind_a_containers_filter_landlock_and_seccomp_hold_alone() {
    assert_worth(&in_a_containers_filter, Level::Landlock, &["namespaces: ", "user.max_user_namespaces"]);
}

#[test]
fn where_no_user_namespace_is_left_landlock_and_seccomp_hold_alone() {
    assert_worth(&out_of_user_namespaces, Level::Landlock, &["namespaces: ", "user.max_user_namespaces"]);
}

#[test]
fn where_no_fresh_proc_can_be_mounted_landlock_and_seccomp_hold_alone() {
    assert_worth(&with_masked_proc, Level::Landlock, &["namespaces: "]);
}

#[test]
fn root_without_users_to_give_away_has_namespaces_and_says_whose_user_it_is() {
    assert_worth(&as_root_of_one_user, Level::Namespaces, &["own user: "]);
}

#[test]
fn root_that_may_not_mount_has_namespaces_and_says_whose_user_it_is() {
    assert_worth(&as_root_that_may_not_mount, Level::Namespaces, &["own user: "]);
}

#[test]
fn a_root_that_may_start_nothing_as_root_starts_nothing_without_a_user_for_it() {
    let poverties: [Poverty<'_>; 5] =
        [&in_a_containers_filter, &out_of_user_namespaces, &with_masked_proc, &as_root_of_one_user, &as_root_that_may_not_mount];
    for poor in poverties.into_iter().filter(|_| is_root()) {
        let said = Ground::new().refuses(poor, |launch| launch.spec.root_allowed = false);
        assert!(said.contains("a user of its own"), "{said}");
    }
    let said = Ground::new().refuses(&|_| {}, |launch| {
        launch.spec.policy.level = if is_root() { Level::Landlock } else { Level::Full };
        (launch.spec.root_allowed, launch.spec.strongest) = (false, Some(Level::Landlock));
    });
    assert!(!is_root() || said.contains("a user of its own"), "{said}");
}

#[test]
fn on_an_overlay_a_session_of_root_has_no_user_of_its_own_and_says_so() {
    if !is_root() {
        return;
    }
    let ground = Ground::new();
    let place = ground.dir.path().display().to_string();
    for layer in ["upper", "scratch"] {
        fs::create_dir(ground.dir.path().join(layer)).unwrap();
    }
    let script = format!(
        "cd {place}; mount -t overlay overlay -o lowerdir={place}/work,upperdir={place}/upper,workdir={place}/scratch {place}/work"
    );
    let poor = |command: &mut Command| with_mounts(command, &script);
    let named = format!("`{place}/work` cannot be given to another user");
    for change in [&demand(Level::Full) as &dyn Fn(&mut Launch), &|launch| launch.spec.root_allowed = false] {
        let said = ground.refuses(&poor, change);
        assert!(said.contains(&named), "{said}");
    }
    let enforced = ground.holds(&poor);
    assert_eq!((enforced.level, enforced.uid), (Level::Namespaces, 0));
    assert!(enforced.missing.join("; ").contains(&named), "{:?}", enforced.missing);
    assert!(Path::new(&place).join("upper/deep/made").exists(), "the work was done on the overlay");
}

#[test]
fn without_control_groups_the_highest_level_is_not_reached_and_each_limit_says_what_holds_it() {
    let ground = Ground::new();
    let enforced = ground.holds(&crate::bounded::without_cgroups);
    assert_eq!(enforced.level, strongest().min(Level::Namespaces));
    assert!(!enforced.limits.join(", ").contains("(cgroup "), "{:?}", enforced.limits);
    assert!(enforced.missing.join("; ").contains("cgroup"), "{:?}", enforced.missing);
}

#[test]
fn a_host_without_shared_memory_or_with_a_closed_tmp_takes_nothing_from_a_session() {
    let no_shm = "mount -t tmpfs none /mnt; mkdir /mnt/pts; for d in null zero full random urandom tty ptmx; do touch /mnt/$d; \
                  mount --bind /dev/$d /mnt/$d; done; mount --rbind /mnt /dev";
    for script in [no_shm, "mount --bind /tmp /tmp; mount -o remount,bind,ro /tmp"] {
        let ground = Ground::new();
        let script_of = |command: &mut Command| with_mounts(command, script);
        let mut launch = ground.hostile();
        launch.dir = tempfile::tempdir_in("/var/tmp").unwrap();
        launch.spec.dir = abs(launch.dir.path());
        launch.spec.argv =
            ["sh", "-c", "echo 1 > /dev/shm/x && echo 1 > /tmp/x && cat /dev/shm/x /tmp/x"].map(str::to_owned).to_vec();
        let (enforced, text, _holder) = started(launch, &script_of);
        assert_eq!((enforced.level, text.as_str()), (strongest(), "1\n1\n"), "{:?}", enforced.missing);
        assert!(!Path::new("/tmp/x").exists() && !Path::new("/dev/shm/x").exists());
    }
}
