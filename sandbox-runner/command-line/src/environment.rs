//! Which of the caller's variables a sandboxed command gets: those that say how to work, not those that open doors.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Names that are passed on.
const NAMES: [&str; 24] = [
    "CC",
    "CFLAGS",
    "CI",
    "COLORTERM",
    "COLUMNS",
    "CXX",
    "CXXFLAGS",
    "DEBUG",
    "EDITOR",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LDFLAGS",
    "LESS",
    "LINES",
    "LOGNAME",
    "NO_COLOR",
    "PAGER",
    "PATH",
    "PWD",
    "SHELL",
    "TERM",
    "TZ",
    "USER",
];
/// Beginnings of names that are passed on.
const FAMILIES: [&str; 20] = [
    "CARGO_",
    "CLICOLOR",
    "CMAKE_",
    "DEBIAN_",
    "FORCE_",
    "GIT_AUTHOR_",
    "GIT_COMMITTER_",
    "GO",
    "GRADLE_",
    "JAVA_",
    "LC_",
    "MAKE",
    "MAVEN_",
    "NODE_",
    "NVM_",
    "PIP_",
    "PYENV_",
    "PYTHON",
    "RUST",
    "VIRTUAL_ENV",
];
/// Parts of names that keep a variable back all the same. `AUTH` is none in `AUTHOR_`, which only says who writes.
const SECRETS: [&str; 8] = ["AUTH", "COOKIE", "CREDENTIAL", "KEY", "PASS", "PRIVATE", "SECRET", "TOKEN"];

/// The environment of the command: what of `all` is harmless, and what was `asked` for by `NAME` or `NAME=VALUE`.
pub(crate) fn of(all: impl Iterator<Item = (OsString, OsString)>, asked: &[OsString]) -> Vec<(OsString, OsString)> {
    let named = |name: &OsStr| asked.iter().any(|asked| asked == name);
    let mut kept: Vec<_> = all.filter(|(name, value)| named(name) || is_harmless(name, value)).collect();
    for (name, value) in asked.iter().filter_map(|asked| split(asked)) {
        kept.retain(|(known, _)| *known != name);
        kept.push((name, value));
    }
    kept
}

fn is_harmless(name: &OsStr, value: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let known = NAMES.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family));
    let upper = name.to_ascii_uppercase().replace("AUTHOR_", "");
    // `://user:password@host`, as registries and proxies are given.
    let opens = String::from_utf8_lossy(value.as_bytes()).split_once("://").is_some_and(|(_, rest)| rest.contains('@'));
    known && !opens && !SECRETS.iter().any(|secret| upper.contains(secret))
}

fn split(asked: &OsStr) -> Option<(OsString, OsString)> {
    let bytes = asked.as_bytes();
    let at = bytes.iter().position(|byte| *byte == b'=')?;
    Some((OsStr::from_bytes(&bytes[..at]).to_owned(), OsStr::from_bytes(bytes.get(at + 1..)?).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(all: &[(&str, &str)], asked: &[&str]) -> Vec<String> {
        let all = all.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let asked: Vec<_> = asked.iter().map(OsString::from).collect();
        of(all, &asked).into_iter().map(|(name, value)| format!("{}={}", name.display(), value.display())).collect()
    }

    #[test]
    fn what_says_how_to_work_is_passed_on_and_what_opens_doors_is_not() {
        let all = [
            ("PATH", "/bin"),
            ("CARGO_HOME", "/c"),
            ("CARGO_REGISTRY_TOKEN", "s"),
            ("OPENAI_API_KEY", "s"),
            ("SSH_AUTH_SOCK", "/s"),
            ("DATABASE_URL", "s"),
            ("PIP_INDEX_URL", "https://u:p@host/simple"),
            ("RUSTFLAGS", "-Cx"),
            ("GIT_AUTHOR_NAME", "A"),
            ("GIT_AUTHOR_TOKEN", "s"),
            ("CARGO_HTTP_AUTHORIZATION", "s"),
            ("PIP_AUTH", "s"),
        ];
        assert_eq!(kept(&all, &[]), ["PATH=/bin", "CARGO_HOME=/c", "RUSTFLAGS=-Cx", "GIT_AUTHOR_NAME=A"]);
    }

    #[test]
    fn a_variable_that_is_asked_for_is_passed_on() {
        let all = [("OPENAI_API_KEY", "s"), ("PATH", "/bin")];
        assert_eq!(kept(&all, &["OPENAI_API_KEY", "PATH=/other", "NEW=a=b"]), ["OPENAI_API_KEY=s", "PATH=/other", "NEW=a=b"]);
    }
}
