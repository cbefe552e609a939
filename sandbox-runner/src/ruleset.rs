//! The Landlock ruleset of a policy.
//!
//! Landlock is a list of what is allowed: everything the kernel can refuse is handled, and then granted back. Where a session has a root
//! of its own ([`crate::root`]), that decides what there is, and the rules say again what of it may be written ([`Ruleset::grant_writable`]).
//! Where it has not, a hidden path is one that no rule covers, which means that no directory above it may be granted whole ([`readable`]);
//! and Landlock does not hold metadata (names, sizes, modes) of any file, connecting to a named Unix socket before ABI 9, and a read-only
//! place inside a writable directory, such as `.git/hooks`.
#![expect(unsafe_code, reason = "in a child, rules are added by the bare calls")]

mod devices;
mod readable;
mod writable;

use capstan_types::launch::Refusal;
use capstan_types::path::AbsPath;
use capstan_types::policy::{SandboxMode, SandboxPolicy};
use landlock::{ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, RulesetAttr, RulesetCreated, Scope};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The oldest ABI that holds what a sandbox promises: before it, a file that may not be written could still be emptied.
const OLDEST: u32 = 3;
/// The newest ABI whose rights are used. A newer kernel handles the same rights.
const NEWEST: u32 = 7;

const REMEDY: &str = "run a kernel of Linux 6.2 or later with CONFIG_SECURITY_LANDLOCK and `landlock` in the `lsm=` boot parameter, \
                      or choose danger-full-access on a host that is itself disposable";

/// A ruleset in the kernel, ready to be applied.
#[derive(Debug)]
pub(crate) struct Ruleset {
    fd: OwnedFd,
    abi: u32,
    rights: Rights,
    network: BitFlags<AccessNet>,
    scope: BitFlags<Scope>,
}

impl Ruleset {
    /// The kernel's handle.
    pub(crate) const fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// The ABI whose rights are all handled.
    pub(crate) const fn abi(&self) -> u32 {
        self.abi
    }

    /// What is handled, with the kernel's numbers.
    pub(crate) fn handled(&self) -> String {
        format!("fs={:#x} net={:#x} scope={:#x}", self.rights.all.bits(), self.network.bits(), self.scope.bits())
    }

    /// The session's own terminal, however little else it may use. By its open descriptor, not its name: which file `/dev/pts/N` names
    /// depends on who looks.
    pub(crate) fn grant_terminal(&self, terminal: BorrowedFd<'_>) -> io::Result<()> {
        self.add(terminal, self.rights.device)
    }

    /// The rules of every session with a root of its own, from inside it. They can be added before it is known what else is shown there.
    pub(crate) fn grant_base(&self) -> io::Result<()> {
        self.grant_place(Path::new("/"), self.rights.read)?;
        // Programs speak to themselves through it; what would change the host is mounted read-only.
        self.grant_place(Path::new("/proc"), self.rights.read | AccessFs::WriteFile)?;
        self.grant_place(Path::new("/dev/pts"), self.rights.device | AccessFs::ReadDir)?;
        for device in devices::HARMLESS {
            present(self.grant_place(Path::new(device), self.rights.device))?;
        }
        Ok(())
    }

    /// And what of it one session may write, when that is shown.
    pub(crate) fn grant_writable<'a>(&self, mut writable: impl Iterator<Item = &'a Path>) -> io::Result<()> {
        writable.try_for_each(|place| present(self.grant_place(place, self.rights.write)))
    }

    fn grant_place(&self, place: &Path, access: BitFlags<AccessFs>) -> io::Result<()> {
        let opened = File::options().read(true).custom_flags(libc::O_PATH | libc::O_CLOEXEC).open(place)?;
        self.add(opened.as_fd(), access)
    }

    fn add(&self, place: BorrowedFd<'_>, access: BitFlags<AccessFs>) -> io::Result<()> {
        add_rule(self.fd.as_fd(), place, access)
    }
}

