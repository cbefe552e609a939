//! What a command in an arena is started with.

use crate::arena::{Arena, SECRET_VARIABLE};

/// The attacker's words for one of its functions.
pub(crate) fn attacker(arena: &Arena<'_>, name: &str) -> Vec<String> {
    let mut words = vec![arena.workspace().join("attacker").display().to_string(), name.to_owned()];
    words.extend(arena.facts().into_iter().map(|(name, value)| format!("{name}={value}")));
    words
}

/// The whole command line: the user, a careless launcher, the sandbox, the command.
pub(crate) fn words(arena: &Arena<'_>, command: &[String]) -> Vec<String> {
    let mut words = arena.way.as_user();
    let (launcher, out) = (arena.stage.program("attacker").display().to_string(), arena.outside());
    words.extend([
        launcher,
        "launch".to_owned(),
        format!("OUT={}", out.display()),
        format!("TAG={}", arena.tag),
        "--".to_owned(),
    ]);
    words.extend(arena.way.sandbox(&arena.stage.program("capstan-sandbox")));
    words.extend(command.iter().cloned());
    words
}

/// The environment of the launcher, secrets and all.
pub(crate) fn environment(arena: &Arena<'_>) -> Vec<(&'static str, String)> {
    let out = arena.outside().display().to_string();
    let secret = |name| (name, SECRET_VARIABLE.to_owned());
    vec![
        ("HOME", format!("{out}/home")),
        ("CAPSTAN_HOME", format!("{out}/capstan-home")),
        secret("OPENAI_API_KEY"),
        secret("AWS_SECRET_ACCESS_KEY"),
        secret("GITHUB_TOKEN"),
        secret("CAPSTAN_NODE_KEY"),
    ]
}
