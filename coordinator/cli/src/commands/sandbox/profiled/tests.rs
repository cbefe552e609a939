use super::*;
use capstan_types::policy::HostRule;

const CONFIG: &str = "[permissions.build]\nextends = \":workspace\"\nhidden = [\"./.env\"]\nnetwork = [\"crates.io\", \"*.crates.io\"]\n\
                      limits = { memory = \"1GiB\" }\nlevel = \"namespaces\"\n";

struct Scene {
    dir: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.toml"), CONFIG).unwrap();
        std::fs::create_dir(dir.path().join("work")).unwrap();
        Self { dir }
    }

    fn work(&self) -> AbsPath {
        AbsPath::new(self.dir.path().join("work").canonicalize().unwrap()).unwrap()
    }

    fn translated(&self, line: &str) -> Result<Vec<String>, String> {
        let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let surroundings = Surroundings::new([].into(), self.work());
        let told = |failure: Failure| failure.sentence;
        let name = named(&args).map_err(told)?.unwrap();
        let args = translated(&args, name, Some(self.dir.path()), &surroundings).map_err(told)?;
        Ok(args.into_iter().map(|arg| arg.into_string().unwrap()).collect())
    }

    fn whole(&self, line: &str) -> (SandboxPolicy, SessionLimits) {
        serde_json::from_str(&self.translated(line).unwrap()[2]).unwrap()
    }
}

#[test]
fn a_profile_is_handed_on_whole_and_other_flags_as_they_are() {
    let scene = Scene::new();
    let args = scene.translated("run --hide /h -P build --proof p --limit memory=512MiB -- ls -P x").unwrap();
    assert_eq!(args[..2], ["run", "--policy"]);
    assert_eq!(args[3..], ["--hide", "/h", "--proof", "p", "--", "ls", "-P", "x"]);
    let (policy, limits) = scene.whole("run -P build --limit memory=512MiB -- ls");
    assert_eq!((policy.mode, policy.level, limits.memory), (SandboxMode::WorkspaceWrite, Level::Namespaces, Some(512 << 20)));
    assert_eq!(policy.writable[0], scene.work());
    assert_eq!(policy.hidden, [scene.work().join(".env").unwrap()]);
}

#[test]
fn a_built_in_profile_needs_no_configuration() {
    let (policy, limits) = Scene::new().whole("run -P :read-only -- ls");
    assert_eq!((policy.mode, limits), (SandboxMode::ReadOnly, SessionLimits::default()));
}

#[test]
fn what_narrows_a_profile_is_taken() {
    let scene = Scene::new();
    let (policy, _) = scene.whole("run -P build -n static.crates.io --level full -- ls");
    let rule: HostRule = "static.crates.io".parse().unwrap();
    assert_eq!((policy.network, policy.level), (Network::Hosts(vec![rule]), Level::Full));
    assert_eq!(scene.whole("run -n none -P build -- ls").0.network, Network::None);
}

#[test]
fn what_would_widen_a_profile_is_refused() {
    let scene = Scene::new();
    for (flags, said) in [
        ("-s read-only", "`-s` and the permission profile `build` exclude each other"),
        ("-w /x", "`-w /x` would allow more than the permission profile `build` does"),
        ("--readable /x", "would allow more"),
        ("-n full", "would allow more"),
        ("-n example.com", "would allow more"),
        ("-l memory=2GiB", "would allow more"),
        ("-l memory=none", "would allow more"),
        ("--level landlock", "would allow more"),
        ("-l output=1MiB", "for a node's sessions only"),
        ("-l colour=1", "`colour` is not a limit"),
        ("-C /no/such/place", "the workspace /no/such/place cannot be used"),
    ] {
        let told = scene.translated(&format!("run -P build {flags} -- ls")).unwrap_err();
        assert!(told.contains(said) && !told.contains('\n'), "{flags}: {told}");
    }
    assert!(scene.translated("run -P none -- ls").unwrap_err().contains("none"));
    assert!(scene.translated("run -P").unwrap_err().contains("needs the name"));
    assert!(scene.translated("run -P :danger-full-access -n none -- ls").unwrap_err().contains("no sandbox"));
}
