//! How git is told a credential: by its standard input, line by line, and a helper that is a part of its shell.
//!
//! Invariant: a secret is in no argument, no variable of an environment, no setting and no file.

use bytes::Bytes;
use capstan_types::source::GitCredential;

/// How often git may ask in one job: each time takes a round of what it was given.
const ROUNDS: usize = 24;

/// Reads what git asks for, then one round from descriptor 3, and answers what is for that host. Only builtins of the shell touch a secret.
const HELPER: &str = r#"!f() { test "$1" = get || return 0; host=; while IFS= read -r line && test -n "$line"; do case $line in host=*) host=${line#host=};; esac; done; while IFS= read -r h <&3 && test -n "$h"; do IFS= read -r u <&3; IFS= read -r p <&3; test "$h" != "$host" || printf 'username=%s\npassword=%s\n' "$u" "$p"; done; }; f"#;

/// The settings that make git ask.
pub(super) fn settings() -> [(&'static str, String); 3] {
    // The first one takes back whatever was set before.
    [
        ("credential.helper", String::new()),
        ("credential.helper", HELPER.to_owned()),
        ("credential.useHttpPath", "false".to_owned()),
    ]
}

/// What is written to its standard input.
pub(super) fn rounds(credentials: &[GitCredential]) -> Bytes {
    let round: String = credentials
        .iter()
        .map(|known| format!("{}\n{}\n{}\n", known.host, known.username, known.expose()))
        .chain(["\n".to_owned()])
        .collect();
    Bytes::from(round.repeat(ROUNDS))
}
