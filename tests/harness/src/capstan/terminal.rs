//! Runs `capstan` as a person does, with a terminal as its standard streams.

use super::Capstan;
use crate::wait::until;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::io::Read;
use std::thread;

/// Wide enough that the lines of a test are not clipped.
pub(super) const SIZE: PtySize = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };

/// What a terminal showed.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The exit code.
    pub code: u32,
    /// Everything that was written to the terminal, with `\n` at the ends of lines.
    pub text: String,
}

impl Capstan {
    /// Runs it to its end with a terminal, in which nobody types.
    ///
    /// # Panics
    /// When it cannot be started, and when the deadline passes: then the process is killed.
    #[must_use]
    pub fn run_in_terminal(self) -> Shown {
        let pair = native_pty_system().openpty(SIZE).expect("this machine has terminals");
        let mut output = pair.master.try_clone_reader().expect("a terminal can be read");
        let mut child = pair.slave.spawn_command(command(&self)).expect("the program can be started");
        drop(pair.slave); // so that the end of the output is the end of the last process that can write
        let reading = thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ended_by_the_last_writer = output.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
        });
        let mut killer = child.clone_killer();
        let waiting = thread::spawn(move || child.wait().expect("a child can be waited for"));
        let guard = KilledUnlessDone { killer: Some(&mut killer) };
        until(self.deadline, "the end of a run in a terminal", || (waiting.is_finished() && reading.is_finished()).then_some(()));
        guard.done();
        let status = waiting.join().expect("the thread does not panic");
        Shown { code: status.exit_code(), text: reading.join().expect("the thread does not panic") }
    }
}

/// The command line, for a terminal.
pub(super) fn command(capstan: &Capstan) -> CommandBuilder {
    let mut command = CommandBuilder::new(&capstan.program);
    command.env_clear();
    capstan.environment.iter().for_each(|(name, value)| command.env(name, value));
    command.env("TERM", "xterm-256color");
    command.args(&capstan.arguments);
    command.cwd(&capstan.cwd);
    command
}

/// Kills the process when the wait for it fails.
struct KilledUnlessDone<'a> {
    killer: Option<&'a mut Box<dyn portable_pty::ChildKiller + Send + Sync>>,
}

impl KilledUnlessDone<'_> {
    fn done(mut self) {
        self.killer = None;
    }
}

impl Drop for KilledUnlessDone<'_> {
    fn drop(&mut self) {
        if let Some(killer) = &mut self.killer {
            let _it_may_be_gone = killer.kill();
        }
    }
}
