//! Tries one attack in an arena of its own, and judges it.

use crate::arena::{Arena, SECRET, SECRET_VARIABLE, mark};
use crate::attack::{Act, Attack, Ending, Family};
use crate::command::{attacker, environment, words};
use crate::stage::Stage;
use crate::terminal;
use crate::way::Way;
use capstan_tests::process::{self, Signal};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// How long one command may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long what was left behind may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(2);
const BETWEEN_LOOKS: Duration = Duration::from_millis(3);

/// What came of an attack.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It got nowhere.
    Held,
    /// It got hold of this.
    Escaped(Vec<String>),
    /// It was not really tried; why.
    Unclear(String),
}

/// Tries it.
pub(crate) fn attempt(stage: &Stage, way: Way, family: Family, attack: &Attack) -> Outcome {
    let mut arena = Arena::new(stage, way);
    let (mut got, said) = match attack.act {
        Act::AtTerminal(name) => terminal::inject(&arena, name),
        Act::Leaving(script, ending) => leave(&arena, script, ending),
        Act::Inside(name) => judged(attack, run(&arena, &attacker(&arena, name), &mut |_, _| ())),
        Act::Listening(name) => listen(&arena, attack, name),
        Act::Shell(script) => {
            let script = format!("{}\necho DONE", filled(&arena, script));
            judged(attack, run(&arena, &["/bin/sh".to_owned(), "-c".to_owned(), script], &mut |_, _| ()))
        }
    };
    if family == Family::Git {
        crate::host_git::visit(&arena);
        let moved = |line: &str| attack.may_move && (line.ends_with(" is gone") || line.ends_with(" is new"));
        got.extend(arena.changed_settings().into_iter().filter(|line| !moved(line)));
    }
    got.extend(arena.harm());
    match (got.is_empty(), said) {
        (false, _) => Outcome::Escaped(got),
        (true, Ok(())) => Outcome::Held,
        (true, Err(why)) => Outcome::Unclear(why),
    }
}

type Judged = (Vec<String>, Result<(), String>);

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) code: Option<i32>,
}

fn judged(attack: &Attack, said: Said) -> Judged {
    let mut got: Vec<String> = said.text.lines().filter_map(|line| line.strip_prefix("ESCAPED ")).map(str::to_owned).collect();
    got.extend(
        [SECRET, SECRET_VARIABLE].iter().filter(|secret| said.text.contains(**secret)).map(|secret| format!("it read {secret}")),
    );
    let was_ended = said.code.is_none_or(|code| code > 128) || attack.may_die;
    let tried = said.text.lines().any(|line| line == "DONE") || was_ended && said.code != Some(0);
    let tail: String = said.text.chars().rev().take(300).collect::<Vec<_>>().into_iter().rev().collect();
    (got, if tried { Ok(()) } else { Err(format!("exit code {:?}: {tail}", said.code)) })
}

/// A script with the facts in place.
pub(crate) fn filled(arena: &Arena<'_>, script: &str) -> String {
    arena.facts().into_iter().fold(script.to_owned(), |script, (name, value)| script.replace(&format!("@{name}@"), &value))
}

pub(crate) fn started(arena: &Arena<'_>, command: &[String]) -> (Child, PathBuf) {
    let words = words(arena, command);
    let path = arena.beside("output");
    let output = File::create(&path).expect("the output can be kept");
    let errors = output.try_clone().expect("a descriptor can be copied");
    let mut command = process::command(&words[0]);
    command.args(&words[1..]).current_dir(arena.workspace()).envs(environment(arena)).stdout(output).stderr(errors);
    (command.stdin(Stdio::null()).spawn().expect("the command can be started"), path)
}

/// Runs a command to its end; `look` sees what it has said so far.
pub(crate) fn run(arena: &Arena<'_>, command: &[String], look: &mut dyn FnMut(&Arena<'_>, &str)) -> Said {
    let (mut child, path) = started(arena, command);
    let text = || String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned();
    let code = ended(&mut child, DEADLINE, &mut || look(arena, &text()));
    Said { text: text(), code }
}

fn ended(child: &mut Child, within: Duration, look: &mut dyn FnMut()) -> Option<i32> {
    let started = Instant::now();
    loop {
        look();
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return status.code();
        }
        if started.elapsed() > within {
            child.kill().expect("a child can be killed");
            child.wait().expect("a child can be waited for");
            return Some(1);
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

fn listen(arena: &Arena<'_>, attack: &Attack, name: &str) -> Judged {
    let mut reached = None;
    let mut look = |_: &Arena<'_>, text: &str| {
        let port = text.lines().find_map(|line| line.strip_prefix("PORT ")).and_then(|port| port.parse::<u16>().ok());
        if let (None, Some(port)) = (&reached, port) {
            let answer = TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), Duration::from_secs(1));
            reached =
                Some(!matches!(answer, Err(error) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::TimedOut)));
        }
    };
    let (mut got, said) = judged(attack, run(arena, &attacker(arena, name), &mut look));
    if reached == Some(true) {
        got.push("the host could reach a server inside".to_owned());
    }
    (got, said)
}

/// Runs a script that leaves marked processes behind, ends it, and counts who is left.
fn leave(arena: &Arena<'_>, script: &str, ending: Ending) -> Judged {
    let (mut child, _) = started(arena, &["/bin/sh".to_owned(), "-c".to_owned(), filled(arena, script)]);
    let begun = Instant::now();
    let tried = loop {
        let runs = !marked(&arena.tag).is_empty();
        if runs || begun.elapsed() > Duration::from_secs(10) {
            break if runs { Ok(()) } else { Err("it left nothing behind".to_owned()) };
        }
        std::thread::sleep(20 * BETWEEN_LOOKS);
    };
    let signal = match ending {
        Ending::Itself => None,
        Ending::Killed => Some(Signal::Kill),
        Ending::Terminated => Some(Signal::Terminate),
        Ending::HungUp => Some(Signal::HangUp),
    };
    let mut got = Vec::new();
    if let Some(signal) = signal {
        let _sent = process::send(signal, child.id());
    }
    let code = ended(&mut child, Duration::from_secs(6), &mut || ());
    if code == Some(1) && ending == Ending::Itself {
        got.push("the command did not end within 6 s".to_owned());
    }
    let over = Instant::now();
    while !marked(&arena.tag).is_empty() && over.elapsed() < GONE_WITHIN {
        std::thread::sleep(20 * BETWEEN_LOOKS);
    }
    let left = marked(&arena.tag).len();
    if left > 0 {
        got.push(format!("{left} processes are left"));
    }
    kill_marked(&arena.tag);
    (got, tried)
}

/// The processes that an attack of this arena left running. Only `sleep` and its like carry the mark as an argument.
fn marked(tag: &str) -> Vec<u32> {
    let mark = mark(tag);
    let is_ours = |command: &str| command.ends_with(&mark) && !command.contains("-c ");
    process::all().into_iter().filter(|one| one.runs() && is_ours(&one.command)).map(|one| one.pid).collect()
}

fn kill_marked(tag: &str) {
    for pid in marked(tag) {
        let _gone = process::send(Signal::Kill, pid);
    }
}
