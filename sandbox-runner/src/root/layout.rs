//! What is where, as data.

use std::path::Path;

/// The system's own directories, read-only. Links among them are made again as links.
pub(super) const SYSTEM: [&str; 17] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/opt",
    "/nix",
    "/gnu",
    "/snap",
    "/home/linuxbrew/.linuxbrew",
    // Where names are resolved by, for those who have a network.
    "/run/systemd/resolve",
    "/run/resolvconf",
    // How many processors there are, and in what order.
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
];

/// Toolchains and their caches below a home, read-only; and who commits. What may hold keys is not among them: these are parts of
/// directories, not the directories.
pub(super) const TOOLS: &[&str] = &[
    ".asdf",
    ".bun/bin",
    ".cabal/bin",
    ".cabal/packages",
    ".cargo/bin",
    ".cargo/env",
    ".cargo/git",
    ".cargo/registry",
    ".conda/envs",
    ".config/git/attributes",
    ".config/git/config",
    ".config/git/ignore",
    ".deno/bin",
    ".fnm",
    ".gem/ruby",
    ".ghcup",
    ".gitconfig",
    ".goenv",
    ".gradle/caches",
    ".gradle/wrapper",
    ".ivy2/cache",
    ".jenv",
    ".juliaup",
    ".local/bin",
    ".local/lib",
    ".local/share/mise",
    ".local/share/pnpm",
    ".local/share/uv",
    ".m2/repository",
    ".nvm",
    ".opam",
    ".pyenv",
    ".rbenv",
    ".rustup",
    ".rvm",
    ".sdkman",
    ".stack",
    ".volta",
    "anaconda3",
    "go/bin",
    "go/pkg",
    "miniconda3",
];

/// Directories that each session has for itself, and as what.
pub(super) const PRIVATE: [(&str, &str); 3] =
    [("/tmp", "mode=1777,size=2g"), ("/dev", "mode=0755,size=64k"), ("/dev/shm", "mode=1777,size=2g")];
/// What a private home is.
pub(super) const HOME: &str = "mode=0700,size=1g";
/// The private directories that programs write to.
pub(crate) const SCRATCH: [&str; 2] = ["/tmp", "/dev/shm"];

/// Harmless devices; terminals are the session's own.
pub(super) const DEVICES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// What programs expect beside devices.
pub(super) const DEVICE_LINKS: [(&str, &str); 5] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/ptmx", "pts/ptmx"),
];

/// What of `/proc` changes the host, for those whom the kernel takes for its user.
pub(super) const KERNEL_SWITCHES: [&str; 6] =
    ["/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/sysrq-trigger", "/proc/acpi"];

/// What of `/proc` tells of the whole host.
pub(super) const KERNEL_SECRETS: [&str; 7] = [
    "/proc/kcore",
    "/proc/key-users",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
];

/// Secrets among the system's files. Their modes keep other users out; they are hidden from the one user whom modes do not stop.
pub(super) const SYSTEM_SECRETS: [&str; 8] = [
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/ssl/private",
    "/etc/krb5.keytab",
];

/// What of a home opens doors, or is run by those who log in. Hidden when the home itself is shown, as a workspace or above one.
pub(super) const HOME_SECRETS: &[&str] = &[
    ".aws",
    ".azure",
    ".bash_history",
    ".boto",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".config/gcloud",
    ".config/gh",
    ".config/git/credentials",
    ".config/google-chrome",
    ".config/op",
    ".docker",
    ".git-credentials",
    ".gnupg",
    ".gradle/gradle.properties",
    ".kube",
    ".local/share/keyrings",
    ".m2/settings.xml",
    ".mozilla",
    ".my.cnf",
    ".netrc",
    ".npmrc",
    ".password-store",
    ".pgpass",
    ".pypirc",
    ".ssh",
    ".terraform.d/credentials.tfrc.json",
    ".vault-token",
    ".zsh_history",
];

/// What of a home is run at every login. Read-only when the home itself may be written.
pub(super) const HOME_SCRIPTS: [&str; 10] = [
    ".bash_login",
    ".bash_logout",
    ".bash_profile",
    ".bashrc",
    ".config/autostart",
    ".config/systemd",
    ".gitconfig",
    ".profile",
    ".zprofile",
    ".zshrc",
];

/// Whether the base root shows a place already.
pub(super) fn is_shown(place: &Path) -> bool {
    SYSTEM.iter().any(|shown| place.starts_with(shown))
}

/// Whether a private directory may stand in for this home: one that the system lives in must be seen as it is.
pub(super) fn may_be_private(home: &Path) -> bool {
    home.parent().is_some()
        && !SYSTEM.iter().chain(&SCRATCH).chain(&["/dev", "/proc", "/sys"]).any(|place| home == Path::new(place))
}
