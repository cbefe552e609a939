//! Cases of a session's own path that a hostile program would try: floods, terminals left in disorder, files that change under a patch.

use crate::session::{Launch, Session, abs};
use capstan_types::control::{Report, Request};
use capstan_types::launch::{SessionEnd, Stdio};
use capstan_types::output::Piece;
use capstan_types::patch_report::PatchDocument;
use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Far above what a holder takes, and far below what passes through it here.
const HOLDER_PEAK_KIB: u64 = 24 * 1024;

fn peak_kib(session: &Session) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", session.holder.process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn a_flood_in_one_line_is_counted_to_the_byte_and_takes_no_memory() {
    let (head, tail, flood) = (4096, 4096, 192_u64 << 20);
    let session = Launch::shell(&format!("head -c {flood} /dev/zero | tr '\\0' a; sleep 1000")).caps(head, tail).start();
    let mut client = session.attach(0);
    let (mut seen, mut dropped) = (0, 0);
    while seen + dropped < flood {
        match client.next().unwrap() {
            Report::Output(Piece::Bytes { bytes, .. }) => {
                assert!(bytes.iter().all(|byte| *byte == b'a'));
                seen += bytes.len() as u64;
            }
            Report::Output(Piece::Gap { bytes, .. }) => dropped += bytes,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen + dropped, flood);
    let peak = peak_kib(&session);
    assert!(peak < HOLDER_PEAK_KIB, "the holder took {peak} KiB");
}

#[test]
fn many_tiny_writes_are_all_there_and_take_no_memory() {
    let session = Launch::shell("i=0; while [ $i -lt 20000 ]; do printf x; i=$((i+1)); done; printf .; sleep 1000").start();
    let text = session.attach(0).until(".");
    assert_eq!(text.len(), 20_001);
    assert!(peak_kib(&session) < HOLDER_PEAK_KIB);
}

#[test]
fn a_terminal_left_in_disorder_is_nobody_elses() {
    let settings = || Launch::shell("stty -a; echo; [ -t 0 ] && echo terminal").terminal().text();
    let before = settings();
    assert!(before.contains("24") && before.contains("80") && before.contains("terminal"), "{before}");
    let mess = "stty raw -echo -isig ixon rows 0 cols 0; stty rows 65535 cols 65535; printf '\\023\\032\\033c'; \
                exec <&- >&- 2>&-; exec 0<>/dev/tty 1>&0 2>&0; stty rows 0 cols 0; exit 7";
    assert_eq!(Launch::shell(mess).terminal().seen().end, SessionEnd::Exited { code: 7 });
    assert_eq!(settings(), before);
}

#[test]
fn a_terminal_that_was_stopped_from_both_sides_is_still_ended() {
    let session = Launch::shell("stty ixon; trap '' TERM HUP INT; echo ready; while :; do echo flood; done").terminal().start();
    let mut client = session.attach(0);
    client.until("ready");
    client.type_in("\u{13}\u{1a}");
    client.send(&Request::Kill { by: "a test".into() });
    assert_eq!(client.read_to_end().end, SessionEnd::Killed { by: "a test".into() });
}

#[test]
fn a_program_holds_its_three_streams_and_no_side_of_a_terminal_that_is_the_nodes() {
    for stdio in [Stdio::PipesNoInput, Stdio::Pipes] {
        let session = Launch::shell("for d in /proc/self/fd/*; do readlink $d; done; echo end").stdio(stdio).at_full().start();
        let text = session.attach(0).until("end\n");
        assert!(!text.contains("ptmx") && !text.contains("socket"), "{text}");
    }
    let text = Launch::shell("ls /proc/$$/fd | tr '\\n' ' '; readlink /proc/[0-9]*/fd/* | grep -c ptmx")
        .terminal()
        .at_full()
        .text_or_failed();
    // The shell keeps its script's place in none: what is there are the streams, and perhaps its own copy of the terminal.
    assert!(text.starts_with("0 1 2 "), "{text}");
    assert!(text.trim_end().ends_with(" 0"), "{text}");
}

impl Launch {
    /// What the program printed, however it ended.
    fn text_or_failed(self) -> String {
        self.seen().text()
    }
}

#[test]
fn files_that_change_under_a_patch_lead_it_nowhere() {
    let dir = tempfile::tempdir_in("/var/tmp").unwrap();
    let (work, outside) = (dir.path().join("work"), dir.path().join("outside"));
    for place in [&work.join("real"), &outside] {
        fs::create_dir_all(place).unwrap();
    }
    fs::write(outside.join("file"), "theirs\n").unwrap();
    fs::write(work.join("real/file"), "mine\n").unwrap();
    std::os::unix::fs::symlink(&outside, work.join("link")).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                exchange(&work.join("real"), &work.join("link"));
            }
        });
        for number in 0..12 {
            let body = format!("*** Add File: real/new{number}\n+x\n*** Add File: link/other{number}\n+x");
            let patch = format!("*** Begin Patch\n{body}\n*** End Patch\n");
            let document = serde_json::to_vec(&PatchDocument { cwd: abs(&work), patch, undo_only: false }).unwrap();
            let launch = Launch::new(&[env!("CARGO_BIN_EXE_capstan-sandbox"), "patch"]).writing(&work).stdio(Stdio::Pipes);
            let session = if number % 2 == 0 { launch.start() } else { launch.at_full().start() };
            let mut client = session.attach(0);
            client.send(&Request::Input(document.into()));
            client.send(&Request::CloseInput);
            client.read_to_end();
        }
        over.store(true, Ordering::Relaxed);
    });
    let names: Vec<_> = fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["file"]);
    assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "theirs\n");
}

#[expect(unsafe_code, reason = "std exchanges no names")]
fn exchange(one: &Path, other: &Path) {
    let text = |path: &Path| CString::new(path.as_os_str().as_bytes()).unwrap();
    let (one, other) = (text(one), text(other));
    // SAFETY: both paths are live C strings.
    let done = unsafe { libc::renameat2(libc::AT_FDCWD, one.as_ptr(), libc::AT_FDCWD, other.as_ptr(), libc::RENAME_EXCHANGE) };
    assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
}
