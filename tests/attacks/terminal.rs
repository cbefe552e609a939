//! Puts an attack in front of a terminal, and reads what the next one to read from it would get.

use crate::arena::Arena;
use crate::command::{attacker, environment, words};
use capstan_tests::wait;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The operator's shell: it runs the command, and then reads a line from its terminal.
const SHELL: &str = r#"stty -echo -icanon min 0 time 5; "$@"; got=$(dd bs=4096 count=1 2>/dev/null)
case $got in *HOSTILE*) echo RESULT: injected;; *) echo RESULT: nothing;; esac"#;

/// Runs the attacker's function so.
pub(crate) fn inject(arena: &Arena<'_>, name: &str) -> (Vec<String>, Result<(), String>) {
    let pair = native_pty_system().openpty(PtySize::default()).expect("this machine has terminals");
    let mut command = CommandBuilder::new("/bin/sh");
    command.env_clear();
    command.env("PATH", "/usr/bin:/bin");
    environment(arena).iter().for_each(|(name, value)| command.env(name, value));
    command.args(["-c", SHELL, "sh"]);
    command.args(words(arena, &attacker(arena, name)));
    command.cwd(arena.workspace());
    let mut reader = pair.master.try_clone_reader().expect("a terminal can be read");
    let mut child = pair.slave.spawn_command(command).expect("a shell can be started");
    drop(pair.slave);
    let shown = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&shown);
    let reading = thread::spawn(move || {
        let mut bytes = [0; 512];
        while let Ok(count @ 1..) = reader.read(&mut bytes) {
            kept.lock().expect("nobody panics with it").extend_from_slice(&bytes[..count]);
        }
    });
    let text = || String::from_utf8_lossy(&shown.lock().expect("nobody panics with it")).into_owned();
    wait::until_true(Duration::from_secs(30), "the end of a shell in a terminal", || {
        text().contains("RESULT:") || reading.is_finished()
    });
    let _ended = child.kill();
    let _reaped = child.wait();
    let text = text();
    let got = if text.contains("RESULT: injected") {
        vec!["bytes were pushed into the terminal's input".to_owned()]
    } else {
        Vec::new()
    };
    (got, if text.contains("DONE") { Ok(()) } else { Err(text) })
}
