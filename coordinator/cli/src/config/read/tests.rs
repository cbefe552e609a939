use super::*;
use std::fs;

fn home(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn inputs(home: &tempfile::TempDir) -> Inputs<'_> {
    Inputs { home: home.path(), user: UserConfig::Read, profile: None, overrides: &[] }
}

fn model(inputs: Inputs<'_>) -> Option<String> {
    read(inputs).unwrap().0.text("model").unwrap().map(str::to_owned)
}

const PLAIN: (&str, &str) = ("config.toml", "model = 'file'");

#[test]
fn each_layer_is_above_the_one_before() {
    let with_table = ("config.toml", "model = 'file'\n[profiles.deep]\nmodel = 'table'");
    let own = ("deep.config.toml", "model = 'own'");
    type Row<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>, &'a [&'a str], Option<&'a str>);
    let rows: &[Row<'_>] = &[
        (&[], None, &[], None),
        (&[PLAIN], None, &[], Some("file")),
        (&[with_table], None, &[], Some("file")),
        (&[with_table], Some("deep"), &[], Some("table")),
        (&[PLAIN, own], Some("deep"), &[], Some("own")),
        (&[with_table, own], Some("deep"), &[], Some("own")),
        (&[with_table, own], Some("deep"), &["model=first", "model=last"], Some("last")),
        (&[("config.toml", "profile = 'deep'\nmodel = 'file'"), own], None, &[], Some("own")),
    ];
    for (files, profile, overrides, expected) in rows {
        let home = home(files);
        let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
        let found = model(Inputs { profile: *profile, overrides: &overrides, ..inputs(&home) });
        assert_eq!(found.as_deref(), *expected, "{files:?} {profile:?} {overrides:?}");
    }
}

#[test]
fn ignoring_the_users_files_leaves_the_arguments() {
    let home = home(&[("config.toml", "this is = not toml at all =")]);
    let overrides = ["model=\"flag\"".to_owned()];
    let found = model(Inputs { user: UserConfig::Ignored, overrides: &overrides, ..inputs(&home) });
    assert_eq!(found.as_deref(), Some("flag"));
}

#[test]
fn a_profile_that_is_nowhere_is_an_error() {
    let home = home(&[PLAIN]);
    let said = read(Inputs { profile: Some("gone"), ..inputs(&home) }).unwrap_err().to_string();
    assert!(said.starts_with("there is no profile `gone`: make ") && said.contains("gone.config.toml"), "{said}");
    let outside = read(Inputs { profile: Some("../x"), ..inputs(&home) }).unwrap_err();
    assert_eq!(outside, ConfigError::ProfileName("../x".into()));
}

#[test]
fn keys_that_mean_nothing_are_found_where_they_are() {
    let text = "modle = 'x'\n[features]\nanything = true\n[tools]\nupdate_plna = true\n[model_providers.a]\nurl = 'x'\n[profiles.p]\nnope = 1";
    let home = home(&[("config.toml", text)]);
    let overrides = ["frob=1".to_owned()];
    let (_, unknown) = read(Inputs { profile: Some("p"), overrides: &overrides, ..inputs(&home) }).unwrap();
    let keys: Vec<&str> = unknown.iter().map(|unknown| unknown.key.as_str()).collect();
    assert_eq!(keys, ["model_providers.a.url", "modle", "tools.update_plna", "nope", "frob"]);
    assert!(unknown[1].warning().ends_with("config.toml: the key `modle` is not known and has no effect"));
    assert_eq!(unknown[4].warning(), "-c: the key `frob` is not known and has no effect");
}

#[test]
fn a_file_that_is_not_toml_is_named_with_the_line() {
    let home = home(&[("config.toml", "model = 'a'\nmodel = = 2\n")]);
    let said = read(inputs(&home)).unwrap_err().to_string();
    assert!(said.contains("config.toml is malformed at line 2, column 9: "), "{said}");
}
