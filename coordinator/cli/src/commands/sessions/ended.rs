//! How a session ended: in words, and as an exit code.

use crate::failure::Exit;
use crate::render::text;
use crate::signal_name;
use capstan_types::launch::SessionEnd;

/// In words, such as `exit 0`.
pub(super) fn how(end: &SessionEnd) -> String {
    match end {
        SessionEnd::Exited { code } => format!("exit {code}"),
        SessionEnd::Signalled { signal } => format!("ended by {}", signal_name::name(*signal)),
        SessionEnd::Limit(limit) => format!("ended: its {} ran out", limit.as_str()),
        SessionEnd::Killed { by } => format!("killed by {}", text::line(by)),
        SessionEnd::Unknown { reason } => format!("its end is not known: {}", text::line(reason)),
    }
}

/// The exit code of whoever was attached.
pub(super) fn exit(end: &SessionEnd) -> Exit {
    match end.shell_code().map(u8::try_from) {
        Some(Ok(code)) => Exit::Session(code),
        Some(Err(_)) | None => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_in_words_and_as_a_code() {
        let told = |end: SessionEnd| (how(&end), exit(&end).code());
        assert_eq!(told(SessionEnd::Exited { code: 3 }), ("exit 3".into(), 3));
        assert_eq!(told(SessionEnd::Signalled { signal: 11 }), ("ended by SIGSEGV".into(), 139));
        assert_eq!(told(SessionEnd::Killed { by: "a\u{1b}[2Jb".into() }), ("killed by ab".into(), 137));
        assert_eq!(told(SessionEnd::Unknown { reason: "x".into() }), ("its end is not known: x".into(), 1));
    }
}
