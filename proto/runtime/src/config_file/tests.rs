//! Files, layers and keys that mean nothing.

use super::{ConfigFileError, Override, merge, parse, read, unknown_keys};
use std::path::Path;
use toml::Table;

fn table(text: &str) -> Table {
    text.parse().unwrap()
}

#[test]
fn a_missing_file_is_an_empty_one() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(read(&dir.path().join("config.toml")), Ok(Table::new()));
    assert_eq!(read(&dir.path().join("no/config.toml")), Ok(Table::new()));
}

#[test]
fn a_file_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    std::fs::write(&path, "model = 'm'\n[otel]\nexporter = 'none'\n").unwrap();
    assert_eq!(read(&path), Ok(table("model = 'm'\notel = { exporter = 'none' }")));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let directory = read(dir.path()).unwrap_err().to_string();
    assert!(directory.starts_with(&format!("cannot read the configuration file {}: ", dir.path().display())), "{directory}");
    let path = dir.path().join("config.toml");
    std::fs::write(&path, b"model = '\xff'").unwrap();
    let not_text = read(&path).unwrap_err().to_string();
    assert!(not_text.contains("UTF-8"), "{not_text}");
}

#[test]
fn a_mistake_is_shown_by_line_and_column() {
    let refused = |text: &str| match parse(text, Path::new("/home/a/config.toml")).unwrap_err() {
        ConfigFileError::Syntax { line, column, reason, .. } => {
            assert!(!reason.is_empty() && !reason.contains('\n'), "{reason:?}");
            (line, column)
        }
        error @ ConfigFileError::Unreadable { .. } => panic!("{error}"),
    };
    assert_eq!(refused("model = "), (1, 9));
    assert_eq!(refused("a = 1\nb = \"\u{e4}\u{f6}\" x\n"), (2, 10));
    assert_eq!(refused("a = 1\n\na = 2\n"), (3, 1));
    let said = parse("a = 1\nb = ]\n", Path::new("/home/a/config.toml")).unwrap_err().to_string();
    assert!(said.starts_with("the configuration file /home/a/config.toml is malformed at line 2, column 5: "), "{said}");
}

#[test]
fn a_layer_above_wins_key_by_key() {
    let mut base = table("model = 'a'\nroots = ['x', 'y']\n[otel]\nendpoint = 'e'\nexporter = 'none'\n[gone]\na = 1");
    merge(&mut base, table("roots = ['z']\ngone = 3\n[otel]\nexporter = 'otlp'\n[new]\nb = 2"));
    let merged = "model = 'a'\nroots = ['z']\ngone = 3\n[otel]\nendpoint = 'e'\nexporter = 'otlp'\n[new]\nb = 2";
    assert_eq!(base, table(merged));
}

const KNOWN: [&str; 7] = [
    "model",
    "otel.exporter",
    "otel.exporter.otlp-grpc.endpoint",
    "mcp_servers.*.command",
    "shell_environment_policy.set.**",
    "profiles.*.model",
    "rules.name",
];

#[test]
fn a_key_that_means_nothing_is_named_in_full() {
    let unknown = |text: &str| unknown_keys(&table(text), &KNOWN);
    assert_eq!(unknown("model = 'a'\n[mcp_servers.docs]\ncommand = 'x'\n[shell_environment_policy.set]\nA = '1'"), [""; 0]);
    assert_eq!(unknown("modle = 'a'\nmodel = 'b'"), ["modle"]);
    assert_eq!(unknown("[mcp_servers.\"my docs\"]\ncommand = 'x'\ncomand = 'y'"), ["mcp_servers.\"my docs\".comand"]);
    assert_eq!(unknown("[unknown.deep]\na = 1\nb = 2"), ["unknown"], "a table that is unknown is named once");
    assert_eq!(unknown("[otel.exporter.otlp-grpc]\nendpoint = 'e'\nport = 1"), ["otel.exporter.otlp-grpc.port"]);
    assert_eq!(unknown("[otel]\nexporter = 'none'\n[shell_environment_policy.set.a]\nb.c = 1"), [""; 0]);
    assert_eq!(unknown("[model]\nname = 'a'"), [""; 0], "what a known key must hold is not asked here");
    assert_eq!(unknown("[shell_environment_policy]\nsat = {}"), ["shell_environment_policy.sat"]);
}

#[test]
fn elements_of_an_array_are_looked_at() {
    let rules = table("[[rules]]\nname = 'a'\n[[rules]]\nname = 'b'\nnmae = 'c'\n[[rules]]\nnmae = 'd'");
    assert_eq!(unknown_keys(&rules, &KNOWN), ["rules.nmae"]);
    assert_eq!(unknown_keys(&table("rules = [1, 'a']"), &KNOWN), [""; 0], "what a value must be is not asked here");
}

#[test]
fn an_unknown_key_can_be_given_back_to_an_override() {
    for key in unknown_keys(&table("[mcp_servers.'a.b=c']\nx.y = 1"), &KNOWN) {
        let layer = format!("{key}=5").parse::<Override>().unwrap().into_layer();
        assert_eq!(layer, table("[mcp_servers.'a.b=c']\nx = 5"));
    }
}
