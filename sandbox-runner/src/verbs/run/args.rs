//! The command line of `run`.

use capstan_types::limits::SessionLimits;
use capstan_types::policy::{HostRule, Level, Network, SandboxMode};
use capstan_types::time::Millis;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// What `run` was asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) mode: SandboxMode,
    pub(super) writable: Vec<PathBuf>,
    pub(super) readable: Vec<PathBuf>,
    pub(super) hidden: Vec<PathBuf>,
    pub(super) protected: Vec<String>,
    pub(super) network: Network,
    pub(super) level: Level,
    pub(super) strongest: Level,
    pub(super) limits: SessionLimits,
    pub(super) variables: Vec<OsString>,
    pub(super) proof: Option<PathBuf>,
    pub(super) directory: PathBuf,
    pub(super) command: Vec<OsString>,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            mode: SandboxMode::ReadOnly,
            writable: Vec::new(),
            readable: Vec::new(),
            hidden: Vec::new(),
            protected: Vec::new(),
            network: Network::Loopback,
            level: Level::Landlock,
            strongest: Level::Full,
            limits: SessionLimits::default(),
            variables: Vec::new(),
            proof: None,
            directory: PathBuf::from("."),
            command: Vec::new(),
        }
    }
}

/// Reads the flags, and what is behind them.
pub(super) fn parse(args: Vec<OsString>) -> Result<Asked, String> {
    let mut asked = Asked::default();
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

/// Short form, long form, and what belongs behind it.
const FLAGS: [(&str, &str, &str); 12] = [
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

impl Asked {
    fn take(&mut self, flag: &str, value: &OsStr) -> Result<(), String> {
        let text = value.to_string_lossy();
        match flag {
            "--sandbox" => self.mode = read(&text)?,
            "--cd" => self.directory = value.into(),
            "--writable" => self.writable.push(value.into()),
            "--readable" => self.readable.push(value.into()),
            "--hide" => self.hidden.push(value.into()),
            "--protect" => self.protected.push(relative(&text)?),
            "--network" => self.network = network(&text)?,
            "--level" => self.level = read(&text)?,
            "--at-most" => self.strongest = read(&text)?,
            "--limit" => limit(&mut self.limits, &text)?,
            "--env" => self.variables.push(value.into()),
            _ => self.proof = Some(value.into()),
        }
        Ok(())
    }

    fn checked(self) -> Result<Self, String> {
        if self.command.is_empty() {
            return Err("name the command to run, behind `--`".to_owned());
        }
        if !self.writable.is_empty() && self.mode != SandboxMode::WorkspaceWrite {
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

fn network(text: &str) -> Result<Network, String> {
    match text {
        "none" => Ok(Network::None),
        "loopback" => Ok(Network::Loopback),
        "full" => Ok(Network::Full),
        hosts => hosts.split_whitespace().map(read::<HostRule>).collect::<Result<_, _>>().map(Network::Hosts),
    }
}

fn limit(limits: &mut SessionLimits, text: &str) -> Result<(), String> {
    let (name, value) = text.split_once('=').ok_or("a limit is written NAME=VALUE, such as `memory=2G`")?;
    let none = value == "none";
    let some = |number: Option<u64>| -> Result<Option<u64>, String> {
        if none { Ok(None) } else { number.map(Some).ok_or_else(|| format!("`{value}` is not an amount that {name} can have")) }
    };
    let small = |number: Option<u64>| some(number).map(|number| number.map(|number| u32::try_from(number).unwrap_or(u32::MAX)));
    let span = |number: Option<u64>| some(number).map(|number| number.map(Millis));
    match name {
        "memory" => limits.memory = some(bytes(value))?,
        "processes" => limits.processes = small(value.parse().ok())?,
        "cpus" => limits.cpu_millis = small(thousandths(value))?,
        "cpu-time" => limits.cpu_time = span(millis(value))?,
        "disk" => limits.written = some(bytes(value))?,
        "file-size" => limits.file_bytes = some(bytes(value))?,
        "open-files" => limits.open_files = small(value.parse().ok())?,
        "time" => limits.total = span(millis(value))?,
        _ => {
            return Err(format!(
                "`{name}` is no limit; there are memory, processes, cpus, cpu-time, disk, file-size, open-files and time"
            ));
        }
    }
    Ok(())
}

/// A number with an optional unit, in units of the smallest.
fn amount(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = units.iter().find(|(name, _)| *name == &text[digits.len()..])?.1;
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn bytes(text: &str) -> Option<u64> {
    amount(text, &[("", 1), ("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30), ("T", 1 << 40)])
}

fn millis(text: &str) -> Option<u64> {
    amount(text, &[("ms", 1), ("s", 1000), ("", 1000), ("m", 60_000), ("h", 3_600_000)])
}

fn thousandths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let part = format!("{part:0<3}");
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(part.parse::<u64>().ok().filter(|_| part.len() == 3)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Asked, String> {
        parse(line.split_whitespace().map(OsString::from).collect())
    }

    #[test]
    fn flags_come_before_the_command_and_its_own_flags_are_left_alone() {
        let asked = parsed("-s workspace-write --writable a -w b --hide h --network none -C d -- ls -s -- x").unwrap();
        assert_eq!(asked.mode, SandboxMode::WorkspaceWrite);
        assert_eq!(asked.writable, [PathBuf::from("a"), PathBuf::from("b")]);
        assert_eq!(asked.hidden, [PathBuf::from("h")]);
        assert_eq!(asked.network, Network::None);
        assert_eq!(asked.directory, PathBuf::from("d"));
        assert_eq!(asked.command, ["ls", "-s", "--", "x"]);
        assert_eq!(parsed("-- ls").unwrap(), Asked { command: vec!["ls".into()], ..Asked::default() });
    }

    #[test]
    fn limits_have_units_and_can_be_lifted() {
        let limits = parsed("-l memory=2G -l processes=none -l cpus=1.5 -l cpu-time=90s -l time=2m -l file-size=10M -- ls")
            .unwrap()
            .limits;
        assert_eq!((limits.memory, limits.processes, limits.cpu_millis), (Some(2 << 30), None, Some(1500)));
        assert_eq!(
            (limits.cpu_time, limits.total, limits.file_bytes),
            (Some(Millis(90_000)), Some(Millis(120_000)), Some(10 << 20))
        );
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
            ("--limit memory=much -- ls", "not an amount"),
            ("--limit memory=1 -- ls", "must be from"),
            ("--limit colour=1 -- ls", "is no limit"),
            ("--level high -- ls", "not a sandbox level"),
            ("--level full --at-most landlock -- ls", "asks for more"),
            ("--protect ../x -- ls", "relative path"),
            ("--limit cpus=1.2345 -- ls", "not an amount"),
        ] {
            let mistake = parsed(line).unwrap_err();
            assert!(mistake.contains(said) && !mistake.contains('\n'), "{line}: {mistake}");
        }
    }
}
