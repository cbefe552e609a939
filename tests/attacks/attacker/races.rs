//! Attacks that change a path while it is used.

use crate::facts::Attack;
use crate::facts::Facts;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[("symlink-race", symlink_race)];

/// How often a file is written while its directory turns into a symbolic link and back.
const ROUNDS: usize = 3000;

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
        for _ in 0..ROUNDS {
            let _written = fs::write(format!("{place}/raced"), "pwned");
        }
        over.store(true, Ordering::Relaxed);
    });
    Vec::new()
}
