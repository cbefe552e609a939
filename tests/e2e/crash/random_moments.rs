//! Kills at moments that nobody chose.

use super::{SOON, Scene};
use crate::scripted::{command, contains, says, step};
use capstan_tests::wait;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How often a run is killed.
const KILLS: u32 = 20;

/// Where the moments come from. Another seed is another test; this one is kept so that a failure can be had again.
const SEED: u64 = 0x5eed_0002;

/// A small generator of numbers that look random.
struct Numbers(u64);

impl Numbers {
    /// A part of a span of time.
    fn part_of(&mut self, span: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        span * u32::try_from(self.0 % 1_000).expect("a number below a thousand") / 1_000
    }
}

fn steps() -> Vec<Value> {
    let mut steps =
        vec![step([], [says("I begin."), command("call_0", "echo 0 >> log; seq 2000"), command("beside", "sleep 0.1; seq 500")])];
    for number in 1..6_u32 {
        let before = format!("call_{}", number - 1);
        let next = command(&format!("call_{number}"), &format!("echo {number} >> log; sleep 0.05; seq 2000"));
        steps.push(step([contains(&before, "2000")], [says("I go on."), next]));
    }
    steps.push(step([contains("call_5", "2000")], [says("done")]));
    steps
}

#[test]
fn whenever_a_run_is_killed_its_store_opens_with_events_without_holes() {
    let scene = Scene::new();
    let whole = scene.exec(&steps()).run();
    whole.assert_code(0);
    let (mut numbers, mut unfinished) = (Numbers(SEED), 0);
    for kill in 1..=KILLS {
        let moment = numbers.part_of(whole.took);
        let (running, began) = (scene.exec(&steps()).start(), Instant::now());
        // The moment is what is tried here; there is no event to wait for.
        wait::until_true(SOON, "the moment", || began.elapsed() >= moment);
        let run = running.crash();
        // What a client was told was stored before, and is still there.
        let stored = scene.stored();
        let told = run.stdout.lines().filter(|line| line.contains("\"item.completed\"") && line.ends_with('}')).count();
        let kept = stored.threads.iter().find(|thread| run.stdout.contains(&thread.record.id.to_string()));
        let completed = kept.map_or(0, |thread| thread.kinds().iter().filter(|kind| is_told(kind)).count());
        assert!(completed >= told, "kill {kill} after {moment:?}: {told} items were told, {completed} are stored\n{run}");
        unfinished += usize::from(kept.is_some_and(|thread| thread.kinds().last().is_none_or(|last| !last.starts_with("turn "))));
    }
    assert!(unfinished >= 5, "only {unfinished} of {KILLS} kills hit a turn: the moments are no longer those of a run");
    scene.until_nothing_runs(SOON);
    scene.orderly();
}

/// Whether `--json` tells of it.
fn is_told(kind: &str) -> bool {
    kind.starts_with("completed ") && kind != "completed user message"
}
