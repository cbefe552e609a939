//! Limits that are counted: each is exceeded by a real program, with cgroups and without, and the end says its name.

use crate::acts::playing;
use crate::bounded::{limited, start};
use crate::session::Launch;
use capstan_types::launch::{SessionEnd, SessionLimit};
use capstan_types::time::Millis;
use std::time::Instant;

const MEBIBYTE: u64 = 1 << 20;

fn end(launch: Launch, cgroups: bool) -> SessionEnd {
    let session = start(launch, cgroups);
    let seen = session.attach(0).read_to_end();
    assert!(session.dir().join("end.json").exists(), "told before it was recorded");
    seen.end
}

/// Expects the limit to be reached, whether or not there are cgroups.
fn reaches(limit: SessionLimit, launch: impl Fn() -> Launch) {
    for cgroups in [true, false] {
        assert_eq!(end(launch(), cgroups), SessionEnd::Limit(limit), "cgroups: {cgroups}");
    }
}

/// A shell that plays `act` in children of its own, so many at once, and ends well whatever becomes of them.
fn in_children(act: &str, count: usize) -> Launch {
    let mut launch = playing(act);
    let player = launch.spec.argv.join(" ");
    let script = format!("for i in $(seq {count}); do {player} & done; wait; exit 0");
    launch.spec.argv = ["sh", "-c", &script].map(str::to_owned).to_vec();
    launch
}

#[test]
fn a_program_that_takes_too_much_memory_is_said_to_have() {
    reaches(SessionLimit::Memory, || limited(playing("memory 200"), |limits| limits.memory = Some(64 * MEBIBYTE)));
}

#[test]
fn memory_is_that_of_the_whole_tree_even_when_the_program_itself_ends_well() {
    reaches(SessionLimit::Memory, || limited(in_children("memory 40", 3), |limits| limits.memory = Some(64 * MEBIBYTE)));
}

#[test]
fn a_session_within_its_limits_is_left_alone_and_a_kill_by_itself_is_not_called_a_limit() {
    for cgroups in [true, false] {
        let tight = |launch| {
            limited(launch, |limits| {
                (limits.memory, limits.processes, limits.cpu_time) = (Some(256 * MEBIBYTE), Some(50), Some(Millis(10_000)));
                (limits.written, limits.output) = (Some(64 * MEBIBYTE), Some(1000));
            })
        };
        assert_eq!(end(tight(Launch::shell("echo hi; sleep 0.6; exit 3")), cgroups), SessionEnd::Exited { code: 3 });
        assert_eq!(end(tight(Launch::shell("kill -9 $$")), cgroups), SessionEnd::Signalled { signal: 9 });
    }
}

#[test]
fn a_memory_bomb_ends_its_own_session_alone() {
    let neighbour = Launch::shell("echo ready; read line; echo $line").stdio(capstan_types::launch::Stdio::Pipes).start();
    let mut client = neighbour.attach(0);
    client.until("ready\n");
    assert_eq!(
        end(limited(playing("memory 400"), |limits| limits.memory = Some(64 * MEBIBYTE)), true),
        SessionEnd::Limit(SessionLimit::Memory)
    );
    client.type_in("well\n");
    assert_eq!(client.read_to_end().text(), "well\n");
}

#[test]
fn processor_time_is_that_of_all_who_ever_were_in_the_session() {
    let limit = |launch| limited(launch, |limits| limits.cpu_time = Some(Millis(400)));
    reaches(SessionLimit::CpuTime, || limit(Launch::shell("while :; do :; done")));
    // One after the other, each for less than the limit, and none left when the shell ends.
    reaches(SessionLimit::CpuTime, || limit(in_children("compute 250", 2)));
}

#[test]
fn a_share_of_a_processor_slows_down() {
    let session = start(limited(playing("compute 200"), |limits| limits.cpu_millis = Some(200)), true);
    let begun = Instant::now();
    assert_eq!(session.attach(0).read_to_end().end, SessionEnd::Exited { code: 0 });
    assert!(begun.elapsed().as_millis() >= 600, "{:?}", begun.elapsed());
}

#[test]
fn bytes_written_to_disk_are_counted_whether_or_not_they_are_kept() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let script = "for i in 1 2 3 4 5 6; do dd if=/dev/zero of=file bs=1M count=2 2>/dev/null; rm file; done; exit 0";
    reaches(SessionLimit::Written, || {
        limited(Launch::shell(script).writing(dir.path()), |limits| limits.written = Some(8 * MEBIBYTE))
    });
    let enough = limited(Launch::shell(script).writing(dir.path()), |limits| limits.written = Some(16 * MEBIBYTE));
    assert_eq!(end(enough, true), SessionEnd::Exited { code: 0 });
}

#[test]
fn a_program_that_writes_too_large_a_file_is_said_to_have() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    reaches(SessionLimit::FileSize, || {
        limited(Launch::new(&["dd", "if=/dev/zero", "of=large", "bs=64k", "count=64"]).writing(dir.path()), |limits| {
            limits.file_bytes = Some(MEBIBYTE);
        })
    });
}

#[test]
fn a_program_that_writes_too_much_output_is_ended_however_little_of_it_is_kept() {
    reaches(SessionLimit::Output, || limited(Launch::new(&["yes"]).caps(100, 100), |limits| limits.output = Some(MEBIBYTE)));
    // So quick that its end comes before its output has been read.
    reaches(SessionLimit::Output, || limited(Launch::shell("head -c 5000 /dev/zero"), |limits| limits.output = Some(4999)));
    let exact = limited(Launch::shell("head -c 5000 /dev/zero"), |limits| limits.output = Some(5000));
    assert_eq!(end(exact, true), SessionEnd::Exited { code: 0 });
}
