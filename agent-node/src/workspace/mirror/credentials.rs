//! How git is told a credential: by its standard input, line by line, and a helper that is a part of its shell.
//!
//! Invariant: a secret is in no argument, no variable of an environment, no setting and no file.

use bytes::Bytes;
use capstan_types::source::{GitCredential, GitUrl, Transport};

/// How often git may ask in one job: each time takes a round of what it was given.
const ROUNDS: usize = 24;

/// Reads what git asks for, then one round from descriptor 3, and answers what is for that host: by TLS, on this
/// host itself, or where it was configured for `http://HOST`. Only builtins of the shell touch a secret.
const HELPER: &str = r#"!f() { test "$1" = get || return 0; host= scheme=; while IFS= read -r line && test -n "$line"; do case $line in host=*) host=${line#host=};; protocol=*) scheme=${line#protocol=};; esac; done; case $scheme,$host in https,*|http,localhost|http,localhost:*|http,127.0.0.1|http,127.0.0.1:*|http,\[::1]|http,\[::1]:*) ;; http,*) host=http://$host;; *) host=;; esac; while IFS= read -r h <&3 && test -n "$h"; do IFS= read -r u <&3; IFS= read -r p <&3; test "$h" != "$host" || printf 'username=%s\npassword=%s\n' "$u" "$p"; done; }; f"#;

/// The settings that make git ask.
pub(super) fn settings() -> [(&'static str, String); 3] {
    // The first one takes back whatever was set before.
    [
        ("credential.helper", String::new()),
        ("credential.helper", HELPER.to_owned()),
        ("credential.useHttpPath", "false".to_owned()),
    ]
}

/// Those that git is told for a URL.
pub(super) fn of<'a>(credentials: &'a [GitCredential], url: &GitUrl) -> impl Iterator<Item = &'a GitCredential> + use<'a> {
    let host = url.port().map_or_else(|| url.host().to_owned(), |port| format!("{}:{port}", url.host()));
    let is_own = matches!(url.host(), "localhost" | "127.0.0.1" | "::1");
    let known_as = match url.transport() {
        Transport::Http if !is_own => format!("http://{host}"),
        Transport::Http | Transport::Https => host,
        Transport::Ssh | Transport::File => String::new(),
    };
    credentials.iter().filter(move |known| known.host == known_as)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::process::{Command, Stdio};

    #[expect(clippy::disallowed_methods, reason = "the helper is a part of a shell, and no session")]
    /// What the helper answers, of credentials that were written to its standard input.
    fn answer(asked: &str, credentials: &[GitCredential]) -> String {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&rounds(credentials)).unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        let script = format!("exec 3</proc/{}/fd/{}; {} get", std::process::id(), file.as_raw_fd(), &HELPER[1..]);
        let mut child =
            Command::new("/bin/sh").args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    }

    #[test]
    fn a_token_goes_over_a_network_in_clear_only_where_it_was_configured_so() {
        let known = |host: &str| GitCredential::new(host, "me".to_owned(), "token".to_owned()).unwrap();
        let given = "username=me\npassword=token\n";
        for (scheme, host, configured, expected) in [
            ("https", "h.example", "h.example", given),
            ("http", "h.example", "h.example", ""),
            ("http", "h.example:8080", "http://h.example:8080", given),
            ("https", "h.example", "http://h.example", ""),
            ("http", "127.0.0.1:8080", "127.0.0.1:8080", given),
            ("http", "[::1]:8080", "[::1]:8080", given),
            ("http", "127.0.0.1.example", "127.0.0.1.example", ""),
            ("ftp", "h.example", "h.example", ""),
        ] {
            let asked = format!("protocol={scheme}\nhost={host}\n\n");
            assert_eq!(answer(&asked, &[known(configured)]), expected, "{scheme}://{host}, for {configured}");
            if !host.starts_with('[') {
                let url = format!("{scheme}://{host}/r").parse::<GitUrl>();
                let is_of = url.is_ok_and(|url| of(&[known(configured)], &url).next().is_some());
                assert_eq!(is_of, !expected.is_empty(), "{scheme}://{host}, for {configured}");
            }
        }
    }
}
