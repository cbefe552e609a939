//! Certificates for an etcd and its users, made by `openssl`.

use super::program::program;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Certificates that a test makes: files of one directory.
#[derive(Debug, Clone)]
pub struct Certificates {
    dir: PathBuf,
}

impl Certificates {
    /// One authority, and under it the server's certificate and those of the users `root`, `a` and `b`.
    pub(super) fn make(dir: &Path) -> Self {
        let made = Self { dir: dir.to_owned() };
        made.openssl(
            &[
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=authority",
            ],
            "authority",
        );
        for name in ["etcd", "root", "a", "b"] {
            fs::write(dir.join("extensions"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n").expect("a file can be written");
            let subject = format!("/CN={name}");
            made.openssl(
                &["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", &subject],
                &format!("{name}.csr"),
            );
            made.sign(name);
        }
        made
    }

    /// The authority's certificate.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.dir.join("authority.crt")
    }

    /// A certificate (`crt`) or its key (`key`).
    #[must_use]
    pub fn of(&self, name: &str, kind: &str) -> PathBuf {
        self.dir.join(format!("{name}.{kind}"))
    }

    fn openssl(&self, words: &[&str], out: &str) {
        let (out, key) = match out.strip_suffix(".csr") {
            Some(name) => (self.dir.join(out), self.of(name, "key")),
            None => (self.of(out, "crt"), self.of(out, "key")),
        };
        let mut openssl = program("openssl");
        openssl.args(words).arg("-keyout").arg(key).arg("-out").arg(out);
        succeed(openssl);
    }

    fn sign(&self, name: &str) {
        let mut openssl = program("openssl");
        openssl.args(["x509", "-req", "-days", "2", "-CAcreateserial", "-in"]).arg(self.of(name, "csr"));
        openssl.arg("-CA").arg(self.authority()).arg("-CAkey").arg(self.of("authority", "key"));
        openssl.arg("-extfile").arg(self.dir.join("extensions")).arg("-out").arg(self.of(name, "crt"));
        succeed(openssl);
    }
}

fn succeed(mut command: Command) {
    let done = command.output().expect("openssl is not installed: install Debian's package openssl");
    assert!(done.status.success(), "openssl failed: {}", String::from_utf8_lossy(&done.stderr));
}
