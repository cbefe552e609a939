//! One run on its stage: a model's server with a script, a home that knows it, and a workspace of its own.

use capstan_tests::capstan::{Capstan, Home, Run};
use capstan_tests::process::{self, Process};
use capstan_tests::responses_server::{ResponsesServer, Script};
use capstan_tests::wait;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the processes of a run may take to be gone after it.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// What a run needs around it. Everything is gone when it is dropped.
pub(crate) struct Stage {
    pub(crate) server: ResponsesServer,
    pub(crate) home: Home,
}

impl Stage {
    /// A stage on which the model's server plays this script.
    pub(crate) fn playing(script: Script) -> Self {
        let server = ResponsesServer::start(script);
        let stage = Self { home: Home::using(&server), server };
        fs::create_dir(stage.workspace()).expect("a directory can be made in a fresh one");
        stage
    }

    /// Where the sessions work.
    pub(crate) fn workspace(&self) -> PathBuf {
        self.home.root().join("work")
    }

    /// A file of the workspace.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.workspace().join(name)
    }

    /// The text of a file of the workspace; `None` when there is no such file.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.file(name)).ok()
    }

    /// `capstan exec --json` with the provider's key, in the workspace, which it may write.
    pub(crate) fn exec(&self) -> Capstan {
        self.exec_with("workspace-write")
    }

    /// The same in this sandbox.
    pub(crate) fn exec_with(&self, sandbox: &str) -> Capstan {
        self.keyed(Capstan::exec(&self.home, "Do it.")).args(["-s", sandbox])
    }

    /// The same under this permission profile.
    pub(crate) fn exec_under(&self, profile: &str) -> Capstan {
        self.keyed(Capstan::exec(&self.home, "Do it.")).args(["-P", profile])
    }

    /// `capstan exec` for a person: no JSON.
    pub(crate) fn exec_for_people(&self) -> Capstan {
        let capstan = Capstan::new(&self.home).args(["exec", "--skip-git-repo-check", "Do it.", "-s", "workspace-write"]);
        self.keyed(capstan)
    }

    /// `capstan exec --json` with nothing between the model and the machine.
    pub(crate) fn exec_bypassing(&self) -> Capstan {
        self.keyed(Capstan::exec(&self.home, "Do it.")).arg("--dangerously-bypass-approvals-and-sandbox")
    }

    fn keyed(&self, capstan: Capstan) -> Capstan {
        capstan.env(Home::KEY_VARIABLE, Home::KEY).in_dir(&self.workspace())
    }

    /// Runs it to its end, and fails the test when something is wrong that is wrong in every test.
    pub(crate) fn run(&self, capstan: Capstan) -> Run {
        let run = capstan.run();
        self.assert_sound(&run);
        run
    }

    /// Nothing panicked, nothing that moves a terminal's cursor was printed, the key was not told, and no process is left.
    pub(crate) fn assert_sound(&self, run: &Run) {
        for text in [&run.stdout, &run.stderr] {
            assert!(!text.contains("panicked") && !text.contains('\u{1b}') && !text.contains(Home::KEY), "{run}");
        }
        let left = || processes_at(self.home.root());
        wait::until_true(GONE_WITHIN, &format!("no process left of this run; now {:#?}", left()), || left().is_empty());
    }

    /// The output of a call, as the request after it told the model.
    pub(crate) fn output_of(&self, call_id: &str) -> String {
        let requests = self.server.requests();
        let output = requests.iter().find_map(|request| request.output_of(call_id));
        output.unwrap_or_else(|| panic!("no request told the model of {call_id}")).to_owned()
    }
}

/// The running processes that work below this directory, or speak of it.
fn processes_at(root: &Path) -> Vec<Process> {
    let speaks = |process: &Process| process.command.contains(&root.display().to_string());
    let works = |process: &Process| fs::read_link(format!("/proc/{}/cwd", process.pid)).is_ok_and(|cwd| cwd.starts_with(root));
    process::all().into_iter().filter(|process| process.runs() && (speaks(process) || works(process))).collect()
}
