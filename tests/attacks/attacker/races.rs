//! Attacks that change a path while it is used.

use crate::facts::Attack;
use crate::facts::Facts;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const ATTACKS: &[(&str, Attack)] = &[("symlink-race", symlink_race)];

/// How often, and how long at least, a file is written while its directory turns into a symbolic link and back. On a machine that has other
/// work the two threads may hardly ever run at once.
const ROUNDS: usize = 3000;
const SPAN: Duration = Duration::from_millis(1500);

fn symlink_race(facts: &Facts) -> Vec<String> {
    let (place, spare, link) = (facts.inside("race"), facts.inside("race-spare"), facts.inside("race-link"));
    let _new = fs::create_dir(&place);
    let _new = symlink(facts.text("OUT"), &link);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let _swapped = fs::rename(&place, &spare).and_then(|()| fs::rename(&link, &place));
                let _back = fs::rename(&place, &link).and_then(|()| fs::rename(&spare, &place));
            }
        });
        let (began, reached) = (Instant::now(), format!("{}/raced", facts.text("OUT")));
        for round in 0.. {
            let _written = fs::write(format!("{place}/raced"), "pwned");
            if fs::exists(&reached).unwrap_or(false) || (round >= ROUNDS && began.elapsed() >= SPAN) {
                break;
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    Vec::new()
}
