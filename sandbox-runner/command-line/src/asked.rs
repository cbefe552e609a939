//! The command line of `run`.

use capstan_types::limits::SessionLimits;
use capstan_types::path::AbsPath;
use capstan_types::policy::{Level, Network, SandboxMode, SandboxPolicy};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// What `run` was asked.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked {
    /// Whether the lists of directories are all there is, with neither the workspace nor temporary directories added to them.
    pub(crate) exact: bool,
    pub(crate) mode: SandboxMode,
    pub(crate) writable: Vec<PathBuf>,
    pub(crate) readable: Vec<PathBuf>,
    pub(crate) hidden: Vec<PathBuf>,
    pub(crate) protected: Vec<String>,
    pub(crate) network: Network,
    pub(crate) level: Level,
    /// No more than this is used, though the host could.
    pub strongest: Level,
    /// The limits of the command.
    pub limits: SessionLimits,
    pub(crate) passed: Vec<OsString>,
    /// Where what was enforced is written.
    pub proof: Option<PathBuf>,
    pub(crate) working: PathBuf,
    /// The command and its arguments: one at least.
    pub command: Vec<OsString>,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            exact: false,
            mode: SandboxMode::ReadOnly,
            writable: Vec::new(),
            readable: Vec::new(),
            hidden: Vec::new(),
            protected: Vec::new(),
            network: Network::Loopback,
            level: Level::Landlock,
            strongest: Level::Full,
            limits: SessionLimits::default(),
            passed: Vec::new(),
            proof: None,
            working: PathBuf::from("."),
            command: Vec::new(),
        }
    }
}

/// Short form, long form, and what belongs behind it.
const FLAGS: [(&str, &str, &str); 13] = [
    ("", "--policy", "a policy and limits as JSON"),
    ("-s", "--sandbox", "a mode"),
    ("-C", "--cd", "a directory"),
    ("-w", "--writable", "a directory"),
    ("-r", "--readable", "a directory"),
    ("", "--hide", "a path"),
    ("", "--protect", "a relative path"),
    ("-n", "--network", "none, loopback, full or a list of hosts"),
    ("", "--level", "a level"),
    ("", "--at-most", "a level"),
    ("-l", "--limit", "NAME=VALUE"),
    ("-e", "--env", "the name of a variable"),
    ("", "--proof", "a file"),
];

/// Limits of what only a session of a node has: output that passes through its holder.
const OF_OUTPUT: [&str; 3] = ["output", "idle_time", "keep_all"];

impl Asked {
    /// Reads the flags, and what is behind them.
    ///
    /// # Errors
    /// A sentence for whoever wrote the line.
    pub fn parse(args: Vec<OsString>) -> Result<Self, String> {
        let mut asked = Self::default();
        let mut args = args.into_iter();
        while let Some(flag) = args.next() {
            if flag == "--" {
                asked.command = args.by_ref().collect();
                break;
            }
            let known = flag.to_str().and_then(|flag| FLAGS.iter().find(|(short, long, ..)| flag == *short || flag == *long));
            let Some((_, long, what)) = known else {
                return Err(format!("`run` does not know `{}`; the command goes behind `--`", flag.display()));
            };
            let value = args.next().ok_or_else(|| format!("`{}` needs {what} behind it", flag.display()))?;
            asked.take(long, &value).map_err(|reason| format!("`{} {}`: {reason}", flag.display(), value.display()))?;
        }
        asked.checked()
    }

    fn take(&mut self, flag: &str, value: &OsStr) -> Result<(), String> {
        let text = value.to_string_lossy();
        match flag {
            "--policy" => {
                let (policy, limits) = serde_json::from_str(&text).map_err(|error| error.to_string())?;
                *self = std::mem::take(self).with(policy, limits);
            }
            "--sandbox" => self.mode = read(&text)?,
            "--cd" => self.working = value.into(),
            "--writable" => self.writable.push(value.into()),
            "--readable" => self.readable.push(value.into()),
            "--hide" => self.hidden.push(value.into()),
            "--protect" => self.protected.push(relative(&text)?),
            "--network" => self.network = read(&text)?,
            "--level" => self.level = read(&text)?,
            "--at-most" => self.strongest = read(&text)?,
            "--limit" => self.limits = limit(self.limits, &text)?,
            "--env" => self.passed.push(value.into()),
            _ => self.proof = Some(value.into()),
        }
        Ok(())
    }

    fn with(self, policy: SandboxPolicy, limits: SessionLimits) -> Self {
        let paths = |places: Vec<AbsPath>| places.iter().map(|place| place.as_path().to_owned()).collect::<Vec<_>>();
        Self {
            exact: true,
            mode: policy.mode,
            writable: paths(policy.writable),
            readable: paths(policy.readable),
            hidden: [self.hidden, paths(policy.hidden)].concat(),
            protected: [self.protected, policy.protected].concat(),
            network: policy.network,
            level: policy.level,
            limits,
            ..self
        }
    }

