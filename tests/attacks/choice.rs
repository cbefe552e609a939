//! Which attacks are tried: all, or those that were asked for; where every change is checked, half of an ordinary user's, another half each
//! day.

use crate::way::{Way, is_root};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{SystemTime, UNIX_EPOCH};

/// The attacks of one test.
#[derive(Debug)]
pub(crate) struct Choice {
    part: String,
    half: Option<u64>,
}

impl Choice {
    /// `CAPSTAN_ATTACK` is part of the ids to try. With `CI`, and without `CAPSTAN_ATTACKS=all`, the second user tries the half that
    /// `CAPSTAN_ATTACKS_SEED`, or else the day, decides.
    pub(crate) fn of(way: Way) -> Self {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let is_second = is_root() && !way.is_root();
        let halved = is_second && set("CI").is_some() && set("CAPSTAN_ATTACKS").as_deref() != Some("all");
        let half = halved.then(|| set("CAPSTAN_ATTACKS_SEED").and_then(|seed| seed.parse().ok()).unwrap_or_else(today));
        if let Some(seed) = half {
            println!("half of the attacks, by CAPSTAN_ATTACKS_SEED={seed}");
        }
        Self { part: set("CAPSTAN_ATTACK").unwrap_or_default(), half }
    }

    /// Whether this one is tried.
    pub(crate) fn takes(&self, id: &str) -> bool {
        id.contains(&self.part) && self.half.is_none_or(|seed| is_chosen(seed, id))
    }
}

fn is_chosen(seed: u64, id: &str) -> bool {
    let mut hasher = DefaultHasher::new();
    (seed, id).hash(&mut hasher);
    hasher.finish().is_multiple_of(2)
}

fn today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |span| span.as_secs() / 86_400)
}

#[test]
fn each_seed_chooses_about_half_and_another_one() {
    let ids: Vec<String> = (0..400).map(|number| format!("attack-{number}")).collect();
    let chosen = |seed| ids.iter().filter(|id| is_chosen(seed, id)).collect::<Vec<_>>();
    assert!((150..250).contains(&chosen(1).len()));
    assert_eq!(chosen(1), chosen(1));
    assert_ne!(chosen(1), chosen(2));
}
