//! Little of the kernel can be reached, and nothing that makes a process more than it was.

use crate::attack::Attack;

const NO_X32: &str = "this kernel is built without the x32 entry";
const NO_MODULES: &str = "this kernel is built without modules";
const NO_KEXEC: &str = "this kernel is built without kexec";
const NO_PORTS: &str = "this kernel is built without ioperm and iopl";

pub(crate) const ATTACKS: &[Attack] = &[
    Attack::inside("kernel-no-new-privs", "no-new-privs", "programs may take rights by being executed"),
    Attack::inside("kernel-seccomp", "seccomp-mode", "every system call is open"),
    Attack::inside("kernel-capabilities", "capabilities", "a process has rights of root").of_root(),
    Attack::inside("kernel-bounding-set", "bounding-set", "a process may get rights of root"),
    Attack::inside("kernel-uid", "uid-zero", "a process is root").of_root(),
    Attack::inside("kernel-groups", "groups", "a process is in root's group").of_root(),
    Attack::inside("kernel-dumps", "dumps", "a crash leaves a dump"),
    Attack::shell(
        "kernel-set-uid",
        "a program gives another user's rights",
        "[ \"$(./other-id -u)\" = 65534 ] && echo ESCAPED the rights of 65534",
    )
    .of_root(),
    Attack::inside("kernel-user-namespace", "unshare-user", "a user namespace is made"),
    Attack::inside("kernel-user-clone", "clone-user", "the same by clone"),
    Attack::inside("kernel-user-clone3", "clone3-user", "the same by clone3"),
    Attack::inside("kernel-user-high-bits", "unshare-high-bits", "the same with other bits set"),
    Attack::inside("kernel-mount-namespace", "unshare-mount", "a mount namespace is made").of_root(),
    Attack::inside("kernel-net-namespace", "unshare-net", "a network namespace is made").of_root(),
    Attack::inside("kernel-pid-namespace", "unshare-pid", "a process namespace is made").of_root(),
    Attack::shell(
        "kernel-unshare-mount",
        "a user namespace is made and a file system mounted",
        "mkdir m; unshare -Urmn sh -c 'mount -t tmpfs x m && echo ESCAPED mounted'",
    ),
    Attack::inside("kernel-setuid", "setuid", "another user is taken on").of_root(),
    Attack::inside("kernel-setgroups", "setgroups", "other groups are taken on").of_root(),
    Attack::inside("kernel-int80", "int80", "the 32-bit entry is used").may_die(),
    Attack::inside("kernel-x32", "x32", "the x32 entry is used").may_die().unseen(NO_X32),
    Attack::inside("kernel-host-name", "host-name", "the machine gets a name").of_root(),
    Attack::inside("kernel-bpf", "bpf", "a map of bpf is made").of_root(),
    Attack::inside("kernel-bpf-load", "bpf-load", "a program of bpf is loaded").of_root(),
    Attack::inside("kernel-perf", "perf", "events are counted"),
    Attack::inside("kernel-userfaultfd", "userfaultfd", "faults are handled"),
    Attack::inside("kernel-userfaultfd-device", "userfaultfd-device", "the same by a device").of_root(),
    Attack::inside("kernel-io-uring", "io-uring", "a ring of requests is made"),
    Attack::inside("kernel-io-uring-register", "io-uring-register", "a ring of requests is set up"),
    Attack::inside("kernel-init-module", "init-module", "a module is loaded").unseen(NO_MODULES),
    Attack::inside("kernel-kexec", "kexec", "another kernel is loaded").unseen(NO_KEXEC),
    Attack::inside("kernel-swapon", "swapon", "the machine's swap").of_root(),
    Attack::inside("kernel-reboot", "reboot", "the machine is started again").of_root(),
    Attack::inside("kernel-acct", "acct", "the machine's accounts").of_root(),
    Attack::inside("kernel-clock", "set-clock", "the machine's clock"),
    Attack::inside("kernel-fanotify", "fanotify", "every file is watched").of_root(),
    Attack::inside("kernel-ioperm", "ioperm", "the ports of the machine").unseen(NO_PORTS),
    Attack::inside("kernel-iopl", "iopl", "all ports of the machine").unseen(NO_PORTS),
    Attack::inside("kernel-quotactl", "quotactl", "the quotas of the machine"),
    Attack::inside("kernel-kvm", "kvm", "a virtual machine").of_root(),
    Attack::inside("kernel-fuse", "fuse", "a file system of one's own").of_root(),
    Attack::inside("kernel-tun", "tun", "a network card of one's own").of_root(),
    Attack::inside("kernel-loop", "loop", "a disk of one's own").of_root(),
    Attack::inside("kernel-devices", "device-odds", "devices that nobody needs").of_root(),
    Attack::inside("kernel-vsock-device", "vsock-device", "the hypervisor").of_root(),
    Attack::inside("kernel-priority-up", "set-priority-up", "a process goes before all others").of_root(),
    Attack::inside("kernel-real-time", "real-time", "a process goes before the kernel's own").of_root(),
    Attack::inside("kernel-keyctl", "keyctl", "the keyring of the session"),
    Attack::inside("kernel-add-key", "add-key", "a key is made"),
    Attack::inside("kernel-request-key", "request-key", "a key is asked for"),
];
