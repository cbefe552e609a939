//! `capstan sandbox`: a command of the user's own in the sandbox that tools get.

mod faithful;
mod home;
mod mistakes;
mod profiles;
mod proof;

use capstan_tests::capstan::{Capstan, Home, Run};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A home, and a workspace beside it.
struct Scene {
    home: Home,
}

impl Scene {
    fn new() -> Self {
        let home = Home::new();
        fs::create_dir(home.root().join("work")).expect("a directory can be made");
        Self { home }
    }

    fn work(&self) -> PathBuf {
        self.home.root().join("work")
    }

    /// `capstan sandbox FLAGS -- COMMAND` in the workspace.
    fn sandbox(&self, flags: &[&str], command: &[&str]) -> Capstan {
        let words = [&["sandbox"], flags, &["--"], command].concat();
        Capstan::new(&self.home).args(words).in_dir(&self.work())
    }

    fn run(&self, flags: &[&str], command: &[&str]) -> Run {
        self.sandbox(flags, command).run()
    }

    /// Runs it with a proof, and reads that.
    fn proven(&self, flags: &[&str], command: &[&str]) -> (Run, Value) {
        let file = self.home.root().join("proof.json");
        let named = file.display().to_string();
        let run = self.run(&[flags, &["--proof", &named]].concat(), command);
        (run, read(&file))
    }
}

fn read(proof: &Path) -> Value {
    let text = fs::read_to_string(proof).expect("the proof is there");
    serde_json::from_str(&text).expect("the proof is JSON")
}