    fn checked(self) -> Result<Self, String> {
        if self.command.is_empty() {
            return Err("name the command to run, behind `--`".to_owned());
        }
        if !self.exact && !self.writable.is_empty() && self.mode != SandboxMode::WorkspaceWrite {
            return Err(format!("`--writable` means nothing with `-s {}`; use `-s workspace-write`", self.mode));
        }
        if self.strongest < self.level {
            return Err(format!("`--level {}` asks for more than `--at-most {}` allows", self.level, self.strongest));
        }
        self.limits.checked().map_err(|error| error.to_string())?;
        Ok(self)
    }
}

fn read<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn relative(text: &str) -> Result<String, String> {
    let plain = |part| matches!(part, std::path::Component::Normal(_));
    if !text.is_empty() && std::path::Path::new(text).components().all(plain) {
        return Ok(text.to_owned());
    }
    Err("a protected name is a relative path without `..`, such as `.github/workflows`".to_owned())
}

fn limit(limits: SessionLimits, text: &str) -> Result<SessionLimits, String> {
    let name = text.split('=').next().unwrap_or_default().replace('-', "_");
    if OF_OUTPUT.contains(&name.as_str()) {
        return Err(format!("`{name}` holds for a node's sessions only; this command writes its output where you do"));
    }
    limits.with_flag(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Asked, String> {
        Asked::parse(line.split_whitespace().map(OsString::from).collect())
    }

    #[test]
    fn flags_come_before_the_command_and_its_own_flags_are_left_alone() {
        let asked = parsed("-s workspace-write --writable a -w b --hide h --network none -C d -- ls -s -- x").unwrap();
        assert_eq!(asked.mode, SandboxMode::WorkspaceWrite);
        assert_eq!(asked.writable, [PathBuf::from("a"), PathBuf::from("b")]);
        assert_eq!(asked.hidden, [PathBuf::from("h")]);
        assert_eq!(asked.network, Network::None);
        assert_eq!(asked.working, PathBuf::from("d"));
        assert_eq!(asked.command, ["ls", "-s", "--", "x"]);
        assert_eq!(parsed("-- ls").unwrap(), Asked { command: vec!["ls".into()], ..Asked::default() });
    }

    #[test]
    fn a_whole_policy_is_taken_as_it_is_and_what_hides_or_protects_is_added() {
        let path = |text: &str| AbsPath::new(text).unwrap();
        let policy =
            SandboxPolicy { network: Network::None, level: Level::Full, ..SandboxPolicy::workspace_write(vec![path("/w")]) };
        let whole = serde_json::json!([policy, SessionLimits::WIDEST]);
        let asked = parsed(&format!("--hide g --policy {whole} --hide h --protect p -C d -- ls")).unwrap();
        let expected = Asked {
            exact: true,
            mode: SandboxMode::WorkspaceWrite,
            writable: vec!["/w".into()],
            hidden: vec!["g".into(), "h".into()],
            protected: vec!["p".into()],
            network: Network::None,
            level: Level::Full,
            limits: SessionLimits::WIDEST,
            working: "d".into(),
            command: vec!["ls".into()],
            ..Asked::default()
        };
        assert_eq!(asked, expected);
        assert!(parsed("--policy {} -- ls").unwrap_err().contains("invalid type"));
    }

    #[test]
    fn a_mistake_is_told_in_one_sentence() {
        for (line, said) in [
            ("", "name the command"),
            ("--", "name the command"),
            ("ls", "does not know `ls`"),
            ("-s", "needs a mode"),
            ("-s off -- ls", "not a sandbox mode"),
            ("--writable x -- ls", "means nothing"),
            ("-C", "needs a directory"),
            ("--network 127.1 -- ls", "ends like an address"),
            ("--limit memory -- ls", "NAME=VALUE"),
            ("--limit memory=much -- ls", "write a number of bytes"),
            ("--limit memory=1 -- ls", "must be from"),
            ("--limit colour=1 -- ls", "is not a limit; there are memory,"),
            ("--limit output=1M -- ls", "sessions only"),
            ("--level high -- ls", "not a sandbox level"),
            ("--level full --at-most landlock -- ls", "asks for more"),
            ("--protect ../x -- ls", "relative path"),
            ("--limit cpus=1.2345 -- ls", "a number of processors"),
        ] {
            let mistake = parsed(line).unwrap_err();
            assert!(mistake.contains(said) && !mistake.contains('\n'), "{line}: {mistake}");
        }
    }
}
