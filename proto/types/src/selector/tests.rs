use super::*;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn each_form_means_what_it_means_to_kubectl() {
    let node = labels(&[("arch", "x86_64"), ("zone", "b"), ("gpu", "")]);
    let holds = |text: &str| text.parse::<Selector>().unwrap().matches(&node);
    for text in [
        "",
        " ",
        "arch=x86_64",
        "arch==x86_64",
        "arch = x86_64 , zone != c",
        "zone in (a, b)",
        "zone notin (a,c)",
        "gpu",
        "!spot",
        "! spot",
        "gpu=",
        "spot!=yes",
        "spot notin (yes)",
        "arch=x86_64,zone!=c,zone in (b,d),!spot",
    ] {
        assert!(holds(text), "{text}");
    }
    for text in ["arch=arm64", "zone!=b", "zone in (a)", "zone notin (a,b)", "spot", "!gpu", "spot=", "spot in (,x)", "gpu,spot"]
    {
        assert!(!holds(text), "{text}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_in_a_sentence() {
    let refused = |text: &str| text.parse::<Selector>().unwrap_err().to_string();
    assert_eq!(
        refused("a b"),
        "`a b` is not a part of a selector; write KEY=VALUE, KEY!=VALUE, KEY in (A,B), KEY notin (A,B), KEY or !KEY"
    );
    assert!(refused("a=b,").contains("not a part"));
    assert!(refused("a within (b)").contains("not a part"));
    assert!(refused("a in (b").contains("is not closed"));
    assert!(refused("a in ((b))").contains("is not closed"));
    assert!(refused("a in b)").contains("was not opened"));
    assert!(refused("=b").contains("not a label's key"));
    assert!(refused("a=b c").contains("not a label's value"));
    assert!(refused(&"a".repeat(5000)).contains("4096"));
}

fn values() -> impl Strategy<Value = BTreeSet<LabelValue>> {
    btree_set("[a-c]{0,2}".prop_map(|text| text.parse().unwrap()), 1..4)
}

fn demands() -> impl Strategy<Value = Demand> {
    prop_oneof![values().prop_map(Demand::In), values().prop_map(Demand::NotIn), Just(Demand::Exists), Just(Demand::Missing)]
}

fn selectors() -> impl Strategy<Value = Selector> {
    let keys = "([a-z]{1,3}\\.io/)?[a-d]".prop_map(|text| text.parse().unwrap());
    vec((keys, demands()).prop_map(|(key, demand)| Requirement { key, demand }), 0..5).prop_map(Selector::new)
}

proptest! {
    #[test]
    fn a_selector_is_read_as_it_is_written(selector in selectors()) {
        prop_assert_eq!(selector.to_string().parse::<Selector>(), Ok(selector));
    }

    #[test]
    fn no_text_is_too_strange_and_what_is_read_is_written_the_same_way(text in "[a-c=!,() ./-]{0,24}|\\PC{0,24}") {
        if let Ok(selector) = text.parse::<Selector>() {
            prop_assert_eq!(selector.to_string().parse::<Selector>(), Ok(selector));
        }
    }

    #[test]
    fn each_part_and_its_opposite_divide_all_nodes(
        set in values(), labels in btree_map("[a-d]", "[a-c]{0,2}", 0..4),
    ) {
        let key: LabelKey = "a".parse().unwrap();
        let holds = |demand| Requirement { key: key.clone(), demand }.matches(&labels);
        prop_assert_ne!(holds(Demand::In(set.clone())), holds(Demand::NotIn(set)));
        prop_assert_ne!(holds(Demand::Exists), holds(Demand::Missing));
    }
}
