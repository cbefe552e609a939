//! Runs the real `capstan` as a user would: a home directory, arguments, standard input; then looks at what it printed and left.

mod binary;
mod home;
mod live_terminal;
mod run;
mod running;
mod terminal;

pub use binary::{binary, toolchain_bin};
pub use home::Home;
pub use live_terminal::LiveTerminal;
pub use run::Run;
pub use running::Running;
pub use terminal::Shown;

use crate::process::command;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a run may take unless its test says otherwise. Long, because two cores may be shared by many tests.
pub const USUAL_DEADLINE: Duration = Duration::from_secs(90);

/// A command line that is being put together.
#[derive(Debug, Clone)]
pub struct Capstan {
    program: PathBuf,
    cwd: PathBuf,
    arguments: Vec<OsString>,
    environment: BTreeMap<String, String>,
    stdin: Vec<u8>,
    deadline: Duration,
}

impl Capstan {
    /// `capstan`, with the given home directory, in a working directory of its own below it.
    ///
    /// The environment holds what every login has, and nothing of the test's own: PATH (this toolchain first, so that sessions can
    /// compile), HOME, LANG and CAPSTAN_HOME.
    #[must_use]
    pub fn new(home: &Home) -> Self {
        let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned());
        let environment = BTreeMap::from([
            ("PATH".to_owned(), format!("{}:{path}", toolchain_bin().display())),
            ("HOME".to_owned(), home.user_dir().display().to_string()),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
            ("CAPSTAN_HOME".to_owned(), home.path().display().to_string()),
        ]);
        let (arguments, stdin) = (Vec::new(), Vec::new());
        Self { program: binary("capstan"), cwd: home.user_dir(), arguments, environment, stdin, deadline: USUAL_DEADLINE }
    }

    /// `capstan exec --json --skip-git-repo-check PROMPT`.
    #[must_use]
    pub fn exec(home: &Home, prompt: &str) -> Self {
        Self::new(home).args(["exec", "--json", "--skip-git-repo-check", prompt])
    }

    /// Runs this copy of the program, instead of the one that was built.
    #[must_use]
    pub fn program(mut self, program: &Path) -> Self {
        program.clone_into(&mut self.program);
        self
    }

    /// Runs it through another program, such as `setpriv --reuid 65534`: these words are put before all of it. What is added
    /// afterwards still goes to `capstan`.
    ///
    /// # Panics
    /// When there are no words.
    #[must_use]
    pub fn through(mut self, words: &[&str]) -> Self {
        let (program, words) = words.split_first().expect("a program that runs it");
        let own = std::mem::replace(&mut self.program, PathBuf::from(program)).into_os_string();
        let before = words.iter().map(OsString::from).chain([own]);
        self.arguments = before.chain(std::mem::take(&mut self.arguments)).collect();
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets the working directory.
    #[must_use]
    pub fn in_dir(mut self, cwd: &Path) -> Self {
        cwd.clone_into(&mut self.cwd);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Sets what can be read from standard input before it ends. Without it, standard input is empty.
    #[must_use]
    pub fn stdin(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.stdin = input.into();
        self
    }

    /// Sets how long the run may take.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Starts it.
    ///
    /// # Panics
    /// When the binary is missing or cannot be started.
    #[must_use]
    pub fn start(self) -> Running {
        let mut command = command(&self.program.display().to_string());
        command.env_clear().envs(&self.environment).args(&self.arguments).current_dir(&self.cwd);
        Running::start(command, self.stdin, self.deadline)
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// As [`Capstan::start`], and when the deadline passes: then the process is killed, and the message holds all that it printed.
    #[must_use]
    pub fn run(self) -> Run {
        self.start().wait()
    }
}