/// Allows `access` on `place` and, if it is a directory, on all below. A file is refused what only a directory can be given.
fn add_rule(ruleset: BorrowedFd<'_>, place: BorrowedFd<'_>, access: BitFlags<AccessFs>) -> io::Result<()> {
    let rule = Rule { access: access.bits(), place: place.as_raw_fd() };
    // SAFETY: both descriptors are open, and the struct is live and of the kernel's layout.
    let added = unsafe {
        libc::syscall(libc::SYS_landlock_add_rule, ruleset.as_raw_fd(), PATH_BENEATH, (&raw const rule).cast::<libc::c_void>(), 0)
    };
    if added < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

const PATH_BENEATH: libc::c_int = 1;

/// `struct landlock_path_beneath_attr` of the kernel.
#[repr(C, packed)]
struct Rule {
    access: u64,
    place: libc::c_int,
}

/// Not every session has each of these.
fn present(done: io::Result<()>) -> io::Result<()> {
    done.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// The rules that most policies have in common where a session sees the host's own root: reading what is not hidden, without a network.
#[derive(Debug)]
pub(crate) struct Common {
    rules: Rules,
    hidden: readable::Hidden,
    listed: readable::Listed,
}

impl Common {
    /// Makes them ahead, for sessions from which these paths are hidden.
    pub(crate) fn make(hidden: &[AbsPath]) -> Option<Self> {
        let hidden = readable::Hidden::resolve(hidden).ok()?;
        Self::of(usable(crate::probe::landlock_abi()).ok()?, false, hidden).ok()
    }

    fn of(abi: ABI, network: bool, hidden: readable::Hidden) -> Result<Self, Refusal> {
        let rights = Rights::of(abi);
        let rules = Rules { fd: create(abi, rights, network)?, rights };
        let listed = readable::grant(&rules, &hidden)?;
        devices::grant(&rules)?;
        Ok(Self { rules, hidden, listed })
    }

    /// Whether they are what would be made now. What came to be since they were made is not covered by them.
    fn serve(&self, hidden: &readable::Hidden) -> bool {
        self.hidden == *hidden && self.listed.is_as_it_was()
    }
}

/// Builds the ruleset of `policy` for a session that sees the host's own root, upon what was made ahead if that serves.
pub(crate) fn build(policy: &SandboxPolicy, ahead: Option<Common>) -> Result<Ruleset, Refusal> {
    let abi = usable(crate::probe::landlock_abi())?;
    let hidden = readable::Hidden::resolve(&policy.hidden)?;
    let network = policy.network.is_full();
    let common = match ahead.filter(|ahead| !network && ahead.serve(&hidden)) {
        Some(common) => common,
        None => Common::of(abi, network, hidden)?,
    };
    if policy.mode == SandboxMode::WorkspaceWrite {
        writable::grant(&common.rules, &policy.writable, &common.hidden)?;
    }
    Ok(finished(common.rules, abi, network))
}

/// The ruleset of a session with a root of its own, whose rules are added from inside. It leaves the network alone, which is the session's own.
pub(crate) fn begin() -> Result<Ruleset, Refusal> {
    let abi = usable(crate::probe::landlock_abi())?;
    let rights = Rights::of(abi);
    Ok(finished(Rules { fd: create(abi, rights, true)?, rights }, abi, true))
}

/// `network` says, as to [`create`], whether the network is left alone.
fn finished(rules: Rules, abi: ABI, network: bool) -> Ruleset {
    let network = if network || abi < ABI::V4 { BitFlags::empty() } else { AccessNet::from_all(abi) };
    let scope = if abi >= ABI::V6 { Scope::from_all(abi) } else { BitFlags::empty() };
    let Rules { fd, rights } = rules;
    Ruleset { fd, abi: number(abi), rights, network, scope }
}

fn missing(what: &str) -> Refusal {
    Refusal::CannotEnforce { missing: what.to_owned(), remedy: REMEDY.to_owned() }
}

fn usable(kernel: Option<u32>) -> Result<ABI, Refusal> {
    match kernel {
        None => Err(missing("Landlock")),
        Some(old) if old < OLDEST => Err(missing(&format!("Landlock ABI {OLDEST} (the kernel has {old})"))),
        Some(3) => Ok(ABI::V3),
        Some(4) => Ok(ABI::V4),
        Some(5) => Ok(ABI::V5),
        Some(6) => Ok(ABI::V6),
        Some(_) => Ok(ABI::V7),
    }
}

fn number(abi: ABI) -> u32 {
    match abi {
        ABI::V3 => OLDEST,
        ABI::V4 => 4,
        ABI::V5 => 5,
        ABI::V6 => 6,
        _ => NEWEST,
    }
}

/// Hard requirements throughout: the library's default would leave out what the kernel lacks, and say nothing.
fn create(abi: ABI, rights: Rights, network: bool) -> Result<OwnedFd, Refusal> {
    let build = || -> Result<RulesetCreated, landlock::RulesetError> {
        let ruleset = landlock::Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(rights.all)?;
        let ruleset = if !network && abi >= ABI::V4 { ruleset.handle_access(AccessNet::from_all(abi))? } else { ruleset };
        let ruleset = if abi >= ABI::V6 { ruleset.scope(Scope::from_all(abi))? } else { ruleset };
        ruleset.create()
    };
    let created = build().map_err(|error| missing(&format!("Landlock ABI {} ({error})", number(abi))))?;
    Option::from(created).ok_or_else(|| missing("Landlock"))
}

/// Sets of rights, as far as the kernel knows them.
#[derive(Debug, Clone, Copy)]
struct Rights {
    /// All that is handled.
    all: BitFlags<AccessFs>,
    /// Reading and executing files, listing directories.
    read: BitFlags<AccessFs>,
    /// All of `read`, and changing what lies below. Device nodes stay out, for nobody without capabilities can make one.
    write: BitFlags<AccessFs>,
    /// Reading, writing and controlling a terminal or another harmless device.
    device: BitFlags<AccessFs>,
    /// What of any of these a file, which has nothing below, can be given.
    file: BitFlags<AccessFs>,
}

impl Rights {
    fn of(abi: ABI) -> Self {
        let all = AccessFs::from_all(abi);
        let device = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev;
        let kept_back = AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev;
        Self {
            all,
            read: AccessFs::from_read(abi),
            write: all & !kept_back,
            device: device & all,
            file: AccessFs::from_file(abi),
        }
    }
}

/// The ruleset while rules are added.
#[derive(Debug)]
struct Rules {
    fd: OwnedFd,
    rights: Rights,
}

impl Rules {
    /// See [`add_rule`].
    fn add(&self, place: impl AsFd, access: BitFlags<AccessFs>) -> Result<(), Refusal> {
        add_rule(self.fd.as_fd(), place.as_fd(), access).map_err(not_added)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn not_added(error: io::Error) -> Refusal {
    Refusal::Host { step: "add a Landlock rule".to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_without_landlock_is_refused_with_what_to_do() {
        let said = usable(None).unwrap_err().to_string();
        assert!(said.contains("Landlock is missing") && said.contains("lsm="), "{said}");
        assert!(usable(Some(2)).unwrap_err().to_string().contains("Landlock ABI 3"));
    }

    #[test]
    fn the_newest_known_abi_is_used_on_newer_kernels() {
        for (kernel, used) in [(3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (8, 7), (40, 7)] {
            assert_eq!(usable(Some(kernel)).map(number), Ok(used));
        }
    }

    #[test]
    fn nobody_may_make_devices() {
        let rights = Rights::of(ABI::V7);
        assert!(!rights.write.intersects(AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev));
        assert!(rights.write.contains(AccessFs::Truncate | AccessFs::Refer | AccessFs::Execute));
    }
}
