use super::*;
use capstan_types::policy::SandboxMode;

fn layers(texts: &[&str]) -> Layers {
    let layer = |(place, text): (usize, &&str)| Layer {
        source: Source::File(format!("/h/{place}.toml").into()),
        table: text.parse().unwrap(),
    };
    Layers::weakest_first(texts.iter().enumerate().map(layer).collect())
}

fn said<T: fmt::Debug>(result: Result<T, ConfigError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn the_strongest_layer_that_has_a_key_decides() {
    let layers = layers(&["model = 'a'\n[t]\nx = true", "[t]\ny = ['p']", "model = 'b'"]);
    assert_eq!(layers.text("model"), Ok(Some("b")));
    assert_eq!(layers.flag("t.x"), Ok(Some(true)));
    assert_eq!(layers.texts("t.y"), Ok(vec!["p".to_owned()]));
    assert_eq!(layers.text("t.z"), Ok(None));
    assert_eq!(layers.table("t").unwrap().len(), 2);
}

#[test]
fn a_wrong_type_names_the_file_the_key_and_the_type() {
    let layers = layers(&["model = 5\nsandbox_mode = 'none'\ntools = 'x'\nroots = [1]"]);
    assert_eq!(said(layers.text("model")), "/h/0.toml: `model` must be text, not a number");
    assert_eq!(said(layers.flag("tools.update_plan")), "/h/0.toml: `tools` must be a table, not text");
    assert_eq!(said(layers.texts("roots")), "/h/0.toml: `roots` must be a list of texts, not a list");
    assert_eq!(
        said(layers.parsed::<SandboxMode>("sandbox_mode")),
        "/h/0.toml: `sandbox_mode`: `none` is not a sandbox mode; use read-only, workspace-write or danger-full-access"
    );
}

#[test]
fn an_argument_is_not_repeated_in_a_message() {
    let layer = Layer { source: Source::Argument("model=sk-canary".into()), table: "model = 5".parse().unwrap() };
    assert_eq!(said(Layers::weakest_first(vec![layer]).text("model")), "-c: `model` must be text, not a number");
}
