//! `-c` arguments as people, shells and SDKs write them.

use super::{Override, OverrideError};
use proptest::prelude::*;
use toml::{Table, Value};

fn layer(text: &str) -> Table {
    text.parse::<Override>().unwrap().into_layer()
}

fn table(text: &str) -> Table {
    text.parse().unwrap()
}

#[test]
fn a_value_is_toml_or_else_plain_text() {
    assert_eq!(layer("a=1"), table("a = 1"));
    assert_eq!(layer("a=true"), table("a = true"));
    assert_eq!(layer("a=\"1\""), table("a = '1'"));
    assert_eq!(layer(" a . b = [1, 'x']"), table("a.b = [1, 'x']"));
    assert_eq!(layer("a={ b = 1 }"), table("a.b = 1"));
    assert_eq!(layer("model=gpt-5"), table("model = 'gpt-5'"));
    assert_eq!(layer("base_url=http://h:1/v1?a=b"), table("base_url = 'http://h:1/v1?a=b'"));
    assert_eq!(layer("dir=\"C:\\dir\""), table("dir = 'C:\\dir'"));
    assert_eq!(layer("a="), table("a = ''"));
    assert_eq!(layer("a=1\nb = 2"), Table::from_iter([("a".to_owned(), Value::from("1\nb = 2"))]), "one argument sets one key");
}

#[test]
fn parts_of_a_key_may_be_quoted() {
    assert_eq!(layer("mcp_servers.\"a.b\".command=x"), table("mcp_servers.'a.b'.command = 'x'"));
    assert_eq!(layer("'a=b'.c=1"), table("'a=b'.c = 1"));
    assert_eq!(layer("a/b.c=1"), table("'a/b'.c = 1"));
}

#[test]
fn what_sets_nothing_is_refused_with_the_form() {
    let refused = |text: &str| text.parse::<Override>().unwrap_err();
    for text in ["", "a", "a.b", "'a=b'"] {
        assert_eq!(refused(text), OverrideError::NoValue(text.to_owned()), "{text}");
    }
    for text in ["=1", ".a=1", "a.=1", "a..b=1", "\"\"=1", "\"a=1", "'a'b=1", "  =x", "'a'\u{e4}=1"] {
        assert_eq!(refused(text), OverrideError::Key(text.to_owned()), "{text}");
    }
    assert!(refused("a").to_string().contains("write -c KEY=VALUE"));
}

#[test]
fn an_override_replaces_what_stands_in_its_way_and_nothing_else() {
    let mut config = table("a = 1\n[b]\nc = 2\nd = 3");
    for text in ["b.c=9", "a.x.y=1", "b.new=true", "b={ e = 4 }"] {
        text.parse::<Override>().unwrap().apply(&mut config);
    }
    assert_eq!(config, table("a.x.y = 1\n[b]\nc = 9\nd = 3\nnew = true\ne = 4"));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(Value::from))
}

proptest! {
    #[test]
    fn nothing_makes_the_parser_panic(text in any::<String>()) {
        let _ = text.parse::<Override>();
    }

    #[test]
    fn what_looks_like_a_key_never_makes_it_panic(text in "[a\"'.= \u{e4}]{0,12}") {
        if let Ok(parsed) = text.parse::<Override>() {
            prop_assert!(!parsed.path.is_empty() && parsed.path.iter().all(|part| !part.is_empty()));
            prop_assert!(text.contains('='));
        }
    }

    #[test]
    fn any_value_under_any_key_arrives(path in prop::collection::vec("[^\"]{1,8}", 1..5), value in value()) {
        let key = path.iter().map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(".");
        let parsed: Override = format!("{key}={value}").parse().unwrap();
        prop_assert_eq!(&parsed.path, &path);
        prop_assert_eq!(&parsed.value, &value);
        let mut config = table("kept = 1");
        parsed.apply(&mut config);
        let reached = path.iter().try_fold(&Value::Table(config.clone()), |at, part| at.get(part)).cloned();
        prop_assert_eq!(reached, Some(value));
        prop_assert!(path[0] == "kept" || config.get("kept") == Some(&Value::from(1)));
    }

    #[test]
    fn plain_text_needs_no_quotes(text in "[A-Za-z][A-Za-z0-9_:/?=.-]{0,30}") {
        prop_assume!(text.parse::<Value>().is_err());
        prop_assert_eq!(layer(&format!("key={text}")), Table::from_iter([("key".to_owned(), Value::from(text))]));
    }
}
