//! `capstan cluster up`, `status` and `down`: a real etcd, coordinators and nodes on this machine, and nothing of them afterwards.

mod cut_short;
mod refusals;
mod whole;

use capstan_tests::capstan::{Capstan, Home, Run};
use capstan_tests::process;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// How long anything may take on a busy machine.
const SOON: Duration = Duration::from_secs(90);

/// The cluster of a home. Dropping it takes it down, whatever became of its test.
struct Local {
    home: Home,
}

impl Local {
    fn new() -> Self {
        Self { home: Home::new() }
    }

    fn cluster(&self, words: &[&str]) -> Capstan {
        Capstan::new(&self.home).arg("cluster").args(words.iter().copied()).deadline(2 * SOON)
    }

    fn up(&self, words: &[&str]) -> Run {
        self.cluster(&["up"]).args(words.iter().copied()).run()
    }

    fn status(&self) -> Run {
        self.cluster(&["status"]).run()
    }

    fn down(&self, words: &[&str]) -> Run {
        self.cluster(&["down"]).args(words.iter().copied()).run()
    }

    fn dir(&self) -> PathBuf {
        self.home.path().join("up")
    }

    /// The names of the network namespaces and links that its file speaks of.
    fn names(&self) -> Vec<String> {
        let text = fs::read_to_string(self.dir().join("cluster.json")).expect("a file says what there is");
        let words = text.split('"').filter(|word| word.starts_with("cap-"));
        words.map(str::to_owned).collect()
    }

    /// No process, network or file.
    fn assert_gone(&self, names: &[String]) {
        assert_eq!(process::at(&self.dir()), [], "processes are left");
        for name in names {
            for place in ["/run/netns", "/sys/class/net"] {
                assert!(!PathBuf::from(place).join(name).exists(), "{place}/{name} is left");
            }
        }
        assert!(!self.dir().exists(), "files are left in {}", self.dir().display());
        assert!(!self.home.path().join("identity").exists(), "the home is still a member");
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        if self.dir().join("cluster.json").exists() {
            let _ = self.cluster(&["down"]).start().wait();
        }
    }
}
