//! A session live on a terminal.

use super::{SOON, Stand};
use capstan_tests::capstan::LiveTerminal;
use capstan_tests::process::Signal;
use capstan_tests::wait;

const LEAVE: &str = "\u{10}\u{11}";

fn attached(stand: &Stand, more: &[&str]) -> (LiveTerminal, String) {
    let attach = stand.sessions().args(["attach", &stand.id()]).args(more.iter().copied()).start_in_terminal();
    let before = attach.modes();
    (attach, before)
}

/// Until keys are no longer echoed: the terminal is the session's.
fn until_raw(attach: &LiveTerminal, before: &str) {
    wait::until_true(SOON, "a terminal in raw mode", || attach.modes() != before);
}

#[test]
fn who_only_looks_types_nothing_and_leaves_it_running() {
    let stand = Stand::on_terminal("echo ready; read x; echo $x > got; sleep 1000");
    let (mut attach, before) = attached(&stand, &[]);
    attach.until("ready");
    until_raw(&attach, &before);
    attach.keys("hello\r");
    attach.keys(LEAVE);
    let shown = attach.ended();
    assert_eq!(shown.code, 0, "{}", shown.text);
    assert!(shown.text.contains("nothing is typed into it; leave with ctrl-p ctrl-q or ctrl-c"), "{}", shown.text);
    assert!(shown.text.contains("which runs on") && !shown.text.contains("hello"), "{}", shown.text);
    assert_eq!(attach.modes(), before);
    // Whatever was sent would have come before this.
    let (mut writer, before) = attached(&stand, &["-w"]);
    until_raw(&writer, &before);
    writer.keys("bye\r");
    stand.until_file("got");
    wait::until_true(SOON, "what was typed", || stand.text("got") == "bye\n");
    writer.keys(LEAVE);
    assert_eq!(writer.ended().code, 0);
    assert!(stand.still_runs());
    stand.end();
}

#[test]
fn who_writes_types_and_resizes_and_gets_the_sessions_exit_code() {
    let watch = "now=$(stty size); [ \"$now\" = \"$last\" ] || echo size $now; last=$now";
    let cmd = format!("until read -t 0.1 x; do {watch}; done; echo got:$x; until read -t 0.1 y; do {watch}; done; exit 7");
    let stand = Stand::on_terminal(&cmd);
    let (mut attach, before) = attached(&stand, &["-w"]);
    until_raw(&attach, &before);
    // The window's size is the session's from the start.
    attach.until("size 40 120");
    attach.keys("abc\r");
    attach.until("got:abc");
    attach.resize(33, 77);
    attach.until("size 33 77");
    attach.keys("\r");
    let shown = attach.ended();
    assert_eq!(shown.code, 7, "{}", shown.text);
    assert!(shown.text.contains("has ended: exit 7"), "{}", shown.text);
    assert_eq!(attach.modes(), before);
    stand.end();
}

#[test]
fn a_killed_look_leaves_the_session_and_a_signal_gives_the_terminal_back() {
    let stand = Stand::on_terminal("echo ready; sleep 1000");
    let (mut killed, before) = attached(&stand, &["--write"]);
    until_raw(&killed, &before);
    killed.send(Signal::Kill);
    let _ = killed.ended();
    assert!(stand.still_runs());
    let (mut told, before) = attached(&stand, &["--write"]);
    until_raw(&told, &before);
    told.send(Signal::Terminate);
    assert_eq!(told.ended().code, 143);
    assert_eq!(told.modes(), before);
    assert!(stand.still_runs());
    stand.end();
}

#[test]
fn what_speaks_to_a_terminal_does_not_reach_it_unless_it_is_asked_for() {
    let stand = Stand::on_terminal(
        "printf 'red \\033[31mtext\\033[0m \\033]52;c;ZXZpbA==\\007\\033]0;title\\007\\033[6n end\\n'; sleep 1000",
    );
    let (mut attach, before) = attached(&stand, &["--detach-keys", "ctrl-x"]);
    attach.until("end");
    until_raw(&attach, &before);
    attach.keys("\u{18}");
    let shown = attach.ended();
    assert!(shown.text.contains("red \u{1b}[31mtext\u{1b}[0m  end"), "{:?}", shown.text);
    assert!(!["\u{1b}]", "\u{1b}[6n", "evil"].iter().any(|bad| shown.text.contains(bad)), "{:?}", shown.text);
    let (mut all, before) = attached(&stand, &["--unfiltered"]);
    all.until("\u{1b}]52;c;ZXZpbA==\u{7}");
    until_raw(&all, &before);
    // Without --write ctrl-c leaves, too.
    all.keys("\u{3}");
    assert_eq!(all.ended().code, 0);
    stand.end();
}

#[test]
fn a_session_on_pipes_is_followed_and_left_with_an_interrupt() {
    let stand = Stand::on_pipes("echo one; until [ -e go ]; do sleep 0.05; done; echo two; exit 4");
    let id = stand.id();
    let look = stand.sessions().args(["attach", &id]).start();
    wait::until_true(SOON, "the first line", || look.stdout() == "one\n");
    look.send(Signal::Interrupt);
    let left = look.wait();
    left.assert_code(0);
    assert!(left.stderr.contains("runs on"), "{left}");
    let look = stand.sessions().args(["attach", &id]).start();
    wait::until_true(SOON, "the first line", || look.stdout() == "one\n");
    stand.touch("go");
    let ended = look.wait();
    ended.assert_code(4);
    assert_eq!(ended.stdout, "one\ntwo\n");
    stand.end();
}
