//! The calls that are decided by their arguments, as data. Each denial says what it would be good for to somebody who wants out.

/// A test of the low 32 bits of an argument. The kernel looks at no more of any argument that is tested here, so a test of all 64 would
/// be passed by setting the rest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Test {
    /// The argument, from 0 on.
    pub(super) argument: u8,
    /// The bits that are looked at.
    pub(super) mask: u32,
    /// Whether the test holds for the values of the set, or for all others.
    pub(super) within: bool,
    /// The values that the looked-at bits are compared with.
    pub(super) set: &'static [u32],
}

/// Tests that must all hold for a call to be denied.
pub(super) type Denial = &'static [Test];

const fn is(argument: u8, set: &'static [u32]) -> Test {
    Test { argument, mask: u32::MAX, within: true, set }
}

const fn is_not(argument: u8, set: &'static [u32]) -> Test {
    Test { argument, mask: u32::MAX, within: false, set }
}

const fn masked(mask: u32, test: Test) -> Test {
    Test { mask, ..test }
}

/// `clone` with a flag that makes a namespace: mounts, cgroups, host names, System V IPC, users, processes, network. Time is missing, for
/// only `clone3` can ask for that.
pub(super) const NAMESPACES: &[Denial] = &[&[masked(0x7e02_0000, is_not(0, &[0]))]];

/// `personality` with anything but: none, a 32-bit machine's name, no randomised addresses (debuggers), both, and the question.
pub(super) const PERSONALITIES: &[Denial] = &[&[is_not(0, &[0, 0x8, 0x0004_0000, 0x0004_0008, u32::MAX])]];

/// Set-user-id and set-group-id. In a workspace whose owner is root, such a file would make everybody root who may execute it outside.
const OTHERS_RIGHTS: u32 = 0o6000;
/// O_CREAT and the bit of O_TMPFILE. Without them nothing is made, and the mode is whatever the register held.
const MAKING: u32 = 0x0040_0040;

/// Modes as the argument 1, 2 or 3.
pub(super) const MODES: [&[Denial]; 3] = [
    &[&[masked(OTHERS_RIGHTS, is_not(1, &[0]))]],
    &[&[masked(OTHERS_RIGHTS, is_not(2, &[0]))]],
    &[&[masked(OTHERS_RIGHTS, is_not(3, &[0]))]],
];
/// Modes of what is opened, as the argument 2 or 3, behind flags.
pub(super) const OPENINGS: [&[Denial]; 2] = [
    &[&[masked(MAKING, is_not(1, &[0])), masked(OTHERS_RIGHTS, is_not(2, &[0]))]],
    &[&[masked(MAKING, is_not(2, &[0])), masked(OTHERS_RIGHTS, is_not(3, &[0]))]],
];

/// `prlimit64` on another process.
pub(super) const OTHERS: &[Denial] = &[&[is_not(0, &[0])]];

/// `ioctl` requests that put keys into a terminal as if typed, take over the console's selection, or load a line discipline.
const TERMINAL: Denial = &[is(1, &[0x5412, 0x541c, 0x5423])];
/// Those of btrfs make and remove volumes, which Landlock does not see, in directories that are only open for reading. Allowed are the
/// ones of every file system: FICLONE, FICLONERANGE, FIDEDUPERANGE.
const VOLUMES: Denial = &[masked(0xff00, is(1, &[0x9400])), is_not(1, &[0x4004_9409, 0x4020_940d, 0xc018_9436])];
/// Those that change what a file is, and need it open for reading only: FS_IOC_SETFLAGS, FS_IOC_SETVERSION, FS_IOC_FSSETXATTR,
/// FS_IOC_ENABLE_VERITY, FS_IOC_SET_ENCRYPTION_POLICY, FAT_IOCTL_SET_ATTRIBUTES.
const FLAGS: Denial = &[is(1, &[0x4008_6602, 0x4008_7602, 0x401c_5820, 0x4080_6685, 0x800c_6613, 0x4004_7211])];

/// The requests of `ioctl` that are denied to all.
pub(super) const REQUESTS: &[Denial] = &[TERMINAL, VOLUMES];
/// The requests that are denied where nothing may be written.
pub(super) const REQUESTS_OF_READERS: &[Denial] = &[TERMINAL, VOLUMES, FLAGS];

const UNIX: u32 = 1;
const INET: u32 = 2;
const INET6: u32 = 10;
const NETLINK: u32 = 16;
/// The part of a socket's type that is not a flag.
const TYPE: u32 = 0xf;

/// Sockets without a network: none but those of this host's programs.
pub(super) const LOCAL_SOCKETS: &[Denial] = &[&[is_not(0, &[UNIX])]];

/// Sockets with a network.
pub(super) const SOCKETS: &[Denial] = &[
    // Packets past the network's own rules, the virtual machine's host, kernel cryptography, and families that few people review.
    &[is_not(0, &[UNIX, INET, INET6, NETLINK])],
    // Raw packets: of IP, only streams and datagrams.
    &[is(0, &[INET, INET6]), masked(TYPE, is_not(1, &[1, 2]))],
    // Protocols that few people review, or that rules for TCP do not see: of IP, only the default, TCP, UDP and what ping uses.
    &[is(0, &[INET, INET6]), is_not(2, &[0, 1, 6, 17, 58])],
    // How programs learn of interfaces is the one that is not about the host as a whole.
    &[is(0, &[NETLINK]), is_not(2, &[0])],
];
