//! `capstan demo`: the whole path at work on a small project with a failing test.
//!
//! Three threads on one stack: the first makes the project a git repository, the second mends it, the third runs the test once more.
//! The first and the third are scripted; so is the second, unless a model is named. Nothing is pretended: the scripts go on only when
//! the real outputs are what they must be, and the demo succeeds only when the third thread has seen the test pass.

mod checking;
mod phases;
mod project;

use super::exec::conclude;
use crate::args::{ColourChoice, DemoArgs};
use crate::client::Client;
use crate::config::{self, Flags, Inputs, Sandboxing, UserConfig, resolve::Answerer};
use crate::embedded::{Door, Hands, Stack, node_config};
use crate::failure::{Exit, Failure};
use crate::hidden_home;
use crate::home::Home;
use crate::programs;
use crate::refusal::refused;
use crate::render::{Detail, JsonLines, Page, Render, Transcript};
use crate::screen::{self, Stream};
use crate::signals::Signals;
use crate::surroundings::Surroundings;
use crate::telemetry::{self, Telemetry};
use crate::turn::{self, Start};
use crate::workspace::{self, GitCheck};
use crate::{runner, runtime};
use capstan_coordinator::StoreLocation;
use capstan_types::policy::SandboxMode;
use capstan_types::thread::{ThreadSettings, TurnInput};
use checking::{Checking, Unseen};
use phases::Phases;
use project::Project;
use std::io;
use std::sync::Arc;

/// What the model is asked to do.
const PROMPT: &str = "The test ./test.sh fails. Find out why, mend the code (not the test), and show that the test passes.";

/// Runs the demo.
///
/// # Errors
/// A program that the project needs is missing, or the test does not pass at the end.
pub fn run(args: &DemoArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    if programs::find("cc", surroundings).is_none() {
        return Err(Failure::bad_input("the demo's project is written in C, and there is no `cc`")
            .hint("install a C compiler, such as gcc"));
    }
    let home = Home::open(surroundings)?;
    let inputs = Inputs { home: home.path().as_path(), user: UserConfig::Read, profile: None, overrides: &[] };
    let (layers, _) = config::read(inputs)?;
    let telemetry = Telemetry::for_command(&layers, surroundings)?;
    let node =
        node_config(&home, surroundings, runner::find(surroundings)?, config::ceiling(&layers)?, config::watermarks(&layers)?)?;
    let runner = node.runner.clone();
    let hands = Hands::Embedded(Box::new(node));
    let project = Project::make()?;
    let cwd = workspace::local(&project.path()?, GitCheck::Skipped)?;
    let flags = Flags {
        model: args.model.clone(),
        answerer: if args.model.is_some() { Answerer::Configured } else { Answerer::Scripted },
        sandbox: Sandboxing::Mode(SandboxMode::WorkspaceWrite),
        cwd,
        add_dirs: Vec::new(),
        user_home: None,
        global_doc: None,
        placement: Box::default(),
    };
    let resolved = config::resolve(&layers, &flags)?;
    hidden_home::check(&home, &resolved.settings, &runner)?;
    let phases = Phases::open(resolved.provider.as_ref(), &home, surroundings)?;
    let settings = ThreadSettings { plan_tool: true, ..resolved.settings };
    let demo = Demo { settings, git: programs::find("git", surroundings).is_some() };
    let _telemetry = telemetry::start("capstan-demo", &telemetry)?;
    let exit = runtime::block_on(drive(args, &demo, phases, hands, surroundings));
    if args.keep {
        project.keep();
    }
    exit
}

struct Demo {
    settings: ThreadSettings,
    /// Whether git is there, without which there is no repository and no diff.
    git: bool,
}

async fn drive(args: &DemoArgs, demo: &Demo, phases: Phases, hands: Hands, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let mut signals = Signals::listen().map_err(|error| Failure::bad_input(format!("signals cannot be listened to: {error}")))?;
    let stack = Stack::start(StoreLocation::Ephemeral, Arc::new(phases), hands, Door::default()).await?;
    let mut run = Run { demo, client: stack.client(), signals: &mut signals };
    let shown = if args.json { run.in_json().await } else { run.for_people(page(surroundings)).await };
    stack.shutdown().await;
    shown
}

/// Everything is shown, wherever it goes: that is what a demo is for.
fn page(surroundings: &Surroundings) -> Page {
    let ink = screen::ink(ColourChoice::Auto, Stream::Out, surroundings);
    Page { ink, width: screen::width(surroundings), detail: Detail::Full }
}

struct Run<'a> {
    demo: &'a Demo,
    client: Client,
    signals: &'a mut Signals,
}

impl Run<'_> {
    async fn in_json(&mut self) -> Result<Exit, Failure> {
        if let stopped @ (Exit::Failed | Exit::BadInput | Exit::Terminated | Exit::HungUp) = self.begin().await? {
            return Ok(stopped);
        }
        match self.turn(self.demo.settings.clone(), PROMPT, &mut JsonLines::new(io::stdout())).await? {
            Exit::Success => self.check(&mut Unseen).await,
            stopped => Ok(stopped),
        }
    }

    async fn for_people(&mut self, page: Page) -> Result<Exit, Failure> {
        let mut transcript = Transcript::new(page, io::stdout(), io::stdout());
        let _ = transcript.say("A small C project with a failing test. The user asks:");
        let _ = transcript.say(PROMPT);
        if !self.demo.git {
            let _ = transcript.say("git is not installed: the project is no repository, and no diff is shown.");
        }
        if let stopped @ (Exit::Failed | Exit::BadInput | Exit::Terminated | Exit::HungUp) = self.begin().await? {
            return Ok(stopped);
        }
        match self.turn(self.demo.settings.clone(), PROMPT, &mut transcript).await? {
            Exit::Success => {}
            stopped => return Ok(stopped),
        }
        let _ = transcript.say("The test once more, in a thread of its own:");
        let exit = self.check(&mut Checking(&mut transcript)).await?;
        if exit == Exit::Success {
            let _ = transcript.say("The test passes.");
        }
        Ok(exit)
    }

    /// Makes the project a repository. It runs unconfined, because a sandbox may protect `.git`.
    async fn begin(&mut self) -> Result<Exit, Failure> {
        if !self.demo.git {
            return Ok(Exit::Success);
        }
        let settings = ThreadSettings { sandbox: SandboxMode::DangerFullAccess, ..self.scripted(phases::BEGIN) };
        self.turn(settings, "make a repository", &mut Unseen).await
    }

    /// Runs the test.
    async fn check(&mut self, render: &mut impl Render) -> Result<Exit, Failure> {
        self.turn(self.scripted(phases::CHECK), "run the test", render).await
    }

    fn scripted(&self, provider: &str) -> ThreadSettings {
        ThreadSettings {
            provider: provider.to_owned(),
            model: "scripted".to_owned(),
            plan_tool: false,
            cleaning: capstan_types::output::clean::Cleaning::Clean,
            docs: capstan_types::docs::ProjectDocs::default(),
            ..self.demo.settings.clone()
        }
    }

    async fn turn(&mut self, settings: ThreadSettings, prompt: &str, render: &mut impl Render) -> Result<Exit, Failure> {
        let input = TurnInput { text: prompt.to_owned(), ..TurnInput::default() };
        let ended = turn::run(&mut self.client, Start::New(Box::new(settings)), input, render, self.signals).await;
        conclude(ended.map_err(refused)?, None)
    }
}

#[cfg(test)]
mod tests;
