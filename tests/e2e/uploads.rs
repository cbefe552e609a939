//! A person's repository, uploaded to where a thread works, and what the thread changed brought back: `capstan exec --on`.

mod attacks;
mod back;
mod there;

use crate::scripted::{self, command, exited, says, step};
use capstan_tests::capstan::{Capstan, Home, Run, Running};
use capstan_tests::git::Repository;
use capstan_tests::wait;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a coordinator may take until it serves, on a busy machine.
const SERVES_WITHIN: Duration = Duration::from_secs(30);

/// A coordinator with a node of its own, and the home of a person elsewhere who asks it.
struct Stage {
    person: Home,
    there: Home,
    _running: Running,
    mine: Repository,
    place: String,
}

impl Stage {
    /// With these steps of its model.
    fn playing(steps: &[Value]) -> Self {
        let (there, person) = (Home::new(), Home::new());
        let script = scripted::write(there.root(), steps);
        let running =
            Capstan::new(&there).args(["coordinator", "--script"]).arg(script).deadline(Duration::from_secs(300)).start();
        let line = wait::until(SERVES_WITHIN, "a coordinator that serves", || running.stdout().lines().next().map(str::to_owned));
        let said = line.strip_prefix("coordinator listens at ").unwrap_or_else(|| panic!("not what it says: {line}"));
        let place = said.split([',', ';']).next().expect("a place").to_owned();
        let dir = person.root().join("project");
        let mine = Repository::with_files(&dir, &[("a.txt", "one\n"), ("b/c.txt", "two\n"), (".gitignore", "*.o\n/secret\n")]);
        Self { person, there, _running: running, mine, place }
    }

    /// With a model that runs this command once for each of so many turns.
    fn running(cmd: &str, turns: usize) -> Self {
        let turn = |number: usize| {
            let id = format!("do{number}");
            [step([], [command(&id, cmd)]), step([exited(&id, 0)], [says("done")])]
        };
        Self::playing(&(0..turns).flat_map(turn).collect::<Vec<_>>())
    }

    /// `capstan exec` in the person's repository, run.
    fn exec(&self, args: &[&str]) -> Run {
        self.exec_of(args).run()
    }

    /// The same, to be run.
    fn exec_of(&self, args: &[&str]) -> Capstan {
        let exec =
            Capstan::exec(&self.person, "Do it.").args(["-s", "workspace-write", "-m", "scripted", "--coordinator", &self.place]);
        exec.args(args.iter().copied()).in_dir(self.mine.dir())
    }

    /// Another command of the person's.
    fn capstan(&self, args: &[&str]) -> Run {
        Capstan::new(&self.person).args(args.iter().copied()).args(["--coordinator", &self.place]).in_dir(self.mine.dir()).run()
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.mine.dir().join(name);
        fs::create_dir_all(path.parent().expect("it is below the repository")).expect("a directory can be made");
        fs::write(path, content).expect("a file can be written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.mine.dir().join(name)).unwrap_or_else(|error| format!("{name}: {error}"))
    }

    /// What was printed by the commands of the turn.
    fn output(run: &Run) -> String {
        run.items_of("command_execution").iter().filter_map(|item| item["aggregated_output"].as_str()).collect()
    }
}

fn thread_of(run: &Run) -> String {
    let lines = run.lines();
    let started = lines.iter().find(|line| line["type"] == "thread.started").expect("a thread");
    started["thread_id"].as_str().expect("it has an id").to_owned()
}

/// Every file below a directory that holds these bytes.
fn holding(dir: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                dirs.push(entry.path());
            } else if kind.is_file() && contains(&fs::read(entry.path()).unwrap_or_default(), bytes) {
                found.push(entry.path());
            }
        }
    }
    found
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}
