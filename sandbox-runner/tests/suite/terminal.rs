//! Sessions with a terminal.

use crate::session::{AT_FULL, Launch};
use capstan_types::control::Request;
use capstan_types::launch::{SessionEnd, Stdio, TermSize};

#[test]
fn the_terminal_has_the_size_it_was_given_and_takes_another() {
    let script = "stty size; trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.01; done";
    let session = Launch::shell(script).stdio(Stdio::Terminal(TermSize { rows: 33, cols: 111 })).start();
    let mut client = session.attach(0);
    assert_eq!(client.until("ready\r\n"), "33 111\r\nready\r\n");
    client.send(&Request::Resize(TermSize { rows: 44, cols: 222 }));
    let seen = client.read_to_end();
    assert_eq!((seen.text().as_str(), seen.end), ("44 222\r\n", SessionEnd::Exited { code: 0 }));
}

#[test]
fn all_three_streams_are_the_controlling_terminal() {
    let text = Launch::shell("[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all > /dev/tty && tty > /dev/stdout").terminal().text();
    assert!(text.starts_with("all\r\n/dev/pts/"), "{text}");
}

#[test]
fn pipes_come_without_a_terminal() {
    assert_eq!(Launch::shell("[ -t 1 ] || echo none; (: < /dev/tty) 2>/dev/null || echo neither").text(), "none\nneither\n");
}

#[test]
fn closing_the_input_of_a_terminal_ends_reading_even_in_the_middle_of_a_line() {
    for typed in ["line\n", "half"] {
        let session = Launch::shell("stty -echo; echo ready; cat; echo behind").terminal().start();
        let mut client = session.attach(0);
        client.until("ready\r\n");
        client.type_in(typed);
        client.send(&Request::CloseInput);
        let seen = client.read_to_end();
        let shown = typed.replace('\n', "\r\n");
        assert_eq!((seen.text(), seen.end), (format!("{shown}behind\r\n"), SessionEnd::Exited { code: 0 }));
    }
}

#[test]
fn a_signal_goes_to_the_foreground_alone() {
    // With job control the shell itself is in the background while its command runs.
    let script =
        "set -m; trap 'echo wrong' INT; sh -c 'trap \"echo got; exit 3\" INT; echo ready; while :; do sleep 0.01; done'; echo $?";
    let session = Launch::shell(script).terminal().start();
    let mut client = session.attach(0);
    client.until("ready\r\n");
    client.send(&Request::Signal(libc::SIGINT));
    let seen = client.read_to_end();
    assert_eq!((seen.text().as_str(), seen.end), ("got\r\n3\r\n", SessionEnd::Exited { code: 0 }));
}

#[test]
fn a_signal_reaches_a_program_on_pipes() {
    let session = Launch::shell("trap 'echo got; exit 4' TERM; echo ready; while :; do sleep 0.01; done").start();
    let mut client = session.attach(0);
    client.until("ready\n");
    client.send(&Request::Signal(libc::SIGTERM));
    assert_eq!(client.read_to_end().end, SessionEnd::Exited { code: 4 });
}

#[test]
fn a_program_may_close_its_terminal_and_open_it_again() {
    let text = Launch::shell("exec <&- >&- 2>&-; sleep 0.2; exec < /dev/tty > /dev/tty; echo back").terminal().text();
    assert_eq!(text, "back\r\n");
}

#[test]
fn a_session_cannot_write_to_terminals_of_others() {
    let other = Launch::shell("tty; sleep 1000").terminal().start();
    let mut client = other.attach(0);
    let tty = client.until("\n").trim().to_owned();
    let text = Launch::shell(&format!(
        "(echo hi > {tty}) 2>/dev/null || echo refused; (: < {tty}) 2>/dev/null || echo again; echo own > $(tty)"
    ))
    .terminal()
    .text();
    // With terminals of its own, the same name is its own terminal.
    let expected = if AT_FULL { "hi\r\nown\r\n" } else { "refused\r\nagain\r\nown\r\n" };
    assert_eq!(text, expected);
    client.send(&Request::Kill { by: "a test".into() });
    assert_eq!(client.read_to_end().text(), "");
}
