//! Output is replayed from any byte; what was not kept is counted exactly.

use super::{SOON, Stand};
use capstan_tests::capstan::Run;
use capstan_tests::wait;
use regex::Regex;
use serde_json::Value;
use std::fs;

/// Numbered lines, of which the middle is not kept, and then silence.
const MUCH: &str = "seq 1000000 1400000; echo written > written; sleep 1000";

/// All that [`MUCH`] writes.
fn written() -> String {
    (1_000_000..=1_400_000).map(|number| format!("{number}\n")).collect()
}

/// The only hole that a run told of: where it begins, and where it ends.
fn hole(run: &Run) -> (usize, usize) {
    let line = Regex::new(r"^\[([\d,]+) bytes were not kept: from (\d+) up to (\d+)\]$").expect("a pattern");
    let told: Vec<_> = run.stderr.lines().filter_map(|text| line.captures(text)).collect();
    assert_eq!(told.len(), 1, "{run}");
    let number = |place: usize| told[0][place].replace(',', "").parse::<usize>().expect("a number");
    assert_eq!(number(1), number(3) - number(2), "{run}");
    (number(2), number(3))
}

#[test]
fn a_replay_across_a_hole_is_exact_from_every_byte() {
    let stand = Stand::on_pipes(MUCH);
    stand.until_file("written");
    let all = written();
    wait::until_true(SOON, "all of the output", || stand.session()["output_bytes"] == all.len());
    let id = stand.id();
    let logs = |from: usize| {
        let run = stand.run(["logs", &id, "--raw", "--from", &from.to_string()]);
        run.assert_code(0);
        run
    };
    let whole = logs(0);
    let (begin, end) = hole(&whole);
    assert_eq!(whole.stdout, format!("{}{}", &all[..begin], &all[end..]));
    assert_eq!((begin, all.len() - end), (1 << 20, 1 << 20));
    // From a byte of the head, of the hole, and of the tail.
    assert_eq!(logs(begin - 9).stdout, format!("{}{}", &all[begin - 9..begin], &all[end..]));
    let within = logs(begin + 5);
    assert_eq!((hole(&within), within.stdout.as_str()), ((begin + 5, end), &all[end..]));
    assert_eq!(logs(all.len() - 11).stdout, all[all.len() - 11..]);
    assert_eq!(logs(all.len()).stdout, "");
    // For a person the hole is a line among the others.
    let clean = stand.run(["logs", &id, "--clean"]);
    assert!(clean.stdout.contains(&format!("bytes were not kept: from {begin} up to {end}]\n")), "no line tells of the hole");
    stand.end();
}

#[test]
fn following_goes_on_to_the_end() {
    let stand = Stand::on_pipes("echo one; until [ -e go ]; do sleep 0.05; done; echo two; exit 3");
    let follower = stand.sessions().args(["logs", "--follow", &stand.id()]).start();
    wait::until_true(SOON, "the first line", || follower.stdout() == "one\n");
    stand.touch("go");
    let run = follower.wait();
    run.assert_code(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("one\ntwo\n", "the session has ended: exit 3\n"));
    stand.end();
}

#[test]
fn a_recording_plays_what_was_written() {
    let stand = Stand::on_terminal("printf 'a\\033[1mb\\303\\251\\n'; echo done > written; sleep 1000");
    stand.until_file("written");
    let id = stand.id();
    wait::until_true(SOON, "all of the output", || stand.session()["output_bytes"] == 10);
    let file = stand.file("cast");
    let run = stand.run(["logs", &id, "--cast", &file.display().to_string()]);
    run.assert_code(0);
    assert_eq!(run.stdout, "a\u{1b}[1mbé\r\n");
    let cast = fs::read_to_string(file).expect("a recording");
    let lines: Vec<Value> = cast.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((&lines[0]["version"], &lines[0]["width"], &lines[0]["height"]), (&2.into(), &80.into(), &24.into()));
    let played: String = lines[1..].iter().filter(|line| line[1] == "o").filter_map(|line| line[2].as_str()).collect();
    assert_eq!(played, run.stdout);
    // On a terminal people read text, and nothing that a terminal obeys.
    let shown = stand.sessions().args(["logs", &id]).run_in_terminal();
    assert_eq!((shown.code, shown.text.as_str()), (0, "abé\n"));
    stand.end();
}
